//! Where a log is: `postgres://user:password@host:port/database`, checked and never shown whole.

use postgres::Config;
use postgres::config::{Host, SslMode};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The address of a PostgreSQL database, with what it takes to be let in. Neither `Debug` nor
/// `Display` show the password.
///
/// Several hosts (`postgres://a,b/database`) are tried in turn until one takes writes. Beyond
/// this machine the connection has to be encrypted: `sslmode=require` or `verify-full`, which
/// are the same here, for the server's certificate is always verified: against `sslrootcert=FILE`,
/// else against the system's authorities.
#[derive(Clone)]
pub struct PostgresAddress {
    pub(super) config: Box<Config>,
    pub(super) authorities: Option<PathBuf>,
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !Self::is_one(text) {
            return Err(AddressError::Malformed("it does not begin with postgres://".to_owned()));
        }
        let (before, parameters) = text.split_once('?').unwrap_or((text, ""));
        let mut authorities = None;
        let mut ours = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslrootcert", file)) => authorities = Some(PathBuf::from(file)),
                Some(("sslmode", "verify-full")) => ours.push("sslmode=require"),
                _ => ours.push(parameter),
            }
        }
        let config = Config::from_str(&format!("{before}?{}", ours.join("&")))
            .map_err(|error| AddressError::Malformed(super::connection::describe(&error)))?;
        let address = Self { config: Box::new(config), authorities };
        if address.config.get_user().is_none() || address.config.get_dbname().is_none() {
            return Err(AddressError::Incomplete);
        }
        let encrypted = address.config.get_ssl_mode() == SslMode::Require;
        if encrypted || address.is_local() { Ok(address) } else { Err(AddressError::Plain) }
    }
}

impl PostgresAddress {
    /// Whether a text is meant to be the address of a database, and not the name of a file.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Whether nothing leaves this machine.
    fn is_local(&self) -> bool {
        let hosts = self.config.get_hosts();
        let local = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        };
        let addresses = self.config.get_hostaddrs();
        !hosts.is_empty() && hosts.iter().all(local) && addresses.iter().all(IpAddr::is_loopback)
    }

    /// Whether a password is part of it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The file with the authorities that certify the server, if one is named.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        self.authorities.as_deref()
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@", self.config.get_user().unwrap_or_default())?;
        let ports = self.config.get_ports();
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
            let comma = if number == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(folder) => write!(f, "{comma}{}:{port}", folder.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no address of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read.
    #[error(
        "the log's address is refused: {0}; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    Malformed(String),
    /// Something is missing.
    #[error("the log's address names no user or no database: postgres://USER@HOST/DATABASE")]
    Incomplete,
    /// It leads to another machine, in the clear.
    #[error(
        "the log's address leads to another machine without TLS: add ?sslmode=verify-full, and \
         sslrootcert=FILE if the system does not know the server's authority"
    )]
    Plain,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PostgresAddress, AddressError> {
        text.parse()
    }

    #[test]
    fn an_address_shows_everything_but_the_password() {
        let address = parse("postgres://yufu:s3cret@localhost:5433/ledger").unwrap();
        assert_eq!(address.to_string(), "postgres://yufu@localhost:5433/ledger");
        assert_eq!(format!("{address:?}"), "postgres://yufu@localhost:5433/ledger");
        let several = parse("postgres://y@a:1,b:2/l?sslmode=require").unwrap();
        assert_eq!(several.to_string(), "postgres://y@a:1,b:2/l");
    }

    #[test]
    fn beyond_this_machine_it_has_to_be_encrypted() {
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert!(parse(&format!("postgres://yufu@{local}/ledger")).is_ok(), "{local}");
        }
        for far in [
            "postgres://yufu@db.example/ledger",
            "postgres://yufu@localhost,db.example/ledger",
            "postgres://yufu@db.example/ledger?sslmode=prefer",
            "postgres://yufu@localhost/ledger?hostaddr=192.0.2.1",
        ] {
            assert_eq!(parse(far).unwrap_err(), AddressError::Plain, "{far}");
        }
        let far = "postgres://yufu@db.example/ledger?sslmode=verify-full&sslrootcert=/etc/ca.pem";
        assert_eq!(parse(far).unwrap().authorities(), Some(Path::new("/etc/ca.pem")));
        assert!(parse("postgres://yufu@db.example/ledger?sslmode=require").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for bad in [
            "/var/lib/log",
            "mysql://a@b/c",
            "postgres://u:s3cret@h/d?no_such=1",
            "postgres://u:s3cret@h:port/d",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(matches!(error, AddressError::Malformed(_)), "{bad}: {error:?}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        assert_eq!(parse("postgres://localhost/ledger").unwrap_err(), AddressError::Incomplete);
        assert_eq!(parse("postgres://yufu@localhost").unwrap_err(), AddressError::Incomplete);
    }
}
