//! Money: integer minor units of one currency, with checked arithmetic only.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// An ISO 4217 alphabetic currency code, three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Parses a code: three capital letters.
    ///
    /// # Errors
    /// [`AmountError::Currency`] unless the text is three upper-case ASCII letters.
    pub fn new(code: &str) -> Result<Self, AmountError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(AmountError::Currency(code.to_owned())),
        }
    }

    /// `XXX`: no currency is meant (ISO 4217).
    pub const NONE: Self = Self(*b"XXX");

    /// The three-letter code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money: a whole number of minor units of one currency.
/// Never negative; there is no conversion from or to floating point.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Amount {
    currency: Currency,
    minor: u64,
}

/// Why an amount could not be made or combined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The currency code is not three upper-case letters.
    #[error("{0:?} is not an ISO 4217 code: expected three upper-case letters")]
    Currency(String),
    /// Two amounts of different currencies were combined.
    #[error("cannot combine {left} with {right}")]
    Mixed {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
    /// The result does not fit, or would be negative.
    #[error("the amount is out of range")]
    OutOfRange,
    /// The text is not an amount.
    #[error("{0:?} is not an amount: expected digits with at most {1} decimals, such as 18.00")]
    Text(String, u8),
}

impl Amount {
    /// `minor` units of `currency`.
    #[must_use]
    pub const fn new(currency: Currency, minor: u64) -> Self {
        Self { currency, minor }
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The number of minor units.
    #[must_use]
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`AmountError::Mixed`] for two currencies, [`AmountError::OutOfRange`] on overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(AmountError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// [`AmountError::Mixed`] for two currencies, [`AmountError::OutOfRange`] if it would be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(AmountError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// Parses a decimal in major units (`"18"`, `"18.5"`, `"18.50"`) where the currency
    /// has `decimals` minor digits.
    ///
    /// # Errors
    /// [`AmountError::Text`] for anything else, [`AmountError::OutOfRange`] if it does not fit.
    pub fn parse_major(text: &str, currency: Currency, decimals: u8) -> Result<Self, AmountError> {
        let bad = || AmountError::Text(text.to_owned(), decimals);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let dangling = text.contains('.') && fraction.is_empty();
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let places = usize::from(decimals);
        if whole.is_empty()
            || dangling
            || !digits(whole)
            || !digits(fraction)
            || fraction.len() > places
        {
            return Err(bad());
        }
        let scaled = format!("{whole}{fraction:0<places$}");
        let minor = scaled.parse::<u64>().map_err(|_| AmountError::OutOfRange)?;
        Ok(Self { currency, minor })
    }

    /// The amount in major units with `decimals` digits, without the currency: `18.00`.
    #[must_use]
    pub fn to_major(&self, decimals: u8) -> String {
        let places = usize::from(decimals);
        let digits = format!("{:0>width$}", self.minor, width = places.saturating_add(1));
        match digits.split_at_checked(digits.len().saturating_sub(places)) {
            Some((whole, fraction)) if places > 0 => format!("{whole}.{fraction}"),
            _ => digits,
        }
    }

    fn same_currency(self, other: Self) -> Result<(), AmountError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(AmountError::Mixed { left: self.currency, right: other.currency })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny() -> Currency {
        Currency::new("CNY").unwrap()
    }

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        for bad in ["", "cny", "CN", "CNYX", "C1Y", "元元元"] {
            assert!(Currency::new(bad).is_err(), "{bad}");
        }
        assert_eq!(cny().code(), "CNY");
    }

    #[test]
    fn major_units_parse_exactly_or_not_at_all() {
        for (text, minor) in [("0", 0), ("18", 1800), ("18.5", 1850), ("18.05", 1805), ("007", 700)]
        {
            assert_eq!(Amount::parse_major(text, cny(), 2).unwrap().minor(), minor, "{text}");
        }
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.234",
            "1,5",
            "１",
            "1e3",
            " 1",
            "184467440737095516.16",
        ] {
            assert!(Amount::parse_major(bad, cny(), 2).is_err(), "{bad}");
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        let usd = Amount::new(Currency::new("USD").unwrap(), 1);
        assert!(matches!(Amount::new(cny(), 1).checked_add(usd), Err(AmountError::Mixed { .. })));
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(minor: u64, decimals in 0u8..5) {
            let amount = Amount::new(cny(), minor);
            prop_assert_eq!(Amount::parse_major(&amount.to_major(decimals), cny(), decimals).unwrap(), amount);
        }

        #[test]
        fn adding_and_subtracting_undo_each_other_or_refuse(a: u64, b: u64) {
            let (a, b) = (Amount::new(cny(), a), Amount::new(cny(), b));
            match a.checked_add(b) {
                Ok(sum) => prop_assert_eq!(sum.checked_sub(b).unwrap(), a),
                Err(e) => prop_assert_eq!(e, AmountError::OutOfRange),
            }
        }
    }
}
