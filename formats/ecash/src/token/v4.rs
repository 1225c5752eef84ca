//! Tokens of version 4: CBOR, the notes grouped by keyset.

use super::{Token, TokenError, TokenKeyset, TokenNote};
use crate::cbor::{CborError, list, map, whole};
use crate::curve::{Dleq, Point, ProofDleq, SecretScalar};
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;
use std::collections::BTreeSet;

pub(super) fn read(bytes: &[u8]) -> Result<Token, TokenError> {
    let (mut mint, mut unit, mut memo, mut groups) = (None, None, None, None);
    whole(bytes, |decoder| {
        map(decoder, |name, decoder| {
            match name {
                "m" => mint = Some(decoder.str()?.to_owned()),
                "u" => unit = Some(decoder.str()?.to_owned()),
                "d" => memo = Some(decoder.str()?.to_owned()),
                "t" => groups = Some(list(decoder, group)?),
                _ => return Ok(false),
            }
            Ok(true)
        })
    })?;
    let notes = groups.ok_or(CborError::Missing("t"))?.into_iter().flatten().collect();
    let mint = mint.ok_or(CborError::Missing("m"))?;
    Ok(Token { mint, unit: Some(unit.ok_or(CborError::Missing("u"))?), memo, notes })
}

fn group(decoder: &mut Decoder<'_>) -> Result<Vec<TokenNote>, CborError> {
    let (mut keyset, mut notes) = (None, None);
    map(decoder, |name, decoder| {
        match name {
            "i" => {
                let found = TokenKeyset::from_bytes(decoder.bytes()?);
                keyset = Some(found.map_err(|e| CborError::member("i", e))?);
            }
            "p" => notes = Some(list(decoder, note)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let keyset = keyset.ok_or(CborError::Missing("i"))?;
    let mut notes = notes.ok_or(CborError::Missing("p"))?;
    for note in &mut notes {
        note.keyset = keyset;
    }
    Ok(notes)
}

fn note(decoder: &mut Decoder<'_>) -> Result<TokenNote, CborError> {
    let (mut amount, mut secret, mut signature, mut witness, mut dleq) =
        (None, None, None, None, None);
    map(decoder, |name, decoder| {
        match name {
            "a" => amount = Some(decoder.u64()?),
            "s" => secret = Some(decoder.str()?.to_owned()),
            "c" => {
                let point = Point::from_bytes(decoder.bytes()?);
                signature = Some(point.map_err(|e| CborError::member("c", e))?);
            }
            "w" => witness = Some(decoder.str()?.to_owned()),
            "d" => dleq = Some(proof_dleq(decoder)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(TokenNote {
        amount: amount.ok_or(CborError::Missing("a"))?,
        keyset: TokenKeyset::Short([0; 8]), // its group's, set there
        secret: secret.ok_or(CborError::Missing("s"))?,
        signature: signature.ok_or(CborError::Missing("c"))?,
        witness,
        dleq,
    })
}

fn proof_dleq(decoder: &mut Decoder<'_>) -> Result<ProofDleq, CborError> {
    let (mut e, mut s, mut r) = (None, None, None);
    map(decoder, |name, decoder| {
        match name {
            "e" => e = Some(number("e", decoder)?),
            "s" => s = Some(number("s", decoder)?),
            "r" => {
                let factor = SecretScalar::from_bytes(&number("r", decoder)?);
                r = Some(factor.map_err(|e| CborError::member("r", e))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let proof = Dleq { e: e.ok_or(CborError::Missing("e"))?, s: s.ok_or(CborError::Missing("s"))? };
    Ok(ProofDleq { proof, r: r.ok_or(CborError::Missing("r"))? })
}

fn number(name: &'static str, decoder: &mut Decoder<'_>) -> Result<[u8; 32], CborError> {
    decoder.bytes()?.try_into().map_err(|_| CborError::member(name, "expected 32 bytes"))
}

type Out = Encoder<Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

pub(super) fn write(token: &Token) -> Result<Vec<u8>, TokenError> {
    if token.notes.is_empty() {
        return Err(TokenError::Empty);
    }
    let unit = token.unit.as_deref().ok_or(TokenError::NoUnit)?;
    let mut out = Encoder::new(Vec::new());
    write_token(token, unit, &mut out).map_err(|e| CborError::Form(e.to_string()))?;
    Ok(out.into_writer())
}

fn write_token(token: &Token, unit: &str, out: &mut Out) -> Written {
    let mut keysets = Vec::new();
    let mut seen = BTreeSet::new();
    for note in &token.notes {
        if seen.insert(note.keyset) {
            keysets.push(note.keyset);
        }
    }
    out.map(if token.memo.is_some() { 4 } else { 3 })?.str("t")?.array(count(keysets.len()))?;
    for keyset in keysets {
        let of_it: Vec<&TokenNote> =
            token.notes.iter().filter(|note| note.keyset == keyset).collect();
        out.map(2)?.str("i")?.bytes(&keyset.to_bytes())?.str("p")?.array(count(of_it.len()))?;
        for note in of_it {
            write_note(note, out)?;
        }
    }
    if let Some(memo) = &token.memo {
        out.str("d")?.str(memo)?;
    }
    out.str("m")?.str(&token.mint)?.str("u")?.str(unit)?.ok()
}

fn write_note(note: &TokenNote, out: &mut Out) -> Written {
    let members = [true, true, true, note.dleq.is_some(), note.witness.is_some()];
    out.map(count(members.into_iter().filter(|there| *there).count()))?;
    out.str("a")?.u64(note.amount)?.str("s")?.str(&note.secret)?;
    out.str("c")?.bytes(&note.signature.to_bytes())?;
    if let Some(dleq) = &note.dleq {
        out.str("d")?.map(3)?.str("e")?.bytes(&dleq.proof.e)?;
        out.str("s")?.bytes(&dleq.proof.s)?.str("r")?.bytes(&*dleq.r.to_bytes())?;
    }
    if let Some(witness) = &note.witness {
        out.str("w")?.str(witness)?;
    }
    Ok(())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
