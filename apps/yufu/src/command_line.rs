//! The command line. Help texts are the program's first documentation: each says what the
//! command does, where its state lies, and gives an example.

mod accounts;
#[cfg(feature = "zero-knowledge")]
mod anonymous;
mod cards;
mod cash;
mod freezing;
mod keeping;
mod keys;
mod notes;
mod obtaining;
mod showing;
mod trust;
mod verify;
mod views;

pub(crate) use accounts::{AccountAction, PurseAction, SubWalletAction, SubWalletOpening};
#[cfg(feature = "zero-knowledge")]
pub(crate) use anonymous::AnonymousAction;
pub(crate) use cash::{CashAction, CashPayment};

pub(crate) use cards::{Card, CardAction, CardOpening, CardReading, Deriving};
pub(crate) use freezing::FreezeAction;
pub(crate) use keeping::{Backup, ForgetKeys, Log, LogAction, LogAt, Restore, Sweep};
pub(crate) use keys::{Keys, KeysAction};
pub(crate) use notes::{Notes, NotesAction};
pub(crate) use obtaining::ObtainAction;
pub(crate) use showing::ShowingAction;
pub(crate) use trust::{Trust, TrustAction, TrustAt, TrustChange};
pub(crate) use verify::Verify;
pub(crate) use views::{HistoryKept, Statement, Views, ViewsAction};

use crate::settings::{LogFormat, OldRecords};
use crate::words::tag;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// Digital identity, digital cash and public services in one program: verified on both ends,
/// private by default.
#[derive(Parser)]
#[command(name = "yufu", version, after_help = "Start with: yufu demo")]
pub(crate) struct Arguments {
    /// The language to speak, and of names and purposes (BCP 47): zh, en; where it is lacking, English or the
    /// country's own [default: as the locale says].
    #[arg(long, visible_alias = "language", env = "YUFU_LANG", value_name = "TAG", global = true, value_parser = tag)]
    pub(crate) lang: Option<String>,
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
    /// Keys: which there are, the next generation of one, the end of those before, and all anew when a token is lost.
    #[command(
        after_help = "Examples:\n  yufu keys list\n  yufu keys rotate identity-authority credentials\n  yufu keys retire identity-authority credentials\n  yufu keys replace identity-authority --compromised 'token stolen on 3 May'"
    )]
    Keys(Keys),
    /// The trust list, at its operator's desk: who is on it, taking an institution off, putting it back.
    #[command(
        after_help = "Examples:\n  yufu trust list\n  yufu trust remove bank-of-lianghu --why 'key copied' --officer li"
    )]
    Trust(Trust),
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
        after_help = "Examples:\n  yufu wallet --as mei get 'openid-credential-offer://?credential_offer_uri=...' --code 482913\n  yufu wallet --as mei open bank-of-jiangcheng\n  yufu wallet --as mei pay 0192f0c1-... 18.00 'Noodle shop'\n  yufu wallet --as mei show\n  yufu wallet --as mei who-read\n  yufu wallet --as mei --provider jiangcheng-pay open bank-of-lianghu\n  yufu wallet --as mei --from bank-of-lianghu pay 0192f0c1-... 18.00\n  yufu wallet --as mei backup mei.backup\n  yufu wallet --as mei --abroad XP open harbour-bank"
    )]
    Wallet(Wallet),
    /// A chip card: emulate one in the virtual reader, or read one and say what was proven.
    #[command(
        after_help = "Examples:\n  yufu card emulate resident-0\n  yufu card read --can 480213\n  yufu card read --can 480213 --card resident-0"
    )]
    Card(Card),
    /// Recompute the books from the log, with code independent of the machine's own counters.
    ///
    /// Exits with 0 if everything agrees, 1 on any difference.
    #[command(
        after_help = "Examples:\n  yufu audit\n  yufu audit --head 19:df05062156f7332046fe4a9923f0ecb8a112361cdb22aefff03f1ac1b9d6608f --json\n\nThe central bank publishes its head at /central-bank/v1/ledger: keep one from time to time."
    )]
    Audit(Audit),
    /// Bearer notes: allowed on a ledger that was opened without them, or forbidden.
    #[command(
        after_help = "Examples:\n  yufu notes adopt --former my-country-2026/ --profile my-country/ --data /var/lib/yufu\n  yufu notes allow --data /var/lib/yufu --activate"
    )]
    Notes(Notes),
    /// Look at the ledger's log, or verify it.
    #[command(after_help = "Examples:\n  yufu log inspect --from 40\n  yufu log verify")]
    Log(Log),
    /// The history of the ledger: statements, transfers, past balances; verify it, or make it anew.
    #[command(
        after_help = "Examples:\n  yufu views statement 1e5a57ec-a54c-e2c6-98dd-b070b30ff638\n  yufu views verify\n  yufu views rebuild"
    )]
    Views(Views),
    /// Copy all state of a data folder, while a server runs on it or not.
    ///
    /// Keys are not copied unless it is asked for; terminal wallets never: `yufu wallet backup` does that.
    #[command(
        after_help = "Examples:\n  yufu backup --to /backups/2026-11-26\n  yufu backup --only-keys --to /elsewhere/keys-2026-11-26"
    )]
    Backup(Backup),
    /// Make a data folder from a backup, if every file is what was copied and the log leads to the state noted.
    #[command(
        after_help = "Example:\n  yufu restore --from /backups/2026-11-26 --keys /elsewhere/keys-2026-11-26 --to /var/lib/yufu"
    )]
    Restore(Restore),
    /// Take the data keys of persons out of backups that are older than 30 days: whoever was erased is gone there too.
    ///
    /// Run it every day. All else in a backup stays, and it can still be restored: but without keys that are younger,
    /// nobody's sealed data can be read after that.
    #[command(
        after_help = "Examples:\n  yufu forget-keys --within /backups\n  yufu forget-keys --within /elsewhere --days 7"
    )]
    ForgetKeys(ForgetKeys),
    /// Search what is left for what was to be erased, in every way it may be written, with every key that is there.
    ///
    /// Looks as somebody would who has all of it: what a key among the paths opens is readable. Exits with 0 if nothing
    /// is found, else with 1; values are named by their line only.
    #[command(
        after_help = "Example:\n  yufu sweep --values erased.txt /var/lib/yufu /backups /var/log/yufu ledger.dump"
    )]
    Sweep(Sweep),
    /// Verify a person: print a link for the wallet, wait for the answer, print what it came to.
    ///
    /// Exits with 0 for yes, 1 for anything else. Programs use the crate `yufu-verify` likewise.
    #[command(
        after_help = "Examples:\n  yufu verify check-age --at http://localhost:8080/verifiers/donghu-bicycles --token city/donghu-bicycles/keys/desk.token\n  yufu verify check-in --claims family_name,given_name --why 'guest register' --json"
    )]
    Verify(Verify),
    /// Measure what this build costs on this machine, each figure beside a yardstick of the same run.
    ///
    /// The report is JSON with --json, and nothing else is on standard output then. docs/benchmarks.md says what each
    /// figure means.
    #[command(
        after_help = "Examples:\n  yufu bench ledger --quick\n  yufu bench ledger --json --plot ledger.svg > ledger.json\n  yufu bench ledger --dir /var/lib/yufu\n\nMeasure on a quiet machine, and with a release build."
    )]
    Bench(Bench),
    /// Print completions for a shell: bash, elvish, fish, powershell, zsh.
    #[command(
        after_help = "Examples:\n  yufu completions bash > /etc/bash_completion.d/yufu\n  yufu completions zsh > ~/.zfunc/_yufu\n  yufu completions fish > ~/.config/fish/completions/yufu.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands.
    #[command(
        after_help = "Examples:\n  yufu man | man -l -\n  yufu man --out /usr/local/share/man/man1"
    )]
    Man {
        /// Write the pages of all commands into this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
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
    #[arg(long, env = "YUFU_INSTITUTIONS", value_name = "ID,...")]
    pub(crate) institutions: Option<String>,
    /// Where institutions are that run elsewhere.
    #[arg(long, env = "YUFU_ADDRESSES", value_name = "ID=URL,...")]
    pub(crate) addresses: Option<String>,
    /// Whose enrolment the registries served here take: fingerprints of their keys.
    #[arg(long, env = "YUFU_ADMITTED", value_name = "ID=FINGERPRINT,...")]
    pub(crate) admitted: Option<String>,
    /// The file with the trust-list operator's key, if that is served elsewhere.
    #[arg(long, env = "YUFU_TRUST_LIST_KEY", value_name = "FILE")]
    pub(crate) trust_list_key: Option<PathBuf>,
    /// The token that keys are made in: pkcs11:token=LABEL?module-path=FILE&pin-source=file:FILE [default: files].
    #[arg(long, env = "YUFU_KEYS", value_name = "ADDRESS")]
    pub(crate) keys: Option<String>,
    /// How long a start waits for another institution, in seconds [default: 300].
    #[arg(long, env = "YUFU_WAIT_SECONDS", value_name = "SECONDS")]
    pub(crate) wait_seconds: Option<u64>,
    /// Connections open at once [default: 512].
    #[arg(long, env = "YUFU_CONNECTIONS", value_name = "NUMBER")]
    pub(crate) connections: Option<usize>,
    /// How old a status list at hand may be before another one is fetched, in seconds, 60 at the most [default: 60].
    #[arg(long, env = "YUFU_STATUS_SECONDS", value_name = "SECONDS")]
    pub(crate) status_seconds: Option<u64>,
    /// A snapshot of the ledger's state is made after so many records of its log [default: 100000].
    #[arg(long, env = "YUFU_SNAPSHOT_RECORDS", value_name = "NUMBER")]
    pub(crate) snapshot_records: Option<u64>,
    /// A snapshot of the ledger's state is made after so much of its log, in MiB [default: 256].
    #[arg(long, env = "YUFU_SNAPSHOT_MEBIBYTES", value_name = "NUMBER")]
    pub(crate) snapshot_mebibytes: Option<u64>,
    /// What becomes of records of the ledger's log that two snapshots are past [default: keep].
    #[arg(long, env = "YUFU_OLD_RECORDS", value_name = "WHAT")]
    pub(crate) old_records: Option<OldRecords>,
    /// The ledger's log, if it is in PostgreSQL: postgres://... A password is better kept in the file or environment.
    #[arg(long, env = "YUFU_CENTRAL_BANK_LOG", hide_env_values = true, value_name = "ADDRESS")]
    pub(crate) central_bank_log: Option<String>,
    /// Who keeps up the history of the ledger: this process, or `yufu views follow` [default: here].
    #[arg(long, env = "YUFU_HISTORY", value_name = "WHERE")]
    pub(crate) history: Option<HistoryKept>,
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

/// Where a city of one process is, unless it was told otherwise.
pub(crate) const USUAL_URL: &str = "http://localhost:8080";

#[derive(Args)]
pub(crate) struct Wallet {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose wallet: a name of your choice, its file lies in the data folder.
    #[arg(long = "as", value_name = "NAME", default_value = "me", global = true)]
    pub(crate) name: String,
    /// The trust list's operator: its signed list says where everybody else is. In a city of one process, that.
    #[arg(
        long,
        env = "YUFU_URL",
        default_value = USUAL_URL,
        value_name = "URL",
        global = true
    )]
    pub(crate) url: String,
    /// Act in another country that yours recognises: with the banks and parties there, verified by its trust list.
    #[arg(long, value_name = "COUNTRY", global = true)]
    pub(crate) abroad: Option<String>,
    /// Agree without being asked (for scripts).
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// The account that acts: its id, the beginning of it, or its bank [default: the first].
    #[arg(long, global = true, value_name = "ACCOUNT")]
    pub(crate) from: Option<String>,
    /// Make a new wallet one of a wallet provider's: it vouches for the wallet at banks that admit it.
    #[arg(long, global = true, env = "YUFU_WALLET_PROVIDER", value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,
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
    #[command(
        after_help = "Example:\n  yufu wallet --as mei ticket change jingguang-railway G540-2026-12-01"
    )]
    Change {
        /// The railway.
        railway: String,
        /// The departure to change to.
        departure: String,
    },
    /// Give a ticket back: the money returns to the account that paid.
    #[command(after_help = "Example:\n  yufu wallet --as mei ticket return jingguang-railway")]
    Return {
        /// The railway.
        railway: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum WalletAction {
    /// Get credentials from an offer, with the code that the officer gave.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei get 'openid-credential-offer://?credential_offer_uri=...' --code 482913"
    )]
    Get {
        /// The offer: openid-credential-offer://..., or haip-vci://... for a wallet of a wallet provider.
        offer: String,
        /// The transaction code.
        #[arg(long)]
        code: Option<String>,
        /// Without your pseudonyms, which the authority refuses until those of a lost wallet are replaced.
        #[arg(long)]
        without_pseudonyms: bool,
        /// As ISO mdocs, where the issuer offers them, instead of SD-JWT VCs.
        #[arg(long)]
        mdoc: bool,
    },
    /// Get what a bank or an agency attests of its own: that you hold an account there, draw a pension, are a student.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei attest bank-of-jiangcheng account-holder\n  yufu wallet --as mei attest pension-agency pensioner --mdoc"
    )]
    Attest {
        /// The bank of an account of yours, or an agency that you are enrolled at.
        issuer: String,
        /// The credential, by its id in the profile.
        credential: String,
        /// As ISO mdocs, where the issuer offers them, instead of SD-JWT VCs.
        #[arg(long)]
        mdoc: bool,
    },
    /// Fetch what waited for an officer, and fresh copies of what ends within a week or is nearly used up.
    ///
    /// With `--watch` the wallet does so by itself, about once a day, at times that it draws ahead: whoever issues them
    /// does not learn when you showed one. It stays until it is stopped, and leaves the wallet free between two looks.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei --provider jiangcheng-pay renew\n  yufu wallet --as mei renew --watch"
    )]
    Renew {
        /// Stay, and look about once a day.
        #[arg(long)]
        watch: bool,
    },
    /// Get credentials from your chip card: it proves itself to the authority.
    ///
    /// Within a day of an officer comparing you with its portrait you get your identity, which moves here from wherever
    /// it was; else a proof of age.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei derive --can 480213\n  yufu wallet --as mei derive --can 480213 --card resident-0"
    )]
    Derive(Deriving),
    /// Open an account at a bank: check the bank, then show it what it may ask.
    #[command(after_help = "Example:\n  yufu wallet --as mei open bank-of-jiangcheng --class III")]
    Open {
        /// The bank, as `show` lists it.
        bank: String,
        /// The class of the account [default: the one that the bank opens for an identity].
        #[arg(long)]
        class: Option<String>,
    },
    /// Open an account in the name of your ward, which your wallet then operates.
    ///
    /// The bank is shown your identity and your guardianship; at majority the ward takes the account over.
    #[command(after_help = "Example:\n  yufu wallet --as fang open-for-ward bank-of-jiangcheng")]
    OpenForWard {
        /// The bank, as the front page lists it.
        bank: String,
        /// The class of the account [default: the one that the bank opens for an identity].
        #[arg(long)]
        class: Option<String>,
        /// The ward's given name, if you are the guardian of several.
        #[arg(long)]
        ward: Option<String>,
    },
    /// Wake an account that rests because nothing moved in it for long.
    ///
    /// An account in your name is woken by showing your number to its bank; a purse by the code that is
    /// sent to its telephone number.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei wake\n  yufu wallet --as mei wake --waking kq3... --code 048213"
    )]
    Wake {
        /// The waking that a code was sent for.
        #[arg(long, requires = "code")]
        waking: Option<String>,
        /// The code.
        #[arg(long, requires = "waking")]
        code: Option<String>,
    },
    /// Answer a presentation request.
    #[command(after_help = "Example:\n  yufu wallet --as mei present 'openid4vp://?client_id=...'")]
    Present {
        /// The request: openid4vp://...
        request: String,
    },
    #[command(flatten)]
    Showing(ShowingAction),
    /// Get payment credentials for your account: to pay where somebody else asks, as at a hotel.
    #[command(after_help = "Example:\n  yufu wallet --as mei payment-credential")]
    PaymentCredential,
    #[command(flatten)]
    Obtaining(ObtainAction),
    #[command(flatten)]
    Freezing(FreezeAction),
    #[command(flatten)]
    Accounts(AccountAction),
    /// Withdraw, pay, receive and redeem bearer notes: anonymous cash.
    #[command(
        subcommand,
        after_help = "Examples:\n  yufu wallet --as mei cash withdraw 100\n  yufu wallet --as mei cash pay 18"
    )]
    Cash(CashAction),
    /// Buy a rail ticket, change it, or give it back.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei ticket buy jingguang-railway G532-2026-12-01"
    )]
    Ticket {
        #[command(subcommand)]
        action: TicketAction,
    },
    /// Pay from an account to another. A refusal that a presentation lifts is offered to be lifted.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei pay 5b0f2c1d9e8a47d3b6c4f1a2e3d4c5b6 18.00 'Noodle shop'"
    )]
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
    /// Enrol in an agency's programme, or show it anew that you are alive.
    ///
    /// Your pseudonym's key names your first account; the agency is shown the pseudonym and whether what the
    /// programme needs holds, and nothing else.
    #[command(after_help = "Example:\n  yufu wallet --as mei enrol pension-agency basic-pension")]
    Enrol {
        /// The agency, as the front page lists it.
        agency: String,
        /// Its programme.
        programme: String,
    },
    /// Show what the programmes paid, what came back, and why.
    #[command(after_help = "Example:\n  yufu wallet --as mei benefits", alias = "pension")]
    Benefits {
        /// Print JSON: all that the agencies have on file of you.
        #[arg(long)]
        json: bool,
    },
    /// Have a programme paid to another account of this wallet.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei payout pension-agency basic-pension 0192f0c1-..."
    )]
    Payout {
        /// The agency.
        agency: String,
        /// Its programme.
        programme: String,
        /// The account, as `show` lists it.
        account: String,
    },
    /// Leave a programme: no further month is paid.
    #[command(after_help = "Example:\n  yufu wallet --as mei leave pension-agency basic-pension")]
    Leave {
        /// The agency.
        agency: String,
        /// Its programme.
        programme: String,
    },
    /// Show credentials, accounts with balances, and every disclosure and payment.
    #[command(after_help = "Example:\n  yufu wallet --as mei show")]
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
    /// Verify again, offline, the receipts that the other sides signed. Exits with 1 if one does not hold. Those that a
    /// page's party has for this wallet are asked for first, if they are lacking.
    #[command(after_help = "Example:\n  yufu wallet --as mei receipts")]
    Receipts {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Credentials whose showings nobody links: research.
    #[cfg(feature = "zero-knowledge")]
    #[command(after_help = "Example:\n  yufu wallet --as mei anonymous get")]
    Anonymous {
        #[command(subcommand)]
        action: AnonymousAction,
    },
    /// Ask the authority and your banks who read your data.
    ///
    /// The authority is shown your resident number, for this purpose alone; this uses one credential up.
    /// Your banks are shown nothing: your accounts' keys prove who asks. With `--shown`, ask instead who at a hotel or
    /// another party looked at what you showed there: it gets the receipt that it signed, and nobody else is asked.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei who-read\n  yufu wallet --as mei who-read --shown 3"
    )]
    WhoRead {
        /// The number of the disclosure in `yufu wallet history`.
        #[arg(long, value_name = "ENTRY")]
        shown: Option<usize>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask a party to delete what it was shown: it gets the receipt that it signed, and nothing else.
    ///
    /// What a law or a claim that may arise has it keep is kept until the day that it names.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei history\n  yufu wallet --as mei ask-deletion 7"
    )]
    AskDeletion {
        /// The entry's number in the history: a disclosure.
        entry: usize,
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
pub(crate) struct Bench {
    /// What is measured.
    #[arg(value_enum)]
    pub(crate) what: Benched,
    /// Smaller sizes and the same names: under a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the ratios into this SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Where durable things are written: a folder on the disk that is meant [default: the system's for temporary files].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// With `ecash`: the swaps of another Cashu mint, running at this address, instead of a server of its own. Its quotes of method bolt11 have to be paid by themselves.
    #[arg(long, value_name = "URL")]
    pub(crate) mint: Option<url::Url>,
    /// The process of that mint, to tell its processor time.
    #[arg(long, value_name = "PID", requires = "mint")]
    pub(crate) process: Option<u32>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Benched {
    /// The ledger: its machine, its log, payments made durable.
    Ledger,
    /// A country: ten million accounts and a hundred million payments, restarted and audited. Takes an hour or more, 15 GB of disk and 10 GB of memory.
    Scale,
    /// Bearer notes: swaps, withdrawals and redemptions over HTTP, at a server of its own.
    Ecash,
    /// Chip cards: one opened, read and proven; cards personalised.
    Card,
    /// Identity: credentials issued and presented over HTTP, at a server of its own.
    Identity,
}

#[derive(Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The log to audit: a file, or postgres://... [default: the central bank's in the data folder].
    #[arg(
        long,
        env = "YUFU_CENTRAL_BANK_LOG",
        hide_env_values = true,
        value_name = "FILE|ADDRESS"
    )]
    pub(crate) log: Option<String>,
    /// The folder of the records that were moved out of the log [default: archive, beside the log or its snapshots].
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    /// A head of the log that was published earlier, as SEQ:CHAIN: finds records cut off since.
    #[arg(long, value_name = "SEQ:CHAIN")]
    pub(crate) head: Option<String>,
    /// The log of another ledger that money went to and came from: audits both, and what went between
    /// them. Both have to be at rest, or copies of one moment.
    #[arg(long, value_name = "FILE|ADDRESS", conflicts_with = "head")]
    pub(crate) between: Option<String>,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, CommandFactory};
    use std::collections::BTreeSet;

    /// Every command below `command`, with its name.
    fn all(command: &Command, above: &str) -> Vec<(String, Command)> {
        let name = format!("{above} {}", command.get_name()).trim().to_owned();
        let below = command.get_subcommands().flat_map(|one| all(one, &name));
        std::iter::once((name.clone(), command.clone())).chain(below).collect()
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_an_example_of_itself() {
        let commands = all(&Arguments::command(), "");
        assert!(commands.len() > 15, "{} commands", commands.len());
        for (name, mut command) in commands.into_iter().skip(1) {
            assert!(command.get_about().is_some(), "{name} does not say what it does");
            let help = command.render_long_help().to_string();
            let (_, example) =
                help.split_once("Example").unwrap_or_else(|| panic!("{name}: {help}"));
            for word in name.split(' ') {
                assert!(example.contains(word), "the example of {name} lacks {word}: {example}");
            }
        }
    }

    /// One that did would be taken for the option of all, and refused for what that means.
    #[test]
    fn no_command_has_an_option_of_its_own_by_the_name_of_one_that_all_have() {
        fn look(command: &Command, held: &BTreeSet<String>, name: &str) {
            let mut held = held.clone();
            for option in command.get_arguments() {
                let id = option.get_id().to_string();
                let long = option.get_long().map(str::to_owned);
                let known = held.contains(&id) || long.is_some_and(|long| held.contains(&long));
                assert!(!known, "{name} has {id} again");
            }
            let globals = command.get_arguments().filter(|option| option.is_global_set());
            held.extend(globals.flat_map(|option| {
                let long = option.get_long().map(str::to_owned);
                std::iter::once(option.get_id().to_string()).chain(long)
            }));
            for below in command.get_subcommands() {
                look(below, &held, &format!("{name} {}", below.get_name()));
            }
        }
        look(&Arguments::command(), &BTreeSet::new(), "");
    }

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Arguments::command().debug_assert();
    }
}
