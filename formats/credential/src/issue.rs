//! Issuance: claims in, signed SD-JWT VC out.

use crate::disclosure::{ALGORITHM, DIGESTS, Disclosure, ELEMENT, digest};
use crate::process::{MAX_DEPTH, REGISTERED};
use crate::subject::{Confirmation, StatusReference};
use crate::{Integrity, SD_JWT_VC};
use serde_json::{Map, Value};
use std::fmt;
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Chain, Header, Jwk, SignError, encode_base64url, sign};

/// A credential to be issued. Whoever issues a batch gives its members the same dates,
/// rounded, so that the dates do not link them.
#[derive(Clone)]
pub struct Issuance {
    /// The credential's type.
    pub vct: String,
    /// By what the type's metadata are known; the same in every credential of the type.
    pub type_integrity: Option<Integrity>,
    /// Who issues it.
    pub issuer: String,
    /// When.
    pub issued_at: Timestamp,
    /// From when it may be accepted, if later.
    pub not_before: Option<Timestamp>,
    /// From when it must no longer be accepted.
    pub expires_at: Timestamp,
    /// Where its status stands.
    pub status: Option<StatusReference>,
    /// The key it is bound to.
    pub holder_key: Jwk,
    /// Claims that every presentation shows.
    pub open: Map<String, Value>,
    /// Claims the holder shows one by one: each member, and within objects and arrays
    /// each member and element again, has a disclosure of its own.
    pub selective: Map<String, Value>,
    /// Digests that stand for nothing, to hide how many claims there are.
    pub decoys: u8,
}

/// Why a credential cannot be issued. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// A claim is named like one that issuance sets itself.
    #[error("the claim {0:?} is set by issuance: leave it out of open and selective")]
    Registered(String),
    /// A name has a meaning of its own in SD-JWT.
    #[error("no claim can be named {0:?}: SD-JWT uses the name itself")]
    Reserved(String),
    /// A claim is open and selective at once.
    #[error("the claim {0:?} is both open and selective: decide for one")]
    Twice(String),
    /// Claims nest too deeply.
    #[error("the claims nest more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// The credential could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Issuance {
    /// Signs the credential as `<JWT>~<disclosure>~...~`, with the issuer's certificate
    /// chain in its header. `salts` gives 128 fresh random bits at each call.
    ///
    /// # Errors
    /// [`IssueError`], the first rule broken.
    pub fn sign(
        self,
        signer: &dyn Signer,
        chain: &Chain,
        salts: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<String, IssueError> {
        for name in self.open.keys().chain(self.selective.keys()) {
            if REGISTERED.contains(&name.as_str()) {
                return Err(IssueError::Registered(name.clone()));
            }
        }
        for (name, value) in self.open.iter().chain(&self.selective) {
            check_names(name, value, 1)?;
        }
        if let Some(name) = self.open.keys().find(|name| self.selective.contains_key(*name)) {
            return Err(IssueError::Twice(name.clone()));
        }
        let mut hide = Hide { salts, disclosures: Vec::new() };
        let mut payload = self.open;
        let mut digests = hide.members(self.selective);
        digests.extend((0..self.decoys).map(|_| digest(&encode_base64url((hide.salts)()))));
        insert_digests(&mut payload, digests);
        payload.insert(ALGORITHM.into(), "sha-256".into());
        payload.insert("vct".into(), self.vct.into());
        if let Some(integrity) = self.type_integrity {
            payload.insert("vct#integrity".into(), String::from(integrity).into());
        }
        payload.insert("iss".into(), self.issuer.into());
        payload.insert("iat".into(), self.issued_at.seconds().into());
        payload.insert("exp".into(), self.expires_at.seconds().into());
        if let Some(at) = self.not_before {
            payload.insert("nbf".into(), at.seconds().into());
        }
        payload.insert("cnf".into(), to_json(&Confirmation { jwk: self.holder_key })?);
        if let Some(status) = self.status {
            payload.insert("status".into(), to_json(&status)?);
        }
        let header = Header::typed(SD_JWT_VC).with_chain(chain);
        let payload = Value::Object(payload).to_string();
        let mut text = sign(&header, payload.as_bytes(), signer)?;
        text.push('~');
        for disclosure in hide.disclosures {
            text.push_str(&disclosure.encoded);
            text.push('~');
        }
        Ok(text)
    }
}

/// Turns claims into disclosures, innermost first, leaving digests in their place.
struct Hide<'a> {
    salts: &'a mut dyn FnMut() -> [u8; 16],
    disclosures: Vec<Disclosure>,
}

impl Hide<'_> {
    fn members(&mut self, members: Map<String, Value>) -> Vec<String> {
        members
            .into_iter()
            .map(|(name, value)| {
                let value = self.within(value);
                self.disclose(Some(name), value)
            })
            .collect()
    }

    fn within(&mut self, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut object = Map::new();
                insert_digests(&mut object, self.members(members));
                Value::Object(object)
            }
            Value::Array(items) => Value::Array(
                items
                    .into_iter()
                    .map(|item| {
                        let item = self.within(item);
                        let digest = self.disclose(None, item);
                        Value::Object(Map::from_iter([(ELEMENT.to_owned(), digest.into())]))
                    })
                    .collect(),
            ),
            plain => plain,
        }
    }

    fn disclose(&mut self, name: Option<String>, value: Value) -> String {
        let disclosure = Disclosure::new((self.salts)(), name, value);
        let digest = disclosure.digest.clone();
        self.disclosures.push(disclosure);
        digest
    }
}

/// Sorted, so that the order of the digests says nothing about the claims.
fn insert_digests(object: &mut Map<String, Value>, mut digests: Vec<String>) {
    if !digests.is_empty() {
        digests.sort_unstable();
        object.insert(DIGESTS.into(), digests.into());
    }
}

fn check_names(name: &str, value: &Value, depth: usize) -> Result<(), IssueError> {
    if [DIGESTS, ELEMENT, ALGORITHM].contains(&name) {
        return Err(IssueError::Reserved(name.to_owned()));
    }
    if depth > MAX_DEPTH {
        return Err(IssueError::TooDeep);
    }
    let below = depth.saturating_add(1);
    match value {
        Value::Object(members) => {
            members.iter().try_for_each(|(name, value)| check_names(name, value, below))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_names("", item, below)),
        _ => Ok(()),
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value, SignError> {
    serde_json::to_value(value).map_err(|error| SignError::Json(error.to_string()))
}

/// Says nothing of the claims' values: logs are no place for them.
impl fmt::Debug for Issuance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Issuance({}, {} claims)",
            self.vct,
            self.open.len().saturating_add(self.selective.len())
        )
    }
}
