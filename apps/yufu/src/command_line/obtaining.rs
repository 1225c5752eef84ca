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
        after_help = "Examples:\n  yufu wallet --as mei --provider jiangcheng-pay obtain --from bank-of-jiangcheng --type account-holder\n  yufu wallet --as mei --provider jiangcheng-pay obtain --from jingguang-railway --type ticket-mdoc"
    )]
    Obtain {
        /// The issuer: an institution's id, or an issuer's identifier.
        #[arg(long, value_name = "ISSUER")]
        from: String,
        /// The credential, as the issuer's metadata have it: a configuration's id, a scope or a type.
        #[arg(long = "type", value_name = "TYPE")]
        credential: String,
    },
    /// Delete all copies of a credential, and what would bring fresh ones. Its issuer is told, and they are void.
    #[command(after_help = "Example:\n  yufu wallet --as mei discard urn:yufu:account-holder:cn:1")]
    Discard {
        /// The type, as `show` and `history` have it.
        #[arg(value_name = "TYPE")]
        kind: String,
    },
}
