//! The list of an issuer's own certificates that count no more (RFC 5280, section 5), whose address is in each of those that
//! sign mdocs (ISO/IEC 18013-5, Annex B): one for each generation of the authority that certifies them.

use super::Issuer;
use crate::http::Problem;
use crate::signing::unsigned;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use yufu_base::Timestamp;
use yufu_keys::KeyStore;

/// How a list is served.
const MEDIA_TYPE: &str = "application/pkix-crl";
/// For how long a list is served before it is signed anew, in seconds.
const FRESH_SECONDS: u64 = 600;

/// What the lists are made of, and those made last.
pub struct Revocations {
    keys: KeyStore,
    anchor: &'static str,
    certified: &'static str,
    made: Mutex<BTreeMap<u32, (Timestamp, Vec<u8>)>>,
}

impl Revocations {
    /// Of what the authority `anchor` in `keys` certified: the keys called `certified` there.
    #[must_use]
    pub fn new(keys: KeyStore, anchor: &'static str, certified: &'static str) -> Self {
        Self { keys, anchor, certified, made: Mutex::default() }
    }
}

impl Issuer {
    /// The list by a generation of its authority, as it is served.
    pub(crate) fn revocation_list(&self, generation: &str) -> Result<Response, Problem> {
        let none = || Problem::not_found("list of revoked certificates");
        let number: u32 = generation.parse().map_err(|_| none())?;
        let (revocations, now) = (&self.revocations, self.clock.read().wall);
        let mut made = revocations.made.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |(at, list): &(Timestamp, Vec<u8>)| {
            (*at <= now && now < at.plus_seconds(FRESH_SECONDS)).then(|| list.clone())
        };
        let list = match made.get(&number).and_then(fresh) {
            Some(list) => list,
            None => {
                let by = (revocations.anchor, number);
                let list = revocations.keys.revocation_list(by, revocations.certified, now);
                let list = list.map_err(|error| unsigned(&*self.signing.get().signer, error))?;
                let list = list.ok_or_else(none)?;
                made.insert(number, (now, list.clone()));
                list
            }
        };
        drop(made);
        Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], list).into_response())
    }
}
