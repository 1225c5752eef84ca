//! Accounts, transfers, wallet classes and limits: deterministic, exact.
