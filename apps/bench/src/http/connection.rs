//! A connection that is kept open, and requests made beforehand: as little of the clients' work as can
//! be falls into the time that is measured.

use super::response::{Incoming, PIECE};
use anyhow::Result;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use yufu_openid4vc::{HttpRequest, HttpResponse, Method};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Connection(TcpStream);

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
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    /// The body of a successful answer.
    pub(crate) fn answer(&mut self, request: &Prepared) -> Result<Vec<u8>> {
        Ok(self.response(request)?.body)
    }

    /// A successful answer.
    pub(crate) fn response(&mut self, request: &Prepared) -> Result<HttpResponse> {
        self.write(request)?;
        let (mut incoming, mut room) = (Incoming::default(), vec![0; PIECE]);
        loop {
            if let Some(answer) = incoming.read(&self.0, &mut room)? {
                return Ok(answer);
            }
        }
    }

    pub(super) fn write(&mut self, request: &Prepared) -> Result<()> {
        Ok(self.0.write_all(&request.0)?)
    }

    pub(super) const fn socket(&self) -> &TcpStream {
        &self.0
    }
}
