//! What became of a batch, told to whoever issued it: kept, unfit to be kept, or deleted by the person later. What is
//! not in the wallet is void at its issuer from then on.

use super::contents::StoredGrant;
use super::haip::Party;
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Result, ensure};
use yufu_base::Signer;
use yufu_jose::Jwk;
use yufu_keys::random_text;
use yufu_openid4vc::issuance::NotificationEvent;
use yufu_wallet::issuance::haip::Granted;

/// Of how many batches of a grant the wallet remembers how to name them to the issuer.
const MOST_BATCHES: usize = 8;

/// What was discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// How many copies.
    pub count: usize,
    /// Whether every issuer that takes word of it has it.
    pub told: bool,
}

impl Holder {
    /// Deletes all copies of a type, `called` by its name as it is shown or by its technical one, and what would bring
    /// fresh ones; tells the issuers, where they were had as an attested wallet, so that the copies count for nothing even
    /// if somebody has the file.
    ///
    /// # Errors
    /// If there is none of this type, several are called so, or the wallet cannot be saved.
    pub async fn discard(&mut self, called: &str) -> Result<Discarded> {
        let kind = self.kind_called(called)?;
        let kind = kind.as_str();
        let contents = &mut self.file.contents;
        let before = contents.credentials.len();
        contents.credentials.retain(|stored| stored.held.credential.kind() != kind);
        let count = before.saturating_sub(contents.credentials.len());
        let of_kind = |one: &StoredGrant| one.grant.credential_type() == kind;
        let (gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut contents.grants).into_iter().partition(of_kind);
        contents.grants = kept;
        // What an officer still looks at would come under a grant that is gone.
        contents.waiting.retain(|waiting| gone.iter().all(|grant| grant.id != waiting.grant));
        ensure!(
            count > 0 || !gone.is_empty(),
            text!("nothing of the type {kind} is in this wallet", kind = kind)
        );
        self.note(Event::Discarded { vct: kind.to_owned(), count })?;
        let mut told = true;
        for grant in gone.iter().filter(|grant| !grant.batches.is_empty()) {
            told &= self.tell_deleted(grant).await.is_ok();
        }
        Ok(Discarded { count, told })
    }

    async fn tell_deleted(&mut self, stored: &StoredGrant) -> Result<()> {
        let (granted, party) = self.refreshed(stored).await?;
        for batch in &stored.batches {
            let event = NotificationEvent::CredentialDeleted;
            let told = self.tell(&granted, batch, (event, None), &party).await?;
            ensure!(told, text!("the issuer did not take word of what was discarded"));
        }
        Ok(())
    }

    /// Tells an issuer what became of a batch; whether it took it.
    pub(super) async fn tell(
        &self,
        granted: &Granted,
        batch: &str,
        what: (NotificationEvent, Option<Jwk>),
        party: &Party,
    ) -> Result<bool> {
        let id = random_text();
        let by = (&party.dpop as &dyn Signer, id.as_str());
        match granted.notify(batch, what, by, self.now())? {
            Some(request) => Ok(self.send(request).await?.status == 204),
            None => Ok(false),
        }
    }

    /// Tells an issuer that a batch is not in the wallet. Whether it hears that is its affair.
    pub(super) async fn tell_failure(&self, granted: &Granted, batch: Option<&str>, party: &Party) {
        if let Some(batch) = batch {
            let event = NotificationEvent::CredentialFailure;
            let _ = self.tell(granted, batch, (event, None), party).await;
        }
    }

    /// Tells an issuer that a batch is here, and leaves it the key that may have the batch frozen. The batch is here:
    /// whether the issuer hears of it changes nothing for it.
    pub(super) async fn tell_kept(
        &mut self,
        granted: &Granted,
        batch: &str,
        party: &Party,
    ) -> Result<()> {
        let identifier = granted.grant().issuer().as_str().to_owned();
        let (key, place) = self.freeze_key_for(&identifier)?.unzip();
        let event = NotificationEvent::CredentialAccepted;
        let told = self.tell(granted, batch, (event, key), party).await;
        if let Some(place) = place.filter(|_| told.is_ok_and(|told| told)) {
            self.left(&place)?;
        }
        let id = Self::grant_id(&party.instance);
        if let Some(stored) = self.file.contents.grants.iter_mut().find(|one| one.id == id) {
            stored.batches.push(batch.to_owned());
            let over = stored.batches.len().saturating_sub(MOST_BATCHES);
            stored.batches.drain(..over);
            self.file.save()?;
        }
        Ok(())
    }
}
