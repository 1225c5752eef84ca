//! A way to a server that can be cut at a chosen moment.

use crate::PostgresAddress;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What is cut off next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing.
    Nothing,
    /// The next request, before it reaches the server.
    Request,
    /// The answer to the next request, which reaches the server.
    Answer,
}

/// Passes connections on.
pub(super) struct Proxy {
    port: u16,
    next: Arc<Mutex<Cut>>,
}

impl Proxy {
    /// To the server whose socket is in a folder.
    pub(super) fn to(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(Mutex::new(Cut::Nothing));
        let (socket, cut) = (folder.join(".s.PGSQL.5432"), Arc::clone(&next));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&socket) else { continue };
                pass(&client, &server, &cut);
            }
        });
        Self { port, next }
    }

    pub(super) fn address(&self, database: &str) -> PostgresAddress {
        format!("postgres://yufu@127.0.0.1:{}/{database}", self.port).parse().unwrap()
    }

    pub(super) fn cut(&self, next: Cut) {
        *self.next.lock().unwrap() = next;
    }
}

/// Two threads for a connection, one for each way.
fn pass(client: &TcpStream, server: &UnixStream, cut: &Arc<Mutex<Cut>>) {
    client.set_nodelay(true).unwrap();
    // Set once an answer is to be swallowed.
    let swallow = Arc::new(Mutex::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (next, swallowed) = (Arc::clone(cut), Arc::clone(&swallow));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(bytes @ 1..) = from.read(&mut buffer) {
            let cut = std::mem::replace(&mut *next.lock().unwrap(), Cut::Nothing);
            if cut == Cut::Request {
                break;
            }
            *swallowed.lock().unwrap() |= cut == Cut::Answer;
            if to.write_all(&buffer[..bytes]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(bytes @ 1..) = from.read(&mut buffer) {
            if *swallow.lock().unwrap() || to.write_all(&buffer[..bytes]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
