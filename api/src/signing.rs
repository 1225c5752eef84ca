//! What is answered when a key does not sign: a token may be away for a while, and whoever asks is told so; why, the
//! operator reads in the log and at `/readyz`.

use crate::http::Problem;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{RwLock, RwLockReadGuard};
use yufu_base::{PublicKey, Signer, SignerError, TokenFault};
use yufu_jose::{Chain, Jwk};
use yufu_keys::InUse;

/// A key that signs, with its certificates. Taken whole for each piece of work: it may be followed by the next one
/// while a server runs.
pub struct Signing {
    /// The key.
    pub signer: Arc<dyn Signer>,
    /// Its certificate chain.
    pub chain: Chain,
    /// Those before it, the newest first, whose work still counts.
    pub former: Vec<PublicKey>,
}

impl Signing {
    /// The public keys by which what was signed here is known, the one in use first.
    #[must_use]
    pub fn keys(&self) -> Vec<Jwk> {
        let all = std::iter::once(self.signer.public_key()).chain(self.former.iter().copied());
        all.map(Jwk::from).collect()
    }
}

/// A key that others know by name, so that they have to be told before another one takes its place. Whoever uses it holds
/// it until the answer is there; a change waits for them, and whoever comes meanwhile waits for the change.
pub struct HeldKey {
    key: InUse<dyn Signer>,
    gate: RwLock<()>,
}

/// A key that does not change as long as this is held.
pub(crate) struct Held<'a> {
    signer: Arc<dyn Signer>,
    _gate: RwLockReadGuard<'a, ()>,
}

impl HeldKey {
    /// The key in use.
    #[must_use]
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Self { key: InUse::new(signer), gate: RwLock::default() }
    }

    /// The key, for what is signed and not sent anywhere yet.
    pub(crate) fn get(&self) -> Arc<dyn Signer> {
        self.key.get()
    }

    /// The public half of the key in use.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.get().public_key()
    }

    /// The key, for what is sent at once. Not to be held twice by the same task.
    pub(crate) async fn held(&self) -> Held<'_> {
        let gate = self.gate.read().await;
        Held { signer: self.key.get(), _gate: gate }
    }

    /// Has `next` used from now on, once `told` with the former one has told the others, while nobody uses either.
    pub(crate) async fn change<F>(
        &self,
        next: Arc<dyn Signer>,
        told: impl FnOnce(Arc<dyn Signer>, Arc<dyn Signer>) -> F,
    ) -> Result<(), Problem>
    where
        F: Future<Output = Result<(), Problem>>,
    {
        let _alone = self.gate.write().await;
        told(self.key.get(), Arc::clone(&next)).await?;
        self.key.turn(next);
        Ok(())
    }
}

impl Deref for Held<'_> {
    type Target = dyn Signer;

    fn deref(&self) -> &Self::Target {
        &*self.signer
    }
}

/// Refuses what could not be signed now, before anything is used up for it.
pub(crate) fn can_sign(signer: &dyn Signer) -> Result<(), Problem> {
    signer.ready().map_err(unavailable)
}

/// The answer to whoever asked for something that was not signed, because of `cause`.
pub(crate) fn unsigned(signer: &dyn Signer, cause: impl fmt::Display) -> Problem {
    match signer.ready() {
        Err(error) => unavailable(error),
        Ok(()) => Problem::internal(cause),
    }
}

fn unavailable(error: SignerError) -> Problem {
    let SignerError::Token { fault, why } = error else { return Problem::internal(error) };
    tracing::error!(code = fault.code(), %why, "a token does not sign");
    let detail = match fault {
        TokenFault::ModuleMissing => "the module that speaks to the token of keys here is missing",
        TokenFault::TokenAbsent => "the token that holds the keys here is not there",
        TokenFault::TokenLocked => "the token that holds the keys here is locked",
        TokenFault::PinWrong => "the token that holds the keys here refuses its PIN",
        TokenFault::KeyAbsent => "the token here does not hold the key",
        TokenFault::SessionLost => "the token that holds the keys here does not answer",
        TokenFault::Unfit => "the token that holds the keys here cannot do what is needed",
    };
    let next =
        "nothing was done; send the same request again later, the operator sees why at /readyz";
    Problem::unavailable(fault.code(), format!("{detail}: {next}"))
}
