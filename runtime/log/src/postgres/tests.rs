//! The PostgreSQL log on real servers: the contract, what a server has to hold, who is refused.

mod failover;
mod faults;
mod proxy;
mod tls;

use super::{Access, PostgresAddress, PostgresLog, PostgresOpenError};
use crate::contract::{Faults, Fixture, Part, each_rule};
use crate::scratch::Server;
use crate::{Appended, ChainError, Epoch, Head, Log, LogError, Refusal, Seq, verify_chain};
use proxy::{Cut, Proxy};
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const EPOCH: Epoch = Epoch::new(1);

/// A server of its own, with a folder that goes away with it.
fn server(settings: &[(&str, &str)]) -> (Server, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("a"), settings).unwrap();
    (server, directory)
}

fn address(server: &Server, database: &str) -> PostgresAddress {
    server.address(database).parse().unwrap()
}

/// An empty database, and its address.
fn database(server: &Server, name: &str) -> PostgresAddress {
    server.execute(&format!("CREATE DATABASE {name}")).unwrap();
    address(server, name)
}

/// A log with `count` records of the first epoch, and its head.
fn written(address: &PostgresAddress, count: u8) -> (PostgresLog, Head) {
    let mut log = PostgresLog::open(address).unwrap();
    let mut head = log.seal(EPOCH).unwrap();
    for number in 0..count {
        head = append(&mut log, head, &[number; 100]);
    }
    (log, head)
}

fn append(log: &mut PostgresLog, after: Head, payload: &[u8]) -> Head {
    let appended = log.append(after, EPOCH, payload);
    let Appended::Durable(head) = appended else { panic!("{appended:?}") };
    head
}

/// One database of a server.
struct InDatabase<'a> {
    server: &'a Server,
    name: String,
    proxies: RefCell<Vec<Proxy>>,
}

impl Fixture for InDatabase<'_> {
    fn open(&self) -> Box<dyn Log> {
        Box::new(PostgresLog::open(&address(self.server, &self.name)).unwrap())
    }
}

impl Faults for InDatabase<'_> {
    fn in_doubt(&self, kept: bool) -> Box<dyn Log> {
        let proxy = Proxy::to(self.server.folder());
        let log = PostgresLog::open(&proxy.address(&self.name)).unwrap();
        proxy.cut(if kept { Cut::Answer } else { Cut::Request });
        self.proxies.borrow_mut().push(proxy);
        Box::new(log)
    }

    fn flip(&self, seq: Seq, part: Part) {
        let flip = match part {
            Part::Payload => "payload = set_byte(payload, 7, get_byte(payload, 7) # 16)",
            Part::Chain => "chain = set_byte(chain, 31, get_byte(chain, 31) # 1)",
            Part::Epoch => "epoch = epoch # 2",
        };
        let sql = format!("UPDATE yufu_log.record SET {flip} WHERE seq = {seq}");
        self.server.client(&self.name).unwrap().batch_execute(&sql).unwrap();
    }
}

#[test]
fn every_rule_of_the_contract_holds() {
    let (server, _directory) = server(&[]);
    let mut number = 0;
    let mut on_a_fresh_database = |rule: &dyn Fn(&InDatabase<'_>)| {
        number += 1;
        let name = format!("log_{number}");
        database(&server, &name);
        rule(&InDatabase { server: &server, name, proxies: RefCell::default() });
    };
    each_rule(|name, rule| {
        println!("{name}");
        on_a_fresh_database(&|fixture| rule(fixture));
    });
    on_a_fresh_database(&|it| crate::contract::an_append_in_doubt_is_told_as_it_came_out(it));
    on_a_fresh_database(&|it| crate::contract::a_writer_in_doubt_appends_nothing_more(it));
    on_a_fresh_database(&|it| crate::contract::a_flipped_bit_is_found_wherever_it_is(it));
    assert!(number > 15);
}

#[test]
fn a_changed_newest_record_is_found_on_opening() {
    let (server, _directory) = server(&[]);
    let address = database(&server, "log");
    drop(written(&address, 3));
    let fixture =
        InDatabase { server: &server, name: "log".to_owned(), proxies: RefCell::default() };
    for (seq, part) in [(3, Part::Payload), (3, Part::Chain), (3, Part::Epoch), (2, Part::Chain)] {
        fixture.flip(Seq::new(seq), part);
        let altered = PostgresOpenError::Chain(ChainError::Altered { seq: Seq::new(3) });
        assert_eq!(PostgresLog::open(&address).unwrap_err(), altered, "{part:?} of {seq}");
        assert_eq!(PostgresLog::open_read_only(&address).unwrap_err(), altered);
        fixture.flip(Seq::new(seq), part);
    }
    PostgresLog::open(&address).unwrap();
    let sql = "DELETE FROM yufu_log.record WHERE seq = 2";
    server.client("log").unwrap().batch_execute(sql).unwrap();
    let missing = ChainError::Missing { seq: Seq::new(2), found: Seq::new(3) };
    assert_eq!(PostgresLog::open(&address).unwrap_err(), missing.into());
}

#[test]
fn a_second_process_is_refused_and_told_whom_to_stop() {
    let (server, _directory) = server(&[]);
    let address = database(&server, "log");
    let mut first = PostgresLog::open_alone(&address).unwrap();
    let head = first.seal(EPOCH).unwrap();
    append(&mut first, head, b"x");
    let refused = PostgresLog::open_alone(&address).unwrap_err();
    let PostgresOpenError::InUse { by } = &refused else { panic!("{refused:?}") };
    assert!(by.starts_with("yufu log from its own machine, in session "), "{by}");
    assert!(PostgresLog::open_read_only(&address).is_ok(), "an audit is not held up");
    // Whoever is dead holds nothing: its session ends, and with it the claim.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'yufu log'";
    server.execute(end).unwrap();
    let next = PostgresLog::open_alone(&address).unwrap();
    let told = first.append(first.confirmed.get(), EPOCH, b"y");
    assert!(matches!(told, Appended::Unknown(_)), "{told:?}");
    drop(next);
}

#[test]
fn settings_that_would_lose_what_was_confirmed_are_overridden_or_refused() {
    let (unsafe_server, _folder) = server(&[("fsync", "off")]);
    let address = database(&unsafe_server, "log");
    let refused = PostgresLog::open(&address).unwrap_err();
    let expected =
        PostgresOpenError::Unsafe { setting: "fsync".to_owned(), value: "off".to_owned() };
    assert_eq!(refused, expected);

    let (server, _directory) = server(&[]);
    let address = database(&server, "log");
    let role = "ALTER ROLE yufu SET synchronous_commit = off;
         ALTER ROLE yufu SET client_min_messages = error;
         ALTER ROLE yufu SET statement_timeout = '2s';
         ALTER ROLE yufu SET default_transaction_read_only = on;
         ALTER ROLE yufu SET default_transaction_isolation = serializable;";
    server.execute(role).unwrap();
    let (log, head) = written(&address, 3);
    assert_eq!(verify_chain(&log), Ok(head));
    let mut connection = log.connection.borrow_mut();
    for (setting, value) in [
        ("synchronous_commit", "on"),
        ("client_min_messages", "warning"),
        ("statement_timeout", "0"),
        ("default_transaction_isolation", "read committed"),
        ("application_name", "yufu log"),
    ] {
        let client = &mut connection.as_mut().unwrap().client;
        let row = client.query_one("SELECT current_setting($1)", &[&setting]).unwrap();
        assert_eq!(row.get::<_, String>(0), value, "{setting}");
    }
    drop(connection);
    drop(log);
    let mut client = server.client("log").unwrap();
    for sql in ["SET default_transaction_read_only = off", "ALTER ROLE yufu RESET ALL"] {
        client.batch_execute(sql).unwrap();
    }
    client.batch_execute("ALTER TABLE yufu_log.record SET UNLOGGED").unwrap();
    let refused = PostgresLog::open(&address).unwrap_err();
    assert_eq!(refused, PostgresOpenError::Unlogged("record".to_owned()));
}

#[test]
fn what_is_no_log_is_refused_and_left_as_it_is() {
    let (server, _directory) = server(&[]);
    let empty = database(&server, "log");
    let absent = PostgresLog::open_read_only(&empty).unwrap_err();
    assert_eq!(absent, PostgresOpenError::NoLog(empty.to_string()));
    server.client("log").unwrap().batch_execute("CREATE SCHEMA yufu_log").unwrap();
    let other = PostgresOpenError::NotALog(empty.to_string());
    assert_eq!(PostgresLog::open(&empty).unwrap_err(), other);
    let newer = database(&server, "newer");
    drop(written(&newer, 1));
    let version = "UPDATE yufu_log.format SET version = 2";
    server.client("newer").unwrap().batch_execute(version).unwrap();
    assert_eq!(PostgresLog::open(&newer).unwrap_err(), PostgresOpenError::Version { found: 2 });
    let nowhere = address(&server, "no_such_database");
    let refused = PostgresLog::open(&nowhere).unwrap_err();
    assert!(refused.to_string().contains("does not exist"), "{refused}");
}

#[test]
fn a_reader_needs_to_read_only_and_can_write_nothing() {
    let (server, _directory) = server(&[]);
    let writer = database(&server, "log");
    let (mut log, head) = written(&writer, 3);
    let role = "CREATE ROLE auditor LOGIN; GRANT USAGE ON SCHEMA yufu_log TO auditor;
                GRANT SELECT ON ALL TABLES IN SCHEMA yufu_log TO auditor;";
    server.client("log").unwrap().batch_execute(role).unwrap();
    let address: PostgresAddress =
        server.address("log").replace("yufu@", "auditor@").parse().unwrap();
    let mut reader = PostgresLog::open_read_only(&address).unwrap();
    assert_eq!(verify_chain(&reader), Ok(head));
    let head = append(&mut log, head, b"more");
    assert_eq!(verify_chain(&reader), Ok(head), "it follows the writer");
    assert_eq!(reader.append(head, EPOCH, b"x"), Appended::Refused(Refusal::ReadOnly));
    assert!(reader.seal(EPOCH.next()).is_err());
    assert!(reader.prune(EPOCH, head).is_err());
    assert!(PostgresLog::open(&address).is_ok(), "opening alone writes nothing");
}
