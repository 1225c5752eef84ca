//! What is checked of a request before the ledger is asked: form, keysets, sums, conditions of spending,
//! and, on threads of their own, the signatures on the notes.

use super::keysets::{Book, Own};
use super::{MOST, Mint, MintRefusal, repeated};
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_ecash::message::{BlindSignature, BlindedMessage, ErrorCode, Proof};
use yufu_ecash::spend::{Transaction, check_spend};
use yufu_ecash::{KeysetId, Note};
use yufu_keys::random;
use yufu_machine::{Input, KeysetNumber, Output, Point};

/// The most characters of a secret.
const LONGEST_SECRET: usize = 1_024;

/// Notes whose form is in order; their signatures are not verified yet.
pub(super) struct Notes {
    pub(super) inputs: Vec<Input>,
    /// `Y` of each, in the order of the inputs.
    pub(super) hashed: Vec<yufu_ecash::Point>,
    /// What they are worth, less the fee, in minor units.
    pub(super) worth: u64,
    signed: Vec<(Arc<Own>, Note)>,
}

impl Notes {
    fn with_capacity(notes: usize) -> Self {
        let (inputs, signed) = (Vec::with_capacity(notes), Vec::with_capacity(notes));
        Self { inputs, hashed: Vec::new(), worth: 0, signed }
    }
}

impl Mint {
    /// The notes of a request, with their hashed secrets if those are known already, if each is one that may be spent for it.
    pub(super) fn notes(
        &self,
        book: &Book,
        (proofs, hashed): (&[Proof], Option<Vec<yufu_ecash::Point>>),
        transaction: Transaction<'_>,
        now: Timestamp,
    ) -> Result<Notes, MintRefusal> {
        if proofs.is_empty() {
            return Err(MintRefusal::new(ErrorCode::NotBalanced, "there are no notes"));
        }
        if proofs.len() > MOST {
            return Err(too_many_notes());
        }
        if repeated(proofs.iter().map(|proof| (proof.id, proof.secret.as_str()))) {
            return Err(MintRefusal::new(ErrorCode::DuplicateInputs, "a note stands there twice"));
        }
        let hashed = match hashed {
            Some(hashed) => hashed,
            None => hash_all(proofs)?,
        };
        let mut notes = Notes::with_capacity(proofs.len());
        let (mut sum, mut fee) = (0_u64, 0_u64);
        for (proof, hashed) in proofs.iter().zip(&hashed) {
            let own = redeemable(book, proof.id, now)?;
            if proof.secret.len() > LONGEST_SECRET {
                let detail = format!("a secret has at most {LONGEST_SECRET} characters");
                return Err(MintRefusal::new(ErrorCode::ProofInvalid, detail));
            }
            let point = Point(hashed.to_bytes());
            notes.inputs.push(Input { keyset: own.number, amount: proof.amount, point });
            let (amount, hashed, signature) = (proof.amount, *hashed, proof.signature);
            notes.signed.push((Arc::clone(own), Note { amount, hashed, signature }));
            let too_much = || MintRefusal::new(ErrorCode::AmountOutsideLimits, "that is too much");
            sum = sum.checked_add(amount).ok_or_else(too_much)?;
            fee = fee.saturating_add(own.signer.keyset().input_fee_ppk.unwrap_or(0));
        }
        if !of_one_kind(&notes.signed) {
            let detail = "notes for registered payees are spent by themselves";
            return Err(MintRefusal::new(ErrorCode::MixedUnits, detail));
        }
        check_spend(proofs, transaction, now.seconds())
            .map_err(|error| MintRefusal::new(error.code(), error.to_string()))?;
        let little = || MintRefusal::new(ErrorCode::NotBalanced, "the fee is more than the notes");
        notes.hashed = hashed;
        notes.worth = sum.checked_sub(fee.div_ceil(1_000)).ok_or_else(little)?;
        Ok(notes)
    }

    /// The outputs of a request, if keysets of this mint sign them now.
    pub(super) fn outputs(
        &self,
        book: &Book,
        messages: &[BlindedMessage],
        now: Timestamp,
    ) -> Result<Vec<Output>, MintRefusal> {
        well_formed(messages)?;
        let output = |message: &BlindedMessage| {
            let own = book.get(message.id).ok_or_else(|| unknown(message.id))?;
            signs(own, now)?;
            let keyset = own.signer.keyset();
            keyset.key(message.amount).ok_or_else(|| no_denomination(message.amount))?;
            let blinded = Point(message.blinded.to_bytes());
            Ok(Output { keyset: own.number, amount: message.amount, blinded })
        };
        messages.iter().map(output).collect()
    }
}

/// What the log says of notes, but for their keysets, which may be over: to be held against a command of before.
pub(super) fn named(proofs: &[Proof]) -> Result<Vec<(u64, Point)>, MintRefusal> {
    if proofs.len() > MOST {
        return Err(too_many_notes());
    }
    let hashed = hash_all(proofs)?;
    Ok(proofs.iter().zip(hashed).map(|(proof, y)| (proof.amount, Point(y.to_bytes()))).collect())
}

fn hash_all(proofs: &[Proof]) -> Result<Vec<yufu_ecash::Point>, MintRefusal> {
    let secrets = proofs.iter().map(|proof| proof.secret.as_bytes());
    yufu_ecash::hash_all(secrets)
        .map_err(|_| MintRefusal::new(ErrorCode::ProofInvalid, "a secret has no point"))
}

fn too_many_notes() -> MintRefusal {
    MintRefusal::new(ErrorCode::TooManyInputs, format!("at most {MOST} notes at once"))
}

/// Whether all notes may be paid to the same payees.
fn of_one_kind(signed: &[(Arc<Own>, Note)]) -> bool {
    let mut kinds = signed.iter().map(|(own, _)| own.registered_payees);
    let first = kinds.next();
    kinds.all(|kind| Some(kind) == first)
}

/// The number of outputs, and that none stands there twice.
pub(super) fn well_formed(messages: &[BlindedMessage]) -> Result<(), MintRefusal> {
    if messages.is_empty() {
        return Err(MintRefusal::new(ErrorCode::NotBalanced, "there are no outputs"));
    }
    if messages.len() > MOST {
        let detail = format!("at most {MOST} outputs at once");
        return Err(MintRefusal::new(ErrorCode::TooManyOutputs, detail));
    }
    if repeated(messages.iter().map(|message| message.blinded)) {
        let detail = "an output stands there twice: blind a new secret for each";
        return Err(MintRefusal::new(ErrorCode::DuplicateOutputs, detail));
    }
    Ok(())
}

/// What outputs add up to, in minor units.
pub(super) fn sum(messages: &[BlindedMessage]) -> Result<u64, MintRefusal> {
    let mut amounts = messages.iter().map(|message| message.amount);
    let sum = amounts.try_fold(0_u64, u64::checked_add);
    sum.ok_or_else(|| MintRefusal::new(ErrorCode::AmountOutsideLimits, "that is too much"))
}

/// That outputs are asked for exactly what is given for them.
pub(super) fn even(worth: u64, asked: u64) -> Result<(), MintRefusal> {
    if worth == asked {
        return Ok(());
    }
    let detail = format!("{worth} is given after fees and {asked} is asked: ask for exactly that");
    Err(MintRefusal::new(ErrorCode::NotBalanced, detail))
}

fn redeemable(book: &Book, id: KeysetId, now: Timestamp) -> Result<&Arc<Own>, MintRefusal> {
    let own = book.get(id).ok_or_else(|| unknown(id))?;
    if own.final_expiry <= now {
        let detail = format!("keyset {id} is over: its notes are not redeemed any more");
        return Err(MintRefusal::new(ErrorCode::KeysetExpired, detail));
    }
    Ok(own)
}

fn signs(own: &Own, now: Timestamp) -> Result<(), MintRefusal> {
    let id = own.signer.keyset().id;
    if own.final_expiry <= now {
        let detail = format!("keyset {id} is over");
        return Err(MintRefusal::new(ErrorCode::KeysetExpired, detail));
    }
    if !own.active {
        let detail =
            format!("keyset {id} signs nothing any more: ask for outputs of an active one");
        return Err(MintRefusal::new(ErrorCode::KeysetInactive, detail));
    }
    Ok(())
}

pub(super) fn unknown(id: KeysetId) -> MintRefusal {
    unknown_text(&id.to_string())
}

pub(super) fn unknown_text(id: &str) -> MintRefusal {
    let detail = format!("keyset {id} is none of this mint's, or is over: look at /v1/keysets");
    MintRefusal::new(ErrorCode::KeysetUnknown, detail)
}

fn no_denomination(amount: u64) -> MintRefusal {
    let detail = format!("{amount} is no amount of the keyset: use its keys' amounts");
    MintRefusal::new(ErrorCode::AmountOutsideLimits, detail)
}

/// A note, the place of the request it is in, and its keyset.
type Claimed<'a> = (usize, Note, &'a Arc<Own>);

/// Verifies the notes of several requests together; which requests have a note that this mint did not
/// sign, by their places. Long work: for a thread of its own.
pub(super) fn verify(requests: &[&Notes]) -> Result<Vec<usize>, MintRefusal> {
    let mut by_keyset: BTreeMap<KeysetNumber, Vec<Claimed<'_>>> = BTreeMap::new();
    for (place, request) in requests.iter().enumerate() {
        for (own, note) in &request.signed {
            by_keyset.entry(own.number).or_default().push((place, *note, own));
        }
    }
    let mut bad = Vec::new();
    for notes in by_keyset.values() {
        let Some((_, _, own)) = notes.first() else { continue };
        let coefficients: Vec<u128> =
            notes.iter().map(|_| u128::from_be_bytes(random()) | 1).collect();
        // An amount that is no denomination is no note of the keyset: looked at one by one.
        let known: Vec<Note> = notes.iter().map(|(_, note, _)| *note).collect();
        match own.signer.verify(&known, &coefficients) {
            Ok(wrong) => bad.extend(wrong.into_iter().filter_map(|at| Some(notes.get(at)?.0))),
            Err(_) => {
                for (place, note, own) in notes {
                    let fits = own.signer.verify(&[*note], &[1]);
                    if !matches!(fits.as_deref(), Ok([])) {
                        bad.push(*place);
                    }
                }
            }
        }
    }
    Ok(bad)
}

pub(super) fn forged() -> MintRefusal {
    MintRefusal::new(ErrorCode::ProofInvalid, "this mint did not sign a note: it is worth nothing")
}

/// Signs outputs that the ledger has promised: the same bytes every time, those of one keyset together. Long work.
pub(super) fn sign<'a>(
    book: &Book,
    messages: impl IntoIterator<Item = &'a BlindedMessage>,
) -> Result<Vec<BlindSignature>, MintRefusal> {
    let mut by_keyset: BTreeMap<KeysetId, Vec<(usize, &BlindedMessage)>> = BTreeMap::new();
    for (place, message) in messages.into_iter().enumerate() {
        by_keyset.entry(message.id).or_default().push((place, message));
    }
    let mut signed = Vec::new();
    for (id, messages) in by_keyset {
        let own = book.get(id).ok_or_else(|| unknown(id))?;
        let asked: Vec<_> = messages.iter().map(|(_, one)| (one.amount, one.blinded)).collect();
        let promises = own.signer.sign_all(&asked).map_err(MintRefusal::internal)?;
        if promises.len() != asked.len() {
            return Err(MintRefusal::internal("a keyset signed less than it was asked"));
        }
        signed.extend(messages.into_iter().zip(promises).map(|((place, message), promise)| {
            let (signature, dleq) = (promise.signature, Some(promise.dleq));
            (place, BlindSignature { amount: message.amount, id, signature, dleq })
        }));
    }
    signed.sort_unstable_by_key(|(place, _)| *place);
    Ok(signed.into_iter().map(|(_, signature)| signature).collect())
}
