//! `yufu wallet`, the part about showing credentials otherwise than by a link: to a page, to a device near by.

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum ShowingAction {
    /// Answer a request that a web page made through the browser (Digital Credentials API).
    ///
    /// This command sits where the browser or the telephone's system would: it vouches for the page's origin. The answer
    /// for the page is the last line that is printed.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei present-to-page --origin https://inn.example '{\"protocol\": \"openid4vp-v1-signed\", \"data\": {\"request\": \"...\"}}'"
    )]
    PresentToPage {
        /// The origin of the page that asks.
        #[arg(long, value_name = "ORIGIN")]
        origin: String,
        /// The request, as the page gives it to navigator.credentials.get: JSON with protocol and data; - reads it from
        /// standard input.
        request: String,
    },
    /// Show an identity to a reader near by: print a code, wait for whoever reads it, and answer after you agree.
    ///
    /// The identity has to be an mdoc (`get --mdoc`). The reader is verified before you are asked; no server is between the
    /// two.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei near\n  yufu wallet --as mei near --host 192.168.1.20 --wait 60"
    )]
    Near {
        /// The address of this machine at which the reader reaches it.
        #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
        host: std::net::IpAddr,
        /// For how many seconds to wait for a reader.
        #[arg(long, default_value_t = 120, value_name = "SECONDS")]
        wait: u64,
    },
}
