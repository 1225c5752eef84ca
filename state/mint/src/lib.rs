//! What is out in bearer notes: keysets, what each issued and redeemed, which notes are spent.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod exchange;
mod keyset;
mod marks;
mod mint;
mod note;
#[cfg(test)]
mod tests;

pub use exchange::{Checked, MOST_NOTES, NoteError, Share};
pub use keyset::{Keyset, KeysetError, KeysetNumber, KeysetTerms, Payees};
pub use mint::{Expired, Mint};
pub use note::{Input, Output, Point};
