//! The link that starts a presentation (OpenID4VP 1.0, section 5; RFC 9101): whom it is for,
//! and where the signed request lies.

use crate::{Endpoint, EndpointError};
use serde::{Deserialize, Serialize};
use url::Url;

/// The longest link that is read, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// What the link says. Everything else is in the signed request object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentationLink {
    /// Whom the request must be from, with its prefix: `x509_hash:...`.
    pub client_id: String,
    /// Where the request object lies.
    pub request_uri: Endpoint,
    /// How to fetch it.
    pub request_uri_method: RequestUriMethod,
}

/// How a request object is fetched (section 5.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestUriMethod {
    /// With GET.
    #[default]
    Get,
    /// With POST, sending a fresh `wallet_nonce`.
    Post,
}

/// Why a link is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Longer than 8 KiB.
    #[error("the link is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Neither `openid4vp:`, `haip-vp:` nor a permitted web link.
    #[error("the link does not begin with openid4vp://, haip-vp:// or https://")]
    Scheme,
    /// A parameter is missing or repeated.
    #[error("the link must hold {0} exactly once")]
    Parameter(&'static str),
    /// The request object came in the link itself, which is not supported.
    #[error("the link must name a request_uri instead of carrying a request")]
    ByValue,
    /// The request URI is not permitted.
    #[error("request_uri: {0}")]
    RequestUri(EndpointError),
    /// Another method than `get` and `post` (`invalid_request_uri_method`).
    #[error("request_uri_method is {0:?}, expected get or post")]
    Method(String),
}

impl PresentationLink {
    /// Reads a scanned or opened link. Parameters beside the three are ignored: only what
    /// is signed counts.
    ///
    /// # Errors
    /// [`LinkError`], the first rule that is broken.
    pub fn parse(link: &str) -> Result<Self, LinkError> {
        if link.len() > MAX_LENGTH {
            return Err(LinkError::TooLong);
        }
        let url = Url::parse(link.trim()).map_err(|_| LinkError::Scheme)?;
        if !["openid4vp", "haip-vp"].contains(&url.scheme()) {
            let base = link.trim().split(['?', '#']).next().unwrap_or_default();
            Endpoint::parse(base).map_err(|_| LinkError::Scheme)?;
        }
        let once = |name: &'static str| {
            let mut values = url.query_pairs().filter(|(n, _)| n == name);
            match (values.next(), values.next()) {
                (value, None) => Ok(value.map(|(_, value)| value.into_owned())),
                _ => Err(LinkError::Parameter(name)),
            }
        };
        if once("request")?.is_some() {
            return Err(LinkError::ByValue);
        }
        let client_id = once("client_id")?.ok_or(LinkError::Parameter("client_id"))?;
        let request_uri = once("request_uri")?.ok_or(LinkError::Parameter("request_uri"))?;
        let request_uri = Endpoint::parse(&request_uri).map_err(LinkError::RequestUri)?;
        let request_uri_method = match once("request_uri_method")?.as_deref() {
            None | Some("get") => RequestUriMethod::Get,
            Some("post") => RequestUriMethod::Post,
            Some(other) => return Err(LinkError::Method(other.to_owned())),
        };
        Ok(Self { client_id, request_uri, request_uri_method })
    }

    /// The link to show as a QR code or to open on the same device.
    #[must_use]
    pub fn to_link(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.client_id);
        query.append_pair("request_uri", self.request_uri.as_str());
        if self.request_uri_method == RequestUriMethod::Post {
            query.append_pair("request_uri_method", "post");
        }
        format!("openid4vp://?{}", query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_rule_of_a_link_is_refused_by_its_own_name() {
        let error = |link: &str| PresentationLink::parse(link).unwrap_err();
        let uri = "request_uri=https%3A%2F%2Fv.example%2Fr";
        assert_eq!(error(&"a".repeat(MAX_LENGTH + 1)), LinkError::TooLong);
        assert_eq!(error("http://v.example/?client_id=x"), LinkError::Scheme);
        assert_eq!(error("javascript:alert(1)"), LinkError::Scheme);
        assert_eq!(error(&format!("openid4vp://?{uri}")), LinkError::Parameter("client_id"));
        assert_eq!(
            error(&format!("openid4vp://?client_id=a&client_id=b&{uri}")),
            LinkError::Parameter("client_id")
        );
        assert_eq!(error("openid4vp://?client_id=a"), LinkError::Parameter("request_uri"));
        assert_eq!(error("openid4vp://?client_id=a&request=e30.e30."), LinkError::ByValue);
        assert!(matches!(
            error("openid4vp://?client_id=a&request_uri=http://v.example/r"),
            LinkError::RequestUri(_)
        ));
        assert_eq!(
            error(&format!("openid4vp://?client_id=a&{uri}&request_uri_method=POST")),
            LinkError::Method("POST".into())
        );
    }

    #[test]
    fn a_web_link_and_that_of_haip_are_read_like_the_custom_scheme() {
        let query = "client_id=x509_hash%3Aabc&request_uri=https%3A%2F%2Fv.example%2Fr";
        let custom = PresentationLink::parse(&format!("openid4vp://?{query}")).unwrap();
        let web = PresentationLink::parse(&format!("https://wallet.example/open?{query}"));
        assert_eq!(web.unwrap(), custom);
        let haip = PresentationLink::parse(&format!("haip-vp://?{query}"));
        assert_eq!(haip.unwrap(), custom);
        assert_eq!(custom.request_uri_method, RequestUriMethod::Get);
    }

    proptest! {
        #[test]
        fn a_link_survives_writing_and_reading(client_id in ".{1,40}", path in "[a-z0-9]{0,20}", post: bool) {
            let request_uri = Endpoint::parse(&format!("https://v.example/{path}")).unwrap();
            let request_uri_method =
                if post { RequestUriMethod::Post } else { RequestUriMethod::Get };
            let link = PresentationLink { client_id, request_uri, request_uri_method };
            prop_assert_eq!(PresentationLink::parse(&link.to_link()).unwrap(), link);
        }
    }
}
