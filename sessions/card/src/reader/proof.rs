//! Proofs against copies: chip authentication, a session that only the true chip can share, and active
//! authentication, a signature over a challenge.

use super::data::Collected;
use super::pace::general;
use super::session::{Session, done};
use super::{Next, Phase};
use crate::error::CardError;
use yufu_emrtd::apdu::{Command, Response};
use yufu_emrtd::crypto::{SessionKeys, Suite};
use yufu_emrtd::secure_messaging::Channel;
use yufu_emrtd::{
    ChipAuthentication, ChipKey, SecurityInfos, SignatureError, SigningKey, oid, tlv,
    verify_challenge,
};

/// Chip authentication that was begun.
pub(super) struct ChipProof {
    collected: Collected,
    offered: ChipAuthentication,
    key: ChipKey,
    /// The command that is still to be sent.
    then: Option<Command>,
}

/// A signature was asked for.
pub(super) struct SignatureProof {
    collected: Collected,
    key: SigningKey,
}

/// Begins chip authentication with the strongest cipher that the card offers, or goes on without if it offers none.
pub(super) fn prove(
    collected: Collected,
    session: &Session,
    infos: &SecurityInfos,
) -> Result<Next, CardError> {
    let Some((offered, key)) = choice(infos) else { return collected.next(session) };
    let own = key.curve.secret(&session.randomness.chip)?;
    let public = key.curve.public(&own)?.as_bytes().to_vec();
    let (command, then) = commands(offered, &public);
    let proof = ChipProof { collected, offered, key, then };
    Ok(Next::Send(command, Phase::Proof(proof)))
}

/// The strongest cipher that the card offers and has a key for.
pub(crate) fn choice(infos: &SecurityInfos) -> Option<(ChipAuthentication, ChipKey)> {
    let mut offers = infos.chip_authentication.clone();
    offers.sort_by_key(|offer| std::cmp::Reverse(offer.suite));
    offers.iter().find_map(|offer| infos.key_of(offer).map(|key| (*offer, *key)))
}

/// The command that begins chip authentication with a public key of the reader, and the one after it, if there is one.
pub(crate) fn commands(offered: ChipAuthentication, public: &[u8]) -> (Command, Option<Command>) {
    let number = offered.key.map(|number| tlv::object(0x84, &[number])).unwrap_or_default();
    if offered.suite == Suite::TripleDes {
        let data = [tlv::object(0x91, public), number].concat();
        return (Command::new(0x22, (0x41, 0xA6), data), None);
    }
    let name = [oid::CHIP_AUTHENTICATION_ECDH, &[offered.suite.number()]].concat();
    let data = [tlv::object(0x80, &name), number].concat();
    (Command::new(0x22, (0x41, 0xA4), data), Some(general(Some((0x80, public)), true)))
}

impl ChipProof {
    pub(super) fn handle(
        self,
        session: &mut Session,
        answer: &Response,
    ) -> Result<Next, CardError> {
        done(answer, "authenticating the chip")?;
        let Self { mut collected, offered, key, then } = self;
        if let Some(command) = then {
            let proof = Self { collected, offered, key, then: None };
            return Ok(Next::Send(command, Phase::Proof(proof)));
        }
        let own = key.curve.secret(&session.randomness.chip)?;
        let shared = key.curve.multiply(&own, &key.point)?;
        session.open_unproven(Channel::new(SessionKeys::derive(offered.suite, shared.x())));
        // The next answer that fits into this session proves the chip: something is always still to be read.
        collected.chip = true;
        collected.next(session)
    }
}

/// Asks for a signature, if the card has a key that is known here; else gives back what was collected.
pub(super) fn sign(
    collected: Collected,
    session: &Session,
) -> Result<Result<Next, Collected>, CardError> {
    if collected.signature || !collected.groups.contains_key(&15) {
        return Ok(Err(collected));
    }
    let key = match SigningKey::read(collected.group(15)?) {
        Ok(key @ SigningKey::P256(_)) => key,
        // Other keys are for other readers: the card then counts as one that does not sign.
        Ok(SigningKey::P384(_)) | Err(_) => return Ok(Err(collected)),
    };
    let challenge = session.randomness.challenge.to_vec();
    let command = Command::new(0x88, (0, 0), challenge).expecting(256);
    Ok(Ok(Next::Send(command, Phase::Signature(SignatureProof { collected, key }))))
}

impl SignatureProof {
    pub(super) fn handle(self, session: &Session, answer: &Response) -> Result<Next, CardError> {
        let Self { mut collected, key } = self;
        let signature = done(answer, "asking the chip for a signature")?;
        verify_challenge(&key, &session.randomness.challenge, signature)
            .map_err(|_: SignatureError| CardError::ClonedSignature)?;
        collected.signature = true;
        collected.next(session)
    }
}
