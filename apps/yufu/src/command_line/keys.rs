//! The command line for keys: which there are, the next generation of one, the end of those before.

use super::Serve;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) action: KeysAction,
}

#[derive(Subcommand)]
pub(crate) enum KeysAction {
    /// List the keys of the institutions here by generation: where each is, since when, until when it counts.
    #[command(
        after_help = "Examples:\n  yufu keys list --data /var/lib/yufu\n  yufu keys list --config yufu.toml --json"
    )]
    List {
        #[command(flatten)]
        serve: Box<Serve>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the next generation of a key; what the former one signed counts until it ends.
    ///
    /// A running server notices within a second: it has the next key certified and listed, says so to whoever knows the
    /// former one by name, and uses it from the time that is printed. What was begun with the former one is finished with
    /// it. A stopped server does the same at its next start.
    #[command(
        after_help = "Examples:\n  yufu keys rotate identity-authority credentials --config yufu.toml\n  yufu keys rotate trust-list-operator trust-list --lead 2592000"
    )]
    Rotate {
        #[command(flatten)]
        serve: Box<Serve>,
        /// The institution.
        institution: String,
        /// The key, as `yufu keys list` names it.
        key: String,
        /// For how many seconds the next key is only known before it is used; what the key needs, if it is not said.
        #[arg(long, value_name = "SECONDS")]
        lead: Option<u64>,
    },
    /// End the former generations of a key whose time is over: what they signed counts no more, everywhere, for good.
    ///
    /// A running server makes it known within a second, a stopped one at its next start: the trust list says so, and the
    /// registrar revokes what it certified for a relying party's key.
    #[command(
        after_help = "Examples:\n  yufu keys retire identity-authority credentials --config yufu.toml\n  yufu keys retire identity-authority credentials --compromised 'copied by a contractor'"
    )]
    Retire {
        #[command(flatten)]
        serve: Box<Serve>,
        /// The institution.
        institution: String,
        /// The key.
        key: String,
        /// All of them at once, and why: whatever they signed is void, and has to be issued anew.
        #[arg(long, value_name = "WHY")]
        compromised: Option<String>,
    },
    /// Make all keys anew that were in a token that is lost, in the one that is named now.
    ///
    /// What the lost keys signed counts until it ends, unless it is feared that somebody has them. The server is
    /// stopped meanwhile. At its next start the new keys are certified and listed.
    #[command(
        after_help = "Examples:\n  yufu keys replace identity-authority --config yufu.toml\n  yufu keys replace identity-authority --compromised 'token stolen on 3 May'"
    )]
    Replace {
        #[command(flatten)]
        serve: Box<Serve>,
        /// The institution.
        institution: String,
        /// Somebody may have the lost keys, and why: whatever they signed is void, and has to be issued anew.
        #[arg(long, value_name = "WHY")]
        compromised: Option<String>,
    },
}
