//! The central bank: takes signed commands into the one log, issues money, and tells everybody
//! how much there is. It learns account ids and amounts, never persons.

mod accounts;
mod commands;
mod courier;
mod enrolling;
mod history;
mod note_rules;
mod notes;
mod operations;
mod own_key;
mod peers;
mod rules;
mod supply;
mod transfers;

pub use accounts::WalletState;
pub use courier::{Courier, CourierError};
pub use enrolling::{BankEnrolment, BankOpening, RegisteredBank, sign_all};
pub use history::{
    AccountEntries, AccountEntry, BalanceThen, EntryOrder, HistoryThrough, TransferLeg,
    TransferThen,
};
pub use notes::{Keysets, PublishedKeyset, PublishedNoteRules};
pub(crate) use notes::{NotesAsked, NotesKnown, PromisedOutput};
pub use operations::{Operation, OperationKind};
pub use peers::{AbroadState, ChangedPeer, NewPeer, PeerState, Terms};
pub use rules::{NewAuthority, NextVersion};
pub use supply::{FreezeReport, Ledger, LedgerCheckpoint, SupplyReport};
pub use transfers::{Answers, Words};

use crate::enrolment::Admission;
use crate::http::{OperatorToken, Problem};
use crate::ledger::{self, CommandDone};
use crate::signing::HeldKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{CommandId, Currency, InstitutionId, Timestamp};
use yufu_engine::{Handle, Status};
use yufu_keys::{InUse, random};
use yufu_machine::{Action, Machine};
use yufu_views::Views;

/// The central bank's face, and what it works with.
pub struct CentralBank {
    /// Its name in the ledger.
    pub id: InstitutionId,
    /// The ledger's currency, and the digits after the point of its amounts.
    pub currency: (Currency, u8),
    /// The engine that runs the machine over the log.
    pub ledger: Handle<Machine>,
    /// The history of what moved, which follows behind the ledger.
    pub views: Arc<Views>,
    /// Its key for commands.
    pub commands: HeldKey,
    /// Its words on which key followed which, for those who were given a former one.
    pub succession: InUse<Vec<String>>,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// Whose enrolment is taken.
    pub admission: Admission,
    /// What each bank of the profile begins with.
    pub openings: BTreeMap<InstitutionId, BankOpening>,
    /// Held while a bank is registered.
    pub enrolling: Mutex<()>,
}

pub(crate) fn described() -> OpenApiRouter<Arc<CentralBank>> {
    OpenApiRouter::new()
        .routes(routes!(commands::submit))
        .routes(routes!(enrolling::enrol))
        .routes(routes!(operations::operate))
        .routes(routes!(operations::confirm_clock))
        .routes(routes!(accounts::wallet))
        .routes(routes!(history::entries))
        .routes(routes!(history::balance))
        .routes(routes!(history::transfer))
        .routes(routes!(rules::activate))
        .routes(routes!(note_rules::set))
        .routes(routes!(note_rules::withdraw))
        .routes(routes!(rules::register_authority))
        .routes(routes!(peers::register, peers::list))
        .routes(routes!(peers::change))
        .routes(routes!(peers::abroad))
        .routes(routes!(transfers::take))
        .routes(routes!(notes::keysets))
        .routes(routes!(notes::state))
        .routes(routes!(supply::supply))
        .routes(routes!(supply::freezes))
        .routes(routes!(supply::ledger))
}

impl CentralBank {
    /// Signs and submits a command of the central bank's own, under a fresh id.
    ///
    /// # Errors
    /// The refusal, or why it could not be submitted.
    pub async fn command(&self, action: Action) -> Result<CommandDone, Problem> {
        let now = self.read(|_, now| now).await?;
        let id = CommandId::at(now, u128::from_be_bytes(random()));
        let key = self.commands.held().await;
        let submission = ledger::sign(&self.id, &*key, id, action).map_err(Problem::internal)?;
        ledger::answer(id, self.ledger.submit(submission).await)
    }

    /// Reads the machine, if this is the ledger's one writer.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn read<R>(
        &self,
        read: impl FnOnce(&Machine, Timestamp) -> R + Send,
    ) -> Result<R, Problem> {
        self.ledger.read(read).await.map_err(|error| ledger::not_read(&error))
    }

    /// Whether commands are taken.
    ///
    /// # Errors
    /// Why they are not.
    pub fn ready(&self) -> Result<(), String> {
        match self.ledger.status() {
            Status::Running => Ok(()),
            Status::Refusing(refusal) => Err(refusal.to_string()),
            Status::ClockJumped(jump) => Err(jump.to_string()),
            Status::Stopped(reason) => Err(reason.to_string()),
        }
    }
}
