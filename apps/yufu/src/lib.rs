//! Yufu: digital identity, digital cash and public services in one binary.
