//! Where an institution's pages are, beside its own address: from each of them it may ask a wallet through the browser.

use crate::section::Section;
use std::collections::BTreeMap;
use url::Url;

/// Which institution each origin is of, as far as the file was read.
pub(crate) type Taken = BTreeMap<String, String>;

/// Reads `page_origins`; none if it is not given. Each is of one institution.
pub(crate) fn read_page_origins(
    section: &mut Section<'_, '_, '_>,
    owner: Option<&str>,
    taken: &mut Taken,
) -> Option<Vec<String>> {
    if !section.has("page_origins") {
        section.optional("page_origins");
        return Some(Vec::new());
    }
    let mut origins: Vec<String> = Vec::new();
    for (origin, span) in section.texts("page_origins")? {
        if !is_origin(&origin) {
            let expected =
                "an origin as browsers write it: https://inn.example (http on this machine only)";
            section.report(&span, format!("`page_origins` names `{origin}`"), expected);
        } else if let Some(other) = taken.get(&origin) {
            let found = format!("the origin `{origin}` is given twice, first for `{other}`");
            section.report(&span, found, "an origin of this institution alone");
        } else {
            taken.insert(origin.clone(), owner.unwrap_or_default().to_owned());
            origins.push(origin);
        }
    }
    Some(origins)
}

/// Scheme, host and port as browsers write them, and nothing that others read on the way.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        secure && url.origin().ascii_serialization() == text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_as_browsers_write_them() {
        for good in ["https://inn.example", "https://inn.example:8443", "http://localhost:3000"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "inn.example",
            "https://inn.example/",
            "https://inn.example/page",
            "https://inn.example:443",
            "https://Inn.example",
            "https://user@inn.example",
            "http://inn.example",
            "ftp://localhost",
            "null",
            "",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
