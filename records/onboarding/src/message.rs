//! The recorded outbox of messages: where codes lie when no operator of a telephone network is
//! connected. Sealed per number; whoever reads one leaves an access record in the same transaction.

use crate::customer::record;
use crate::entity::{message, phone};
use crate::phone::{PLACE, parse_id};
use crate::{Access, Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

/// What a sealed message is bound to.
const MESSAGE: &str = "onboarding.messages.text";
/// How long a message can be read, in seconds: as long as its code can be answered.
const KEPT_SECONDS: u64 = 600;

/// A message to a telephone number.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The number it is for.
    pub number: String,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
}

impl Onboarding {
    /// Puts a message to a known number into the outbox, and drops those that were kept long enough.
    ///
    /// # Errors
    /// [`OnboardingError::Seal`] if the number was erased.
    pub async fn put_message(
        &self,
        phone: Uuid,
        text: &str,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let sealed_text = self.sealer.key(phone).await?.seal(MESSAGE, text.as_bytes())?;
        let transaction = self.database.begin().await?;
        let stale = at.minus_seconds(KEPT_SECONDS);
        message::Entity::delete_many()
            .filter(message::Column::At.lt(crate::to_column(stale)))
            .exec(&transaction)
            .await?;
        let row = message::ActiveModel {
            id: Set(Uuid::now_v7().to_string()),
            phone: Set(phone.to_string()),
            sealed_text: Set(sealed_text),
            at: Set(crate::to_column(at)),
        };
        message::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The messages of the last ten minutes, oldest first; each read is recorded with `access`.
    ///
    /// # Errors
    /// [`OnboardingError::Seal`] if one does not open.
    pub async fn read_messages(&self, access: &Access) -> Result<Vec<Message>, OnboardingError> {
        let transaction = self.database.begin().await?;
        let stale = access.at.minus_seconds(KEPT_SECONDS);
        let rows = message::Entity::find()
            .filter(message::Column::At.gte(crate::to_column(stale)))
            .order_by_asc(message::Column::Id)
            .all(&transaction)
            .await?;
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            let number = phone::Entity::find_by_id(&row.phone).one(&transaction).await?;
            let number = number.ok_or(OnboardingError::Unknown("phone"))?;
            let key = self.sealer.key(parse_id(&row.phone)?).await?;
            messages.push(Message {
                number: text(key.open(PLACE, &number.sealed_number)?.to_vec())?,
                text: text(key.open(MESSAGE, &row.sealed_text)?.to_vec())?,
                at: crate::from_column(row.at)?,
            });
            let fields = vec!["phone_number".to_owned(), "message".to_owned()];
            record(&transaction, &row.phone, Access { fields, ..access.clone() }).await?;
        }
        transaction.commit().await?;
        Ok(messages)
    }
}

fn text(bytes: Vec<u8>) -> Result<String, OnboardingError> {
    String::from_utf8(bytes).map_err(|_| OnboardingError::Damaged("message"))
}
