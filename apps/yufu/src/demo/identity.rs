//! The steps about who somebody is: authenticated, given an identity, shown to a bank that was
//! checked first, looked up, revoked.

use super::identity_words;
use super::name::{Name, her_wallet, she};
use super::report::Told;
use super::stage::STATUS_SECONDS;
use super::story::Story;
use super::wallet_words::{this_list, this_report};
use crate::card::OnTable;
use crate::wallet::{FromCard, field_named, reader, reason};
use crate::words::{colon, comma};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use yufu_api::authority::{
    AccessEntry, Authentication, IssuedCard, IssuedOffer, NewCard, Revocation, Revoked,
};
use yufu_api::looking::FileAccess;
use yufu_card::{Access, CardError, Chip, Contents};
use yufu_jose::decode_base64url;
use yufu_profile::{Evidence, Resident, Role};
use yufu_wallet::presentation::Consent;

/// After how long the lists that were at hand before a revocation are used no more.
const LISTS_AGE: Duration = Duration::from_millis(1_000 * STATUS_SECONDS + 100);

/// What is asked of her, on its way to the report.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) language: String,
    pub(super) party: String,
    pub(super) purpose: String,
}

impl Asked {
    pub(super) fn agree(&mut self, consent: &Consent) -> bool {
        self.party = consent.party.get(&self.language).to_owned();
        self.purpose = consent.purpose.get(&self.language).to_owned();
        true
    }
}

impl Story<'_> {
    pub(super) fn city(&self) -> Result<Told> {
        let profile = &self.country.profile;
        let residents = self.country.residents.len();
        let mut households: Vec<u32> =
            self.country.residents.iter().map(|r| r.household_id).collect();
        households.sort_unstable();
        households.dedup();
        Ok(Told::new(identity_words::city(residents, households.len(), profile.institutions.len())))
    }

    pub(super) async fn authenticate(&mut self) -> Result<Told> {
        let authority = self.the(Role::IdentityAuthority)?;
        let request = NewCard {
            resident_number: self.resident.number.as_str().to_owned(),
            evidence: "face and portrait compared at the counter".to_owned(),
            in_person: true,
        };
        let url = format!("{}/authority/v1/officer/cards", self.address(&authority.id));
        let desk = self.desk(&authority.id)?;
        let issued: IssuedCard = self.client.post(&url, Some(&desk), &request).await?;
        let contents = decode_base64url(&issued.chip)?;
        self.data.cards()?.replace(&format!("resident-{}", self.run), "card", &contents)?;
        let card = OnTable::lay(Chip::new(Contents::from_bytes(&contents)?));
        let told = Told::new(identity_words::card_given(card.is_on_reader()));
        self.card = Some((card, issued.face_number));
        Ok(told)
    }

    /// An officer compares somebody's card with who stands there, and offers the identity.
    pub(super) async fn authenticated(&self, resident: &Resident) -> Result<IssuedOffer> {
        let authority = self.the(Role::IdentityAuthority)?;
        let request = Authentication {
            resident_number: resident.number.as_str().to_owned(),
            evidence: "card and portrait compared at the counter".to_owned(),
            credential: self.identity()?.id.clone(),
        };
        let base = self.address(&authority.id);
        let url = format!("{base}/authority/v1/officer/authentications");
        Ok(self.client.post(&url, Some(&self.desk(&authority.id)?), &request).await?)
    }

    pub(super) async fn get_identity(&mut self) -> Result<Told> {
        let (mut card, number) = self.card.take().context("there is no card")?;
        let wrong = Access::can(&another_code(&number))?;
        let refused = self.wallet.derive(&mut card, wrong, true).await.err();
        let refused = refused.context("the card opened with a wrong number")?;
        ensure!(
            matches!(refused.downcast_ref(), Some(CardError::AccessDenied)),
            "refused, but for another reason: {refused}"
        );
        let FromCard { received, assurance, .. } =
            self.wallet.derive(&mut card, Access::can(&number)?, true).await?;
        ensure!(assurance == "full", "an officer's check led to {assurance}");
        let mut finder = self.open_wallet(&format!("finder-{}", self.run))?;
        let found = finder.derive(&mut card, Access::can(&number)?, true).await?;
        ensure!(found.assurance == "light", "a card alone led to {}", found.assurance);
        Ok(Told::new(identity_words::identity(received.count))
            .learned(her_wallet(), self.attributes(&received.claims)))
    }

    pub(super) async fn open_account(&mut self) -> Result<Told> {
        let mut asked = Asked { language: self.language.clone(), ..Asked::default() };
        let bank = self.bank;
        let class = self.class(Evidence::Identity)?;
        let opened =
            self.wallet.open_account(bank.id.as_str(), class, &mut |c| asked.agree(c)).await?;
        ensure!(opened.shown.receipt, "the bank signed no receipt");
        Ok(Told::new(identity_words::opened(&asked.party, &asked.purpose, class)))
    }

    pub(super) async fn open_account_twice(&mut self) -> Result<Told> {
        tokio::time::sleep(LISTS_AGE).await;
        let mut agree = |_: &Consent| true;
        let class = self.class(Evidence::Identity)?;
        let refused = self.wallet.open_account(self.bank.id.as_str(), class, &mut agree).await;
        let refusal =
            refused.err().context("a second account of one class was opened")?.to_string();
        ensure!(refusal.contains("account.too_many"), "refused, but for another reason: {refusal}");
        Ok(Told::new(identity_words::one_each(class)))
    }

    pub(super) async fn who_read(&mut self) -> Result<Told> {
        let mut asked = Asked { language: self.language.clone(), ..Asked::default() };
        let who = self.wallet.who_read(&mut |c| asked.agree(c)).await?;
        ensure!(who.authority.len() >= 3, "only {} accesses were recorded", who.authority.len());
        let looks: usize = who.banks.iter().map(|bank| bank.accesses.len()).sum();
        ensure!(looks >= 1, "the report's own look into the bank's file was not recorded");
        let authority = who.authority.iter().map(|access| read(&asked.party, access));
        let institutions = &self.country.profile.institutions;
        let banks = who.banks.iter().flat_map(|bank| {
            let known = institutions.iter().find(|(id, _)| id.as_str() == bank.bank);
            let name = known.map_or(bank.bank.as_str(), |(_, known)| self.tell(&known.name));
            bank.accesses.iter().map(move |access| looked((&bank.bank, name), access))
        });
        let (party, purpose, entries) = (&asked.party, &asked.purpose, who.authority.len());
        Ok(Told::new(identity_words::who_read(party, purpose, entries, looks))
            .learned(she(), authority.chain(banks)))
    }

    pub(super) async fn revoke(&mut self) -> Result<Told> {
        let authority = self.the(Role::IdentityAuthority)?;
        let url = format!("{}/authority/v1/officer/revocations", self.address(&authority.id));
        let request = Revocation {
            resident_number: self.resident.number.as_str().to_owned(),
            reason: "phone reported lost".to_owned(),
        };
        let desk = self.desk(&authority.id)?;
        let revoked: Revoked = self.client.post(&url, Some(&desk), &request).await?;
        // No longer do verifiers here rely on the lists that they have at hand.
        tokio::time::sleep(LISTS_AGE).await;
        let mut agree = |_: &Consent| true;
        let class = self.class(Evidence::Identity)?;
        let refused =
            self.wallet.open_account(self.other_bank.id.as_str(), class, &mut agree).await;
        let refusal = refused.err().context("a revoked identity opened an account")?.to_string();
        ensure!(
            refusal.contains("credential.revoked"),
            "refused, but for another reason: {refusal}"
        );
        let bank = self.tell(&self.other_bank.name);
        Ok(Told::new(identity_words::revoked(revoked.revoked, bank)))
    }
}

/// Who read her record, and what of it.
fn read(party: &str, access: &AccessEntry) -> Name {
    let fields = access.fields.join(" ");
    let what = if fields.is_empty() { "this list" } else { &fields };
    let reported = format!("{party}: {} ({}): {what}", access.actor, access.role);
    let fields: Vec<String> = access.fields.iter().map(|field| field_named(field)).collect();
    let what = if fields.is_empty() { this_list() } else { fields.join(&comma()) };
    let told = [party, &reader(&access.actor, &access.role), &what].join(&colon());
    Name::new(reported, told)
}

/// Who looked into her file, and what for.
fn looked((id, bank): (&str, &str), access: &FileAccess) -> Name {
    let reported = format!("{id}: {} ({})", access.actor, access.purpose);
    let why = match access.purpose.as_str() {
        // What the report itself asked for.
        "report" => this_report(),
        other => reason(other),
    };
    let told = [bank, &reader(&access.actor, ""), &why].join(&colon());
    Name::new(reported, told)
}

/// Another code of as many digits.
fn another_code(code: &str) -> String {
    let zeros = "0".repeat(code.len());
    if code == zeros { "1".repeat(code.len()) } else { zeros }
}
