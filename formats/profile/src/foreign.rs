//! Residents of other countries: with which credential they show who they are, and whether banks
//! open accounts for them. Whom the country recognises is a setting of its trust-list operator.

use crate::section::Section;
use std::collections::BTreeSet;

/// The identity credential of another country, which may stand in for the own one: what is asked of
/// it has the same claim names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignCredential {
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// The credential's type (SD-JWT VC `vct`).
    pub vct: String,
}

/// Whether banks open accounts for residents of recognised countries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignIdentity {
    /// They do.
    Allow,
    /// They do not.
    Refuse,
}

pub(crate) fn read_foreign_identity(root: &mut Section<'_, '_, '_>) -> Option<ForeignIdentity> {
    let words = [("allow", ForeignIdentity::Allow), ("refuse", ForeignIdentity::Refuse)];
    root.word("foreign_identity", &words).map(|(policy, _)| policy)
}

/// Reads `foreign_credentials`, which may be left out.
pub(crate) fn read_foreign_credentials(
    root: &mut Section<'_, '_, '_>,
    country: Option<&str>,
) -> Option<Vec<ForeignCredential>> {
    if !root.has("foreign_credentials") {
        root.optional("foreign_credentials");
        return Some(Vec::new());
    }
    let mut types = BTreeSet::new();
    root.tables("foreign_credentials", |mut section| {
        let of = read_country(&mut section);
        let vct = section.unique_text("vct", &mut types);
        let span = section.span();
        if of.is_some() && of.as_deref() == country {
            section.report(&span, "`country` is the profile's own", "another country");
        }
        section.finish();
        Some(ForeignCredential { country: of?, vct: vct? })
    })
}

/// Reads `country`.
pub(crate) fn read_country(section: &mut Section<'_, '_, '_>) -> Option<String> {
    let (code, span) = section.text("country")?;
    if !(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())) {
        let expected = "an ISO 3166-1 code: two capital letters";
        section.report(&span, format!("`country` is {code:?}"), expected);
    }
    Some(code)
}
