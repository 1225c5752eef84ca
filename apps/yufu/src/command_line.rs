//! The command line. Help texts are the program's first documentation: each says what the
//! command does, where its state lies, and gives an example.

use crate::settings::{LogFormat, pair};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use yufu_api::http::Language;

/// Digital identity, digital cash and public services in one program: verified on both ends,
/// private by default.
#[derive(Parser)]
#[command(name = "yufu", version, after_help = "Start with: yufu demo")]
pub(crate) struct Arguments {
    /// The language to speak: zh or en [default: as the locale says].
    #[arg(long, env = "YUFU_LANG", value_name = "LANGUAGE", global = true)]
    pub(crate) lang: Option<Language>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a whole city on this machine and play the first journey in it.
    ///
    /// Imports a sample city, plays the journey from a resident's record to a verified payment in plain words, and
    /// keeps running at the address shown until Ctrl-C.
    #[command(
        after_help = "Examples:\n  yufu demo\n  yufu demo --once --json > report.json\n  yufu demo --profile my-country/ --fresh"
    )]
    Demo(Demo),
    /// Run the institutions, for good.
    #[command(
        after_help = "Examples:\n  yufu serve\n  yufu serve --config yufu.toml\n  yufu serve --institutions bank-of-jiangcheng --config bank.toml\n\nEach setting is an option, an environment variable, or a line of the file: see `yufu config template`."
    )]
    Serve(Serve),
    /// Settings: print a template, check a file, print the fingerprints of keys.
    #[command(
        after_help = "Examples:\n  yufu config template > yufu.toml\n  yufu config check --config yufu.toml\n  yufu config fingerprint --config yufu.toml"
    )]
    Config(Config),
    /// A wallet in the terminal: get a PID, open an account, pay.
    ///
    /// The wallet's file is encrypted under a passphrase, which is asked on the terminal; scripts set
    /// YUFU_WALLET_PASSPHRASE. The demo's wallets (resident-0, ...) have the passphrase yufu-demo.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei get 'openid-credential-offer://?credential_offer_uri=...' --code 482913\n  yufu wallet --as mei open bank-of-jiangcheng\n  yufu wallet --as mei pay 0192f0c1-... 18.00 'Noodle shop'\n  yufu wallet --as mei show\n  yufu wallet --as mei who-read\n  yufu wallet --as mei backup mei.backup"
    )]
    Wallet(Wallet),
    /// Recompute the books from the log, with code independent of the machine's own counters.
    ///
    /// Exits with 0 if everything agrees, 1 on any difference.
    #[command(
        after_help = "Examples:\n  yufu audit\n  yufu audit --head 19:df05062156f7332046fe4a9923f0ecb8a112361cdb22aefff03f1ac1b9d6608f --json\n\nThe central bank publishes its head at /central-bank/v1/ledger: keep one from time to time."
    )]
    Audit(Audit),
}

/// Where state lies.
#[derive(Args, Clone)]
pub(crate) struct Data {
    /// The folder that holds all state [default: a folder of its own under the user's data directory].
    #[arg(long, env = "YUFU_DATA", value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Another country and city: a folder like profiles/china.
    #[arg(long, env = "YUFU_PROFILE", value_name = "DIR")]
    pub(crate) profile: Option<PathBuf>,
    /// The address to listen on.
    #[arg(
        long,
        env = "YUFU_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    pub(crate) listen: String,
    /// Play the journey and exit: 0 only if every step did what it must.
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one JSON report on standard output and nothing else there.
    #[arg(long, requires = "once")]
    pub(crate) json: bool,
    /// Play the journey so many times, each with another resident, and report the speeds of all.
    #[arg(long, default_value = "1", requires = "once", value_name = "N")]
    pub(crate) rounds: std::num::NonZeroU32,
    /// Start over: remove the demo's state first.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Run every institution as a process of its own, on ports of its own and with a data folder of its own.
    ///
    /// The first takes the port of --listen, the others those that follow; with port 0, any that are free.
    #[arg(long)]
    pub(crate) apart: bool,
}

#[derive(Args, Clone)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) data: Data,
    /// A file with settings.
    #[arg(long, env = "YUFU_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Another country and city: a folder like profiles/china.
    #[arg(long, env = "YUFU_PROFILE", value_name = "DIR")]
    pub(crate) profile: Option<PathBuf>,
    /// The address to listen on.
    #[arg(long, env = "YUFU_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The address under which others reach this server.
    #[arg(long, env = "YUFU_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The institutions to serve, by their ids [default: all].
    #[arg(long, env = "YUFU_INSTITUTIONS", value_name = "ID,...", value_delimiter = ',')]
    pub(crate) institutions: Option<Vec<String>>,
    /// Where institutions are that run elsewhere.
    #[arg(long, env = "YUFU_ADDRESSES", value_name = "ID=URL,...", value_delimiter = ',', value_parser = pair)]
    pub(crate) addresses: Option<Vec<(String, String)>>,
    /// Whose enrolment the registries served here take: fingerprints of their keys.
    #[arg(long, env = "YUFU_ADMITTED", value_name = "ID=FINGERPRINT,...", value_delimiter = ',', value_parser = pair)]
    pub(crate) admitted: Option<Vec<(String, String)>>,
    /// The file with the trust-list operator's key, if that is served elsewhere.
    #[arg(long, env = "YUFU_TRUST_LIST_KEY", value_name = "FILE")]
    pub(crate) trust_list_key: Option<PathBuf>,
    /// How long a start waits for another institution, in seconds [default: 300].
    #[arg(long, env = "YUFU_WAIT_SECONDS", value_name = "SECONDS")]
    pub(crate) wait_seconds: Option<u64>,
    /// Connections open at once [default: 512].
    #[arg(long, env = "YUFU_CONNECTIONS", value_name = "NUMBER")]
    pub(crate) connections: Option<usize>,
    /// How log lines are written [default: text].
    #[arg(long, env = "YUFU_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Started by the demo: its folder is allowed, and the end of standard input stops it.
    #[arg(long, hide = true)]
    pub(crate) of_demo: bool,
}

#[derive(Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Subcommand)]
pub(crate) enum ConfigAction {
    /// Print the settings with their defaults and meanings, as a file to begin with.
    #[command(after_help = "Example:\n  yufu config template > yufu.toml")]
    Template,
    /// Check settings, profile, folders, keys and addresses without starting anything; 1 if something is wrong.
    #[command(after_help = "Example:\n  yufu config check --config yufu.toml")]
    Check(Serve),
    /// Print the fingerprint of each institution's key, for those who are to admit it. Makes the keys if need be.
    #[command(after_help = "Example:\n  yufu config fingerprint --config yufu.toml")]
    Fingerprint(Serve),
}

#[derive(Args)]
pub(crate) struct Wallet {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose wallet: a name of your choice, its file lies in the data folder.
    #[arg(long = "as", value_name = "NAME", default_value = "me", global = true)]
    pub(crate) name: String,
    /// The server that runs the city.
    #[arg(
        long,
        env = "YUFU_URL",
        default_value = "http://localhost:8080",
        value_name = "URL",
        global = true
    )]
    pub(crate) url: String,
    /// Agree without being asked (for scripts).
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    #[command(subcommand)]
    pub(crate) action: WalletAction,
}

#[derive(Subcommand)]
pub(crate) enum TicketAction {
    /// Book a seat, pay with a payment credential, and take the ticket.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei ticket buy jingguang-railway G532-2026-12-01"
    )]
    Buy {
        /// The railway, as the front page lists it.
        railway: String,
        /// The departure, as the railway names it.
        departure: String,
    },
    /// Change a ticket to another departure at the same price.
    Change {
        /// The railway.
        railway: String,
        /// The departure to change to.
        departure: String,
    },
    /// Give a ticket back: the money returns to the account that paid.
    Return {
        /// The railway.
        railway: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum WalletAction {
    /// Get credentials from an offer, with the code that the officer gave.
    Get {
        /// The offer: openid-credential-offer://...
        offer: String,
        /// The transaction code.
        #[arg(long)]
        code: Option<String>,
        /// Without your pseudonyms, which the authority refuses until those of a lost wallet are replaced.
        #[arg(long)]
        without_pseudonyms: bool,
    },
    /// Open an account at a bank: check the bank, then show it what it may ask.
    Open {
        /// The bank, as `show` lists it.
        bank: String,
        /// The class of the account.
        #[arg(long, default_value = "III")]
        class: String,
    },
    /// Answer a presentation request.
    Present {
        /// The request: openid4vp://...
        request: String,
    },
    /// Get payment credentials for your first account: to pay where somebody else asks, as at a hotel.
    #[command(after_help = "Example:\n  yufu wallet --as mei payment-credential")]
    PaymentCredential,
    /// Buy a rail ticket, change it, or give it back.
    Ticket {
        #[command(subcommand)]
        action: TicketAction,
    },
    /// Pay from an account to another. A refusal that a presentation lifts is offered to be lifted.
    Pay {
        /// The payee's account.
        payee: String,
        /// The amount in major units: 18.00
        amount: String,
        /// The payee's name, as it will stand in the order.
        #[arg(default_value = "")]
        payee_name: String,
        /// An order id, to repeat an order that was not answered [default: a new one].
        #[arg(long)]
        id: Option<String>,
        /// Do not offer a step-up when the limit is exceeded.
        #[arg(long)]
        no_step_up: bool,
    },
    /// Show credentials, accounts with balances, and every disclosure and payment.
    Show,
    /// List every disclosure (party, purpose, claim names, never values), refusal and payment.
    #[command(after_help = "Example:\n  yufu wallet --as mei history --json")]
    History {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the whole history, with signed requests and receipts, to a new JSON file.
    #[command(after_help = "Example:\n  yufu wallet --as mei export my-history.json")]
    Export {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Verify again, offline, the receipts that the other sides signed. Exits with 1 if one does not hold.
    #[command(after_help = "Example:\n  yufu wallet --as mei receipts")]
    Receipts {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask the authority and your banks who read your data.
    ///
    /// The authority is shown your resident number, for this purpose alone; this uses one credential up.
    /// Your banks are shown nothing: your accounts' keys prove who asks.
    #[command(after_help = "Example:\n  yufu wallet --as mei who-read")]
    WhoRead {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Report a relying party to the registrar: what it asked, signed by itself, and your reason. No values.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei history\n  yufu wallet --as mei report 7 'asks for my number at a bicycle shop'"
    )]
    Report {
        /// The entry's number in the history: a disclosure, or what was declined or refused.
        entry: usize,
        /// Why, in up to 500 characters; nothing about yourself is needed.
        reason: String,
        /// Write the report to a new file too.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Write an encrypted backup of keys, accounts, credentials and history to a new file.
    #[command(after_help = "Example:\n  yufu wallet --as mei backup mei.backup")]
    Backup {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Make a wallet from a backup, with the passphrase that the backup was made under.
    ///
    /// Accounts can be used at once. One-time credentials rest, for the wallet they were copied from may
    /// have shown them: one shown twice tells two parties that they met the same person.
    #[command(after_help = "Example:\n  yufu wallet --as mei --data /new/place restore mei.backup")]
    Restore {
        /// The backup.
        file: PathBuf,
        /// The other wallet is gone and will show nothing any more: use the one-time credentials all the same.
        /// Those that it showed after the backup could then be linked.
        #[arg(long)]
        other_wallet_gone: bool,
    },
    /// Encrypt a wallet that an earlier version left in plain text.
    #[command(after_help = "Example:\n  yufu wallet --as mei protect")]
    Protect,
}

#[derive(Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The log to audit [default: the central bank's in the data folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// A head of the log that was published earlier, as SEQ:CHAIN: finds records cut off since.
    #[arg(long, value_name = "SEQ:CHAIN")]
    pub(crate) head: Option<String>,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
