//! PINs: which ones are refused, and what is kept of one. A keyed digest under the records' master
//! key comes first, Argon2id over it after: whoever has the database alone can try out nothing.

use crate::OnboardingError;
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;
use yufu_database::Sealer;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many digits a PIN has.
const DIGITS: usize = 6;
/// The domain of the keyed digest.
const PEPPER: &str = "onboarding.card-pin";
/// What one try costs: OWASP's second recommendation (19 MiB, two passes). With a million PINs no
/// cost protects by itself: the key does, and the count of attempts.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The salt of a card that has no PIN: an unknown card costs as much work as a known one.
pub(crate) const DECOY: [u8; 16] = [0; 16];

/// A PIN of six digits. Never printed; wiped when it is dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

impl Pin {
    /// A PIN as it was typed.
    ///
    /// # Errors
    /// [`OnboardingError::PinFormat`] unless it is six digits.
    pub fn new(typed: &str) -> Result<Self, OnboardingError> {
        if typed.len() == DIGITS && typed.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(typed.to_owned()))
        } else {
            Err(OnboardingError::PinFormat)
        }
    }

    /// Whether anybody would try it first: one digit, a run, a repetition, or digits out of the
    /// holder's number or date of birth (`YYYY-MM-DD`).
    pub(crate) fn is_weak(&self, number: &str, birthdate: &str) -> bool {
        let digits: Vec<u8> = self.0.bytes().map(|b| b.saturating_sub(b'0')).collect();
        let step = |by: u8| {
            digits.windows(2).all(|pair| match pair {
                [one, next] => one.saturating_add(by) % 10 == *next,
                _ => false,
            })
        };
        let period = |of: usize| digits.iter().zip(digits.iter().skip(of)).all(|(a, b)| a == b);
        let run = [0, 1, 9].into_iter().any(step);
        let repeated = [2, 3].into_iter().any(period);
        run || repeated || number.contains(&self.0) || dates(birthdate).contains(&self.0)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// The ways to write a date in six digits.
fn dates(birthdate: &str) -> Vec<String> {
    let parts: Vec<&str> = birthdate.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Vec::new() };
    let short = year.get(2..).unwrap_or_default();
    vec![
        format!("{short}{month}{day}"),
        format!("{day}{month}{short}"),
        format!("{month}{day}{short}"),
        format!("{year}{month}"),
        format!("{month}{year}"),
        format!("{day}{year}"),
        format!("{year}{day}"),
    ]
}

/// What is kept of a PIN. Off the threads that serve requests: it is meant to be slow.
pub(crate) async fn digest(
    sealer: &Sealer,
    pin: &Pin,
    salt: &[u8],
) -> Result<[u8; 32], OnboardingError> {
    let keyed = Zeroizing::new(*sealer.blind(PEPPER, &pin.0).as_bytes());
    let salt = salt.to_vec();
    let work = move || {
        let parameters = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| ())?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let mut digest = [0_u8; 32];
        argon.hash_password_into(&*keyed, &salt, &mut digest).map_err(|_| ())?;
        Ok::<_, ()>(digest)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.ok().and_then(Result::ok).ok_or(OnboardingError::Damaged("PIN's parameters"))
}

/// Compares without telling by the time how much agrees.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_that_anybody_would_try_first_is_weak() {
        let weak = |pin: &str| Pin::new(pin).unwrap().is_weak("420104196209208811", "1962-09-20");
        let tried = [
            "000000", "777777", "123456", "654321", "890123", "121212", "123123", "620920",
            "200962", "092062", "196209", "208811", "420104",
        ];
        for pin in tried {
            assert!(weak(pin), "{pin}");
        }
        for pin in ["730519", "112233", "100001", "246813"] {
            assert!(!weak(pin), "{pin}");
        }
    }

    #[test]
    fn a_pin_is_six_digits_and_is_never_printed() {
        for bad in ["", "12345", "1234567", "12345x", "１２３４５６", "12 456"] {
            assert!(matches!(Pin::new(bad), Err(OnboardingError::PinFormat)), "{bad}");
        }
        assert_eq!(format!("{:?}", Pin::new("730519").unwrap()), "Pin(…)");
    }
}
