//! HTTP: one module per institution.
