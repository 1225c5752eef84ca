//! Over a network: encrypted, and to no server but the one that is certified.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

/// A server that listens on a port, certified for `localhost`, and the certificate.
fn certified() -> (Server, u16, std::path::PathBuf, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = directory.path().join("a");
    let (mut server, certificate) =
        (Server::start(&folder, &[]).unwrap(), folder.join("server.pem"));
    server.kill().unwrap();
    drop(server);
    let key = folder.join("server.key");
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let owner = std::fs::metadata(&folder).unwrap();
    chown(&key, Some(owner.uid()), Some(owner.gid())).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = |path: &std::path::Path| path.display().to_string();
    let server = Server::open(
        &folder,
        &[
            ("listen_addresses", "127.0.0.1"),
            ("port", &port.to_string()),
            ("ssl", "on"),
            ("ssl_cert_file", &text(&certificate)),
            ("ssl_key_file", &text(&key)),
        ],
    );
    (server.unwrap(), port, certificate, directory)
}

#[test]
fn a_connection_is_encrypted_and_the_server_is_who_it_says() {
    let (server, port, certificate, directory) = certified();
    server.execute("CREATE DATABASE log").unwrap();
    let to = |host: &str, authority: &Path| -> PostgresAddress {
        let authority = authority.display();
        let text = format!(
            "postgres://yufu@{host}:{port}/log?sslmode=verify-full&sslrootcert={authority}"
        );
        text.parse().unwrap()
    };
    let (log, head) = written(&to("localhost", &certificate), 2);
    let mut connection = log.connection.borrow_mut();
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = connection.as_mut().unwrap().client.query_one(sql, &[]).unwrap();
    assert!(row.get::<_, bool>(0), "the session is encrypted");
    drop(connection);
    assert_eq!(verify_chain(&log), Ok(head));

    let other = directory.path().join("other.pem");
    let names = vec!["localhost".to_owned()];
    let stranger = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();
    for (host, authority) in [("localhost", &other), ("127.0.0.1", &certificate)] {
        let refused = PostgresLog::open(&to(host, authority)).unwrap_err();
        let PostgresOpenError::Unreachable { reason, .. } = &refused else { panic!("{refused:?}") };
        assert!(reason.contains("certificate"), "{reason}");
    }
    let nobody = PostgresLog::open(&to("localhost", &directory.path().join("absent.pem")));
    assert!(matches!(nobody, Err(PostgresOpenError::Authorities { .. })), "{nobody:?}");
}
