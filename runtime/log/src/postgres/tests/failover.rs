//! Two servers, one of them a synchronous standby: what is confirmed is on both, and what is not
//! is never taken for durable. The cancelled standby: cancelling a commit that waits for its
//! standby makes it succeed, with a warning; after a failover the record is gone.

use super::{
    Access, EPOCH, PostgresAddress, PostgresLog, PostgresOpenError, Server, database, written,
};
use crate::{Appended, Epoch, Head, Log, LogError, Record, Refusal, Seq, verify_chain};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a standby that is there.
const SHORT: Duration = Duration::from_millis(400);

struct Pair {
    primary: Server,
    standby: Server,
    address: PostgresAddress,
    _directory: TempDir,
}

impl Pair {
    /// A primary with a log of three records, and a standby that confirms.
    fn with_log() -> (Self, PostgresLog, Head) {
        let (primary, directory) = super::server(&[]);
        let address = database(&primary, "log");
        // As unhelpful as defaults can be: the warning would not be sent, nor be waited for.
        let role = "ALTER ROLE yufu SET client_min_messages = error;
             ALTER ROLE yufu SET synchronous_commit = local";
        primary.execute(role).unwrap();
        let (log, head) = written(&address, 3);
        let standby = primary.standby(&directory.path().join("b"), "b").unwrap();
        let pair = Self { primary, standby, address, _directory: directory };
        pair.wait_for_standbys("ANY 1 (b)");
        pair.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'quorum'");
        (pair, log, head)
    }

    fn wait_for_standbys(&self, names: &str) {
        self.primary
            .execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))
            .unwrap();
        self.primary.execute("SELECT pg_reload_conf()").unwrap();
    }

    /// Waits until a question to the primary is answered with yes.
    fn until(&self, question: &str) {
        let mut client = self.primary.client("postgres").unwrap();
        for _ in 0..500 {
            if client.query_one(question, &[]).unwrap().get(0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{question}");
    }

    /// The address of both, the primary first.
    fn both(&self) -> PostgresAddress {
        let folder = |server: &Server| server.folder().display().to_string().replace('/', "%2F");
        let (a, b) = (folder(&self.primary), folder(&self.standby));
        format!("postgres://yufu@{a},{b}/log").parse().unwrap()
    }

    /// Ends the standby, then appends in a thread, which waits for it.
    fn append_without_standby(&mut self, mut log: PostgresLog, head: Head) -> Waiting {
        self.standby.kill().unwrap();
        let waiting = std::thread::spawn(move || {
            let appended = log.append(head, EPOCH, b"in doubt");
            (log, appended)
        });
        self.until(
            "SELECT count(*) = 1 FROM pg_stat_activity
             WHERE wait_event = 'SyncRep' AND application_name = 'yufu log'",
        );
        waiting
    }
}

type Waiting = JoinHandle<(PostgresLog, Appended)>;

const CANCEL: &str =
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[test]
fn a_cancelled_wait_is_in_doubt_and_after_a_failover_the_record_is_gone() {
    let (mut pair, log, head) = Pair::with_log();
    let both = pair.both();
    drop(log);
    let log = PostgresLog::open(&both).unwrap();
    let waiting = pair.append_without_standby(log, head);
    pair.primary.execute(CANCEL).unwrap();
    let (mut log, appended) = waiting.join().unwrap();
    let Appended::Unknown(LogError::Storage(said)) = &appended else { panic!("{appended:?}") };
    assert!(said.contains("WARNING 01000: canceling wait for synchronous replication"), "{said}");

    // The database itself shows the record, and called the commit a success.
    let mut client = pair.primary.client("log").unwrap();
    let count: i64 = client.query_one("SELECT count(*) FROM yufu_log.record", &[]).unwrap().get(0);
    assert_eq!(count, 4);
    drop(client);
    // Nothing of it is told as durable as long as no standby has it.
    log.patience = SHORT;
    let unconfirmed = log.read(Seq::new(4), 1).unwrap_err();
    assert!(matches!(unconfirmed, LogError::Unconfirmed(_)), "{unconfirmed:?}");
    assert!(matches!(log.durable_head(), Err(LogError::Unconfirmed(_))));
    assert_eq!(log.append(head, EPOCH, b"again"), Appended::Refused(Refusal::Unusable));

    // The primary is lost, the standby takes its place: without the record.
    pair.primary.kill().unwrap();
    pair.standby.restart().unwrap();
    pair.standby.promote().unwrap();
    assert_eq!(log.read(Seq::new(4), 1), Ok(vec![]), "told as it came out");
    assert_eq!(log.durable_head(), Ok(head));
    let mut next = PostgresLog::open(&both).unwrap();
    assert_eq!(next.seal(EPOCH.next()), Ok(head));
    let Appended::Durable(newest) = next.append(head, EPOCH.next(), b"another fourth") else {
        panic!("the new primary writes")
    };
    assert_eq!(verify_chain(&next), Ok(newest));
}

#[test]
fn a_fresh_handle_does_not_trust_what_no_standby_has() {
    let (mut pair, log, head) = Pair::with_log();
    let mut reader = PostgresLog::open_as(&pair.address, Access::ReadOnly, SHORT).unwrap();
    let waiting = pair.append_without_standby(log, head);
    // While it waits, nobody sees it.
    let mut client = pair.primary.client("log").unwrap();
    let count: i64 = client.query_one("SELECT count(*) FROM yufu_log.record", &[]).unwrap().get(0);
    assert_eq!(count, 3);
    pair.primary.execute(CANCEL).unwrap();
    let (former, appended) = waiting.join().unwrap();
    assert!(matches!(appended, Appended::Unknown(_)), "{appended:?}");
    drop(former);

    for access in [Access::Alone, Access::Fenced, Access::ReadOnly] {
        let refused = PostgresLog::open_as(&pair.address, access, SHORT).unwrap_err();
        let expected = matches!(
            &refused,
            PostgresOpenError::Chain(crate::ChainError::Log(LogError::Unconfirmed(_)))
        );
        assert!(expected, "{access:?}: {refused:?}");
    }
    assert!(matches!(reader.read(Seq::new(4), 1), Err(LogError::Unconfirmed(_))));
    assert_eq!(reader.read(Seq::FIRST, 3).unwrap().len(), 3, "what was confirmed is read on");

    // The standby comes back: what was in doubt is on both now, and is told as durable.
    pair.standby.restart().unwrap();
    let kept = head.extend(EPOCH, b"in doubt");
    let mut next = PostgresLog::open(&pair.address).unwrap();
    assert_eq!(next.durable_head(), Ok(kept));
    assert_eq!(next.seal(EPOCH.next()), Ok(kept));
    reader.patience = Duration::from_secs(20);
    assert_eq!(
        reader.read(Seq::new(4), 1).unwrap().iter().map(Record::head).next_back(),
        Some(kept)
    );
}

#[test]
fn after_a_failover_the_former_writer_is_fenced_and_tells_nothing_stale() {
    let (mut pair, log, head) = Pair::with_log();
    // The writer and the former primary are cut off together; it has confirmed all so far.
    let (mut former, appended) = {
        let mut log = log;
        log.patience = SHORT;
        let waiting = pair.append_without_standby(log, head);
        pair.standby.restart().unwrap();
        waiting.join().unwrap()
    };
    let fourth = head.extend(EPOCH, b"in doubt");
    assert_eq!(appended, Appended::Durable(fourth), "the standby came back in time");
    pair.standby.promote().unwrap();
    let address: PostgresAddress = super::address(&pair.standby, "log");
    let mut next = PostgresLog::open_alone(&address).unwrap();
    assert_eq!(next.seal(EPOCH.next()), Ok(fourth), "what was confirmed is there");
    let Appended::Durable(fifth) = next.append(fourth, EPOCH.next(), b"five") else { panic!() };

    let stale = former.durable_head();
    assert!(matches!(stale, Err(LogError::Unconfirmed(_))), "{stale:?}");
    assert!(matches!(former.epoch(), Err(LogError::Unconfirmed(_))), "nor that it may write");
    assert_eq!(former.append(fourth, EPOCH, b"x"), Appended::Refused(Refusal::Unusable));
    let mut late = PostgresLog::open(&address).unwrap();
    assert_eq!(late.append(fifth, EPOCH, b"x"), Appended::Fenced(EPOCH.next()));
    assert_eq!(verify_chain(&late), Ok(fifth));
}

#[test]
fn a_standby_is_read_but_not_written() {
    let (pair, log, head) = Pair::with_log();
    let address = super::address(&pair.standby, "log");
    let refused = PostgresLog::open(&address).unwrap_err();
    assert_eq!(refused, PostgresOpenError::Standby(address.to_string()));
    let reader = PostgresLog::open_read_only(&address).unwrap();
    assert_eq!(verify_chain(&reader), Ok(head));
    assert_eq!(log.synchronous_standbys(), Ok("ANY 1 (b)".to_owned()));
    assert_eq!(log.epoch(), Ok(Epoch::new(1)));
}
