//! The command line of anonymous credentials.

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum AnonymousAction {
    /// Get this epoch's anonymous credential. The authority is shown your resident number, for this purpose alone;
    /// this uses one identity credential up.
    #[command(after_help = "Example:\n  yufu wallet --as mei anonymous get")]
    Get,
    /// Answer a presentation request under the pseudonym by which its party knows you, and no other does.
    #[command(after_help = "Example:\n  yufu wallet --as mei anonymous show 'openid4vp://?...'")]
    Show {
        /// The request: openid4vp://...
        request: String,
    },
}
