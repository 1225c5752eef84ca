//! Programmes: enrolled by a presentation of a pseudonym and one yes-or-no; from then on the sector
//! key alone proves who asks and names the account.

use super::contents::{StoredAccount, StoredProgramme};
use super::history::{Entry, Event};
use super::holder::{Decide, Holder};
use super::showing::Shown;
use crate::words::text;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use yufu_api::agency::{
    EnrolmentBegun, EnrolmentRequest, MemberFile, PayoutChange, ProgrammeNotice,
};
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_payment::{PayoutInstruction, RequestToken};

/// A programme that this wallet's holder is a member of.
#[derive(Clone, Debug, Serialize)]
pub struct Benefit {
    /// The agency.
    pub agency: String,
    /// What it has on file: payments, with reasons, among it.
    pub file: MemberFile,
}

impl Holder {
    /// Enrols in a programme, or shows anew that one is alive: signs for the account with the sector key,
    /// then shows the pseudonym and what the programme needs.
    ///
    /// # Errors
    /// If the wallet has no account, or its credential says that what is needed does not hold (nothing is
    /// shown then); whatever the agency refused, or the wallet refused of the agency.
    pub async fn enrol(
        &mut self,
        agency: &str,
        programme: &str,
        decide: Decide<'_>,
    ) -> Result<Shown> {
        // The list says where the agency is, should it have moved.
        self.trust().await?;
        let notice = self.notice(agency, programme).await?;
        if self.holds(&notice.needs) == Some(false) {
            bail!(text!(
                "nothing was shown: {condition} does not hold by your credential; if it does by now, get a fresh one",
                condition = notice.needs
            ));
        }
        let key = self.sector_key(&notice.sector)?;
        let account = self.file.contents.accounts.first();
        let account = account.with_context(|| {
            text!("the wallet has no account yet: open one with `yufu wallet open`")
        })?;
        let payout = self.payout((agency, programme), account, &key)?;
        let request = EnrolmentRequest {
            programme: programme.to_owned(),
            key: key.public_key().into(),
            payout,
        };
        let url = format!("{}/agencies/{agency}/v1/enrolments", self.address(agency));
        let begun: EnrolmentBegun = self.client.post(&url, None, &request).await?;
        let shown = self.present_begun(&begun.authorization_request, decide).await?;
        let known = StoredProgramme {
            agency: agency.to_owned(),
            programme: programme.to_owned(),
            sector: notice.sector,
        };
        if !self.file.contents.programmes.contains(&known) {
            self.file.contents.programmes.push(known);
        }
        self.note(Event::Enrolled {
            agency: shown.party.clone(),
            programme: programme.to_owned(),
        })?;
        Ok(shown)
    }

    /// What the agencies have on file of this wallet's holder. Payments that were not seen before go into
    /// the history.
    ///
    /// # Errors
    /// If an agency does not answer, or the wallet cannot be saved.
    pub async fn benefits(&mut self) -> Result<Vec<Benefit>> {
        let mut benefits = Vec::new();
        for known in self.file.contents.programmes.clone() {
            let file = self.member_file(&known).await?;
            self.note_benefits(&known.agency, &file)?;
            benefits.push(Benefit { agency: known.agency, file });
        }
        Ok(benefits)
    }

    /// What an agency has on file of this wallet's holder.
    pub(super) async fn member_file(&self, known: &StoredProgramme) -> Result<MemberFile> {
        let (path, key) = self.membership(known, "")?;
        let bearer = self.sector_token(&known.agency, &key, "GET", &path)?;
        let url = format!("{}{path}", self.address(&known.agency));
        Ok(self.client.get(&url, Some(&bearer)).await?)
    }

    /// Has a programme paid to another account of this wallet: once that has rested, as the file says.
    ///
    /// # Errors
    /// If the wallet is not enrolled there or has no such account; whatever the agency refused.
    pub async fn change_payout(
        &mut self,
        agency: &str,
        programme: &str,
        account: &str,
    ) -> Result<MemberFile> {
        let known = self.enrolled(agency, programme)?;
        let (path, key) = self.membership(&known, "/account")?;
        let accounts = &self.file.contents.accounts;
        let chosen = accounts.iter().find(|known| known.account == account);
        let chosen = chosen
            .with_context(|| text!("{account} is no account of this wallet", account = account))?;
        let payout = self.payout((agency, programme), chosen, &key)?;
        let url = format!("{}{path}", self.address(agency));
        let file = self.client.post(&url, None, &PayoutChange { payout }).await?;
        let (agency, programme) = (agency.to_owned(), programme.to_owned());
        self.note(Event::PayoutChanged { agency, programme, account: account.to_owned() })?;
        Ok(file)
    }

    /// Leaves a programme: no further month is paid. The wallet still sees what was.
    ///
    /// # Errors
    /// If the wallet is not enrolled there; whatever the agency refused.
    pub async fn leave_programme(&mut self, agency: &str, programme: &str) -> Result<MemberFile> {
        let known = self.enrolled(agency, programme)?;
        let (path, key) = self.membership(&known, "/leaving")?;
        let bearer = self.sector_token(agency, &key, "POST", &path)?;
        let url = format!("{}{path}", self.address(agency));
        let file = self.client.post(&url, Some(&bearer), &()).await?;
        let (agency, programme) = (agency.to_owned(), programme.to_owned());
        self.note(Event::LeftProgramme { agency, programme })?;
        Ok(file)
    }

    async fn notice(&self, agency: &str, programme: &str) -> Result<ProgrammeNotice> {
        let url = format!("{}/agencies/{agency}/v1/programmes", self.address(agency));
        let notices: Vec<ProgrammeNotice> = self.client.get(&url, None).await?;
        let found = notices.into_iter().find(|notice| notice.programme == programme);
        found.with_context(|| {
            text!("{agency} has no programme {programme}", agency = agency, programme = programme)
        })
    }

    /// What the credentials in the wallet say of a yes-or-no; none if none says anything.
    fn holds(&self, path: &str) -> Option<bool> {
        let mut held = self.file.contents.usable().map(|(_, stored)| &stored.held.credential);
        held.find_map(|credential| find(credential.claims(), path)?.as_bool())
    }

    fn enrolled(&self, agency: &str, programme: &str) -> Result<StoredProgramme> {
        let mut all = self.file.contents.programmes.iter();
        let found = all.find(|known| known.agency == agency && known.programme == programme);
        found.cloned().with_context(|| {
            text!(
                "not enrolled: do it with `yufu wallet enrol {agency} {programme}`",
                agency = agency,
                programme = programme
            )
        })
    }

    /// Where a membership is reached, and the key that speaks for it.
    pub(super) fn membership(
        &self,
        known: &StoredProgramme,
        below: &str,
    ) -> Result<(String, SoftwareKey)> {
        let key = self.sector_key(&known.sector)?;
        let pseudonym = Jwk::from(key.public_key()).thumbprint_base64url();
        let (agency, programme) = (&known.agency, &known.programme);
        let path =
            format!("/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}{below}");
        Ok((path, key))
    }

    pub(super) fn sector_token(
        &self,
        agency: &str,
        key: &SoftwareKey,
        method: &str,
        path: &str,
    ) -> Result<String> {
        let token = RequestToken {
            iss: Jwk::from(key.public_key()).thumbprint_base64url(),
            aud: agency.to_owned(),
            htm: method.to_owned(),
            htu: path.to_owned(),
            iat: self.now(),
        };
        Ok(token.sign(key)?)
    }

    fn payout(
        &self,
        (agency, programme): (&str, &str),
        account: &StoredAccount,
        key: &SoftwareKey,
    ) -> Result<String> {
        let instruction = PayoutInstruction {
            agency: agency.parse()?,
            programme: programme.to_owned(),
            bank: account.bank.parse()?,
            account: account.account.parse()?,
            signed_at: Timestamp::from_seconds(self.now().seconds()),
        };
        Ok(instruction.sign(key)?)
    }

    fn note_benefits(&mut self, agency: &str, file: &MemberFile) -> Result<()> {
        for payment in file.payments.iter().filter(|payment| payment.state != "pending") {
            let event = Event::Benefit {
                agency: agency.to_owned(),
                programme: file.programme.clone(),
                month: payment.month.clone(),
                amount_minor: payment.amount_minor,
                state: payment.state.clone(),
                reason: payment.reason.clone(),
            };
            let of_this_month = |entry: &Entry| match &entry.event {
                Event::Benefit { agency: a, programme, month, state, .. } => {
                    let here = a == agency && *programme == file.programme;
                    (here && *month == payment.month).then(|| state.clone())
                }
                _ => None,
            };
            let known = self.history().iter().rev().find_map(of_this_month);
            if known.as_ref() != Some(&payment.state) {
                self.note(event)?;
            }
        }
        Ok(())
    }
}

/// The claim at a path whose names are joined by dots.
fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = claims.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}
