//! The one binary. See `yufu --help`.

use std::process::ExitCode;

/// Requests make and drop many small things on several threads: this allocator shares little between them, and gives out
/// again first what was dropped last, which the cache still has.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    yufu::run()
}
