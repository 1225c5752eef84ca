//! Wallet classes: what opens one, and what it may hold and pay.

use crate::credential::ClaimPath;
use crate::section::Section;
use crate::text::{Text, read_text};
use std::collections::BTreeSet;
use yufu_base::{Amount, Currency};

/// A class of wallet, from one without identity to one opened in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletClass {
    /// Its short name, unique in the profile.
    pub name: String,
    /// How it is shown.
    pub title: Text,
    /// What opens it.
    pub opening: Opening,
    /// What it may hold and pay.
    pub limits: Limits,
    /// The payment limits that hold for a payment confirmed by presenting one's identity;
    /// `None` if a presentation lifts nothing.
    pub stepped_up: Option<StepUp>,
}

/// What a person must bring to open a wallet of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The evidence.
    pub evidence: Evidence,
    /// The claims of the identity credential to be presented; empty without identity.
    pub claims: BTreeSet<ClaimPath>,
    /// How many wallets of the class one holder (or phone number) may have at one bank.
    pub at_most: u32,
    /// The sum all wallets of the class at one bank may hold together; `None` is unbounded.
    pub total_per_bank: Option<Amount>,
}

/// The kind of evidence that opens a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A verified phone number or a token from a counter: no identity.
    PhoneOrToken,
    /// An identity credential presented remotely.
    Identity,
    /// An identity credential, and a bank account of the same person.
    IdentityAndAccount,
    /// An identity credential, at a counter.
    InPerson,
}

/// Where a wallet that needs an identity may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountOpening {
    /// From anywhere, by a presentation.
    Remote,
    /// At a counter only.
    InPerson,
    /// Either way.
    Both,
}

impl AccountOpening {
    /// Whether a presentation from afar may open a wallet.
    #[must_use]
    pub const fn remote(self) -> bool {
        matches!(self, Self::Remote | Self::Both)
    }

    /// Whether a step at a counter may open a wallet.
    #[must_use]
    pub const fn in_person(self) -> bool {
        matches!(self, Self::InPerson | Self::Both)
    }
}

/// Caps; `None` is unlimited. Days and years are those of the profile's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most it may hold.
    pub balance: Option<Amount>,
    /// The most one payment may be.
    pub per_payment: Option<Amount>,
    /// The most that may be paid in a day.
    pub per_day: Option<Amount>,
    /// The most that may be paid in a year.
    pub per_year: Option<Amount>,
}

/// The payment limits after a presentation; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// The most one payment may be.
    pub per_payment: Option<Amount>,
    /// The most that may be paid in a day.
    pub per_day: Option<Amount>,
}

pub(crate) fn read_account_opening(root: &mut Section<'_, '_, '_>) -> Option<AccountOpening> {
    let words = [
        ("remote", AccountOpening::Remote),
        ("in_person", AccountOpening::InPerson),
        ("both", AccountOpening::Both),
    ];
    root.word("account_opening", &words).map(|(opening, _)| opening)
}

/// After how many days without movement a wallet is dormant, or the word `never`.
pub(crate) fn read_dormancy(root: &mut Section<'_, '_, '_>) -> Option<Option<u32>> {
    const KEY: &str = "dormant_after_days";
    if root.is_text(KEY) {
        return root.word(KEY, &[("never", ())]).map(|_| None);
    }
    let days = root.whole::<u32>(KEY)?;
    if days == 0 {
        let span = root.span();
        root.report(&span, "`dormant_after_days` is 0", "at least 1, or \"never\"");
    }
    Some(Some(days))
}

pub(crate) fn read_class(
    mut section: Section<'_, '_, '_>,
    currency: Currency,
    claims: &BTreeSet<ClaimPath>,
    names: &mut BTreeSet<String>,
) -> Option<WalletClass> {
    let name = section.unique_text("name", names);
    let title = read_text(&mut section, "title");
    let opening = section.table("opening").and_then(|s| read_opening(s, currency, claims));
    let limits = section.table("limits").and_then(|s| read_limits(s, currency));
    let stepped_up = if section.has("stepped_up") {
        section.table("stepped_up").and_then(|s| read_step_up(s, currency)).map(Some)
    } else {
        Some(None)
    };
    let span = section.span();
    if let (Some(limits), Some(Some(lifted))) = (&limits, &stepped_up)
        && (lowers(limits.per_payment, lifted.per_payment)
            || lowers(limits.per_day, lifted.per_day))
    {
        let expected = "limits at least as high as without a presentation";
        section.report(&span, "`stepped_up` lowers a limit", expected);
    }
    section.finish();
    Some(WalletClass {
        name: name?,
        title: title?,
        opening: opening?,
        limits: limits?,
        stepped_up: stepped_up?,
    })
}

fn read_opening(
    mut section: Section<'_, '_, '_>,
    currency: Currency,
    known: &BTreeSet<ClaimPath>,
) -> Option<Opening> {
    let evidence = section.word(
        "evidence",
        &[
            ("phone-or-token", Evidence::PhoneOrToken),
            ("identity", Evidence::Identity),
            ("identity-and-account", Evidence::IdentityAndAccount),
            ("in-person", Evidence::InPerson),
        ],
    );
    let claims = crate::credential::read_claim_paths(&mut section, known);
    let at_most = section.whole("at_most");
    let total = read_cap(&mut section, "total_per_bank", currency);
    if let (Some((evidence, span)), Some(claims)) = (&evidence, &claims)
        && claims.is_empty() != (*evidence == Evidence::PhoneOrToken)
    {
        let expected = "claims exactly if the evidence is an identity";
        section.report(span, "`evidence` does not fit `claims`", expected);
    }
    section.finish();
    let (evidence, _) = evidence?;
    Some(Opening { evidence, claims: claims?, at_most: at_most?, total_per_bank: total? })
}

fn read_limits(mut section: Section<'_, '_, '_>, currency: Currency) -> Option<Limits> {
    let [balance, per_payment, per_day, per_year] =
        ["balance", "per_payment", "per_day", "per_year"]
            .map(|key| read_cap(&mut section, key, currency));
    section.finish();
    let (balance, per_payment) = (balance?, per_payment?);
    Some(Limits { balance, per_payment, per_day: per_day?, per_year: per_year? })
}

fn read_step_up(mut section: Section<'_, '_, '_>, currency: Currency) -> Option<StepUp> {
    let per_payment = read_cap(&mut section, "per_payment", currency);
    let per_day = read_cap(&mut section, "per_day", currency);
    section.finish();
    Some(StepUp { per_payment: per_payment?, per_day: per_day? })
}

/// A cap in minor units, or the word `none`: leaving it out is an error, so that nothing is
/// unlimited by oversight.
pub(crate) fn read_cap(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    currency: Currency,
) -> Option<Option<Amount>> {
    if section.is_text(key) {
        return section.word(key, &[("none", ())]).map(|_| None);
    }
    section.whole::<u64>(key).map(|minor| Some(Amount::new(currency, minor)))
}

fn lowers(before: Option<Amount>, after: Option<Amount>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after.minor() < before.minor(),
        (None, Some(_)) => true,
        (_, None) => false,
    }
}
