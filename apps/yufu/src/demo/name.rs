//! A name in the report: programs get the same one in every language, persons their own words for it.

use crate::words::{colon, in_demo, text};
use serde::{Serialize, Serializer};

/// Somebody, a place of money, or what was learned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    reported: String,
    told: String,
}

impl Name {
    /// One that is told by other words than it is reported by.
    pub(super) fn new(reported: impl Into<String>, told: impl Into<String>) -> Self {
        Self { reported: reported.into(), told: told.into() }
    }

    /// As a person is told it.
    pub(super) fn told(&self) -> &str {
        &self.told
    }

    /// Words of ours.
    fn words(english: &str) -> Self {
        Self::new(english, in_demo(english))
    }

    /// A part of what an institution has.
    fn part(institution: &str, english: &str) -> Self {
        let told = format!("{institution}{}{}", colon(), in_demo(english));
        Self::new(format!("{institution}: {english}"), told)
    }
}

/// A name that somebody bears, which is nobody's to translate.
impl From<&str> for Name {
    fn from(own: &str) -> Self {
        Self::new(own, own)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reported)
    }
}

pub(super) fn she() -> Name {
    Name::words("she")
}

pub(super) fn her_wallet() -> Name {
    Name::words("her wallet")
}

pub(super) fn her_notes() -> Name {
    Name::words("her bearer notes")
}

pub(super) fn her_deposit() -> Name {
    Name::words("her deposit (the bank's liability)")
}

pub(super) fn her_account() -> Name {
    Name::words("her account")
}

pub(super) fn her_account_there() -> Name {
    Name::words("her account there")
}

pub(super) fn her_counter_wallet() -> Name {
    Name::words("her counter wallet")
}

pub(super) fn the_childs_wallet() -> Name {
    Name::words("the child's wallet")
}

pub(super) fn the_purse() -> Name {
    Name::words("the purse")
}

pub(super) fn the_visitor() -> Name {
    Name::words("the visitor")
}

pub(super) fn pensioners_wallets() -> Name {
    Name::words("pensioners' wallets")
}

pub(super) fn the_shops_notes() -> Name {
    Name::words("the shop's bearer notes")
}

pub(super) fn the_shops_deposit(bank: &str) -> Name {
    let reported = format!("the shop's deposit ({bank}'s liability)");
    Name::new(reported, text!("the shop's deposit ({bank}'s liability)", bank = bank))
}

pub(super) fn the_publics_paper() -> Name {
    Name::words("the public: notes")
}

/// Where money comes from that was not there before.
pub(super) fn new_money() -> Name {
    Name::words("new")
}

/// Where money goes that is there no more.
pub(super) fn gone() -> Name {
    Name::words("gone")
}

pub(super) fn paper_of(bank: &str) -> Name {
    Name::part(bank, "notes")
}

pub(super) fn vault_of(bank: &str) -> Name {
    Name::part(bank, "digital vault")
}

pub(super) fn reserve_of(bank: &str) -> Name {
    Name::part(bank, "reserve")
}

pub(super) fn deposit_at(bank: &str) -> Name {
    Name::part(bank, "deposit")
}

pub(super) fn payment_credential() -> Name {
    Name::words("payment credential")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_a_name_as_it_is_reported_and_persons_their_words() {
        let name = Name::new("her wallet", "elle");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"her wallet\"");
        assert_eq!(name.told(), "elle");
        assert_eq!(vault_of("the bank"), Name::from("the bank: digital vault"));
    }
}
