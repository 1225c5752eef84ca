//! The one binary. See `yufu --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    yufu::run()
}
