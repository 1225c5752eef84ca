//! The command line of the ledger's history.

use super::LogAt;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Args)]
pub(crate) struct Views {
    #[command(flatten)]
    pub(crate) at: LogAt,
    #[command(subcommand)]
    pub(crate) action: ViewsAction,
}

#[derive(Subcommand)]
pub(crate) enum ViewsAction {
    /// List the entries of an account.
    #[command(
        after_help = "Examples:\n  yufu views statement 1e5a57ec-a54c-e2c6-98dd-b070b30ff638\n  yufu views statement 1e5a57ec-a54c-e2c6-98dd-b070b30ff638 --from 2026-11-01T00:00:00Z --oldest-first --limit 20"
    )]
    Statement(Statement),
    /// Show what a command moved.
    #[command(after_help = "Example:\n  yufu views transfer 0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b")]
    Transfer {
        /// The command's id; of a list or a chain, that of an order in it.
        command: String,
    },
    /// Show what an account held at an instant.
    #[command(
        after_help = "Example:\n  yufu views balance 1e5a57ec-a54c-e2c6-98dd-b070b30ff638 --at 2026-11-01T00:00:00Z"
    )]
    Balance {
        /// The account.
        account: String,
        /// The instant: 2026-11-01T00:00:00Z.
        #[arg(long, value_name = "INSTANT")]
        at: String,
    },
    /// Fold the log again and hold the whole history against it. A server may run meanwhile.
    ///
    /// Exits with 0 if everything agrees, 1 on any difference.
    #[command(after_help = "Example:\n  yufu views verify --data /var/lib/yufu")]
    Verify,
    /// Make the history anew from the log, while nobody keeps it up.
    #[command(
        after_help = "Examples:\n  yufu views rebuild --data /var/lib/yufu\n  yufu views rebuild --archive /archive/ledger"
    )]
    Rebuild,
    /// Keep the history up until asked to stop, for a server with `history = "apart"`.
    #[command(after_help = "Example:\n  yufu views follow --data /var/lib/yufu")]
    Follow,
}

#[derive(Args)]
pub(crate) struct Statement {
    /// The account.
    pub(crate) account: String,
    /// Entries of this instant and later: 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) from: Option<String>,
    /// Entries before this instant.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<String>,
    /// The number of the last entry seen: those that follow it.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) cursor: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    pub(crate) limit: std::num::NonZeroUsize,
    /// The oldest first.
    #[arg(long)]
    pub(crate) oldest_first: bool,
}

/// Who keeps up the history of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HistoryKept {
    /// The process that serves the central bank, in a thread.
    #[default]
    Here,
    /// Another process on the same folder: `yufu views follow`.
    Apart,
}
