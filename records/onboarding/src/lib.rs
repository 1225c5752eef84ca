//! A bank's customers, receipts, and the outbox towards the ledger.
