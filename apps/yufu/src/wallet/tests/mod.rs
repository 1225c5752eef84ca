//! The person's side, end to end: a city over HTTP, a wallet, and what its owner may do with it.

#[cfg(feature = "zero-knowledge")]
mod anonymous;
mod cards;
mod city;
mod counter;
mod freezing;
mod guardians;
mod inside;
mod journeys;
mod keysets;
mod moving;
mod notifying;
mod pension;
mod pseudonyms;
mod purses;
mod recognition;
mod renewing;
mod repeats;
mod revoked;
mod rolled_back;
mod services;
mod status_lists;
mod stolen;
mod waking;
