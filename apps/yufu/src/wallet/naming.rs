//! Who is at an address: the name to tell a person of somebody who gave no answer.

use super::holder::Holder;
use crate::explaining::explain_naming;
use anyhow::Error;
use yufu_trust::DirectoryEntry;

impl Holder {
    /// An error, told with the names of those who are at the addresses in it.
    pub(super) fn told(&self, error: &Error) -> String {
        explain_naming(error, |url| self.whom(url))
    }

    /// The name of the institution at an address, in the person's language, as the trust list has it.
    fn whom(&self, url: &str) -> Option<String> {
        let entry = at(self.directory(), url)?;
        Some(entry.name.get(&self.language).to_owned())
    }
}

/// The institution at an address. Several may share a host: then its id stands in the path, or what it is.
fn at<'a>(directory: &'a [DirectoryEntry], url: &str) -> Option<&'a DirectoryEntry> {
    let parts = |entry: &DirectoryEntry| -> Vec<&str> {
        let path = url.strip_prefix(entry.url.as_str()).filter(|path| path.starts_with('/'));
        let parts = path.unwrap_or_default().split(['/', '?']);
        parts.filter(|part| !part.is_empty()).collect()
    };
    let mut by_id = directory.iter().filter(|entry| parts(entry).contains(&entry.id.as_str()));
    let mut by_kind = directory
        .iter()
        .filter(|entry| parts(entry).first().is_some_and(|first| entry.kind.contains(first)));
    by_id.next().or_else(|| by_kind.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_trust::Localized;

    fn entry(id: &str, kind: &str, url: &str) -> DirectoryEntry {
        DirectoryEntry {
            id: id.to_owned(),
            name: Localized::new("en", id),
            kind: kind.to_owned(),
            url: url.to_owned(),
        }
    }

    #[test]
    fn whoever_is_at_an_address_is_found_by_its_id_in_the_path_or_by_what_it_is() {
        let one = "http://city.example";
        let directory = [
            entry("mint-street", "commercial-bank", one),
            entry("second", "commercial-bank", one),
            entry("cb", "central-bank", one),
            entry("police", "identity-authority", "http://id.example"),
        ];
        let rows = [
            ("http://city.example/banks/second/mint/v1/keys", Some("second")),
            ("http://city.example/banks/mint-street/v1/x?y=1", Some("mint-street")),
            ("http://city.example/central-bank/v1/keysets", Some("cb")),
            ("http://id.example/authority/offer", Some("police")),
            ("http://city.example/banks/third/mint/v1/keys", None),
            ("http://elsewhere.example/banks/second/v1", None),
            ("http://city.example.elsewhere.example/banks/second/v1", None),
            ("http://city.example", None),
        ];
        for (url, expected) in rows {
            assert_eq!(at(&directory, url).map(|entry| entry.id.as_str()), expected, "{url}");
        }
    }
}
