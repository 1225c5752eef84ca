//! The command line of what keeps state: backup, restore, and a look at the log.

use super::Data;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The folder to make; it must not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Copy the keys too: signing keys, desks' tokens, master keys, the data keys of persons.
    ///
    /// Whoever has such a backup can sign as every institution in it and read every record. Keep it under lock, and
    /// destroy it within 30 days: until then nobody who is erased is gone.
    #[arg(long)]
    pub(crate) with_keys: bool,
    /// Copy the keys and nothing else, for another place than the rest.
    #[arg(long, conflicts_with = "with_keys")]
    pub(crate) only_keys: bool,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The backup.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The backup of the keys, if they were kept apart.
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// The data folder to make; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Args)]
pub(crate) struct ForgetKeys {
    /// The folder in which backups lie, side by side or some folders down.
    #[arg(long, value_name = "DIR")]
    pub(crate) within: PathBuf,
    /// How old the data keys of persons may become in a backup, in days.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=30))]
    pub(crate) days: u32,
}

#[derive(Args)]
pub(crate) struct Sweep {
    /// A file with what is looked for, one value a line: numbers, names, streets. Destroy it afterwards.
    #[arg(long, value_name = "FILE")]
    pub(crate) values: PathBuf,
    /// What is searched: data folders, backups, log files, dumps and folders of a database server.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which log of a ledger is meant.
#[derive(Args)]
pub(crate) struct LogAt {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The log, a file or postgres://... [default: the central bank's in the data folder].
    #[arg(
        long,
        env = "YUFU_CENTRAL_BANK_LOG",
        hide_env_values = true,
        value_name = "FILE|ADDRESS",
        global = true
    )]
    pub(crate) log: Option<String>,
    /// Where records lie that were moved out of the log [default: archive, beside the log or its snapshots].
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) archive: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Log {
    #[command(flatten)]
    pub(crate) at: LogAt,
    #[command(subcommand)]
    pub(crate) action: LogAction,
}

#[derive(Subcommand)]
pub(crate) enum LogAction {
    /// List the records: who commanded what, when, and what it came to.
    ///
    /// The log is replayed for it, from the newest snapshot before the first record that is listed.
    #[command(
        after_help = "Examples:\n  yufu log inspect --from 40\n  yufu log inspect --from 40 --count 1 --json"
    )]
    Inspect {
        /// The first record.
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// How many records [default: all that follow].
        #[arg(long, value_name = "NUMBER")]
        count: Option<u64>,
        /// Print JSON, a line for each record.
        #[arg(long)]
        json: bool,
    },
    /// Verify all that the log commits to: the chain, what every command came to, checkpoints, snapshots.
    ///
    /// Exits with 0 if everything is as it was written, 1 otherwise. Unlike `yufu audit` it asks whether the log is
    /// what was written, not whether what was written follows the rules.
    #[command(after_help = "Example:\n  yufu log verify --data /var/lib/yufu")]
    Verify,
}
