//! The project's own tasks: test, lint, tidy, docs.
fn main() {}
