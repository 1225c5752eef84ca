//! Signing keys behind the signer interface, and the source of randomness.
