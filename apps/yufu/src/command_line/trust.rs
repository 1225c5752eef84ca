//! The command line of the trust list's operator.

use super::Data;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Trust {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) at: TrustAt,
    #[command(subcommand)]
    pub(crate) action: TrustAction,
}

/// Which operator it is.
#[derive(Args)]
pub(crate) struct TrustAt {
    /// The profile that names the operator [default: the one built in].
    #[arg(long, env = "YUFU_PROFILE", value_name = "DIR", global = true)]
    pub(crate) profile: Option<PathBuf>,
    /// Where the operator is reached.
    #[arg(
        long,
        env = "YUFU_URL",
        default_value = super::USUAL_URL,
        value_name = "URL",
        global = true
    )]
    pub(crate) url: String,
}

#[derive(Subcommand)]
pub(crate) enum TrustAction {
    /// Say who is on the list, and who was taken off by whom and why.
    #[command(after_help = "Example:\n  yufu trust list --data /var/lib/yufu --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take an institution off the list that is being served.
    ///
    /// The next list, with a higher sequence, does not name it: within a minute nobody takes what it signs, or finds it.
    /// It enrols no more until it is restored.
    #[command(
        after_help = "Example:\n  yufu trust remove bank-of-lianghu --why 'key copied' --officer li"
    )]
    Remove(TrustChange),
    /// Put an institution back that was taken off, as it was; it enrols anew at its next start.
    #[command(
        after_help = "Example:\n  yufu trust restore bank-of-lianghu --why 'keys replaced' --officer li"
    )]
    Restore(TrustChange),
}

#[derive(Args)]
pub(crate) struct TrustChange {
    /// The institution.
    pub(crate) institution: String,
    /// Why: it is kept, and told to the institution.
    #[arg(long, value_name = "WORDS")]
    pub(crate) why: String,
    /// The officer who answers for it.
    #[arg(long, value_name = "NAME")]
    pub(crate) officer: String,
}
