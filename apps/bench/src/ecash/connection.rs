//! A connection that is kept open, and requests made beforehand: as little of the clients' work as can
//! be falls into the time that is measured.

use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Connection(BufReader<TcpStream>);

/// A request as it goes out.
pub(super) struct Prepared(Vec<u8>);

impl Prepared {
    pub(super) fn post(address: &str, path: &str, bearer: Option<&str>, body: &[u8]) -> Self {
        let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{}content-length: {}\r\n\r\n",
            bearer.unwrap_or_default(),
            body.len()
        );
        Self([head.as_bytes(), body].concat())
    }

    pub(super) fn get(address: &str, path: &str) -> Self {
        Self(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes())
    }

    /// How long the answer takes, in milliseconds; it has to be a success.
    pub(super) fn send(&self, connection: &mut Connection) -> Result<f64> {
        let watch = Stopwatch::start();
        connection.answer(self)?;
        Ok(watch.seconds() * 1e3)
    }
}

impl Connection {
    pub(super) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The body of a successful answer.
    pub(super) fn answer(&mut self, request: &Prepared) -> Result<Vec<u8>> {
        self.0.get_mut().write_all(&request.0)?;
        let status = self.line()?;
        let mut length = None;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let mut body = vec![0; length.context("an answer has a length")?];
        self.0.read_exact(&mut body)?;
        let code = status.split(' ').nth(1).unwrap_or_default();
        if !code.starts_with('2') {
            bail!("the server answered {code}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line)?;
        ensure!(read > 0, "the server closed the connection");
        Ok(line.trim_end().to_owned())
    }
}
