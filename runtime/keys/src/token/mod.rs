//! Keys in a PKCS#11 token: generated there, never to leave it. The token signs; this side keeps what names a key
//! and its public half. Sessions are pooled, and opened anew once if they are lost.

mod address;
mod key;
mod module;
mod refused;

pub use address::{PIN_VARIABLE, TokenAddress, TokenAddressError};
pub use key::{TokenKey, TokenKeyName};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use module::{Module, Open, module};
use refused::RefusedPin;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Handle, RuntimeFlavor};
use yufu_base::{SignerError, TokenFault};

/// A token that holds keys.
pub struct Token {
    address: TokenAddress,
    /// What its sessions are pooled under.
    name: String,
    module: Arc<Module>,
    refused: RefusedPin,
    /// A fault that only a person can mend: nothing is tried any more.
    over: Mutex<Option<TokenError>>,
    keys: Mutex<BTreeMap<Vec<u8>, Arc<TokenKey>>>,
    /// How often it failed: what one of its keys found out holds for all.
    failures: AtomicU64,
}

/// Why a token did not do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TokenError {
    /// What is wrong.
    pub fault: TokenFault,
    /// The same at length, with what to do next.
    pub why: String,
}

/// What became of something that was tried.
enum Tried {
    /// The session, the handle of the key or the token itself is gone: worth another try after opening anew.
    Gone(TokenError, u64),
    /// It would end the same way again.
    Final(TokenError),
}

impl Token {
    /// The token at `address`. It is not spoken to yet. `memory` is where it is kept, across starts, that a PIN was
    /// refused: a service manager that starts this again and again must not lock the token.
    #[must_use]
    pub fn new(address: TokenAddress, memory: &Path) -> Self {
        let name = format!("{:?}{:?}", address.label, address.serial);
        Self {
            module: module(&address.module),
            refused: RefusedPin::at(memory),
            name,
            address,
            over: Mutex::default(),
            keys: Mutex::default(),
            failures: AtomicU64::new(0),
        }
    }

    /// How often it failed so far.
    fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// Whether the token is there and lets us in, and each of its keys that this process uses is on it and signs.
    ///
    /// # Errors
    /// [`TokenError`], what is wrong.
    pub fn ready(&self) -> Result<(), TokenError> {
        let keys: Vec<_> = {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.values().cloned().collect()
        };
        if keys.is_empty() {
            return self.with(|_, _| Ok(()));
        }
        keys.iter().try_for_each(|key| key.try_out())
    }

    /// The key of this name, with the public half that was noted when it was made. The token is not asked yet.
    #[must_use]
    pub fn key(self: &Arc<Self>, name: &TokenKeyName) -> Arc<TokenKey> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(TokenKey::new(Arc::clone(self), name.clone()));
        Arc::clone(keys.entry(name.id()).or_insert_with(new))
    }

    /// As [`Token::key`], of one whose absence is no fault of the token's: it is not among those that have to sign.
    pub(crate) fn former_key(self: &Arc<Self>, name: TokenKeyName) -> Arc<TokenKey> {
        Arc::new(TokenKey::new(Arc::clone(self), name))
    }

    /// Does something in a session in which we are logged in: if that was lost, once more in one opened anew. Never
    /// on a thread that others wait for.
    fn with<T>(&self, work: impl Fn(&Session, u64) -> Result<T, Error>) -> Result<T, TokenError> {
        off_the_executor(|| {
            let over = self.over.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(error) = over {
                return Err(error);
            }
            let again = match self.attempt(&work) {
                Ok(done) => return Ok(done),
                Err(Tried::Final(error)) => Err(error),
                Err(Tried::Gone(error, turn)) => match self.module.again(turn)? {
                    false => Err(error),
                    true => self.attempt(&work).map_err(|tried| match tried {
                        Tried::Gone(error, _) | Tried::Final(error) => error,
                    }),
                },
            };
            again.inspect_err(|error| {
                self.failures.fetch_add(1, Ordering::AcqRel);
                if matches!(error.fault, TokenFault::PinWrong | TokenFault::TokenLocked) {
                    let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
                    *over = Some(error.clone());
                }
            })
        })
    }

    fn attempt<T>(&self, work: &impl Fn(&Session, u64) -> Result<T, Error>) -> Result<T, Tried> {
        let mut gone = None;
        let outcome = self.module.with(|open, context| {
            let tried = self.in_session(open, context, work);
            tried.map_err(|tried| match tried {
                Tried::Gone(error, turn) => {
                    gone = Some(turn);
                    error
                }
                Tried::Final(error) => error,
            })
        });
        outcome.map_err(|error| match gone {
            Some(turn) => Tried::Gone(error, turn),
            None => Tried::Final(error),
        })
    }

    fn in_session<T>(
        &self,
        open: &Open,
        context: &Pkcs11,
        work: &impl Fn(&Session, u64) -> Result<T, Error>,
    ) -> Result<T, Tried> {
        let session = match open.take(&self.name) {
            Some(session) => session,
            None => self.log_in(context, open.turn)?,
        };
        match work(&session, open.turn) {
            Ok(done) => {
                open.keep(&self.name, session);
                Ok(done)
            }
            Err(error) => {
                let (fault, gone) = judged(&error);
                let error = TokenError::new(fault, self.told(fault, &error));
                Err(if gone { Tried::Gone(error, open.turn) } else { Tried::Final(error) })
            }
        }
    }

    /// A new session, logged in.
    fn log_in(&self, context: &Pkcs11, turn: u64) -> Result<Session, Tried> {
        let gone = |why: &dyn fmt::Display| {
            let fault = TokenFault::TokenAbsent;
            Tried::Gone(TokenError::new(fault, self.told(fault, why)), turn)
        };
        let (slot, info) = self.slot(context).map_err(|why| gone(&why))?;
        let last = |fault, why: &str| Tried::Final(TokenError::new(fault, self.told(fault, &why)));
        if info.user_pin_locked() {
            return Err(last(TokenFault::TokenLocked, "it says that its PIN is locked"));
        }
        let session = context.open_rw_session(slot).map_err(|why| gone(&why))?;
        let pin = self.address.pin().map_err(|why| last(TokenFault::PinWrong, &why))?;
        if self.refused.remembers(&pin) {
            let why = "this PIN was refused before, and is not tried again";
            return Err(last(TokenFault::PinWrong, why));
        }
        if info.user_pin_final_try() {
            let why = "one more wrong PIN locks it, so none is tried: log in once by hand with the right one (pkcs11-tool --login --list-objects)";
            return Err(last(TokenFault::PinWrong, why));
        }
        match session.login(UserType::User, Some(&pin.as_str().to_owned().into())) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => {
                Err(last(TokenFault::TokenLocked, "its PIN is locked"))
            }
            Err(Error::Pkcs11(
                RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired,
                _,
            )) => {
                self.refused.remember(&pin);
                Err(last(TokenFault::PinWrong, "it refused the PIN"))
            }
            Err(why) => Err(gone(&why)),
        }
    }

    /// The slot that our token is in.
    fn slot(&self, context: &Pkcs11) -> Result<(Slot, TokenInfo), String> {
        let slots = context.get_slots_with_initialized_token().map_err(|why| why.to_string())?;
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found.trim_end())
        };
        let tokens = slots.into_iter().filter_map(|slot| {
            let info = context.get_token_info(slot).ok()?;
            Some((slot, info))
        });
        let mut ours = tokens.filter(|(_, info)| {
            same(&self.address.label, info.label())
                && same(&self.address.serial, info.serial_number())
        });
        match (ours.next(), ours.next()) {
            (Some(found), None) => Ok(found),
            (None, _) => Err("it is in no slot".to_owned()),
            (Some(_), Some(_)) => {
                Err("two have that label: name the serial number too (serial=...)".to_owned())
            }
        }
    }

    fn told(&self, fault: TokenFault, why: &dyn fmt::Display) -> String {
        let next = match fault {
            TokenFault::ModuleMissing | TokenFault::Unfit => "use another token",
            TokenFault::TokenAbsent => {
                "connect it: what waits is done as soon as it is back; is it lost, see \"A token is lost\" in docs/operations.md"
            }
            TokenFault::TokenLocked => {
                "have its security officer set a new PIN (softhsm2-util, pkcs11-tool --init-pin), write that where the setting keys says, start again"
            }
            TokenFault::PinWrong => {
                "write the right PIN where the setting keys says, then start again"
            }
            TokenFault::KeyAbsent => {
                "is it another token with the same label? is the key lost, see \"A token is lost\" in docs/operations.md"
            }
            TokenFault::SessionLost => "it was opened anew and lost again: look at the token",
        };
        format!("the {}: {why}; {next}", self.address)
    }
}

/// What an error of a token's means, and whether opening anew may help.
fn judged(error: &Error) -> (TokenFault, bool) {
    match error {
        Error::Pkcs11(RvError::ObjectHandleInvalid | RvError::KeyHandleInvalid, _) => {
            (TokenFault::KeyAbsent, true)
        }
        Error::Pkcs11(
            RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::DeviceRemoved
            | RvError::SlotIdInvalid,
            _,
        ) => (TokenFault::TokenAbsent, true),
        Error::Pkcs11(
            RvError::MechanismInvalid
            | RvError::MechanismParamInvalid
            | RvError::FunctionNotSupported
            | RvError::KeyTypeInconsistent
            | RvError::KeyFunctionNotPermitted
            | RvError::CurveNotSupported
            | RvError::TemplateInconsistent
            | RvError::AttributeTypeInvalid
            | RvError::AttributeValueInvalid
            | RvError::TokenWriteProtected,
            _,
        )
        | Error::NotSupported
        | Error::NullFunctionPointer => (TokenFault::Unfit, false),
        _ => (TokenFault::SessionLost, true),
    }
}

/// Tokens take their time, and a thread of the executor has others to serve: it hands them over meanwhile.
fn off_the_executor<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(work)
        }
        _ => work(),
    }
}

impl TokenError {
    pub(crate) fn new(fault: TokenFault, why: impl Into<String>) -> Self {
        Self { fault, why: why.into() }
    }
}

impl From<TokenError> for SignerError {
    fn from(error: TokenError) -> Self {
        Self::Token { fault: error.fault, why: error.why }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.address)
    }
}
