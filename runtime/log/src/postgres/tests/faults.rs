//! A server that is killed, a session that is ended, a disk that is full, and TLS.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_server_killed_amid_appends_loses_nothing_it_confirmed() {
    let (mut server, _directory) = server(&[]);
    let address = database(&server, "log");
    let mut epoch = EPOCH;
    for round in 0..2 {
        let acknowledged = Arc::new(AtomicU64::new(0));
        let (told, at) = (Arc::clone(&acknowledged), address.clone());
        let writer = std::thread::spawn(move || {
            let mut log = PostgresLog::open_alone(&at).unwrap();
            let mut head = log.seal(epoch).unwrap();
            loop {
                match log.append(head, epoch, &[round; 20_000]) {
                    Appended::Durable(next) => head = next,
                    other => return (log, head, other),
                }
                told.store(head.seq.get(), Ordering::SeqCst);
            }
        });
        let already = 40 * (u64::from(round) + 1);
        while acknowledged.load(Ordering::SeqCst) < already {
            assert!(!writer.is_finished());
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill().unwrap();
        let (mut log, head, ended) = writer.join().unwrap();
        assert!(matches!(ended, Appended::Unknown(_)), "{ended:?}");
        let dead = log.read(Seq::FIRST, 1);
        assert!(matches!(dead, Err(LogError::Storage(_))), "{dead:?}");
        server.restart().unwrap();
        let wanted = head.extend(epoch, &[round; 20_000]);
        let told = log.read(wanted.seq, 1).unwrap().iter().map(crate::Record::head).next_back();
        let found = verify_chain(&PostgresLog::open_read_only(&address).unwrap()).unwrap();
        assert_eq!(found, told.unwrap_or(head), "the one in doubt is told as it came out");
        assert!(told.is_none_or(|told| told == wanted));
        assert_eq!(log.append(found, epoch, b"x"), Appended::Refused(Refusal::Unusable));
        epoch = epoch.next();
    }
}

#[test]
fn a_cut_connection_is_in_doubt_and_reading_back_tells_either_way() {
    let (server, _directory) = server(&[]);
    let (_, mut head) = written(&database(&server, "log"), 1);
    let proxy = Proxy::to(server.folder());
    for (cut, kept) in [(Cut::Request, false), (Cut::Answer, true), (Cut::Request, false)] {
        let mut log = PostgresLog::open(&proxy.address("log")).unwrap();
        proxy.cut(cut);
        let wanted = head.extend(EPOCH, b"in doubt");
        let appended = log.append(head, EPOCH, b"in doubt");
        assert!(matches!(appended, Appended::Unknown(_)), "{cut:?}: {appended:?}");
        let found: Vec<Head> =
            log.read(wanted.seq, 1).unwrap().iter().map(crate::Record::head).collect();
        assert_eq!(found, if kept { vec![wanted] } else { vec![] }, "{cut:?}");
        head = found.last().copied().unwrap_or(head);
        assert_eq!(log.durable_head(), Ok(head));
    }
}

#[test]
fn a_statement_that_is_cancelled_is_in_doubt() {
    let (server, _directory) = server(&[]);
    let address = database(&server, "log");
    let (mut log, head) = written(&address, 1);
    let mut other = server.client("log").unwrap();
    let mut blocking = other.transaction().unwrap();
    blocking.batch_execute("LOCK TABLE yufu_log.record IN EXCLUSIVE MODE").unwrap();
    let waiting = std::thread::spawn(move || (log.append(head, EPOCH, b"x"), log));
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                  WHERE wait_event_type = 'Lock' AND application_name = 'yufu log'";
    let mut client = server.client("postgres").unwrap();
    while client.query(cancel, &[]).unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (appended, log) = waiting.join().unwrap();
    let Appended::Unknown(LogError::Storage(said)) = &appended else { panic!("{appended:?}") };
    assert!(said.contains("57014"), "{said}");
    drop(blocking);
    assert_eq!(log.read(Seq::new(2), 1), Ok(vec![]));
}

/// Where mounting is not permitted, only the error's classification is left to be tested.
#[test]
fn a_full_disk_refuses_and_the_log_goes_on_when_there_is_space() {
    let (server, directory) = server(&[]);
    let address = database(&server, "log");
    let (mut log, mut head) = written(&address, 1);
    let small = directory.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mut mount = std::process::Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=8m,mode=0777", "yufu-test"]).arg(&small);
    if !mount.output().is_ok_and(|done| done.status.success()) {
        return;
    }
    let _small = Mounted(&small);
    let ballast = small.join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let space = small.join("space");
    std::fs::create_dir(&space).unwrap();
    let owner = std::fs::metadata(server.folder()).unwrap();
    let owner =
        (std::os::unix::fs::MetadataExt::uid(&owner), std::os::unix::fs::MetadataExt::gid(&owner));
    std::os::unix::fs::chown(&space, Some(owner.0), Some(owner.1)).unwrap();
    let mut client = server.client("log").unwrap();
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", space.display());
    client.batch_execute(&tablespace).unwrap();
    client.batch_execute("ALTER TABLE yufu_log.record SET TABLESPACE small").unwrap();
    drop(client);

    let refused = loop {
        match log.append(head, EPOCH, &[9; 300_000]) {
            Appended::Durable(next) => head = next,
            other => break other,
        }
    };
    assert_eq!(refused, Appended::Refused(Refusal::Full));
    assert_eq!(log.durable_head(), Ok(head));
    assert_eq!(log.append(head, EPOCH, &[9; 300_000]), Appended::Refused(Refusal::Full));
    std::fs::remove_file(&ballast).unwrap();
    let next = append(&mut log, head, &[9; 300_000]);
    assert_eq!(verify_chain(&log), Ok(next));
    drop(server);
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
