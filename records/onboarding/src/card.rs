//! Cards of counter wallets: a number and a PIN stand for a person without a telephone. An attempt
//! is counted, durably, before the PIN is compared, and an unknown number is answered, counted and
//! worked on as a wrong PIN is: nobody finds out by trying whether a card exists.

use crate::entity::{account, attempt, card};
use crate::phone::later;
use crate::pin::{self, DECOY, Pin};
use crate::{Access, Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde_json::Value;
use std::fmt;
use uuid::Uuid;
use yufu_base::{AccountId, GrowingDelay, Timestamp};
use yufu_profile::CheckRule;

/// Numbers begin with it: 9 is for national use, and 999 is no country's code (ISO/IEC 7812-1).
const PREFIX: &str = "9999";
/// The random digits of a number.
const RANDOM: u64 = 100_000_000_000;
const LENGTH: usize = 16;
const INDEX: &str = "onboarding.card-number";

/// 1, 2, 4 ... minutes after wrong PINs, up to an hour.
const DELAY: GrowingDelay = GrowingDelay { first: 60, longest: 3_600 };
/// With so many wrong PINs in a row a card is blocked.
const MOST: i64 = 8;

/// Where a card stands: without a PIN yet, in use, blocked at the counter, replaced.
pub(crate) const NEW: &str = "new";
const ACTIVE: &str = "active";
pub(crate) const BLOCKED: &str = "blocked";
pub(crate) const REPLACED: &str = "replaced";

/// A card's number: sixteen digits, the last a check digit. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber(String);

impl CardNumber {
    /// A number out of randomness, and derived from nothing else.
    #[must_use]
    pub fn drawn(random: u64) -> Self {
        let body = format!("{PREFIX}{:011}", random.checked_rem(RANDOM).unwrap_or(0));
        let check = CheckRule::Luhn.characters(&body).unwrap_or_default();
        Self(format!("{body}{check}"))
    }

    /// A number as it was typed, spaces left out.
    ///
    /// # Errors
    /// [`OnboardingError::CardFormat`] if it is mistyped.
    pub fn parse(typed: &str) -> Result<Self, OnboardingError> {
        let plain: String = typed.chars().filter(|c| *c != ' ').collect();
        let body = plain.get(..LENGTH.saturating_sub(1)).unwrap_or_default();
        let check = CheckRule::Luhn.characters(body);
        let holds = plain.starts_with(PREFIX)
            && plain.chars().count() == LENGTH
            && check.is_some_and(|check| plain.ends_with(&check));
        if holds { Ok(Self(plain)) } else { Err(OnboardingError::CardFormat) }
    }

    /// The digits, to be printed on the card.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(…)")
    }
}

/// An attempt that is counted, and not compared yet.
#[derive(Debug)]
pub struct Counted {
    index: Vec<u8>,
    failed: i64,
}

impl Onboarding {
    /// Whose account a card and its PIN are for.
    ///
    /// # Errors
    /// As [`Onboarding::count_attempt`] and [`Onboarding::compare`].
    pub async fn authorise(
        &self,
        card: &CardNumber,
        pin: &Pin,
        at: Timestamp,
    ) -> Result<AccountId, OnboardingError> {
        let counted = self.count_attempt(card, at).await?;
        self.compare(counted, pin).await
    }

    /// Counts an attempt as failed, durably, before its PIN is looked at: a crash in between
    /// gains nothing.
    ///
    /// # Errors
    /// [`OnboardingError::CardBlocked`], [`OnboardingError::CardWait`]; then nothing is counted.
    pub async fn count_attempt(
        &self,
        card: &CardNumber,
        at: Timestamp,
    ) -> Result<Counted, OnboardingError> {
        let index = self.card_index(card);
        let transaction = self.database.begin().await?;
        let known = attempt::Entity::find_by_id(index.clone()).one(&transaction).await?;
        let (before, until) = known.as_ref().map_or((0, 0), |row| (row.failed, row.wait_until));
        if before >= MOST {
            return Err(OnboardingError::CardBlocked);
        }
        let until = crate::from_column(until)?;
        if at < until {
            let millis = until.millis().saturating_sub(at.millis());
            return Err(OnboardingError::CardWait { retry_after: millis.div_ceil(1000) });
        }
        let failed = before.saturating_add(1);
        let row = attempt::Model {
            card_index: index.clone(),
            failed,
            wait_until: crate::to_column(later(at, DELAY, failed)),
        };
        attempt::Entity::delete_by_id(index.clone()).exec(&transaction).await?;
        attempt::Entity::insert(attempt::ActiveModel::from(row))
            .exec_without_returning(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(Counted { index, failed })
    }

    /// Compares the PIN of a counted attempt; the right one sets the count back.
    ///
    /// # Errors
    /// [`OnboardingError::CardRefused`] for a wrong PIN and for an unknown card alike;
    /// [`OnboardingError::CardBlocked`] after the last one, and with the right PIN of a card that
    /// was blocked at the counter.
    pub async fn compare(&self, counted: Counted, pin: &Pin) -> Result<AccountId, OnboardingError> {
        let Counted { index, failed } = counted;
        let row = card::Entity::find_by_id(index.clone()).one(self.database.connection()).await?;
        let row = row.filter(|row| [ACTIVE, BLOCKED].contains(&row.state.as_str()));
        let kept = row.as_ref().and_then(|row| row.pin_salt.clone().zip(row.pin_digest.clone()));
        let (salt, expected) = kept.unwrap_or_else(|| (DECOY.to_vec(), Vec::new()));
        let given = pin::digest(&self.sealer, pin, &salt).await?;
        let Some(row) = row.filter(|_| pin::same(&given, &expected)) else {
            if failed >= MOST {
                return Err(OnboardingError::CardBlocked);
            }
            let times = u32::try_from(failed).unwrap_or(0);
            let left = u32::try_from(MOST.saturating_sub(failed)).unwrap_or(0);
            return Err(OnboardingError::CardRefused { left, retry_after: DELAY.seconds(times) });
        };
        self.forget_attempts(self.database.connection(), index).await?;
        if row.state == BLOCKED {
            return Err(OnboardingError::CardBlocked);
        }
        row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))
    }

    /// Sets the PIN of a card that has none: fresh, or after its holder was identified anew. The
    /// holder's number and date of birth are read for it, with `access`: a PIN must not be in them.
    ///
    /// # Errors
    /// [`OnboardingError::NoPinDue`] unless the card waits for its PIN,
    /// [`OnboardingError::PinWeak`].
    pub async fn set_first_pin(
        &self,
        card: &CardNumber,
        pin: &Pin,
        salt: [u8; 16],
        access: Access,
    ) -> Result<AccountId, OnboardingError> {
        let index = self.card_index(card);
        let row = card::Entity::find_by_id(index.clone()).one(self.database.connection()).await?;
        let row = row.filter(|row| row.state == NEW).ok_or(OnboardingError::NoPinDue)?;
        let account = row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))?;
        self.keep_pin(row, pin, salt, access).await?;
        self.forget_attempts(self.database.connection(), index).await?;
        Ok(account)
    }

    /// Changes a PIN for whoever knows the former one.
    ///
    /// # Errors
    /// As [`Onboarding::authorise`]; [`OnboardingError::PinWeak`].
    pub async fn change_pin(
        &self,
        card: &CardNumber,
        (former, new): (&Pin, &Pin),
        salt: [u8; 16],
        access: Access,
    ) -> Result<AccountId, OnboardingError> {
        let account = self.authorise(card, former, access.at).await?;
        let index = self.card_index(card);
        let row = card::Entity::find_by_id(index).one(self.database.connection()).await?;
        let row = row.ok_or(OnboardingError::Unknown("card"))?;
        self.keep_pin(row, new, salt, access).await?;
        Ok(account)
    }

    async fn keep_pin(
        &self,
        row: card::Model,
        pin: &Pin,
        salt: [u8; 16],
        access: Access,
    ) -> Result<(), OnboardingError> {
        let owner = account::Entity::find_by_id(&row.account).one(self.database.connection());
        let customer = owner.await?.and_then(|row| row.customer);
        let customer = customer.and_then(|id| Uuid::parse_str(&id).ok());
        let customer = customer.ok_or(OnboardingError::Damaged("card's holder"))?;
        let claims = self.customer_claims(customer, access).await?;
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        if pin.is_weak(claim("personal_administrative_number"), claim("birthdate")) {
            return Err(OnboardingError::PinWeak);
        }
        let digest = pin::digest(&self.sealer, pin, &salt).await?;
        let changed = card::Entity::update_many()
            .col_expr(card::Column::State, Expr::value(ACTIVE))
            .col_expr(card::Column::PinSalt, Expr::value(salt.to_vec()))
            .col_expr(card::Column::PinDigest, Expr::value(digest.to_vec()))
            .filter(card::Column::CardIndex.eq(row.card_index))
            // Replaced or blocked meanwhile: then it stays so.
            .filter(card::Column::State.eq(row.state))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(OnboardingError::NoPinDue) }
    }

    pub(crate) fn card_index(&self, card: &CardNumber) -> Vec<u8> {
        self.sealer.blind(INDEX, &card.0).as_bytes().to_vec()
    }

    pub(crate) async fn forget_attempts<C: ConnectionTrait>(
        &self,
        connection: &C,
        index: Vec<u8>,
    ) -> Result<(), OnboardingError> {
        attempt::Entity::delete_by_id(index).exec(connection).await?;
        Ok(())
    }
}

/// Enters a card that waits for its PIN.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    index: Vec<u8>,
    account: AccountId,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let row = card::ActiveModel {
        card_index: Set(index),
        account: Set(account.to_string()),
        state: Set(NEW.to_owned()),
        pin_salt: Set(None),
        pin_digest: Set(None),
        issued_at: Set(crate::to_column(at)),
    };
    card::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_has_sixteen_digits_a_test_prefix_and_a_check_digit() {
        for random in [0, 1, 99_999_999_999, u64::MAX] {
            let drawn = CardNumber::drawn(random);
            assert_eq!(drawn.as_str().len(), 16);
            assert_eq!(CardNumber::parse(drawn.as_str()).unwrap(), drawn);
            assert_eq!(format!("{drawn:?}"), "CardNumber(…)");
        }
        let good = CardNumber::drawn(12_345_678_901);
        let (first, rest) = good.as_str().split_at(4);
        let spaced = format!("{first} {rest}");
        assert_eq!(CardNumber::parse(&spaced).unwrap(), good);
        for place in 4..16 {
            let mut wrong: Vec<u8> = good.as_str().bytes().collect();
            wrong[place] = if wrong[place] == b'9' { b'0' } else { wrong[place] + 1 };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(CardNumber::parse(&wrong).is_err(), "{wrong}");
        }
        for bad in ["", "4111111111111111", "9999", "99990000000000000", "９９９９"] {
            assert!(CardNumber::parse(bad).is_err(), "{bad}");
        }
    }
}
