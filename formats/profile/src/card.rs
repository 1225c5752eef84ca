//! The chip cards of a country: who stands on them as their issuer, and how long they are valid.

use crate::credential::CredentialType;
use crate::institution::Role;
use crate::resident::Column;
use crate::section::Section;
use jiff::civil::Date;

/// The longest a card is valid, in years: no signer's certificate lasts longer.
const MOST_YEARS: u8 = 20;

/// The chip cards of a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardProfile {
    /// The country as machine-readable zones have it: three letters (ICAO 9303-3, section 5).
    pub issuer: String,
    /// For how many years a card is valid: 1 to 20.
    pub valid_years: u8,
    /// The credential that a wallet gets from a card whose holder nobody compared with its portrait. From any other card
    /// it gets the identity.
    pub light: String,
}

impl CardProfile {
    /// The last day of a card that is made today; `None` if the calendar ends before.
    #[must_use]
    pub fn last_day(&self, today: Date) -> Option<Date> {
        let years = jiff::Span::new().try_years(i64::from(self.valid_years)).ok()?;
        today.checked_add(years).ok()?.yesterday().ok()
    }
}

/// The cards; `None` if the country issues none.
pub(crate) fn read_cards(root: &mut Section<'_, '_, '_>) -> Option<Option<CardProfile>> {
    if !root.has("cards") {
        return Some(None);
    }
    let mut section = root.table("cards")?;
    let issuer = section.text("issuer").and_then(|(text, span)| {
        let right = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !right {
            section.report(&span, format!("`issuer` is {text:?}"), "three letters, A to Z");
        }
        right.then_some(text)
    });
    let valid_years = section.whole::<u8>("valid_years").filter(|years| {
        let right = (1..=MOST_YEARS).contains(years);
        if !right {
            let span = section.span();
            section.report(&span, format!("`valid_years` is {years}"), "1 to 20 years");
        }
        right
    });
    let light = section.text("light").map(|(text, _)| text);
    section.finish();
    Some(Some(CardProfile { issuer: issuer?, valid_years: valid_years?, light: light? }))
}

/// That the identity authority issues what a card leads to, and that it is less than the identity.
pub(crate) fn check_light(
    root: &Section<'_, '_, '_>,
    cards: &CardProfile,
    credentials: &[CredentialType],
) {
    let fits = |kind: &CredentialType| {
        kind.id == cards.light
            && kind.issuer == Role::IdentityAuthority
            && kind.claim_from(Column::ResidentNumber).is_none()
    };
    if !credentials.iter().any(fits) {
        let what = format!("`light` of `cards` is {:?}", cards.light);
        let expected = "a credential of the identity authority without the resident number";
        root.report(&root.span(), what, expected);
    }
}
