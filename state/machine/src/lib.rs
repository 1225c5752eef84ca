//! Composes ledger and registry into the one machine that replicas agree on.
