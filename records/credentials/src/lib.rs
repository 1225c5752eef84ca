//! The issuer's records: who was authenticated by which officer, issuances under way, nonces,
//! and the place of every issued credential in a status list. No claim is stored here.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod commitment;
mod entity;
mod freeze;
mod grouped;
mod issuance;
mod marker;
mod migrations;
mod nonce;
mod offer;
mod once;
mod pseudonym;
mod sets;
mod shards;
mod sign_in;
mod status;
mod types;

pub use freeze::FreezeHandle;
pub use issuance::{Authentication, DerivedFrom, Issuance};
pub use marker::{Marker, Once};
pub use once::{Batch, Check, Decision, NewGrant};
pub use pseudonym::{Pseudonym, Replacement, Replacing};
pub use shards::{Herd, Place};
pub use sign_in::{SignIn, SignInState, SignedIn};
pub use status::{Allocation, ListState, StatusEntry};

use grouped::{Lookups, Steps};
use sea_orm::DbErr;
use shards::Shards;
use yufu_base::{SectorId, Timestamp};
use yufu_database::{Database, DatabaseError, Group, MigrationError, to_column};

/// The issuer's records.
#[derive(Clone)]
pub struct Credentials {
    database: Database,
    steps: Group<Steps>,
    lookups: Group<Lookups>,
}

/// Why the issuer's records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// Another request moved the issuance on in the meantime: each stage happens once.
    #[error("this stage of the issuance was passed before: ask for a new offer")]
    AlreadyPassed,
    /// The nonce is not one of ours, was spent, or has expired.
    #[error("the nonce is unknown, spent or expired: fetch a fresh one")]
    NonceSpent,
    /// What may be used once was used.
    #[error("{}", used(*.0))]
    UsedBefore(Once),
    /// The authorization code was exchanged before; what it was exchanged for is ended.
    #[error("the code was exchanged before: what was granted then is ended, begin anew")]
    CodeReplayed,
    /// The grant lapsed, or was ended: by a block, a death, a revocation, or a code that came again.
    #[error("what this rests on has ended: begin anew")]
    GrantEnded,
    /// The officer has not looked yet.
    #[error("an officer has not looked at it yet: ask again later")]
    CheckWaits,
    /// The officer declined.
    #[error("an officer declined it: ask the office why")]
    CheckDeclined,
    /// No place was found in the status lists, and no further list can be opened.
    #[error(
        "no free place was found in the status lists, and no further one can be opened: ask the operator"
    )]
    ListFull,
    /// Another person registered this pseudonym: two wallets hold one secret.
    #[error(
        "the pseudonym for the sector {0} is registered for somebody else: a wallet is one person's, \
         make one of your own and get the credential there"
    )]
    PseudonymTaken(SectorId),
    /// Others than those registered.
    #[error("{}", differs(*.from))]
    PseudonymDiffers {
        /// From when new ones are taken, if an officer's replacement waits.
        from: Option<Timestamp>,
    },
    /// Somebody signed in, or declined, before.
    #[error("this sign-in was answered before: begin anew in the wallet")]
    AlreadyAnswered,
    /// There is nothing to replace.
    #[error(
        "no pseudonyms are registered for this person: the next credential registers those of \
         the wallet that gets it"
    )]
    NoPseudonyms,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the issuer's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl Credentials {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`CredentialsError::Migration`] if the schema cannot be brought up to date.
    pub async fn open(database: Database) -> Result<Self, CredentialsError> {
        Self::open_with(database, Herd::default()).await
    }

    /// As [`Credentials::open`], with status lists of another size.
    ///
    /// # Errors
    /// [`CredentialsError::Migration`] if the schema cannot be brought up to date.
    pub async fn open_with(database: Database, herd: Herd) -> Result<Self, CredentialsError> {
        database.migrate("credentials", migrations::ALL).await?;
        let shards = Shards::open(database.connection(), herd).await?;
        let steps = Group::new(Steps(database.clone(), shards));
        let lookups = Group::new(Lookups(database.clone()));
        Ok(Self { database, steps, lookups })
    }
}

const fn used(what: Once) -> &'static str {
    match what {
        Once::DpopProof => "the DPoP proof was used before: make one for each request",
        Once::AttestationProof => {
            "the proof of the wallet attestation was used before: make one for each request"
        }
        Once::Nonce => "the nonce was used before: fetch a fresh one",
        Once::Token => {
            "the access token brought its credentials: get another with the refresh token"
        }
        Once::PushedRequest => "the pushed request led to a code before: push it anew",
    }
}

fn differs(from: Option<Timestamp>) -> String {
    let next = match from {
        Some(_) => "an officer's replacement waits for the next epoch: get a new offer then",
        None => "have an officer replace them (with effect from the next epoch)",
    };
    format!(
        "the wallet brings other pseudonyms than those registered: restore the backup of the wallet \
         that has them, or {next}; meanwhile get the credential without pseudonyms (yufu wallet get --without-pseudonyms)"
    )
}

/// What [`to_column`] wrote.
fn from_column(millis: i64) -> Result<Timestamp, CredentialsError> {
    yufu_database::from_column(millis).ok_or(CredentialsError::Damaged("time"))
}

impl From<DbErr> for CredentialsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
