//! An answer as it comes in, piece by piece.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpStream;
use yufu_openid4vc::{HttpResponse, RESPONSE_HEADERS};

/// What is read at once.
pub(super) const PIECE: usize = 64 * 1024;

/// What came of an answer so far.
#[derive(Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// The length of the head, and of the whole, once the head is there.
    lengths: Option<(usize, usize)>,
}

impl Incoming {
    /// Reads once, which waits if nothing is there, by way of `room`; the answer, when all of it is, which has to be a
    /// success.
    pub(super) fn read(
        &mut self,
        mut socket: &TcpStream,
        room: &mut [u8],
    ) -> Result<Option<HttpResponse>> {
        let read = socket.read(room)?;
        ensure!(read > 0, "the server closed the connection");
        self.bytes.extend_from_slice(room.get(..read).unwrap_or_default());
        if self.lengths.is_none() {
            self.lengths = lengths(&self.bytes)?;
        }
        let Some((head, whole)) = self.lengths else { return Ok(None) };
        ensure!(self.bytes.len() <= whole, "more came than an answer");
        if self.bytes.len() < whole {
            return Ok(None);
        }
        let answer = answer(&self.bytes, head)?;
        self.bytes.clear();
        self.lengths = None;
        Ok(Some(answer))
    }
}

/// How long the head is, with the empty line, and how long all is.
fn lengths(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = end.saturating_add(4);
    let text = text(bytes, end)?;
    // An answer without content has no length (RFC 9110, section 8.6).
    let empty = text.split(' ').nth(1) == Some("204");
    let length = member(text, "content-length").or(empty.then_some("0"));
    let length: usize = length.context("an answer has a length")?.parse()?;
    Ok(Some((head, head.saturating_add(length))))
}

fn text(bytes: &[u8], end: usize) -> Result<&str> {
    Ok(std::str::from_utf8(bytes.get(..end).unwrap_or_default())?)
}

/// A member of the head.
fn member<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let mut members = head.lines().filter_map(|line| line.split_once(':'));
    members.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

fn answer(bytes: &[u8], length: usize) -> Result<HttpResponse> {
    let head = text(bytes, length)?;
    let body = bytes.get(length..).unwrap_or_default();
    let code = head.split(' ').nth(1).unwrap_or_default();
    // A redirection is what some steps lead to.
    if !code.starts_with(['2', '3']) {
        bail!("the server answered {code}: {}", String::from_utf8_lossy(body));
    }
    let content_type = member(head, "content-type").map(str::to_owned);
    let read = |name: &'static str| Some((name.to_owned(), member(head, name)?.to_owned()));
    let headers: BTreeMap<String, String> = RESPONSE_HEADERS.into_iter().filter_map(read).collect();
    let status = code.parse()?;
    Ok(HttpResponse { status, content_type, body: body.to_vec(), headers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn an_answer_is_put_together_from_its_pieces_and_the_next_one_follows() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut there = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (here, _) = listener.accept().unwrap();
        let (mut incoming, mut room) = (Incoming::default(), [0; 64]);
        for _ in 0..2 {
            let pieces = ["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 4\r\n", "\r\nab"];
            for piece in pieces {
                there.write_all(piece.as_bytes()).unwrap();
                assert!(incoming.read(&here, &mut room).unwrap().is_none());
            }
            there.write_all(b"cd").unwrap();
            assert_eq!(incoming.read(&here, &mut room).unwrap().unwrap().body, b"abcd");
        }
        there.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        assert_eq!(incoming.read(&here, &mut room).unwrap().unwrap().status, 204);
        there.write_all(b"HTTP/1.1 422 No\r\ncontent-length: 3\r\n\r\nbad").unwrap();
        let refused = incoming.read(&here, &mut room).unwrap_err();
        assert_eq!(refused.to_string(), "the server answered 422: bad");
        drop(there);
        assert!(incoming.read(&here, &mut room).is_err());
    }
}
