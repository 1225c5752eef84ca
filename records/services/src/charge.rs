//! Payments that a provider awaits: what was forwarded to a bank, and what the bank said.

use crate::entity::charge;
use crate::{Services, ServicesError, asked};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeState {
    /// The wallet has not answered yet.
    Waiting,
    /// Answered; the bank is to be asked, again if need be.
    Forwarded,
    /// Paid, for good.
    Paid,
    /// Refused by the bank; nothing moved.
    Refused,
}

impl ChargeState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Forwarded, Self::Paid, Self::Refused];

    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Forwarded => "forwarded",
            Self::Paid => "paid",
            Self::Refused => "refused",
        }
    }
}

/// A payment that is awaited. Says nothing of who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What it is for: the id of a stay or a ticket.
    pub subject: String,
    /// The order's id, chosen by the provider.
    pub order: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// The payer's bank, by its address, once known.
    pub bank: String,
    /// What is to be forwarded to it, until it answered.
    pub forwarded: String,
    /// Where it stands.
    pub state: ChargeState,
    /// The bank's name for the payment, once paid.
    pub payment: String,
    /// The bank's code, if refused.
    pub detail: String,
}

impl Services {
    /// The payment for a stay or a ticket.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn charge(&self, subject: &str) -> Result<Charge, ServicesError> {
        let row = charge::Entity::find_by_id(subject).one(self.database.connection()).await?;
        let row = row.ok_or(ServicesError::Unknown("payment"))?;
        let state = ChargeState::ALL.into_iter().find(|state| state.as_str() == row.state);
        Ok(Charge {
            subject: row.subject,
            order: row.order_id,
            amount_minor: u64::try_from(row.amount_minor)
                .map_err(|_| ServicesError::Damaged("amount"))?,
            bank: row.bank,
            forwarded: row.forwarded,
            state: state.ok_or(ServicesError::Damaged("payment state"))?,
            payment: row.payment,
            detail: row.detail,
        })
    }

    /// A wallet answered: its request is marked, and what goes to its bank is kept until the bank
    /// has answered; together.
    ///
    /// # Errors
    /// [`ServicesError::AlreadyAnswered`] if the request was answered before.
    pub async fn forward(
        &self,
        request: (&str, &str),
        subject: &str,
        (bank, forwarded): (&str, &str),
        at: Timestamp,
    ) -> Result<(), ServicesError> {
        let transaction = self.database.begin().await?;
        asked::answer(&transaction, request.0, request.1, at).await?;
        forward(&transaction, subject, bank, forwarded).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Records the bank's answer; what was forwarded is forgotten with it.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if it cannot be written.
    pub async fn charged(
        &self,
        subject: &str,
        answer: Result<&str, &str>,
    ) -> Result<(), ServicesError> {
        let (state, payment, detail) = match answer {
            Ok(payment) => (ChargeState::Paid, payment, ""),
            Err(code) => (ChargeState::Refused, "", code),
        };
        charge::Entity::update_many()
            .col_expr(charge::Column::State, Expr::value(state.as_str()))
            .col_expr(charge::Column::Payment, Expr::value(payment))
            .col_expr(charge::Column::Detail, Expr::value(detail))
            .col_expr(charge::Column::Forwarded, Expr::value(""))
            .filter(charge::Column::Subject.eq(subject))
            .filter(charge::Column::State.eq(ChargeState::Forwarded.as_str()))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }
}

pub(crate) async fn insert(
    transaction: &DatabaseTransaction,
    new: (&str, &str, u64),
) -> Result<(), ServicesError> {
    let (subject, order, amount_minor) = new;
    let row = charge::ActiveModel {
        subject: Set(subject.to_owned()),
        order_id: Set(order.to_owned()),
        amount_minor: Set(i64::try_from(amount_minor).unwrap_or(i64::MAX)),
        bank: Set(String::new()),
        forwarded: Set(String::new()),
        state: Set(ChargeState::Waiting.as_str().to_owned()),
        payment: Set(String::new()),
        detail: Set(String::new()),
    };
    charge::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

pub(crate) async fn forward(
    transaction: &DatabaseTransaction,
    subject: &str,
    bank: &str,
    forwarded: &str,
) -> Result<(), ServicesError> {
    let changed = charge::Entity::update_many()
        .col_expr(charge::Column::State, Expr::value(ChargeState::Forwarded.as_str()))
        .col_expr(charge::Column::Bank, Expr::value(bank))
        .col_expr(charge::Column::Forwarded, Expr::value(forwarded))
        .filter(charge::Column::Subject.eq(subject))
        .filter(charge::Column::State.eq(ChargeState::Waiting.as_str()))
        .exec(transaction)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(ServicesError::AlreadyAnswered) }
}
