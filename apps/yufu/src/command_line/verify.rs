//! The command line of a verification.

use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Verify {
    /// What it is for: a purpose that the verifier is registered for.
    pub(crate) purpose: String,
    /// The verifier's address: https://hotel.example/verifiers/NAME.
    #[arg(long, env = "YUFU_VERIFIER", value_name = "URL")]
    pub(crate) at: String,
    /// The file that holds the token of the verifier's desk.
    #[arg(long, env = "YUFU_VERIFIER_TOKEN", value_name = "FILE")]
    pub(crate) token: PathBuf,
    /// The origin of a page that asks the wallet behind its browser itself: what it gives to
    /// navigator.credentials.get is printed too. It has to be registered.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// Ask a device near by instead, which shows this code (mdoc:...): no server is between the two. The reader's key is
    /// the one in the folder of the desk's token, or in the PKCS#11 token that --keys names.
    #[arg(long, value_name = "CODE", conflicts_with = "origin")]
    pub(crate) near: Option<String>,
    /// Ask by the query in this file instead of as the purpose does: DCQL as JSON, within what the purpose is registered
    /// for.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["origin", "near"])]
    pub(crate) query: Option<PathBuf>,
    /// The PKCS#11 token that holds the reader's key, as the server's setting keys names it: pkcs11:...
    #[arg(long, env = "YUFU_KEYS", value_name = "ADDRESS")]
    pub(crate) keys: Option<String>,
    /// For how many seconds to wait for a wallet.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) wait: u64,
    /// Read these claims afterwards, joined by commas, where the purpose keeps them.
    #[arg(long, value_delimiter = ',', value_name = "NAMES", requires = "why")]
    pub(crate) claims: Vec<String>,
    /// What the claims are read for: it is recorded.
    #[arg(long, value_name = "WORDS")]
    pub(crate) why: Option<String>,
    /// Print JSON, one object a line: what was started, the outcome, the claims.
    #[arg(long)]
    pub(crate) json: bool,
}
