//! Recomputes the books from the log, independently of the machine's own counters.
