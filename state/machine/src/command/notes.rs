//! What banks order about bearer notes. The signature under the order is the bank's attestation
//! that it has verified every note in it: one for all orders of a list. The log carries points and
//! blinded outputs, and no signature of a mint: it signs what is promised once the order is done.

use super::Authorisation;
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{AccountId, Digest};
use yufu_mint::{Input, Output};

/// Notes for money from a wallet.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Minting {
    /// The wallet that pays for them, operated by the submitter.
    pub payer: AccountId,
    /// What is to be signed, by keysets of the submitter: their sum is what is paid.
    pub outputs: Vec<Output>,
    /// Commitment to the order the payer's wallet signed.
    pub order: Digest,
    /// What authorises it.
    pub authorisation: Authorisation,
}

/// New notes for old ones.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Swapping {
    /// Notes of the submitter, verified by it.
    pub inputs: Vec<Input>,
    /// What is to be signed, by keysets of one bank: of the submitter, or of another one.
    pub outputs: Vec<Output>,
}

/// Money into a wallet for notes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Melting {
    /// Notes of the submitter, verified by it.
    pub inputs: Vec<Input>,
    /// The wallet that is paid, at any bank: what the notes are worth less fees and change.
    pub payee: AccountId,
    /// What is given back, by keysets of the submitter (NUT-08).
    pub change: Vec<Output>,
    /// Commitment to the quote that is paid.
    pub quote: Digest,
}
