//! The issuer's side of an issuance, without I/O.
