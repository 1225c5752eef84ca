//! Who may have issued a credential: a signer that the trust list vouches for, of a type that the list lets
//! its party issue, in that party's own name. A role alone is not enough: its parties share it.

use crate::{TrustEntry, TrustError, TrustedParty};
use url::Url;

impl TrustEntry {
    /// Whether `address` is the party's: its identifier, or below it.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        lies_at(address, &self.identifier)
    }
}

impl TrustedParty {
    /// Whether a credential of the type `kind` (the `vct`, or the type of an mdoc) that this signer signed, and
    /// that names `named` as its issuer, is one of its party's. An mdoc names none: then its certificate alone does.
    ///
    /// # Errors
    /// [`TrustError::Type`] or [`TrustError::Name`].
    pub fn check_issued(&self, kind: &str, named: Option<&str>) -> Result<(), TrustError> {
        let party = || self.entry.identifier.clone();
        if !self.entry.issues.iter().any(|listed| listed == kind) {
            return Err(TrustError::Type { party: party(), kind: kind.to_owned() });
        }
        let name = named.unwrap_or(&self.entry.identifier);
        let certified = &self.leaf.uri_names;
        if !self.entry.has_address(name) {
            return Err(TrustError::Name { party: party(), named: name.to_owned() });
        }
        // A certificate that names no address is known by its authority alone.
        match certified.first() {
            Some(first) if !certified.iter().any(|uri| lies_at(name, uri)) => {
                Err(TrustError::Name { party: party(), named: first.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Whether `name` is the address `party`, or below it: there an issuer has further identifiers, for other flows.
/// Compared as addresses are read, so that no `..` leads to a neighbour.
fn lies_at(name: &str, party: &str) -> bool {
    let (Ok(name), Ok(party)) = (Url::parse(name), Url::parse(party)) else { return false };
    let bare = |url: &Url| url.query().is_none() && url.fragment().is_none();
    let above = party.path().trim_end_matches('/');
    let rest = name.path().strip_prefix(above);
    name.origin() == party.origin()
        && name.origin().is_tuple()
        && bare(&name)
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_partys_if_it_is_its_address_or_lies_below_it() {
        let bank = "https://city.example/banks/a";
        for own in [bank, "https://city.example/banks/a/", "https://city.example/banks/a/haip"] {
            assert!(lies_at(own, bank), "{own}");
        }
        for other in [
            "https://city.example",
            "https://city.example/banks",
            "https://city.example/banks/b",
            "https://city.example/banks/ab",
            "https://city.example/banks/a/../b",
            "https://city.example/banks/a/%2e%2e/b",
            "https://city.example:8443/banks/a",
            "http://city.example/banks/a",
            "https://other.example/banks/a",
            "https://city.example/banks/a?x",
            "https://city.example/banks/a#x",
            "banks/a",
            "urn:banks:a",
        ] {
            assert!(!lies_at(other, bank), "{other}");
        }
        assert!(lies_at("https://bank.example", "https://bank.example/"));
    }
}
