//! The journey: its people, and how its steps are played.

use super::learned::Observer;
use super::neighbour::Neighbour;
use super::pension::Elder;
use super::platform::Platform;
use super::purse::Purse;
use super::report::{StepReport, Told};
use super::speed::Speed;
use super::step::Step;
use super::synergy::Synergy;
use crate::card::OnTable;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::wallet::{Bill, Holder, Passphrase};
use anyhow::{Context, Result};
use yufu_api::central_bank::SupplyReport;
use yufu_api::http::{AnswerTimes, Client};
use yufu_base::{AccountId, Amount, InstitutionId, PublicKey, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_profile::{ClaimSource, CredentialType, Evidence, Institution, Resident, Role, Text};
use yufu_trust::TrustList;

/// The people and places of one journey.
pub(super) struct Story<'a> {
    pub(super) country: &'a Country,
    pub(super) data: &'a DataFolder,
    /// Where wallets get the trust list, and the list: it says where everybody is.
    pub(super) url: String,
    pub(super) list: TrustList,
    /// The language of names.
    pub(super) language: String,
    pub(super) client: Client,
    /// How long the institutions took to answer the people of the journey.
    times: AnswerTimes,
    pub(super) trust_key: PublicKey,
    /// The ticket that she travels with.
    pub(super) train: Option<String>,
    /// Which run this is on the data folder.
    pub(super) run: usize,
    /// Who plays it: another adult at every run.
    pub(super) resident: &'a Resident,
    pub(super) wallet: Holder,
    /// Her bank, another bank, and a shop with an account at the other.
    pub(super) bank: &'a Institution,
    pub(super) other_bank: &'a Institution,
    pub(super) merchant: &'a Institution,
    pub(super) merchant_account: Option<AccountId>,
    /// Her card, where it lies, and the number on its face.
    pub(super) card: Option<(OnTable, String)>,
    pub(super) noodles: Option<Bill>,
    pub(super) bicycle: Option<(Bill, String)>,
    pub(super) purse: Option<Purse>,
    /// Older residents, once they enrolled.
    pub(super) elders: Vec<Elder<'a>>,
    pub(super) platform: Option<Platform<'a>>,
    /// The country beside this one, if one runs.
    pub(super) neighbour: Option<&'a Neighbour>,
    pub(super) observer: Observer,
    /// What the parts are worth together, once it was measured.
    pub(super) synergy: Option<Synergy>,
}

impl<'a> Story<'a> {
    pub(super) fn new(
        country: &'a Country,
        data: &'a DataFolder,
        (url, language): (&str, &str),
        trust_key: PublicKey,
        list: TrustList,
    ) -> Result<Self> {
        let profile = &country.profile;
        let run = data.next_run()?;
        let now = SystemClock::new().read().wall;
        let adults = adults(country, now);
        let index = run.checked_rem(adults.len()).context("the city has no adult resident")?;
        let resident = adults.get(index).copied().context("the city has no adult resident")?;
        let mut banks = profile.institutions_of(Role::CommercialBank);
        let bank = banks.next().context("the profile has no commercial bank")?;
        let other_bank = banks.next().unwrap_or(bank);
        let merchant = profile.institutions_of(Role::Merchant).next();
        let times = AnswerTimes::default();
        let wallet = wallet(data, &format!("resident-{run}"), url, trust_key)?;
        let mut wallet = wallet.timed(times.clone());
        wallet.know(&list);
        wallet.speak(language);
        Ok(Self {
            country,
            data,
            url: url.to_owned(),
            language: language.to_owned(),
            list,
            client: Client::new()?.timed(times.clone()),
            times,
            trust_key,
            train: None,
            run,
            resident,
            wallet,
            bank,
            other_bank,
            merchant: merchant.context("the profile has no merchant")?,
            merchant_account: None,
            card: None,
            noodles: None,
            bicycle: None,
            purse: None,
            elders: Vec::new(),
            platform: None,
            neighbour: None,
            observer: Observer::new(profile.institutions.values(), |id| data.of(id))?,
            synergy: None,
        })
    }

    /// Plays all steps; the first that fails is the last.
    pub(super) async fn play(
        &mut self,
        speed: &mut Speed,
        mut told: impl FnMut(usize, &StepReport),
    ) -> Vec<StepReport> {
        let mut reports = Vec::new();
        let alone = self.neighbour.is_none();
        let steps = Step::ALL.into_iter().filter(|step| !(alone && *step == Step::Visitor));
        for (index, step) in steps.enumerate() {
            #[expect(clippy::disallowed_methods, reason = "a measurement of how long a step took")]
            let started = std::time::Instant::now();
            let outcome = Box::pin(self.act(step)).await;
            let took = started.elapsed();
            speed.step(step.id_and_actor().0, took, self.times.take());
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let outcome = match outcome {
                Ok(mut told) => self.observe(&mut told).await.map(|()| told),
                Err(error) => Err(error),
            };
            let report = StepReport::new(step.id_and_actor(), ms, outcome);
            let ok = report.ok;
            told(index.saturating_add(1), &report);
            reports.push(report);
            if !ok {
                break;
            }
        }
        reports
    }

    async fn act(&mut self, step: Step) -> Result<Told> {
        match step {
            Step::Profile => self.city(),
            Step::Issue => self.issue_money().await,
            Step::Authenticate => self.authenticate().await,
            Step::Pid => self.get_identity().await,
            Step::OpenAccount => self.open_account().await,
            Step::Twice => self.open_account_twice().await,
            Step::CashIn => self.cash_in().await,
            Step::DrawDeposit => self.draw_deposit().await,
            Step::Pay => self.pay().await,
            Step::Repeat => self.pay_again().await,
            Step::Limit => self.pay_above_limit().await,
            Step::Confirm => self.step_up().await,
            Step::Purse => self.open_purse().await,
            Step::WithdrawCash => self.withdraw_cash().await,
            Step::Noodles => self.noodles().await,
            Step::Allowance => self.get_allowance().await,
            Step::TopUp => self.top_up().await,
            Step::PurseLimit => self.bicycle_from_purse().await,
            Step::CounterWallet => self.counter_wallet().await,
            Step::Guardian => self.guardian().await,
            Step::PaymentCredential => self.payment_credential().await,
            Step::Hotel => self.hotel().await,
            Step::Ticket => self.ticket().await,
            Step::Gate => self.gate().await,
            Step::Refund => self.refund().await,
            Step::EnrolPension => self.enrol_pension().await,
            Step::Pension => self.pension().await,
            Step::CashOut => self.cash_out().await,
            Step::MerchantRedeems => self.merchant_redeems().await,
            Step::Platform => self.platform().await,
            Step::SwitchPlatform => self.switch_platform().await,
            Step::WhoRead => self.who_read().await,
            Step::History => self.history(),
            Step::SparePhone => self.spare_phone().await,
            Step::Visitor => self.visitor().await,
            Step::Revoke => self.revoke().await,
            Step::Recover => self.recover_account().await,
            Step::Synergy => Box::pin(self.synergy()).await,
            Step::Audit => self.audit(),
        }
    }

    /// How many years somebody has completed today.
    pub(super) fn years(&self, person: &Resident) -> i16 {
        let today = self.country.profile.utc_offsets.date_at(SystemClock::new().read().wall);
        today.map_or(0, |today| {
            (0..=130).take_while(|years| person.is_over(*years, today)).last().map_or(0, i16::from)
        })
    }

    /// An amount in units of the story's prices: the city's data say what one is.
    pub(super) fn major(&self, units: u64) -> Amount {
        let unit = self.country.profile.city.story.price_unit;
        Amount::new(self.country.profile.currency.code, units.saturating_mul(unit))
    }

    /// Who may open an account alone in another country.
    pub(super) fn adults_of<'c>(&self, country: &'c Country) -> Vec<&'c Resident> {
        adults(country, SystemClock::new().read().wall)
    }

    /// A text in the language asked for.
    pub(super) fn tell<'t>(&self, text: &'t Text) -> &'t str {
        text.get(&self.language)
    }

    /// An institution's name; its id, if the profile has none of it.
    pub(super) fn named<'i>(&self, id: &'i InstitutionId) -> &'i str
    where
        'a: 'i,
    {
        let found = self.country.profile.institutions.get(id);
        found.map_or(id.as_str(), |institution| institution.name.get(&self.language))
    }

    /// The first wallet class that this evidence opens, by name.
    pub(super) fn class(&self, evidence: Evidence) -> Result<&'a str> {
        let class = self.country.profile.class_by(evidence);
        let class = class.with_context(|| format!("the profile has no class for {evidence:?}"))?;
        Ok(&class.name)
    }

    /// The credential that says who somebody is.
    pub(super) fn identity(&self) -> Result<&'a CredentialType> {
        self.country.profile.identity().context("the profile has no identity credential")
    }

    /// An amount for a person to read.
    pub(super) fn words(&self, amount: Amount) -> String {
        let currency = &self.country.profile.currency;
        format!("{}{}", currency.sign, super::report::major(amount.minor(), currency.decimals))
    }

    /// Who may open an account alone.
    pub(super) fn adults(&self) -> Vec<&'a Resident> {
        adults(self.country, SystemClock::new().read().wall)
    }

    /// Under which address an institution is reached, without a slash at the end.
    pub(super) fn address(&self, institution: &InstitutionId) -> &str {
        self.list.address(institution.as_str()).unwrap_or(&self.url)
    }

    /// How much money there is, and where.
    pub(super) async fn supply(&self) -> Result<SupplyReport> {
        let central_bank = self.address(&self.the(Role::CentralBank)?.id);
        Ok(self.client.get(&format!("{central_bank}/central-bank/v1/supply"), None).await?)
    }

    /// Opens somebody's wallet (or makes it). It is theirs alone until it is dropped.
    pub(super) fn open_wallet(&self, name: &str) -> Result<Holder> {
        let wallet = wallet(self.data, name, &self.url, self.trust_key)?;
        let mut wallet = wallet.timed(self.times.clone());
        wallet.know(&self.list);
        Ok(wallet)
    }

    /// The token of an institution's desk: the demo plays its staff.
    pub(super) fn desk(&self, id: &InstitutionId) -> Result<String> {
        Ok(self.data.keys(id)?.secret("desk")?)
    }

    pub(super) fn the(&self, role: Role) -> Result<&'a Institution> {
        let found = self.country.profile.institutions_of(role).next();
        found.with_context(|| format!("the profile has no {}", role.word()))
    }
}

/// A wallet under the passphrase that the demo states to everybody.
fn wallet(data: &DataFolder, name: &str, url: &str, trust_key: PublicKey) -> Result<Holder> {
    Holder::open(&data.wallets()?, name, &Passphrase::of_the_demo(), url, trust_key)
}

/// Who may open an account alone, in the order of the register; without those whom the programme is for, who play
/// steps of their own, with wallets of their own.
fn adults(country: &Country, now: Timestamp) -> Vec<&Resident> {
    let profile = &country.profile;
    let claims = || profile.identity().into_iter().flat_map(|identity| &identity.claims);
    // The one that is played.
    let programmes = profile.programmes.iter().take(1);
    let needs = programmes.flat_map(|programme| claims().filter(|c| c.path == programme.needs));
    let pensionable = needs.filter_map(|claim| match claim.source {
        ClaimSource::AgeOver(years) => Some(years),
        _ => None,
    });
    let pensionable = pensionable.min().unwrap_or(u8::MAX);
    let plays = |resident: &&Resident| {
        is_over(resident, profile.majority, now) && !is_over(resident, pensionable, now)
    };
    country.residents.iter().filter(plays).collect()
}

/// Whether somebody has completed so many years, whatever the day is.
fn is_over(resident: &Resident, years: u8, now: Timestamp) -> bool {
    let days_per_year = 366_u64;
    let born =
        resident.birth_date.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp().as_second());
    let seconds = u64::from(years).saturating_mul(days_per_year).saturating_mul(86_400);
    let latest = i64::try_from(now.seconds().saturating_sub(seconds)).unwrap_or(0);
    born.is_ok_and(|born| born <= latest)
}
