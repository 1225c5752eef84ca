//! URLs that parties of the protocols may name: `https`, or `http` to this very machine.

use crate::inside::is_inside;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::{Host, Url};

/// The longest URL that is read, in bytes.
const MAX_LENGTH: usize = 2048;

/// Why a text is not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Longer than 2048 bytes.
    #[error("the URL is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Not an absolute URL.
    #[error("{0:?} is not an absolute URL with a host")]
    Url(String),
    /// Neither `https`, nor `http` to a loopback host.
    #[error("{0:?} must use https (http is allowed to localhost only)")]
    Insecure(String),
    /// A user name, a password or a fragment.
    #[error("{0:?} must not carry a user name, a password or a fragment")]
    Extras(String),
    /// A query where none may be.
    #[error("{0:?} must not carry a query")]
    Query(String),
}

/// An absolute `https` URL (`http` for loopback hosts only) without credentials and
/// fragment. Compared as it was written, as OAuth compares issuer identifiers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    text: String,
    url: Url,
}

impl Endpoint {
    /// Parses and checks a URL.
    ///
    /// # Errors
    /// [`EndpointError`], the first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if text.len() > MAX_LENGTH {
            return Err(EndpointError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::Url(text.to_owned()))?;
        let loopback = match url.host() {
            None => return Err(EndpointError::Url(text.to_owned())),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(EndpointError::Insecure(text.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Extras(text.to_owned()));
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// Parses an issuer identifier: an endpoint without a query (OpenID4VCI 1.0, 12.2.1).
    ///
    /// # Errors
    /// [`EndpointError`], the first rule that is broken.
    pub fn identifier(text: &str) -> Result<Self, EndpointError> {
        let endpoint = Self::parse(text)?;
        match endpoint.url.query() {
            None => Ok(endpoint),
            Some(_) => Err(EndpointError::Query(text.to_owned())),
        }
    }

    /// The URL as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether the host, as it is written, is this machine or one in a network of its own. A name that leads there shows
    /// when it is looked up: by [`is_inside`](crate::is_inside), at the moment of connecting.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        match self.url.host() {
            None => true,
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => is_inside(ip.into()),
            Some(Host::Ipv6(ip)) => is_inside(ip.into()),
        }
    }

    /// Scheme, host and port: `https://issuer.example`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The metadata address of an identifier: `/.well-known/<name>` inserted between host
    /// and path (OpenID4VCI 1.0, 12.2.2; RFC 8414, section 3).
    ///
    /// # Errors
    /// [`EndpointError::TooLong`].
    pub fn well_known(&self, name: &str) -> Result<Self, EndpointError> {
        let path = self.url.path().trim_end_matches('/');
        Self::parse(&format!("{}/.well-known/{name}{path}", self.origin()))
    }

    /// This URL with `segment` appended to its path.
    ///
    /// # Errors
    /// [`EndpointError`] if the result is not an endpoint.
    pub fn join(&self, segment: &str) -> Result<Self, EndpointError> {
        Self::parse(&format!("{}/{segment}", self.text.trim_end_matches('/')))
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;
    fn try_from(text: String) -> Result<Self, EndpointError> {
        Self::parse(&text)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.text
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_http_to_this_machine_is_an_endpoint() {
        for good in [
            "https://issuer.example",
            "https://issuer.example:8443/tenant",
            "http://localhost:8080/x",
            "http://127.0.0.1/",
            "http://[::1]:1/",
            "http://wallet.localhost/",
        ] {
            assert_eq!(Endpoint::parse(good).unwrap().as_str(), good);
        }
        let insecure = |t: &str| matches!(Endpoint::parse(t), Err(EndpointError::Insecure(_)));
        for bad in ["http://issuer.example", "http://localhost.example/", "ftp://localhost/"] {
            assert!(insecure(bad), "{bad}");
        }
        for bad in ["", "issuer.example", "/path", "mailto:a@b.c"] {
            assert!(matches!(Endpoint::parse(bad), Err(EndpointError::Url(_))), "{bad}");
        }
        for bad in ["https://u@h.example/", "https://u:p@h.example/", "https://h.example/#f"] {
            assert!(matches!(Endpoint::parse(bad), Err(EndpointError::Extras(_))), "{bad}");
        }
        let long = format!("https://h.example/{}", "a".repeat(2048));
        assert_eq!(Endpoint::parse(&long), Err(EndpointError::TooLong));
        assert!(matches!(Endpoint::identifier("https://h/?q"), Err(EndpointError::Query(_))));
    }

    #[test]
    fn an_address_inside_is_known_however_it_is_written() {
        for inside in [
            "http://localhost/",
            "https://a.localhost/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.178.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
        ] {
            assert!(Endpoint::parse(inside).unwrap().is_inside(), "{inside}");
        }
        for outside in [
            "https://hotel.example/",
            "https://8.8.8.8/",
            "https://172.32.0.1/",
            "https://[2001:4860::1]/",
        ] {
            assert!(!Endpoint::parse(outside).unwrap().is_inside(), "{outside}");
        }
    }

    #[test]
    fn well_known_is_inserted_between_host_and_path_12_2_2() {
        for (identifier, metadata) in [
            ("https://i.example", "https://i.example/.well-known/openid-credential-issuer"),
            ("https://i.example/", "https://i.example/.well-known/openid-credential-issuer"),
            ("https://i.example/a/b", "https://i.example/.well-known/openid-credential-issuer/a/b"),
            ("http://127.0.0.1:9/a", "http://127.0.0.1:9/.well-known/openid-credential-issuer/a"),
        ] {
            let identifier = Endpoint::identifier(identifier).unwrap();
            assert_eq!(
                identifier.well_known("openid-credential-issuer").unwrap().as_str(),
                metadata
            );
        }
    }
}
