//! Runs a state machine over a log: stamps, batches, makes durable, applies, answers.
