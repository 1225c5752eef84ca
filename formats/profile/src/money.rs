//! The currency, and the money a bank begins with: whose liability, how much.

use crate::section::Section;
use yufu_base::{Amount, Currency};

/// The currency of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyProfile {
    /// ISO 4217.
    pub code: Currency,
    /// Digits after the point.
    pub decimals: u8,
    /// The name of the minor unit.
    pub minor_unit: String,
    /// The sign shown before an amount.
    pub sign: String,
}

/// What a commercial bank begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankMoney {
    /// Its reserve at the central bank.
    pub reserve: Amount,
    /// Digital cash issued to it against reserves, ready to be handed out.
    pub digital: Amount,
    /// Paper cash in its vault.
    pub paper: Amount,
    /// Its customers' deposits: its own liability.
    pub deposits: Amount,
}

pub(crate) fn read_currency(mut section: Section<'_, '_, '_>) -> Option<CurrencyProfile> {
    let code = section.text("code");
    let code = code.and_then(|(text, span)| {
        let code = Currency::new(&text).ok();
        if code.is_none() {
            section.report(
                &span,
                format!("unknown currency {text:?}"),
                "an ISO 4217 code: three capital letters",
            );
        }
        code
    });
    let decimals = section.whole::<u8>("decimals");
    let minor_unit = section.text("minor_unit");
    let sign = section.text("sign");
    let span = section.span();
    if decimals.is_some_and(|d| d > 4) {
        section.report(&span, "too many `decimals`", "0 to 4 (ISO 4217)");
    }
    section.finish();
    let (minor_unit, sign) = (minor_unit?.0, sign?.0);
    Some(CurrencyProfile { code: code?, decimals: decimals?, minor_unit, sign })
}

pub(crate) fn read_bank_money(
    mut section: Section<'_, '_, '_>,
    currency: Currency,
) -> Option<BankMoney> {
    let [reserve, digital, paper, deposits] = ["reserve", "digital", "paper", "deposits"]
        .map(|key| section.whole(key).map(|minor| Amount::new(currency, minor)));
    section.finish();
    let (reserve, digital, paper) = (reserve?, digital?, paper?);
    Some(BankMoney { reserve, digital, paper, deposits: deposits? })
}
