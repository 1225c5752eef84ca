//! The step of somebody from the neighbouring country: recognised here, by what her own country's trust
//! list and this one's say of each other.

use super::name::the_visitor;
use super::neighbour::Neighbour;
use super::people_words;
use super::report::Told;
use super::story::Story;
use crate::wallet::{Holder, Passphrase};
use anyhow::{Context, Result, ensure};
use yufu_api::authority::{Authentication, IssuedOffer};
use yufu_api::bank::ExchangeDirection;
use yufu_api::relying_party::{CheckIn, CheckInRequest, CheckInState};
use yufu_profile::{Evidence, Role};
use yufu_wallet::presentation::Consent;

impl Story<'_> {
    pub(super) async fn visitor(&mut self) -> Result<Told> {
        let neighbour = self.neighbour.context("no neighbouring country runs")?;
        let mut visitor = self.identified_there(neighbour).await?;
        let here = &self.country.profile;
        visitor.go_abroad(&here.country).await?;
        let mut agree = |_: &Consent| true;
        let class = self.class(Evidence::Identity)?;
        let opened = visitor.open_account(self.bank.id.as_str(), class, &mut agree).await?;
        let cash = self.major(2_000);
        let account = opened.account.parse()?;
        self.exchange_at(self.bank, ExchangeDirection::PaperToDigital, account, cash).await?;
        visitor.get_payment_credential().await?;
        let hotel = self.the(Role::Hotel)?;
        let amount = self.major(760);
        let desk = self.desk(&hotel.id)?;
        let url = format!("{}/parties/{}/v1/desk/check-ins", self.address(&hotel.id), hotel.id);
        let room = here.city.story.room.clone();
        let request =
            CheckInRequest { room, nights: 1, amount_minor: amount.minor(), return_to: None };
        let begun: CheckIn = self.client.post(&url, Some(&desk), &request).await?;
        let shown = visitor.present(&begun.authorization_request, &mut agree).await?;
        ensure!(shown.receipt, "the hotel signed no receipt");
        let url = format!("{url}/{}", begun.check_in);
        let state: CheckInState = self.client.get(&url, Some(&desk)).await?;
        ensure!(state.state == "checked_in", "the check-in is {}", state.state);
        let (there, bank) =
            (self.tell(&neighbour.country.profile.name), self.tell(&self.bank.name));
        Ok(Told::new(people_words::visited(there, bank)).moved(
            the_visitor(),
            self.tell(&hotel.name),
            amount,
        ))
    }

    /// A resident of the neighbouring country with an identity in her wallet.
    async fn identified_there(&self, neighbour: &Neighbour) -> Result<Holder> {
        let profile = &neighbour.country.profile;
        let adults = self.adults_of(&neighbour.country);
        let index = self.run.checked_rem(adults.len()).context("nobody there is adult")?;
        let resident = adults.get(index).context("nobody there is adult")?;
        let request = Authentication {
            resident_number: resident.number.as_str().to_owned(),
            evidence: "card and portrait compared at the counter".to_owned(),
            credential: profile.identity().context("no identity credential there")?.id.clone(),
        };
        let authority = neighbour.the(Role::IdentityAuthority)?;
        let url = format!("{}/authority/v1/officer/authentications", neighbour.url);
        let desk = neighbour.data.keys(&authority.id)?.secret("desk")?;
        let issued: IssuedOffer = self.client.post(&url, Some(&desk), &request).await?;
        let (folder, name) = (neighbour.data.wallets()?, format!("visitor-{}", self.run));
        let phrase = Passphrase::of_the_demo();
        let mut visitor =
            Holder::open(&folder, &name, &phrase, &neighbour.url, neighbour.trust_key)?;
        visitor.speak(&self.language);
        visitor.get(&issued.offer, Some(&issued.transaction_code)).await?;
        Ok(visitor)
    }
}
