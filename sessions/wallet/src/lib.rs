//! The holder's side of issuance and presentation, without I/O.
