//! A connection that is kept open, and requests made beforehand: as little of the clients' work as can
//! be falls into the time that is measured.

use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use yufu_openid4vc::{HttpRequest, HttpResponse, Method};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Connection(BufReader<TcpStream>);

/// A request as it goes out.
pub(crate) struct Prepared(Vec<u8>);

impl Prepared {
    pub(crate) fn post(address: &str, path: &str, bearer: Option<&str>, body: &[u8]) -> Self {
        let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{}content-length: {}\r\n\r\n",
            bearer.unwrap_or_default(),
            body.len()
        );
        Self([head.as_bytes(), body].concat())
    }

    pub(crate) fn get(address: &str, path: &str) -> Self {
        Self(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes())
    }

    /// What a session of a wallet wants sent.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let url = request.url.url();
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let (path, host) = (&url[url::Position::BeforePath..], url.authority());
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        Self([head.as_bytes(), &request.body].concat())
    }

    /// How long the answer takes, in milliseconds, and the answer; it has to be a success.
    pub(crate) fn send(&self, connection: &mut Connection) -> Result<(f64, HttpResponse)> {
        let watch = Stopwatch::start();
        let answer = connection.response(self)?;
        Ok((watch.seconds() * 1e3, answer))
    }
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The body of a successful answer.
    pub(crate) fn answer(&mut self, request: &Prepared) -> Result<Vec<u8>> {
        Ok(self.response(request)?.body)
    }

    /// A successful answer.
    pub(crate) fn response(&mut self, request: &Prepared) -> Result<HttpResponse> {
        self.0.get_mut().write_all(&request.0)?;
        let status = self.line()?;
        let (mut length, mut content_type) = (None, None);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = Some(value.trim().parse()?);
                }
                Some((name, value)) if name.eq_ignore_ascii_case("content-type") => {
                    content_type = Some(value.trim().to_owned());
                }
                _ => {}
            }
        }
        let mut body = vec![0; length.context("an answer has a length")?];
        self.0.read_exact(&mut body)?;
        let code = status.split(' ').nth(1).unwrap_or_default();
        if !code.starts_with('2') {
            bail!("the server answered {code}: {}", String::from_utf8_lossy(&body));
        }
        Ok(HttpResponse { status: code.parse()?, content_type, body, headers: BTreeMap::new() })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line)?;
        ensure!(read > 0, "the server closed the connection");
        Ok(line.trim_end().to_owned())
    }
}
