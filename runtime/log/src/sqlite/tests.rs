//! Tests of the SQLite log.
