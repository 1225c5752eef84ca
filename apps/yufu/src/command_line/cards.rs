//! The command line of chip cards.

use super::Data;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Card {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Another country and city: a folder like profiles/china.
    #[arg(long, env = "YUFU_PROFILE", value_name = "DIR", global = true)]
    pub(crate) profile: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: CardAction,
}

#[derive(Subcommand)]
pub(crate) enum CardAction {
    /// Be a chip card in the virtual reader vpcd, so that every PC/SC program sees it.
    ///
    /// The card is that of a resident of the sample city: it is made at first use, signed with the keys in the data
    /// folder, and lies there in cards/NAME.card. Ctrl-C takes it off the reader.
    #[command(
        after_help = "Examples:\n  yufu card emulate resident-0\n  yufu card emulate resident-7 --reader 127.0.0.1:35964"
    )]
    Emulate {
        /// Whose card: resident-0 is the first resident of the sample city.
        #[arg(default_value = "resident-0")]
        name: String,
        /// Where vpcd waits for a card.
        #[arg(long, default_value = "127.0.0.1:35963", value_name = "ADDRESS:PORT")]
        reader: SocketAddr,
    },
    /// Read a card, and say what it holds and what was proven.
    ///
    /// The card lies on a PC/SC reader (in builds with the feature pcsc), or is an emulated one of the data folder,
    /// read in this process. It is opened with the number on its face, or with what stands in its machine-readable
    /// zone. Who may sign cards is told by the lists in the data folder, or by those that are named. Exits with 1 if
    /// anything was not proven.
    #[command(
        after_help = "Examples:\n  yufu card read --can 480213\n  yufu card read --number E00000017 --birth 1962-09-20 --expiry 2036-09-20\n  yufu card read --can 480213 --card resident-0 --json"
    )]
    Read(CardReading),
}

#[derive(Args)]
pub(crate) struct CardReading {
    #[command(flatten)]
    pub(crate) opening: CardOpening,
    /// An emulated card of the data folder, read in this process, instead of one on a reader.
    #[arg(long, value_name = "NAME")]
    pub(crate) card: Option<String>,
    /// The PC/SC reader, or a part of its name [default: the first with a card].
    #[arg(long, value_name = "NAME")]
    pub(crate) reader: Option<String>,
    /// A master list (CMS) of the authorities whose cards are believed.
    #[arg(long, value_name = "FILE", requires_all = ["authority", "revocations"])]
    pub(crate) master_list: Option<PathBuf>,
    /// The certificate (DER) of the authority that publishes the master list.
    #[arg(long, value_name = "FILE", requires = "master_list")]
    pub(crate) authority: Option<PathBuf>,
    /// The revocation list (DER) of each authority.
    #[arg(long, value_name = "FILE", requires = "master_list")]
    pub(crate) revocations: Vec<PathBuf>,
    /// Write the portrait into this new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) portrait: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What opens a card.
#[derive(Args)]
pub(crate) struct CardOpening {
    /// The six digits on the card's face.
    #[arg(long, value_name = "DIGITS", required_unless_present = "number")]
    pub(crate) can: Option<String>,
    /// The document's number, if not by the digits on its face.
    #[arg(long, value_name = "NUMBER", conflicts_with = "can", requires_all = ["birth", "expiry"])]
    pub(crate) number: Option<String>,
    /// The holder's day of birth.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) birth: Option<String>,
    /// The card's last day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) expiry: Option<String>,
}

#[derive(Args)]
pub(crate) struct Deriving {
    #[command(flatten)]
    pub(crate) opening: CardOpening,
    /// An emulated card of the data folder, read in this process, instead of one on a reader.
    #[arg(long, value_name = "NAME")]
    pub(crate) card: Option<String>,
    /// The PC/SC reader, or a part of its name [default: the first with a card].
    #[arg(long, value_name = "NAME")]
    pub(crate) reader: Option<String>,
    /// Without your pseudonyms, which the authority refuses until those of a lost wallet are replaced.
    #[arg(long)]
    pub(crate) without_pseudonyms: bool,
}
