//! One session of the database: its settings, what the server says beside its answers, and how
//! an error is to be taken.

use super::schema::{self, PostgresOpenError};
use super::{Access, PostgresAddress};
use crate::LogError;
use postgres::config::SslMode;
use postgres::error::{DbError, SqlState};
use postgres::{Client, Config, NoTls, Statement};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::error::Error;
use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long to try to connect.
const CONNECTING: Duration = Duration::from_secs(10);
/// After how long in silence a connection is probed, and how often.
const PROBING: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;
/// How long to wait for a session to end that is to be ended.
const ENDING: Duration = Duration::from_secs(5);
/// How long to wait for the claim: a process that was killed just now lets go of it at once.
const CLAIMING: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(50);

/// What a session's answers rest on, whatever the server's or the role's defaults are: a commit
/// waits for the standbys, a warning is sent, nothing is given up for having taken long, and a
/// writer that died is noticed within a minute.
const SETTINGS: &str = "-c synchronous_commit=on -c client_min_messages=warning \
    -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
    -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off \
    -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3";

/// The same, for settings that not every version has.
const NEWER_SETTINGS: &str = "
    SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

/// A session, told apart from every other, on this server and any that takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) process: i32,
    pub(super) since: String,
    pub(super) server_since: String,
}

/// A connection with a log behind it.
pub(super) struct Connection {
    pub(super) client: Client,
    notices: Notices,
    tls: Option<MakeRustlsConnect>,
    session: Session,
    pub(super) on_standby: bool,
    pub(super) append: Statement,
    pub(super) read: Statement,
}

/// What the server said beside its answers.
type Notices = Arc<Mutex<Vec<String>>>;

/// Why the database did not do what was asked.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A row with this number is there already: nothing was written.
    Duplicate,
    /// The server's disk is full: nothing was written.
    Full,
    /// The session is over: whether it was written is unknown.
    Lost(String),
    /// Anything else: whether it was written is unknown.
    Doubt(String),
    /// What the tables hold is none of ours.
    Log(LogError),
}

impl From<postgres::Error> for Trouble {
    fn from(error: postgres::Error) -> Self {
        // An error, other than a fatal one, is an answer: the transaction is undone.
        let answered = error.as_db_error().is_some_and(|error| error.severity() == "ERROR");
        match error.code() {
            _ if !answered => Self::Lost(describe(&error)),
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => Self::Duplicate,
            Some(code) if *code == SqlState::DISK_FULL => Self::Full,
            _ => Self::Doubt(describe(&error)),
        }
    }
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<Trouble> for LogError {
    fn from(trouble: Trouble) -> Self {
        Self::Storage(match trouble {
            Trouble::Duplicate => "another writer was quicker".to_owned(),
            Trouble::Full => "the server's disk is full".to_owned(),
            Trouble::Doubt(reason) | Trouble::Lost(reason) => reason,
            Trouble::Log(error) => return error,
        })
    }
}

impl Connection {
    pub(super) fn open(
        address: &PostgresAddress,
        access: Access,
    ) -> Result<Self, PostgresOpenError> {
        let (mut client, notices, tls) = connect(address, access)?;
        let unreachable = |error: postgres::Error| PostgresOpenError::Unreachable {
            address: address.to_string(),
            reason: describe(&error),
        };
        client.batch_execute(NEWER_SETTINGS).map_err(unreachable)?;
        let row = client.query_one(
            "SELECT pg_backend_pid(), backend_start::text, pg_postmaster_start_time()::text,
                    pg_is_in_recovery()
             FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        );
        let row = row.map_err(unreachable)?;
        let session = Session { process: row.get(0), since: row.get(1), server_since: row.get(2) };
        let on_standby: bool = row.get(3);
        if on_standby && access != Access::ReadOnly {
            return Err(PostgresOpenError::Standby(address.to_string()));
        }
        schema::ready(&mut client, address, access)?;
        let append = client.prepare(super::statements::APPEND).map_err(unreachable)?;
        let read = client.prepare(super::statements::READ).map_err(unreachable)?;
        Ok(Self { client, notices, tls, session, on_standby, append, read })
    }

    pub(super) fn session(&self) -> Session {
        self.session.clone()
    }

    /// Runs `body`; anything that the server says beside the answer leaves it in doubt. A commit
    /// that stops to wait for its standby succeeds, with a warning that it may be lost.
    pub(super) fn without_notice<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        lock(&self.notices).clear();
        let done = body(self)?;
        let said = lock(&self.notices).join("; ");
        if said.is_empty() { Ok(done) } else { Err(Trouble::Doubt(said)) }
    }

    /// Claims the log for this session: for one at a time.
    pub(super) fn claim(&mut self) -> Result<(), PostgresOpenError> {
        let failed = |error: postgres::Error| LogError::Storage(describe(&error));
        for _ in 0..steps(CLAIMING) {
            let row = self.client.query_one("SELECT pg_try_advisory_lock($1, $2)", &schema::CLAIM);
            if row.map_err(failed)?.get(0) {
                return Ok(());
            }
            std::thread::sleep(STEP);
        }
        let holder = "
            SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'its own machine'),
                   coalesce(a.backend_start::text, 'unknown')
            FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND l.classid::bigint = $1::int AND l.objid::bigint = $2::int";
        let by = match self.client.query_opt(holder, &schema::CLAIM).map_err(failed)? {
            Some(row) => {
                let (process, name, from): (i32, String, String) =
                    (row.get(0), row.get(1), row.get(2));
                format!(
                    "{name} from {from}, in session {process} since {}",
                    row.get::<_, String>(3)
                )
            }
            None => "a session that ended just now".to_owned(),
        };
        Err(PostgresOpenError::InUse { by })
    }

    /// Ends a session, and waits until it is gone.
    pub(super) fn await_end(&mut self, session: &Session) -> Result<(), LogError> {
        if self.session.server_since != session.server_since {
            // Another server, or the same started anew: no session of then is left here.
            return Ok(());
        }
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE pid = $1 AND backend_start::text = $2";
        for _ in 0..steps(ENDING) {
            let left = self.client.query_opt(end, &[&session.process, &session.since]);
            match left {
                Ok(None) => return Ok(()),
                Ok(Some(_)) => std::thread::sleep(STEP),
                Err(error) => return Err(LogError::Storage(describe(&error))),
            }
        }
        let Session { process, .. } = session;
        let reason = format!("session {process}, in which an append ended in doubt, does not end");
        Err(LogError::Storage(reason))
    }

    /// A commit of our own, which writes nothing into tables: when the server confirms it, all
    /// that was written before is as durable.
    /// After an error the session is not fit to go on: a cancellation may be on its way to it.
    pub(super) fn confirm(&mut self, patience: Duration) -> Result<(), LogError> {
        if self.on_standby {
            return Ok(());
        }
        let (done, waiting) = mpsc::channel::<()>();
        let cancel = self.client.cancel_token();
        let tls = self.tls.clone();
        let watch = std::thread::spawn(move || {
            let late = waiting.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if late {
                // If the cancellation fails, the wait goes on.
                let _ = match tls {
                    Some(tls) => cancel.cancel_query(tls),
                    None => cancel.cancel_query(NoTls),
                };
            }
            late
        });
        let committed = self.without_notice(|connection| {
            let sql = "SELECT pg_logical_emit_message(true, 'yufu_log', '')";
            Ok(connection.client.execute(sql, &[])?)
        });
        drop(done);
        let cancelled = watch.join().unwrap_or(true);
        match committed {
            Ok(_) if cancelled => {
                Err(LogError::Unconfirmed("it was confirmed too late".to_owned()))
            }
            Ok(_) => Ok(()),
            Err(Trouble::Doubt(reason) | Trouble::Lost(reason)) => {
                Err(LogError::Unconfirmed(reason))
            }
            Err(other) => Err(other.into()),
        }
    }

    pub(super) fn synchronous_standbys(&mut self) -> Result<String, Trouble> {
        let sql = "SELECT current_setting('synchronous_standby_names')";
        Ok(self.client.query_one(sql, &[])?.get(0))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What an opening for writing would find, up to the records.
pub(super) fn check(address: &PostgresAddress) -> Result<String, PostgresOpenError> {
    let (mut client, _, _) = connect(address, Access::Fenced)?;
    let failed = |error: postgres::Error| LogError::Storage(describe(&error));
    let sql = "SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names')";
    let row = client.query_one(sql, &[]).map_err(failed)?;
    if row.get(0) {
        return Err(PostgresOpenError::Standby(address.to_string()));
    }
    match schema::ready(&mut client, address, Access::ReadOnly) {
        Ok(()) => {}
        Err(PostgresOpenError::NoLog(_)) => schema::may_create(&mut client, address)?,
        Err(other) => return Err(other),
    }
    Ok(row.get(1))
}

type Connected = (Client, Notices, Option<MakeRustlsConnect>);

fn connect(address: &PostgresAddress, access: Access) -> Result<Connected, PostgresOpenError> {
    let notices = Notices::default();
    let heard = Arc::clone(&notices);
    let mut config = Config::clone(&address.config);
    complete(&mut config, access);
    config.notice_callback(move |notice| lock(&heard).push(said(&notice)));
    let tls = match config.get_ssl_mode() {
        SslMode::Require => Some(tls(address)?),
        _ => None,
    };
    let client = match tls.clone() {
        Some(tls) => config.connect(tls),
        None => config.ssl_mode(SslMode::Disable).connect(NoTls),
    };
    let client = client.map_err(|error| PostgresOpenError::Unreachable {
        address: address.to_string(),
        reason: describe(&error),
    })?;
    Ok((client, notices, tls))
}

/// What the address leaves open.
fn complete(config: &mut Config, access: Access) {
    config.application_name(match access {
        Access::ReadOnly => "yufu log (reader)",
        Access::Alone | Access::Fenced => "yufu log",
    });
    // What is said last is in force, over what the address, the role or the server says.
    let options = config.get_options().unwrap_or_default();
    let options = format!("{options} {SETTINGS}");
    config.options(&options);
    if config.get_hosts().len() > 1 && access != Access::ReadOnly {
        config.target_session_attrs(postgres::config::TargetSessionAttrs::ReadWrite);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECTING);
    }
    config.keepalives(true).keepalives_idle(PROBING).keepalives_interval(PROBING);
    config.keepalives_retries(PROBES).tcp_user_timeout(PROBING.saturating_mul(PROBES));
}

/// Encrypted, and to no server but the one that an authority certifies.
fn tls(address: &PostgresAddress) -> Result<MakeRustlsConnect, PostgresOpenError> {
    let failed = |reason: String| PostgresOpenError::Authorities { reason };
    let certificates = match address.authorities() {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(format!("{}: {error}", file.display())))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(failed("there is no authority that could certify the server".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn lock(notices: &Notices) -> std::sync::MutexGuard<'_, Vec<String>> {
    // Pushing and clearing leave nothing half done.
    notices.lock().unwrap_or_else(PoisonError::into_inner)
}

fn steps(whole: Duration) -> u128 {
    whole.as_millis().checked_div(STEP.as_millis()).unwrap_or_default()
}

fn said(error: &DbError) -> String {
    let detail = error.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{} {}: {}{detail}", error.severity(), error.code().code(), error.message())
}

/// An error with its causes, in one line.
pub(super) fn describe(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return said(error);
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
