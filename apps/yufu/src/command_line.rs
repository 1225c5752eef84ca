//! The command line. Help texts are the program's first documentation: each says what the
//! command does, where its state lies, and gives an example.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Digital identity, digital cash and public services in one program: verified on both ends,
/// private by default.
#[derive(Parser)]
#[command(name = "yufu", version, after_help = "Start with: yufu demo")]
pub(crate) struct Arguments {
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
        after_help = "Examples:\n  yufu serve\n  yufu serve --config yufu.toml\n\nSettings (yufu.toml), each also an option or environment variable:\n  listen = \"127.0.0.1:8080\"\n  url = \"https://city.example\"\n  data = \"/var/lib/yufu\"\n  profile = \"/etc/yufu/china\"\n  connections = 512\n  log_format = \"json\""
    )]
    Serve(Serve),
    /// A wallet in the terminal: get a PID, open an account, pay.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei get 'openid-credential-offer://?credential_offer_uri=...' --code 482913\n  yufu wallet --as mei open bank-of-jiangcheng\n  yufu wallet --as mei pay 0192f0c1-... 18.00 'Noodle shop'\n  yufu wallet --as mei show"
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
    /// Start over: remove the demo's state first.
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Args)]
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
pub(crate) enum WalletAction {
    /// Get credentials from an offer, with the code that the officer gave.
    Get {
        /// The offer: openid-credential-offer://...
        offer: String,
        /// The transaction code.
        #[arg(long)]
        code: Option<String>,
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
