//! The keys of the trust list: the one in use, and the operator's words on which followed which. A next one is announced
//! in the list itself, by the word of the one in use, and signs from its time on.

use super::Plan;
use crate::trust_key;
use anyhow::Result;
use yufu_api::trust::ListKeys;
use yufu_base::{InstitutionId, Timestamp};
use yufu_jose::Unverified;
use yufu_keys::KeyStore;
use yufu_trust::Succession;

/// The key that signs the list.
pub(super) const TRUST_LIST: &str = "trust-list";
/// How the words are kept, beside the key.
const WORDS: &str = "words";

/// What the list is signed with now. A key that is ahead is announced; if its time has come, it signs.
pub(super) fn list_keys(plan: &Plan<'_>, id: &InstitutionId, identifier: &str) -> Result<ListKeys> {
    let (keys, now) = (plan.data.keys(id)?, plan.clock.read().wall);
    keys.signer(TRUST_LIST)?;
    let succession = words(&keys, (TRUST_LIST, identifier), now)?;
    let mut ring = keys.ring(TRUST_LIST)?;
    if ring.ahead().is_some_and(|ahead| ahead.is_due(now)) {
        ring = keys.take_up(TRUST_LIST, now)?;
    }
    let signer = keys.signer(TRUST_LIST)?;
    trust_key::write(plan.data, signer.public_key())?;
    let until = ring.ahead().and(succession.last()).and_then(|word| read(word));
    Ok(ListKeys { signer, succession, until: until.map(|word| word.from.seconds()) })
}

/// The words on which key followed which, oldest first; said now of a key that is ahead, if it was not yet.
pub(super) fn words(
    keys: &KeyStore,
    (name, of): (&str, &str),
    now: Timestamp,
) -> Result<Vec<String>> {
    let kept = keys.find(name, WORDS)?;
    let mut words: Vec<String> =
        kept.map(|bytes| serde_json::from_slice(&bytes)).transpose()?.unwrap_or_default();
    let Some((ahead, next)) = keys.ahead(name)? else { return Ok(words) };
    let said = words.last().and_then(|word| read(word));
    if said.is_none_or(|word| word.jwk.key != next.public_key()) {
        let now = Timestamp::from_seconds(now.seconds());
        let from = Timestamp::from_seconds(ahead.from.max(now.seconds()));
        let word = Succession { iss: of.to_owned(), jwk: next.public_key().into(), iat: now, from };
        words.push(word.sign(&*keys.signer(name)?)?);
        keys.replace(name, WORDS, &serde_json::to_vec_pretty(&words)?)?;
    }
    Ok(words)
}

/// The words on the keys that were taken up: one that is ahead was not told to everybody yet.
pub(super) fn words_in_use(keys: &KeyStore, name: &str) -> Result<Vec<String>> {
    let kept = keys.find(name, WORDS)?;
    let mut words: Vec<String> =
        kept.map(|bytes| serde_json::from_slice(&bytes)).transpose()?.unwrap_or_default();
    if let Some((_, next)) = keys.ahead(name)? {
        words.retain(|word| read(word).is_some_and(|word| word.jwk.key != next.public_key()));
    }
    Ok(words)
}

fn read(word: &str) -> Option<Succession> {
    Unverified::parse(word).ok()?.unverified_claims().ok()
}
