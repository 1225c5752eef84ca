//! `yufu wallet`, the part about credentials that are got without an offer, and about discarding them.

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum ObtainAction {
    /// Get a credential without an offer: begin at the issuer, and sign in there with what your wallet has.
    ///
    /// A bank asks for the number of your identity, an agency for the pseudonym that it knows you by, a railway for the
    /// ticket itself, the identity authority for nothing but that your identity is its own. Needs a wallet of a wallet
    /// provider.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei --provider jiangcheng-pay obtain bank-of-jiangcheng account-holder\n  yufu wallet --as mei --provider jiangcheng-pay obtain jingguang-railway ticket-mdoc"
    )]
    Obtain {
        /// The issuer: an institution's id, or an issuer's identifier.
        #[arg(value_name = "ISSUER")]
        issuer: String,
        /// The credential, as the issuer's metadata have it: a configuration's id, a scope or a type.
        #[arg(value_name = "CREDENTIAL")]
        credential: String,
    },
    /// Delete all copies of a credential, and what would bring fresh ones. Its issuer is told, and they are void.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei discard \"Account holder\"\n  yufu wallet --as mei discard urn:yufu:account-holder:cn:1"
    )]
    Discard {
        /// The type: its name, as `show` and `history` have it, or its technical name.
        #[arg(value_name = "TYPE")]
        kind: String,
    },
}
