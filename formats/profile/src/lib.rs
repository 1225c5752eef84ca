//! A country as data: its profile and its sample city, read strictly or refused with the place.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod allowance;
mod calendar;
mod card;
pub mod city;
mod client_name;
mod credential;
mod deadlines;
mod error;
mod foreign;
mod haip;
mod institution;
mod issuing;
mod money;
mod notes;
mod number;
mod page_origin;
mod profile;
mod programme;
mod query;
mod resident;
mod residents_csv;
mod section;
mod sector;
mod text;
mod wallet_class;

pub use allowance::Allowance;
pub use calendar::{UtcOffset, UtcOffsets};
pub use card::CardProfile;
pub use client_name::ClientName;
pub use credential::{Claim, ClaimPath, ClaimSource, ClaimValue, CredentialType};
pub use deadlines::Deadlines;
pub use error::{ProfileError, ProfileErrors};
pub use foreign::{ForeignCredential, ForeignIdentity};
pub use haip::HaipProfile;
pub use institution::{Institution, Merchant, Request, Role};
pub use money::{BankMoney, CurrencyProfile};
pub use notes::BearerNotes;
pub use number::{CheckRule, Facts, Field, NumberError, NumberScheme, ResidentNumber, Sex};
pub use profile::{Profile, Sources, load_dir, load_residents};
pub use programme::Programme;
pub use query::{AskedClaim, AskedCredential, AskedSet, AskedValue, Query};
pub use resident::{Column, Relation, Resident, is_over};
pub use residents_csv::write_residents;
pub use sector::PseudonymEpoch;
pub use text::Text;
pub use wallet_class::{AccountOpening, Evidence, Limits, Opening, StepUp, WalletClass};
