//! A card to be read by other people's programs.
#![doc = ""]
#![doc = include_str!("../README.md")]

use yufu_card::{Chip, Protocols};
use yufu_fixtures::cards::CardCountry;
pub use yufu_fixtures::cards::{CAN, ZONE};

/// A card of the country of a seed, and the certificate of the authority above it.
#[must_use]
pub fn card(seed: u8, protocols: Protocols) -> (Chip, Vec<u8>) {
    let country = CardCountry::new(seed);
    (country.chip(protocols), country.authority().certificate().der().to_vec())
}
