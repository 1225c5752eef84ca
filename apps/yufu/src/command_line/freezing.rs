//! `yufu wallet`, the part about loss and theft: a sheet, and what is done with it.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum FreezeAction {
    /// Write the sheet that freezes everything in this wallet: twelve words, and where they are good.
    ///
    /// Print it, or keep it on a second device with `keep-sheet`. Whoever has it can freeze, and nothing else. Write
    /// another one after you opened an account, got a ticket, or freed an account.
    #[command(after_help = "Example:\n  yufu wallet --as mei sheet mei.sheet")]
    Sheet {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Keep the sheet of another wallet of yours here, so that this one can freeze it.
    #[command(after_help = "Example:\n  yufu wallet --as mei-tablet keep-sheet mei.sheet")]
    KeepSheet {
        /// The sheet.
        file: PathBuf,
    },
    /// Freeze everything that a lost or stolen wallet had: identity, accounts, tickets, the wallet itself. In one step.
    ///
    /// All institutions are asked at once, and none learns of the others. Again is harmless. Exits with 1 if one could
    /// not be reached: repeat it.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei-tablet freeze\n  yufu wallet --as anybody freeze --sheet mei.sheet"
    )]
    Freeze {
        /// The sheet [default: those that are kept here].
        #[arg(long, value_name = "FILE")]
        sheet: Option<PathBuf>,
    },
    /// Free the accounts of this wallet that were frozen, by showing your identity: each gets a fresh key.
    ///
    /// An identity that was frozen too is freed by an officer, who sees you. From another wallet with your identity use
    /// `recover`: it frees the account as well.
    #[command(after_help = "Example:\n  yufu wallet --as mei unfreeze")]
    Unfreeze,
}
