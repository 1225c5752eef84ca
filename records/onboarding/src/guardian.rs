//! Accounts of minors: opened in the ward's name, operated by the guardian's wallet key. The
//! guardian is sealed beside the account under a key of their own, which is destroyed when the ward
//! takes the account over.

use crate::card::REPLACED;
use crate::customer::record;
use crate::entity::{account as accounts, card, guardian};
use crate::{Access, Enrolment, Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
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
}

/// Whoever operated an account for its holder does so no longer: the guardian's row goes, cards are
/// dead. The key to be destroyed after the transaction, if there was a guardian.
pub(crate) async fn step_back(
    transaction: &DatabaseTransaction,
    account: AccountId,
) -> Result<Option<Uuid>, OnboardingError> {
    let account = account.to_string();
    let row = guardian::Entity::find_by_id(&account).one(transaction).await?;
    guardian::Entity::delete_by_id(&account).exec(transaction).await?;
    card::Entity::update_many()
        .col_expr(card::Column::State, Expr::value(REPLACED))
        .filter(card::Column::Account.eq(&account))
        .exec(transaction)
        .await?;
    row.map(|row| parse(&row.guardian)).transpose()
}

fn parse(id: &str) -> Result<Uuid, OnboardingError> {
    Uuid::parse_str(id).map_err(|_| OnboardingError::Damaged("guardian id"))
}
