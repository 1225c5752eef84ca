//! The steps about who somebody is: authenticated, given an identity, shown to a bank that was
//! checked first, looked up, revoked.

use super::report::Told;
use super::stage::STATUS_SECONDS;
use super::story::Story;
use crate::card::OnTable;
use crate::wallet::FromCard;
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use yufu_api::authority::{Authentication, IssuedCard, IssuedOffer, NewCard, Revocation, Revoked};
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
        Ok(Told::new(format!(
            "{residents} residents in {} households, {} institutions. Today's journey is that of one of them.",
            households.len(),
            profile.institutions.len(),
        )))
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
        let place = if card.is_on_reader() {
            "the virtual reader of this machine's card service"
        } else {
            "a reader in this process"
        };
        self.card = Some((card, issued.face_number));
        Ok(Told::new(format!(
            "An officer compares face and portrait, records it, and hands her a chip card: number, names, \
             address and portrait, signed under the country's own authority. She lays it on {place}."
        )))
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
        Ok(Told::new(format!(
            "With the digits on its face her wallet opens the card, reads and verifies it, and carries the \
             authority's challenge to the chip: only the true card can answer. She gets {} copies of the \
             identity credential, each bound to a key of its own, so that two uses cannot be linked. A \
             wrong number was refused; the same card in somebody else's hands gave a proof of age, no name.",
            received.count
        ))
        .learned("her wallet", received.claims))
    }

    pub(super) async fn open_account(&mut self) -> Result<Told> {
        let mut asked = Asked { language: self.language.clone(), ..Asked::default() };
        let bank = self.bank;
        let class = self.class(Evidence::Identity)?;
        let opened =
            self.wallet.open_account(bank.id.as_str(), class, &mut |c| asked.agree(c)).await?;
        ensure!(opened.shown.receipt, "the bank signed no receipt");
        Ok(Told::new(format!(
            "Her wallet checks {} before it shows anything: on the trust list, registered for \"{}\", \
             asking no more than that. She agrees; the bank checks her: issuer, key, status. An account \
             of class {class} is open, and both sides keep a receipt.",
            asked.party, asked.purpose
        )))
    }

    pub(super) async fn open_account_twice(&mut self) -> Result<Told> {
        tokio::time::sleep(LISTS_AGE).await;
        let mut agree = |_: &Consent| true;
        let class = self.class(Evidence::Identity)?;
        let refused = self.wallet.open_account(self.bank.id.as_str(), class, &mut agree).await;
        let refusal =
            refused.err().context("a second account of one class was opened")?.to_string();
        ensure!(refusal.contains("account.too_many"), "refused, but for another reason: {refusal}");
        Ok(Told::new(format!(
            "A second account of class {class} at the same bank is refused: one each."
        )))
    }

    pub(super) async fn who_read(&mut self) -> Result<Told> {
        let mut asked = Asked { language: self.language.clone(), ..Asked::default() };
        let who = self.wallet.who_read(&mut |c| asked.agree(c)).await?;
        ensure!(who.authority.len() >= 3, "only {} accesses were recorded", who.authority.len());
        let looks: usize = who.banks.iter().map(|bank| bank.accesses.len()).sum();
        ensure!(looks >= 1, "the report's own look into the bank's file was not recorded");
        let authority = who.authority.iter().map(|a| {
            let fields = a.fields.join(" ");
            let what = if fields.is_empty() { "this list" } else { &fields };
            format!("{}: {} ({}): {what}", asked.party, a.actor, a.role)
        });
        let banks = who.banks.iter().flat_map(|bank| {
            bank.accesses.iter().map(|a| format!("{}: {} ({})", bank.bank, a.actor, a.purpose))
        });
        Ok(Told::new(format!(
            "Her wallet shows {} her number, registered for \"{}\", and gets the list of who read her \
             record: {} entries, each written in the same transaction as the read, this one too. Her bank \
             tells her account's key who looked into her file: {looks}.",
            asked.party,
            asked.purpose,
            who.authority.len()
        ))
        .learned("she", authority.chain(banks).collect::<Vec<_>>()))
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
        Ok(Told::new(format!(
            "She loses her phone; the officer revokes all {} copies. Whoever finds it tries to open an \
             account at {} in her name: the status list says no.",
            revoked.revoked,
            self.tell(&self.other_bank.name)
        )))
    }
}

/// Another code of as many digits.
fn another_code(code: &str) -> String {
    let zeros = "0".repeat(code.len());
    if code == zeros { "1".repeat(code.len()) } else { zeros }
}
