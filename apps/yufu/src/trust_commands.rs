//! `yufu trust`: the operator's desk takes institutions off the trust list that is being served, and puts them back.

use crate::command_line::{self, TrustAction, TrustAt, TrustChange};
use crate::data::DataFolder;
use crate::profile;
use crate::words::{say, text};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::process::ExitCode;
use yufu_api::http::Client;
use yufu_api::trust::{ListedInstitution, RemovalLift, RemovalRequest};
use yufu_engine::{Clock, SystemClock};
use yufu_openid4vc::Endpoint;
use yufu_profile::Role;

/// The operator's desk.
struct Desk {
    client: Client,
    at: String,
    token: String,
}

pub(crate) fn run(options: command_line::Trust) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data, "city")?;
    let desk = Desk::of(&data, &options.at)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &options.action {
            TrustAction::List { json } => desk.list(*json).await,
            TrustAction::Remove(change) => desk.remove(change).await,
            TrustAction::Restore(change) => desk.restore(change).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Desk {
    fn of(data: &DataFolder, options: &TrustAt) -> Result<Self> {
        let country = profile::load(options.profile.as_deref(), SystemClock::new().read().wall)?;
        let role = Role::TrustListOperator;
        let operator = country.profile.institutions_of(role).next();
        let operator =
            operator.with_context(|| text!("the profile names no {role}", role = role.word()))?;
        ensure!(
            data.has_desk(&operator.id)?,
            text!(
                "{folder} does not hold the desk token of {institution}: name its data folder with --data",
                folder = data.root().display(),
                institution = operator.id
            )
        );
        let at = format!("{}/trust-list/v1/desk", options.url.trim_end_matches('/'));
        Endpoint::parse(&at)?;
        let token = data.keys(&operator.id)?.secret("desk")?;
        Ok(Self { client: Client::new()?, at, token })
    }

    async fn list(&self, json: bool) -> Result<()> {
        let url = format!("{}/institutions", self.at);
        let all: Vec<ListedInstitution> = self.client.get(&url, Some(&self.token)).await?;
        if json {
            println!("{}", serde_json::to_string(&all)?);
            return Ok(());
        }
        for one in &all {
            println!("{}", line(one));
        }
        Ok(())
    }

    async fn remove(&self, change: &TrustChange) -> Result<()> {
        let TrustChange { institution, why, officer } = change;
        let request = RemovalRequest { institution: institution.clone(), reason: why.clone() };
        let done = self.send("removals", officer, &request).await?;
        say!(
            "{institution} is not on the list any more, from sequence {sequence} on",
            institution = done.institution,
            sequence = done.sequence
        );
        Ok(())
    }

    async fn restore(&self, change: &TrustChange) -> Result<()> {
        let TrustChange { institution, why, officer } = change;
        let path = format!("removals/{institution}/lift");
        let done = self.send(&path, officer, &RemovalLift { reason: why.clone() }).await?;
        println!("{}", line(&done));
        Ok(())
    }

    async fn send<B: Serialize + Sync>(
        &self,
        path: &str,
        officer: &str,
        content: &B,
    ) -> Result<ListedInstitution> {
        let url = format!("{}/{path}", self.at);
        let officer = [("operator".to_owned(), officer.to_owned())];
        Ok(self.client.post_with(&url, Some(&self.token), &officer, content).await?)
    }
}

fn line(one: &ListedInstitution) -> String {
    let (institution, url) = (&one.institution, one.url.as_deref().unwrap_or_default());
    let last = one.removals.last().filter(|last| last.lifted.is_none());
    match last {
        Some(last) => text!(
            "off the list   {institution}: {officer}, at {at} s since the epoch: {reason}",
            institution = institution,
            officer = last.removed.officer,
            at = last.removed.at,
            reason = last.removed.reason
        ),
        None if one.listed => {
            text!("on the list    {institution} at {url}", institution = institution, url = url)
        }
        None => text!("not enrolled   {institution}", institution = institution),
    }
}
