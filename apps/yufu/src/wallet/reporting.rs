//! Reporting a relying party: the request that it signed is the evidence, and the wallet adds the
//! person's reason, no values.

use super::fault::WalletFault;
use super::file::write_new;
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::path::Path;
use yufu_api::http::ClientError;
use yufu_api::registrar::{Asked, ReportDocument, ReportTaken};
use yufu_trust::Role;

/// A report that was written, and perhaps taken.
#[derive(Debug)]
pub struct Reported {
    /// The document.
    pub document: ReportDocument,
    /// Whom it is about.
    pub party: String,
    /// Whether the document shows a payment or another transaction that the request carried.
    pub shows_transaction: bool,
    /// What the registrar said; `None` if none takes reports here.
    pub taken: Option<ReportTaken>,
}

impl Holder {
    /// Reports the party of the history's entry `number` (from 1). Writes the document to `file`, if
    /// one is named, and posts it to the registrar that the trust list names.
    ///
    /// # Errors
    /// If the entry holds no request, the request is no evidence, or the registrar refuses the report.
    pub async fn report(
        &mut self,
        number: usize,
        reason: &str,
        file: Option<&Path>,
    ) -> Result<Reported> {
        let request = self.request_of(number)?;
        let trust = self.trust().await?;
        let asked = Asked::read(&request, &trust, self.now())?;
        let document = ReportDocument::new(&request, &asked, reason);
        if let Some(file) = file {
            let json = serde_json::to_vec_pretty(&document)?;
            write_new(file, &json)?;
        }
        let registrar = trust.entries.iter().find(|entry| entry.role == Role::Registrar);
        let taken = match registrar {
            Some(registrar) => self.post_report(&registrar.identifier, &document).await?,
            None => None,
        };
        let party = asked.party.get(&self.language).to_owned();
        self.note(Event::Reported {
            party: party.clone(),
            reason: reason.to_owned(),
            report: taken.as_ref().map(|taken| taken.report.clone()),
        })?;
        Ok(Reported { document, party, shows_transaction: asked.has_transaction, taken })
    }

    async fn post_report(
        &self,
        registrar: &str,
        document: &ReportDocument,
    ) -> Result<Option<ReportTaken>> {
        let url = format!("{registrar}/v1/reports");
        match self.client.post(&url, None, document).await {
            Ok(taken) => Ok(Some(taken)),
            // A registrar without a desk for reports: the document remains.
            Err(ClientError::Unexpected { status: 404 | 405, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn request_of(&self, number: usize) -> Result<String> {
        let entry = number.checked_sub(1).and_then(|index| self.history().get(index));
        let entry = entry.with_context(|| {
            text!("the history has no entry {number}: see `yufu wallet history`", number = number)
        })?;
        let request = match &entry.event {
            Event::Disclosed { request, .. } => Some(request),
            Event::Declined { request, .. } | Event::Refused { request, .. } => request.as_ref(),
            _ => None,
        };
        match request {
            Some(request) => Ok(request.clone()),
            None => bail!(text!(
                "entry {number} holds no request that its party signed: report a disclosure, or one that was declined or refused",
                number = number
            )),
        }
    }

    /// Writes the whole history as JSON to a file that does not exist yet: signed requests and
    /// receipts included, keys and values not.
    ///
    /// # Errors
    /// [`WalletFault::FileExists`], [`WalletFault::Disk`].
    pub fn export(&self, to: &Path) -> Result<(), WalletFault> {
        let json = serde_json::json!({
            "format": "yufu-wallet-history",
            "version": 1,
            "history": self.history(),
        });
        write_new(to, format!("{json:#}\n").as_bytes())
    }
}
