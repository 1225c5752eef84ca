//! Issuance sessions, issued credentials and their status.
