//! The modules that speak to tokens, each loaded once in a process, with the sessions that are open and idle. A module
//! knows no instances: whatever is opened anew is so for all tokens behind it, so that happens under a lock, with
//! every session closed before.

use super::TokenError;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::Session;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use yufu_base::TokenFault;

/// How long a module rests before it is opened anew once more: one token that is away must not disturb the others.
const REST: Duration = Duration::from_secs(1);

/// A module, loaded.
pub(super) struct Module {
    path: PathBuf,
    state: RwLock<Open>,
}

/// A module as it was opened last.
#[derive(Default)]
pub(super) struct Open {
    context: Option<Pkcs11>,
    /// How often it was opened: handles of an earlier time mean nothing.
    pub(super) turn: u64,
    at: Option<Instant>,
    idle: Mutex<BTreeMap<String, Vec<Session>>>,
}

/// The module at `path`: the same one, however often it is asked for.
pub(super) fn module(path: &Path) -> Arc<Module> {
    static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());
    let mut all = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || Arc::new(Module { path: path.to_owned(), state: RwLock::default() });
    Arc::clone(all.entry(path.to_owned()).or_insert_with(new))
}

impl Module {
    /// Does something with the module open. Many may at once.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Open, &Pkcs11) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        loop {
            {
                let open = self.state.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(context) = &open.context {
                    return work(&open, context);
                }
            }
            let mut open = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if open.context.is_none() {
                self.open(&mut open)?;
            }
        }
    }

    /// Opens the module anew, unless somebody did since `turn`, or it rests. Whether handles are new.
    pub(super) fn again(&self, turn: u64) -> Result<bool, TokenError> {
        let mut open = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if open.turn != turn {
            return Ok(true);
        }
        if open.at.is_some_and(|at| at.elapsed() < REST) {
            return Ok(false);
        }
        open.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(context) = open.context.take() {
            // A module whose device is gone may refuse even this; what counts is whether it can be opened.
            let _ = context.finalize();
        }
        self.open(&mut open)?;
        Ok(true)
    }

    fn open(&self, open: &mut Open) -> Result<(), TokenError> {
        let missing = |why: &dyn fmt::Display| {
            let path = self.path.display();
            TokenError::new(
                TokenFault::ModuleMissing,
                format!(
                    "the module {path} cannot be used: {why}; install it (SoftHSM: apt-get install softhsm2), or correct module-path in the setting keys"
                ),
            )
        };
        let context = Pkcs11::new(&self.path).map_err(|why| missing(&why))?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(why) => return Err(missing(&why)),
        }
        open.context = Some(context);
        open.turn = open.turn.saturating_add(1);
        #[expect(
            clippy::disallowed_methods,
            reason = "only measures how long the module has been open; nothing of it is seen"
        )]
        let now = Instant::now();
        open.at = Some(now);
        Ok(())
    }
}

impl Open {
    /// A session with a token that nobody uses just now.
    pub(super) fn take(&self, token: &str) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(token)?.pop()
    }

    /// Keeps a session for the next who wants one.
    pub(super) fn keep(&self, token: &str, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(token.to_owned()).or_default().push(session);
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Module({})", self.path.display())
    }
}
