//! The product's own program, built beside these tests so that they can start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    yufu::run()
}
