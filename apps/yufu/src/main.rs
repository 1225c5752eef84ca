//! The one binary. See `yufu --help`.

use std::process::ExitCode;

/// Requests make and drop many small things on several threads: this allocator shares less between them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yufu::run()
}
