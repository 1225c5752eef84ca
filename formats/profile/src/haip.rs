//! How the identity authority issues to attested wallets (HAIP 1.0): what must be said of their keys, what an
//! officer looks at first, for how long a wallet gets fresh copies by itself.

use crate::credential::CredentialType;
use crate::institution::Role;
use crate::section::Section;

/// The longest that copies are had without the person, in days.
const MOST_DAYS: u16 = 366;
/// The kinds of storage that a key attestation can name (OpenID4VCI 1.0, appendix D.2).
const STORAGE: [&str; 4] =
    ["iso_18045_high", "iso_18045_moderate", "iso_18045_enhanced-basic", "iso_18045_basic"];

/// Issuance to attested wallets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaipProfile {
    /// The kinds of storage that are accepted for the keys of credentials.
    pub key_storage: Vec<String>,
    /// The credentials that an officer looks at before they are issued.
    pub checked: Vec<String>,
    /// For how many days a wallet gets fresh copies without the person: 0 to 366.
    pub refresh_days: u16,
}

/// The rules; `None` if the country issues to no attested wallets.
pub(crate) fn read_haip(root: &mut Section<'_, '_, '_>) -> Option<Option<HaipProfile>> {
    if !root.has("haip") {
        root.optional("haip");
        return Some(None);
    }
    let mut section = root.table("haip")?;
    let storage = section.texts("key_storage")?;
    for (kind, span) in &storage {
        if !STORAGE.contains(&kind.as_str()) {
            let expected = format!("one of {}", STORAGE.join(", "));
            section.report(span, format!("`key_storage` names {kind:?}"), &expected);
        }
    }
    let checked = section.texts("checked")?;
    let refresh_days = section.whole::<u16>("refresh_days").filter(|days| {
        let right = *days <= MOST_DAYS;
        if !right {
            let span = section.span();
            section.report(&span, format!("`refresh_days` is {days}"), "0 to 366 days");
        }
        right
    });
    section.finish();
    Some(Some(HaipProfile {
        key_storage: storage.into_iter().map(|(kind, _)| kind).collect(),
        checked: checked.into_iter().map(|(id, _)| id).collect(),
        refresh_days: refresh_days?,
    }))
}

/// That the identity authority issues what an officer looks at.
pub(crate) fn check_checked(
    root: &Section<'_, '_, '_>,
    haip: Option<&Option<HaipProfile>>,
    credentials: Option<&[CredentialType]>,
) {
    let (Some(Some(haip)), Some(credentials)) = (haip, credentials) else { return };
    for id in &haip.checked {
        let fits = |kind: &CredentialType| kind.id == *id && kind.issuer == Role::IdentityAuthority;
        if !credentials.iter().any(fits) {
            let what = format!("`checked` of `haip` names {id:?}");
            root.report(&root.span(), what, "a credential of the identity authority");
        }
    }
}
