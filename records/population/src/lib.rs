//! Population records of the identity authority, every read recorded.
