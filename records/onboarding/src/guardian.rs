//! Accounts of minors: opened in the ward's name, operated by the guardian's wallet key. The
//! guardian is sealed beside the account under a key of their own, which is destroyed when the ward
//! takes the account over.

use crate::account;
use crate::customer::record;
use crate::entity::{account as accounts, card, guardian};
use crate::{Access, Account, AccountState, Enrolment, Onboarding, OnboardingError, verification};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// What the sealed guardian is bound to.
const PLACE: &str = "onboarding.guardians.sealed";

/// Who operates a ward's account, and until when.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardian {
    /// The guardian's claims, by name.
    pub claims: Map<String, Value>,
    /// The ward's date of birth: at majority the mandate ends.
    pub ward_birthdate: String,
    /// Where the guardianship's status stands: the list's address, and the place in it.
    pub status: (String, u64),
}

/// Whose account it is by now: what a ward's presentation changes.
pub struct TakeOver<'a> {
    /// The account.
    pub account: AccountId,
    /// The key that is to give orders from now on: a JWK.
    pub wallet_key: &'a str,
    /// The presentation that was answered.
    pub verification: &'a str,
    /// What the presentation was about from now on: the account is known.
    pub subject: &'a str,
    /// The bank's signed receipt of it.
    pub receipt: &'a str,
    /// Until when the receipt is kept.
    pub retained_until: Timestamp,
}

impl Onboarding {
    /// Enters a ward as [`Onboarding::enrol`] enters a customer, and the guardian beside the account.
    ///
    /// # Errors
    /// As [`Onboarding::enrol`]: the ward has as many accounts as one person may have, whoever
    /// their guardian is.
    pub async fn enrol_ward(
        &self,
        new: Enrolment,
        guardian: &Guardian,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let id = Uuid::new_v4();
        let keys = self.sealer.create(&[id]).await?;
        let key = keys.first().ok_or(OnboardingError::Damaged("guardian key"))?;
        let plain =
            serde_json::to_vec(guardian).map_err(|_| OnboardingError::Damaged("guardian"))?;
        let sealed = key.seal(PLACE, &plain)?;
        let account = new.account.id;
        let entered = async {
            let transaction = self.database.begin().await?;
            let ward = self.enrol_within(&transaction, new, at).await?;
            let row = guardian::ActiveModel {
                account: Set(account.to_string()),
                guardian: Set(id.to_string()),
                sealed: Set(sealed),
                at: Set(crate::to_column(at)),
            };
            guardian::Entity::insert(row).exec_without_returning(&transaction).await?;
            transaction.commit().await?;
            Ok(ward)
        };
        let entered = entered.await;
        if entered.is_err() {
            self.sealer.destroy(&[id]).await?;
        }
        entered
    }

    /// Whether a guardian operates the account. Nothing personal is read.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn has_guardian(&self, account: AccountId) -> Result<bool, OnboardingError> {
        let row = guardian::Entity::find_by_id(account.to_string());
        Ok(row.one(self.database.connection()).await?.is_some())
    }

    /// The guardian of an account, if it has one; the read is recorded where the ward can see it.
    ///
    /// # Errors
    /// [`OnboardingError::Seal`] if it does not open.
    pub async fn guardian(
        &self,
        account: AccountId,
        access: Access,
    ) -> Result<Option<Guardian>, OnboardingError> {
        let transaction = self.database.begin().await?;
        let row = guardian::Entity::find_by_id(account.to_string()).one(&transaction).await?;
        let Some(row) = row else { return Ok(None) };
        let owner = accounts::Entity::find_by_id(account.to_string()).one(&transaction).await?;
        let ward = owner.and_then(|row| row.customer);
        let ward = ward.ok_or(OnboardingError::Damaged("ward"))?;
        let key = self.sealer.key(parse(&row.guardian)?).await?;
        let plain = key.open(PLACE, &row.sealed)?;
        let found =
            serde_json::from_slice(&plain).map_err(|_| OnboardingError::Damaged("guardian"))?;
        record(&transaction, &ward, access).await?;
        transaction.commit().await?;
        Ok(Some(found))
    }

    /// The account of a class in somebody's own name that somebody else operates: a guardian, or
    /// the bank's counter by a card.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn operated_for(
        &self,
        number: &str,
        class: &str,
    ) -> Result<Account, OnboardingError> {
        for found in self.accounts_of(number, class).await? {
            if found.wallet_key.is_empty() || self.has_guardian(found.id).await? {
                return Ok(found);
            }
        }
        Err(OnboardingError::Unknown("account that somebody operates for you"))
    }

    /// The open accounts of a class in somebody's name.
    pub(crate) async fn accounts_of(
        &self,
        number: &str,
        class: &str,
    ) -> Result<Vec<Account>, OnboardingError> {
        let customer = self.customer_of(number).await?;
        let rows = accounts::Entity::find()
            .filter(accounts::Column::Customer.eq(customer.to_string()))
            .filter(accounts::Column::Class.eq(class))
            .filter(accounts::Column::State.eq(AccountState::Open.as_str()))
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(account::read).collect()
    }

    /// Gives an account another key by its holder's own presentation, once. Whoever operated it
    /// before does so no longer: the guardian is erased, the card is dead.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if the presentation was used before.
    pub async fn take_over(&self, new: TakeOver<'_>, at: Timestamp) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let (id, receipt) = (new.verification, new.receipt);
        verification::answer(&transaction, id, receipt, at, new.retained_until).await?;
        verification::note_subject(&transaction, id, new.subject).await?;
        account::replace_key(&transaction, new.account, new.wallet_key).await?;
        let account = new.account.to_string();
        let row = guardian::Entity::find_by_id(&account).one(&transaction).await?;
        guardian::Entity::delete_by_id(&account).exec(&transaction).await?;
        card::Entity::update_many()
            .col_expr(card::Column::State, Expr::value(crate::card::REPLACED))
            .filter(card::Column::Account.eq(&account))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        if let Some(row) = row {
            self.sealer.destroy(&[parse(&row.guardian)?]).await?;
        }
        Ok(())
    }
}

fn parse(id: &str) -> Result<Uuid, OnboardingError> {
    Uuid::parse_str(id).map_err(|_| OnboardingError::Damaged("guardian id"))
}
