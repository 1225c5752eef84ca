//! Customers: who stands behind an account. Claims are sealed per customer; whoever reads them
//! leaves an access record in the same transaction.

use crate::account::{self, Account};
use crate::entity::{access, customer};
use crate::key;
use crate::outbox::{self, OutboxEntry};
use crate::verification;
use crate::{Access, Onboarding, OnboardingError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set,
};
use serde_json::{Map, Value};
use uuid::Uuid;
use yufu_base::Timestamp;

/// The index under which a customer is found again without storing the number readably.
pub(crate) const NUMBER: &str = "onboarding.resident-number";
/// What the sealed claims are bound to, so that they cannot be moved elsewhere.
const PLACE: &str = "onboarding.customers.claims";

/// A person whom the bank verified.
pub struct NewCustomer {
    /// A fresh random id; an existing customer with the same number keeps their own.
    pub id: Uuid,
    /// The resident number that was presented.
    pub number: String,
    /// The claims that were presented, by name.
    pub claims: Map<String, Value>,
    /// When the bank must forget them, as its registration certificate says.
    pub retained_until: Timestamp,
}

/// One remote account opening: everything that it writes, written together.
pub struct Enrolment {
    /// Who was verified.
    pub customer: NewCustomer,
    /// The account to be opened; its customer is filled in.
    pub account: Account,
    /// How many accounts of its class one customer may have.
    pub at_most: u32,
    /// The command that opens it in the ledger.
    pub command: OutboxEntry,
    /// The presentation that was answered.
    pub verification: String,
    /// The bank's signed receipt of it.
    pub receipt: String,
    /// The wallet provider it is served through; none for a wallet of the bank's own.
    pub provider: Option<String>,
}

impl Onboarding {
    /// Enters a verified customer (or finds them again), the account, the receipt and the ledger
    /// command, and marks the presentation as answered: all or nothing.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if the presentation was used before,
    /// [`OnboardingError::TooManyAccounts`] if the customer has as many of the class as allowed.
    pub async fn enrol(&self, new: Enrolment, at: Timestamp) -> Result<Uuid, OnboardingError> {
        let transaction = self.database.begin().await?;
        let customer = self.enrol_within(&transaction, new, at).await?;
        transaction.commit().await?;
        Ok(customer)
    }

    pub(crate) async fn enrol_within(
        &self,
        transaction: &DatabaseTransaction,
        new: Enrolment,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let retained_until = new.customer.retained_until;
        verification::answer(transaction, &new.verification, &new.receipt, at, retained_until)
            .await?;
        let (account, at_most) = (new.account, new.at_most);
        let (id, provider) = (account.id, new.provider);
        let customer =
            self.enter(transaction, new.customer, account, at_most, &new.command, at).await?;
        key::serve_through(transaction, id, provider.as_deref(), crate::to_column(at)).await?;
        Ok(customer)
    }

    /// Enters a customer (or finds them again) with an account and the command that opens it.
    pub(crate) async fn enter(
        &self,
        transaction: &DatabaseTransaction,
        customer: NewCustomer,
        account: Account,
        at_most: u32,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let customer = self.find_or_insert(transaction, customer, at).await?;
        let account = Account { customer: Some(customer), ..account };
        let held = account::count(transaction, customer, &account.class).await?;
        if held >= u64::from(at_most) {
            return Err(OnboardingError::TooManyAccounts { class: account.class, at_most });
        }
        account::insert(transaction, &account, at).await?;
        outbox::put(transaction, command, at).await?;
        Ok(customer)
    }

    /// A customer's claims of the names in `access.fields`; the access is recorded with the read.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such customer, [`OnboardingError::Erased`] if the claims are gone.
    pub async fn customer_claims(
        &self,
        id: Uuid,
        mut access: Access,
    ) -> Result<Map<String, Value>, OnboardingError> {
        let transaction = self.database.begin().await?;
        let row = customer::Entity::find_by_id(id.to_string()).one(&transaction).await?;
        let row = row.ok_or(OnboardingError::Unknown("customer"))?;
        if row.sealed_claims.is_empty() {
            return Err(OnboardingError::Erased);
        }
        let plain = self.sealer.key(id).await?.open(PLACE, &row.sealed_claims)?;
        let mut claims: Map<String, Value> =
            serde_json::from_slice(&plain).map_err(|_| OnboardingError::Damaged("customer"))?;
        access.read(&mut claims);
        record(&transaction, &id.to_string(), access).await?;
        transaction.commit().await?;
        Ok(claims)
    }

    /// Who read a customer's data, oldest first.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be read.
    pub async fn accesses(&self, id: Uuid) -> Result<Vec<Access>, OnboardingError> {
        let rows = access::Entity::find()
            .filter(access::Column::Customer.eq(id.to_string()))
            .order_by_asc(access::Column::Id)
            .all(self.database.connection())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Access {
                    actor: row.actor,
                    purpose: row.purpose,
                    fields: row.fields.split_whitespace().map(str::to_owned).collect(),
                    at: crate::from_column(row.at)?,
                })
            })
            .collect()
    }

    /// Whether `number` is this customer's resident number. Compares keyed digests: nothing personal is read.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such customer.
    pub async fn is_customer(&self, id: Uuid, number: &str) -> Result<bool, OnboardingError> {
        let row =
            customer::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        let row = row.ok_or(OnboardingError::Unknown("customer"))?;
        Ok(row.number_index == self.sealer.blind(NUMBER, number).as_bytes())
    }

    async fn find_or_insert(
        &self,
        transaction: &DatabaseTransaction,
        new: NewCustomer,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let index = self.sealer.blind(NUMBER, &new.number).as_bytes().to_vec();
        let found = customer::Entity::find()
            .filter(customer::Column::NumberIndex.eq(index.clone()))
            .one(transaction)
            .await?;
        if let Some(row) = found {
            return Uuid::parse_str(&row.id).map_err(|_| OnboardingError::Damaged("customer id"));
        }
        let plain =
            serde_json::to_vec(&new.claims).map_err(|_| OnboardingError::Damaged("customer"))?;
        let keys = self.sealer.create(&[new.id]).await?;
        let key = keys.first().ok_or(OnboardingError::Damaged("customer key"))?;
        let sealed = key.seal(PLACE, &plain)?;
        let row = customer::ActiveModel {
            id: Set(new.id.to_string()),
            number_index: Set(index),
            sealed_claims: Set(sealed),
            enrolled_at: Set(crate::to_column(at)),
            retained_until: Set(crate::to_column(new.retained_until)),
        };
        customer::Entity::insert(row).exec_without_returning(transaction).await?;
        Ok(new.id)
    }
}

/// Records who read what of the data sealed under the key `of`.
pub(crate) async fn record<C: ConnectionTrait>(
    connection: &C,
    of: &str,
    access: Access,
) -> Result<(), OnboardingError> {
    let record = access::ActiveModel {
        customer: Set(of.to_owned()),
        actor: Set(access.actor),
        purpose: Set(access.purpose),
        fields: Set(access.fields.join(" ")),
        at: Set(crate::to_column(access.at)),
        id: Set(Uuid::now_v7().to_string()),
    };
    access::Entity::insert(record).exec_without_returning(connection).await?;
    Ok(())
}
