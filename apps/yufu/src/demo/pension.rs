//! The steps about a programme: older residents enrol by pseudonym, a month is paid to them by four
//! eyes and once, one payment comes back from a closed account, one does not leave because its
//! payee has died. What each party learned is read from what it stored.

use super::name::{pensioners_wallets, the_publics_paper};
use super::pension_words::{self, Sums};
use super::report::Told;
use super::story::Story;
use crate::wallet::Holder;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use yufu_api::agency::{EnvelopeReport, Reissued, ReturnedPayment};
use yufu_api::authority::Revoked;
use yufu_api::bank::{Exchange, ExchangeDirection};
use yufu_api::http::ProblemBody;
use yufu_api::relying_party::TakingsAccount;
use yufu_base::{Amount, InstitutionId};
use yufu_engine::{Clock, SystemClock};
use yufu_profile::{ClaimSource, Evidence, Institution, Programme, Resident, Role};
use yufu_wallet::presentation::Consent;

/// How many older residents play these steps.
const ELDERS: usize = 4;
/// How often the report of a run is asked for, and how many times at the most.
const LOOK: (Duration, usize) = (Duration::from_millis(10), 1_000);

/// An older resident, with a wallet of her own.
pub(super) struct Elder<'a> {
    resident: &'a Resident,
    holder: Holder,
    account: String,
}

impl<'a> Story<'a> {
    pub(super) async fn enrol_pension(&mut self) -> Result<Told> {
        let Some(programme) = self.programme() else {
            return Ok(Told::new(pension_words::nobody_enrols()));
        };
        let agency = self.institution(&programme.agency)?;
        let age = self.age_needed(programme);
        let mut candidates = self.elders(age, self.run.saturating_mul(ELDERS)).into_iter();
        while self.elders.len() < ELDERS {
            let next = candidates
                .next()
                .context("every older resident has played: start over with `yufu demo --fresh`")?;
            let index = self.elders.len();
            if let Some(elder) = self.elder(index, next, programme).await? {
                self.elders.push(elder);
            }
        }
        let too_young = self.too_young(agency, programme).await?;
        let (name, needs) =
            (self.tell(&programme.name), self.attribute(&programme.needs.to_string()));
        Ok(Told::new(pension_words::enrolled(ELDERS, name, needs.told(), too_young)))
    }

    pub(super) async fn pension(&mut self) -> Result<Told> {
        let Some(programme) = self.programme() else {
            return Ok(Told::new(pension_words::nothing_is_paid()));
        };
        let agency = self.institution(&programme.agency)?;
        let fund = Amount::new(
            programme.monthly.currency(),
            programme.monthly.minor().saturating_mul(u64::try_from(ELDERS)?),
        );
        self.fund_agency(agency, fund).await?;
        self.close_one().await?;
        self.bury_one().await?;
        let envelope = self.prepare_and_approve(agency, programme).await?;
        let first = self.run_envelope(agency, &envelope).await?;
        let again = self.run_envelope(agency, &envelope).await?;
        ensure!(first == again, "a second run changed the envelope: {first:?} then {again:?}");
        ensure!(first.state == "closed", "the envelope is {}", first.state);
        let sums = [first.items, first.paid, first.returned, first.pending].map(|sum| sum.minor);
        let [items, paid, returned, pending] = sums;
        let together = paid.checked_add(returned).and_then(|sum| sum.checked_add(pending));
        ensure!(Some(items) == together, "the envelope does not add up: {sums:?}");
        self.reasons(agency, &envelope).await?;
        self.paid_once(programme).await?;
        let corrected = self.correct_and_reissue(agency, programme, &envelope).await?;
        let name = self.tell(&agency.name);
        let arrived = Amount::new(fund.currency(), corrected.paid.minor);
        let told = pension_words::paid_once(&self.sums(&first), &self.sums(&corrected));
        Ok(Told::new(told).moved(the_publics_paper(), name, fund).moved(
            name,
            pensioners_wallets(),
            arrived,
        ))
    }

    /// The journey's own resident tries too, if she is clearly younger: whether she did.
    async fn too_young(&mut self, agency: &Institution, programme: &Programme) -> Result<bool> {
        if self.age_in_years(self.resident) > self.age_needed(programme).saturating_sub(2) {
            return Ok(false);
        }
        let refused = self.wallet.enrol(agency.id.as_str(), &programme.id, &mut agree).await;
        let refusal = refused.err().context("somebody younger enrolled")?.to_string();
        let condition = programme.needs.to_string();
        ensure!(refusal.contains(&condition), "refused for another reason: {refusal}");
        Ok(true)
    }

    /// What became of an envelope, for a person to read.
    fn sums(&self, report: &EnvelopeReport) -> Sums {
        let currency = self.country.profile.currency.code;
        let words = |minor| self.words(Amount::new(currency, minor));
        Sums {
            items: words(report.items.minor),
            paid: words(report.paid.minor),
            returned: words(report.returned.minor),
            pending: words(report.pending.minor),
        }
    }

    /// The years between the calendar years, which is the age or one more.
    fn age_in_years(&self, resident: &Resident) -> i16 {
        let now = SystemClock::new().read().wall;
        let day = self.country.profile.utc_offsets.date_at(now);
        day.map_or(0, |day| day.year().saturating_sub(resident.birth_date.year()))
    }

    fn programme(&self) -> Option<&'a Programme> {
        self.country.profile.programmes.first()
    }

    fn institution(&self, id: &InstitutionId) -> Result<&'a Institution> {
        self.country.profile.institutions.get(id).with_context(|| format!("there is no {id}"))
    }

    /// The age that a programme is for; 0 if it is for every age.
    fn age_needed(&self, programme: &Programme) -> i16 {
        let claims = self.identity().into_iter().flat_map(|identity| &identity.claims);
        let needed = claims.filter(|claim| claim.path == programme.needs);
        let age = needed.filter_map(|claim| match claim.source {
            ClaimSource::AgeOver(years) => Some(i16::from(years)),
            _ => None,
        });
        age.max().unwrap_or(0)
    }

    /// Residents well above an age, from some place in the register on.
    fn elders(&self, age: i16, from: usize) -> Vec<&'a Resident> {
        let old = |resident: &&Resident| self.age_in_years(resident) > age.saturating_add(1);
        let mut all: Vec<&Resident> = self.country.residents.iter().filter(old).collect();
        let turn = from.checked_rem(all.len().max(1)).unwrap_or(0);
        all.rotate_left(turn);
        all
    }

    /// Gives somebody an identity and an account, and enrols them; nobody who has played before.
    async fn elder(
        &self,
        index: usize,
        resident: &'a Resident,
        programme: &Programme,
    ) -> Result<Option<Elder<'a>>> {
        let offer = match self.authenticated(resident).await {
            Err(refused) if refused.to_string().contains("resident.deceased") => return Ok(None),
            offer => offer?,
        };
        let mut holder = self.open_wallet(&format!("elder-{}-{index}", self.run))?;
        match holder.get(&offer.offer, Some(&offer.transaction_code)).await {
            Err(refused) if refused.to_string().contains("pseudonym") => return Ok(None),
            got => got?,
        };
        let class = self.class(Evidence::Identity)?;
        let opened = holder.open_account(self.bank.id.as_str(), class, &mut agree).await;
        let account = match opened {
            Err(refused) if refused.to_string().contains("account.too_many") => return Ok(None),
            opened => opened?.account,
        };
        let shown = holder.enrol(programme.agency.as_str(), &programme.id, &mut agree).await?;
        let asked = [programme.needs.to_string(), programme.pseudonym_claim()];
        ensure!(
            shown.claims.len() == asked.len() && shown.claims.iter().all(|c| asked.contains(c)),
            "enrolling showed {:?}",
            shown.claims
        );
        Ok(Some(Elder { resident, holder, account }))
    }

    /// The agency's account, with enough in it for everybody.
    async fn fund_agency(&self, agency: &Institution, fund: Amount) -> Result<()> {
        let account = self.business_account(agency).await?.to_string();
        let url = format!("{}/agencies/{}/v1/desk/account", self.address(&agency.id), agency.id);
        let request = TakingsAccount { account: account.clone() };
        let desk = self.desk(&agency.id)?;
        let _: TakingsAccount = self.client.post(&url, Some(&desk), &request).await?;
        let bank = &agency.merchant.as_ref().context("the agency has no bank")?.bank;
        let request = Exchange {
            id: None,
            direction: ExchangeDirection::PaperToDigital,
            account: Some(account),
            amount_minor: fund.minor(),
        };
        let url = format!("{}/banks/{bank}/v1/desk/exchanges", self.address(bank));
        let _: Value = self.client.post(&url, Some(&self.desk(bank)?), &request).await?;
        Ok(())
    }

    /// One pensioner closes the account at a branch.
    async fn close_one(&self) -> Result<()> {
        let elder = self.elders.get(2).context("nobody enrolled")?;
        let bank = &self.bank.id;
        let url =
            format!("{}/banks/{bank}/v1/desk/accounts/{}/steps", self.address(bank), elder.account);
        let request = json!({"step": "close", "evidence": "ID card seen, form 2026-118"});
        let _: Value = self.officer("POST", &url, &self.desk(bank)?, "zhao", &request).await?;
        Ok(())
    }

    /// One pensioner dies, and an officer of the authority records it; no credential is issued after that.
    async fn bury_one(&self) -> Result<()> {
        let elder = self.elders.get(3).context("nobody enrolled")?;
        let authority = self.the(Role::IdentityAuthority)?;
        let base = format!("{}/authority/v1/officer", self.address(&authority.id));
        let desk = self.desk(&authority.id)?;
        let number = elder.resident.number.as_str();
        let death = json!({"resident_number": number, "evidence": "death certificate seen"});
        let revoked: Revoked =
            self.client.post(&format!("{base}/deaths"), Some(&desk), &death).await?;
        ensure!(revoked.revoked > 0, "a death revoked nothing");
        let again = json!({
            "resident_number": number, "evidence": "card", "credential": self.identity()?.id,
        });
        let url = format!("{base}/authentications");
        let refused: Result<Value, _> = self.client.post(&url, Some(&desk), &again).await;
        let refusal = refused.err().context("a credential was offered to the dead")?.to_string();
        ensure!(refusal.contains("resident.deceased"), "refused for another reason: {refusal}");
        Ok(())
    }

    async fn prepare_and_approve(
        &self,
        agency: &Institution,
        programme: &Programme,
    ) -> Result<String> {
        let base = format!("{}/agencies/{}/v1/desk", self.address(&agency.id), agency.id);
        let now = SystemClock::new().read().wall;
        let day = self.country.profile.utc_offsets.date_at(now).context("no calendar")?;
        let month = format!("{:04}-{:02}", day.year(), day.month());
        let url = format!("{base}/programmes/{}/months/{month}", programme.id);
        let desk = self.desk(&agency.id)?;
        let approver = self.data.keys(&agency.id)?.secret("approver")?;
        let prepared = self.officer("POST", &url, &desk, "li", &json!({})).await?;
        let prepared: EnvelopeReport = serde_json::from_value(prepared)?;
        let url = format!("{base}/envelopes/{}/approval", prepared.envelope);
        for (token, officer, why) in [
            (&approver, "li", "disbursement.same_officer"),
            (&desk, "wu", "request.unauthenticated"),
        ] {
            let refused = self.officer("POST", &url, token, officer, &json!({})).await;
            let refusal = refused.err().context("approved by two eyes")?.to_string();
            ensure!(refusal.contains(why), "refused for another reason: {refusal}");
        }
        self.officer("POST", &url, &approver, "wu", &json!({})).await?;
        Ok(prepared.envelope)
    }

    /// Has an envelope paid, and waits until that is done.
    async fn run_envelope(&self, agency: &Institution, envelope: &str) -> Result<EnvelopeReport> {
        let url = format!(
            "{}/agencies/{}/v1/desk/envelopes/{envelope}",
            self.address(&agency.id),
            agency.id
        );
        let desk = self.desk(&agency.id)?;
        self.officer("POST", &format!("{url}/runs"), &desk, "li", &json!({})).await?;
        for _ in 0..LOOK.1 {
            let report: EnvelopeReport = self.client.get(&url, Some(&desk)).await?;
            if !report.running {
                ensure!(report.stopped.is_none(), "the run stopped: {:?}", report.stopped);
                return Ok(report);
            }
            tokio::time::sleep(LOOK.0).await;
        }
        bail!("the run does not end")
    }

    /// The reasons are those that the story made, and nothing that was returned left the agency.
    async fn reasons(&self, agency: &Institution, envelope: &str) -> Result<()> {
        let url = format!(
            "{}/agencies/{}/v1/desk/envelopes/{envelope}/returns",
            self.address(&agency.id),
            agency.id
        );
        let returns: Vec<ReturnedPayment> =
            self.client.get(&url, Some(&self.desk(&agency.id)?)).await?;
        let mut reasons: Vec<&str> = returns.iter().map(|back| back.reason.as_str()).collect();
        reasons.sort_unstable();
        ensure!(reasons == ["account_closed", "identity_revoked"], "returned: {reasons:?}");
        Ok(())
    }

    /// The others have one month in their wallets, and see so at the agency.
    async fn paid_once(&mut self, programme: &Programme) -> Result<()> {
        for elder in self.elders.iter_mut().take(2) {
            let accounts = elder.holder.accounts().await?;
            let balance = accounts.first().context("no account")?.wallet.balance_minor;
            ensure!(balance == programme.monthly.minor(), "{balance} arrived");
            let benefits = elder.holder.benefits().await?;
            let payments = &benefits.first().context("not enrolled")?.file.payments;
            ensure!(payments.len() == 1 && payments.iter().all(|p| p.state == "paid"));
        }
        Ok(())
    }

    /// She whose account was closed opens another one elsewhere, and is paid there.
    async fn correct_and_reissue(
        &mut self,
        agency: &Institution,
        programme: &Programme,
        envelope: &str,
    ) -> Result<EnvelopeReport> {
        let class = self.class(Evidence::Identity)?;
        let other = self.other_bank.id.to_string();
        let elder = self.elders.get_mut(2).context("nobody enrolled")?;
        let opened = elder.holder.open_account(&other, class, &mut agree).await?;
        let (id, programme) = (agency.id.as_str(), programme.id.as_str());
        elder.holder.change_payout(id, programme, &opened.account).await?;
        let url = format!(
            "{}/agencies/{id}/v1/desk/envelopes/{envelope}/reissues",
            self.address(&agency.id)
        );
        let reissued =
            self.officer("POST", &url, &self.desk(&agency.id)?, "li", &json!({})).await?;
        let reissued: Reissued = serde_json::from_value(reissued)?;
        ensure!((reissued.reissued, reissued.waiting) == (1, 1), "reissued: {reissued:?}");
        self.run_envelope(agency, envelope).await
    }

    /// A desk's request with an officer's name.
    async fn officer(
        &self,
        method: &str,
        url: &str,
        token: &str,
        officer: &str,
        body: &Value,
    ) -> Result<Value> {
        let headers = [
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("operator".to_owned(), officer.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let sent = self.client.exchange(method, url, &headers, serde_json::to_vec(body)?).await?;
        let (status, _, answer) = sent;
        if (200..300).contains(&status) {
            return Ok(serde_json::from_slice(&answer)?);
        }
        let refused: ProblemBody = serde_json::from_slice(&answer)?;
        bail!("{}: {}", refused.code, refused.detail)
    }
}

fn agree(_: &Consent) -> bool {
    true
}
