//! The step of a parent and a child: the child alone is refused, the parent opens for her.

use super::name::{paper_of, the_childs_wallet, the_publics_paper, vault_of};
use super::people_words;
use super::report::Told;
use super::story::Story;
use crate::wallet::{Bill, Got, Holder, Paid, Wanted};
use anyhow::{Context, Result, ensure};
use yufu_api::authority::{NewGuardianship, RecordedGuardianship};
use yufu_api::bank::{Exchange, ExchangeDirection};
use yufu_profile::{Evidence, Relation, Resident, Role};
use yufu_wallet::presentation::Consent;

/// The id of the credential in the profile.
const GUARDIANSHIP: &str = "guardianship";

impl<'a> Story<'a> {
    pub(super) async fn guardian(&mut self) -> Result<Told> {
        if self.country.profile.credential(GUARDIANSHIP).is_none() {
            return Ok(Told::new(people_words::no_guardians()));
        }
        let (parent, child) = self.parent_and_child()?;
        let (bank, class) = (self.bank, self.class(Evidence::Identity)?.to_owned());
        let mut agree = |_: &Consent| true;
        let mut alone = self.open_wallet(&format!("child-{}", self.run))?;
        self.identify(&mut alone, child).await?;
        let refused = alone.open_account(bank.id.as_str(), &class, &mut agree).await;
        let refusal = refused.err().context("a child opened an account alone")?.to_string();
        ensure!(refusal.contains("account.guardian_needed"), "for another reason: {refusal}");

        let mut wallet = self.open_wallet(&format!("parent-{}", self.run))?;
        self.identify(&mut wallet, parent).await?;
        let authority = self.the(Role::IdentityAuthority)?;
        let url = format!("{}/authority/v1/officer/guardianships", self.address(&authority.id));
        let request = NewGuardianship {
            guardian_number: parent.number.as_str().to_owned(),
            ward_number: child.number.as_str().to_owned(),
            evidence: "birth certificate and both cards seen".to_owned(),
        };
        let desk = self.desk(&authority.id)?;
        let offered: RecordedGuardianship = self.client.post(&url, Some(&desk), &request).await?;
        wallet.get(&offered.offer, Some(&offered.transaction_code)).await?;
        let opened = wallet.open_for_ward(bank.id.as_str(), &class, None, &mut agree).await?;
        ensure!(opened.shown.receipt, "the bank signed no receipt");

        let amount = self.major(50);
        let exchange = Exchange {
            id: None,
            direction: ExchangeDirection::PaperToDigital,
            account: Some(opened.account.clone()),
            amount_minor: amount.minor(),
        };
        let url = format!("{}/banks/{}/v1/desk/exchanges", self.address(&bank.id), bank.id);
        let desk = self.desk(&bank.id)?;
        let _: yufu_api::CommandDone = self.client.post(&url, Some(&desk), &exchange).await?;
        let (payee, price) = (self.merchant_account().await?, self.major(12));
        let id = wallet.fresh_order_id();
        let bill = Bill { payee, payee_name: "Noodles".to_owned(), amount: price, id };
        ensure!(matches!(wallet.pay(&bill).await?, Paid::Done(_)), "the guardian could not pay");

        let name = self.tell(&bank.name);
        let (years, majority) = (self.years(child), self.country.profile.majority);
        Ok(Told::new(people_words::guarded(years, majority))
            .moved(the_publics_paper(), paper_of(name), amount)
            .moved(vault_of(name), the_childs_wallet(), amount)
            .moved(the_childs_wallet(), self.tell(&self.merchant.name), price))
    }

    /// A child too young to open a wallet alone, and the head of her household.
    fn parent_and_child(&self) -> Result<(&'a Resident, &'a Resident)> {
        let country = self.country;
        let alone = i16::from(country.profile.account_age);
        let children: Vec<&Resident> = country
            .residents
            .iter()
            .filter(|r| r.relation == Relation::Child && self.years(r) < alone)
            .collect();
        let index = self.run.checked_rem(children.len()).context("the city has no child")?;
        let child = children.get(index).copied().context("the city has no child")?;
        let same =
            |r: &&Resident| r.household_id == child.household_id && r.relation == Relation::Head;
        let parent = country.residents.iter().find(same).context("a child has no parent")?;
        Ok((parent, child))
    }

    /// An identity into a wallet that is not the person's first, as an officer gives it: pseudonyms stay
    /// with the wallet whose secret they come from, so this one has the identity without them.
    pub(super) async fn identify(&self, wallet: &mut Holder, person: &Resident) -> Result<()> {
        let issued = self.authenticated(person).await?;
        let code = Some(issued.transaction_code.as_str());
        // A wallet provider's wallet is an attested one, where the country issues to those.
        if let Some(offer) = issued.haip_offer.as_ref().filter(|_| wallet.provider().is_some()) {
            let wanted = Wanted { pseudonyms: false, ..Wanted::default() };
            let got = wallet.get_attested(offer, code, wanted).await?;
            ensure!(matches!(got, Got::Received(_)), "an identity waits for nobody: {got:?}");
            return Ok(());
        }
        wallet.get_without_pseudonyms(&issued.offer, code).await?;
        Ok(())
    }
}
