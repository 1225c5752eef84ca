//! The ordered, durable, hash-chained log: in memory and in SQLite.
