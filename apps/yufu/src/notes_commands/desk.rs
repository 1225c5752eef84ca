//! The central bank's desk, as its operator reaches it: where it is, and with which token.

use crate::data::DataFolder;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use yufu_api::CommandDone;
use yufu_api::http::Client;
use yufu_openid4vc::Endpoint;
use yufu_profile::Role;

/// The desk of the central bank.
pub(super) struct Desk {
    /// Its address, below which its interface is.
    pub(super) at: String,
    pub(super) client: Client,
    token: String,
}

impl Desk {
    /// The desk at `url`, whose token lies in the data folder.
    pub(super) fn of(country: &Country, data: &DataFolder, url: &str) -> Result<Self> {
        let central_bank = country.profile.institutions_of(Role::CentralBank).next();
        let central_bank = central_bank.with_context(|| {
            text!("the profile names no {role}", role = Role::CentralBank.word())
        })?;
        if !data.has_desk(&central_bank.id)? {
            bail!(text!(
                "{folder} does not hold the desk token of {institution}: name its data folder with --data",
                folder = data.root().display(),
                institution = central_bank.id
            ));
        }
        let at = format!("{}/central-bank/v1", url.trim_end_matches('/'));
        Endpoint::parse(&at)?;
        let token = data.keys(&central_bank.id)?.secret("desk")?;
        Ok(Self { at, client: Client::speaking(crate::words::language())?, token })
    }

    /// Has the desk do something.
    pub(super) async fn order<B: Serialize + Sync>(&self, path: &str, body: &B) -> Result<()> {
        let url = format!("{}{path}", self.at);
        let _: CommandDone = self.client.post(&url, Some(&self.token), body).await?;
        Ok(())
    }
}
