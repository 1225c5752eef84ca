//! The command line for bearer notes: allowed on a ledger that was opened without them, and forbidden.

use super::Data;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Notes {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(subcommand)]
    pub(crate) action: NotesAction,
}

#[derive(Subcommand)]
pub(crate) enum NotesAction {
    /// Take a profile into the data folder that differs from the former one in `[bearer_notes]` alone.
    ///
    /// The server is stopped meanwhile. Institutions that run apart: once for each data folder.
    #[command(
        after_help = "Example:\n  yufu notes adopt --former my-country-2026/ --profile my-country/ --data /var/lib/yufu"
    )]
    Adopt {
        /// The profile that the folder was made with.
        #[arg(long, value_name = "DIR")]
        former: PathBuf,
        /// The profile to go on with [default: the one built in].
        #[arg(long, env = "YUFU_PROFILE", value_name = "DIR")]
        profile: Option<PathBuf>,
    },
    /// Have the central bank set the profile's rules for bearer notes on the running ledger.
    ///
    /// It signs the command with its own key; the token of its desk is taken from the data folder. Rules in force before
    /// are replaced. Banks make notes from then on.
    #[command(
        after_help = "Examples:\n  yufu notes allow --data /var/lib/yufu\n  yufu notes allow --profile my-country/ --url https://central-bank.example --activate"
    )]
    Allow {
        /// The profile whose rules they are [default: the one built in].
        #[arg(long, env = "YUFU_PROFILE", value_name = "DIR")]
        profile: Option<PathBuf>,
        /// Where the central bank is reached.
        #[arg(long, env = "YUFU_URL", default_value = super::USUAL_URL, value_name = "URL")]
        url: String,
        /// Put the version of the ledger's rules in force first that has bearer notes. It cannot be undone.
        #[arg(long)]
        activate: bool,
    },
    /// Have the central bank withdraw the rules for bearer notes on the running ledger: banks make no more of them.
    ///
    /// Notes that are out are swapped and redeemed as before, until their keysets are over; it says how much is out, and until
    /// when. `yufu notes allow` sets rules again.
    #[command(
        after_help = "Examples:\n  yufu notes forbid --data /var/lib/yufu\n  yufu notes forbid --profile my-country/ --url https://central-bank.example"
    )]
    Forbid {
        /// The country's profile, which names the central bank [default: the one built in].
        #[arg(long, env = "YUFU_PROFILE", value_name = "DIR")]
        profile: Option<PathBuf>,
        /// Where the central bank is reached.
        #[arg(long, env = "YUFU_URL", default_value = super::USUAL_URL, value_name = "URL")]
        url: String,
    },
}
