//! The steps, one file each: every step checks, computes, then writes, and its write section
//! cannot fail.

mod dormancy;
mod exchange;
mod institution;
mod issuance;
mod payment;
mod policy;
mod sub_wallet;
mod wallet;
