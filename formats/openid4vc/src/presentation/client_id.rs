//! Client identifiers (OpenID4VP 1.0, 5.9.3): whom a request is from, by a prefix that says how that is known. Two
//! prefixes are, both by the certificate that signed: its hash, and a DNS name that it bears.

use crate::Endpoint;
use yufu_jose::Leaf;

/// The client is whoever has the certificate with this hash.
pub const X509_HASH: &str = "x509_hash:";
/// The client is whoever has a certificate for this DNS name.
pub const X509_SAN_DNS: &str = "x509_san_dns:";

/// The identifier of a client by its certificate's hash.
#[must_use]
pub fn by_hash(leaf: &Leaf) -> String {
    format!("{X509_HASH}{}", leaf.sha256_base64url())
}

/// Whether the holder of a certificate may call itself `client_id`. No other prefix is known, and none means
/// nobody.
#[must_use]
pub fn is_certified(client_id: &str, leaf: &Leaf) -> bool {
    if let Some(hash) = client_id.strip_prefix(X509_HASH) {
        return hash == leaf.sha256_base64url();
    }
    dns_name(client_id).is_some_and(|name| {
        leaf.dns_names.iter().any(|certified| certified.eq_ignore_ascii_case(name))
    })
}

/// Whether a client that goes by this identifier may have answers sent to `uri`: one that goes by a DNS name at
/// that name only; where others may is a matter of their registration.
#[must_use]
pub fn permits_response_to(client_id: &str, uri: &Endpoint) -> bool {
    dns_name(client_id).is_none_or(|name| uri.host().eq_ignore_ascii_case(name))
}

/// The DNS name by which a client goes; no wildcard is one.
fn dns_name(client_id: &str) -> Option<&str> {
    client_id.strip_prefix(X509_SAN_DNS).filter(|name| !name.is_empty() && !name.contains('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::{Signer as _, Timestamp};
    use yufu_jose::SoftwareKey;

    fn leaf(dns_names: &[&str]) -> Leaf {
        Leaf {
            public_key: SoftwareKey::from_seed(&[1; 32]).unwrap().public_key(),
            der: vec![1, 2, 3],
            dns_names: dns_names.iter().map(|name| (*name).to_owned()).collect(),
            uri_names: Vec::new(),
            organisation: None,
            common_name: Some("other.example".to_owned()),
            not_before: Timestamp::from_seconds(0),
            not_after: Timestamp::from_seconds(1),
        }
    }

    #[test]
    fn a_client_is_who_its_certificate_says_by_hash_or_by_name_and_by_nothing_else_5_9_3() {
        let leaf = leaf(&["hotel.example", "*.wild.example"]);
        assert!(is_certified(&by_hash(&leaf), &leaf));
        assert!(is_certified("x509_san_dns:hotel.example", &leaf));
        assert!(is_certified("x509_san_dns:Hotel.Example", &leaf));
        for other in [
            "x509_hash:AAAA",
            "x509_san_dns:other.example",
            "x509_san_dns:sub.hotel.example",
            "x509_san_dns:*.wild.example",
            "x509_san_dns:",
            "hotel.example",
            "redirect_uri:https://hotel.example",
            "verifier_attestation:hotel.example",
            "X509_SAN_DNS:hotel.example",
            "",
        ] {
            assert!(!is_certified(other, &leaf), "{other}");
        }
    }

    #[test]
    fn who_goes_by_a_name_is_answered_at_that_name_only_5_9_3() {
        let at = |url: &str| Endpoint::parse(url).unwrap();
        let named = "x509_san_dns:hotel.example";
        assert!(permits_response_to(named, &at("https://hotel.example:8443/answer")));
        for elsewhere in ["https://sub.hotel.example/a", "https://hotel.example.evil/a"] {
            assert!(!permits_response_to(named, &at(elsewhere)), "{elsewhere}");
        }
        assert!(permits_response_to("x509_hash:AAAA", &at("https://anywhere.example/a")));
    }
}
