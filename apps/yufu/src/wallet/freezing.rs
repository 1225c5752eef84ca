//! Loss and theft. While the wallet is at hand it leaves a key at each institution, and writes a sheet; whoever holds
//! the sheet freezes everything in one step, from anywhere. What was frozen is freed by the identity, never by the sheet.

use super::contents::{StoredAccount, StoredProgramme};
use super::file::write_new;
use super::freeze_sheet::{FreezePlace, FreezeSheet, PlaceKind};
use super::history::Event;
use super::holder::{Decide, Holder};
use super::recovering::Recovered;
use crate::words::text;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::Path;
use tokio::task::JoinSet;
use yufu_api::bank::AccountState;
use yufu_api::freezing::{FreezeHandle, FreezeHandleKept, Frozen, Remains};
use yufu_api::http::ClientError;
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::random_text;
use yufu_openid4vc::presentation::KeyChangeOf;
use yufu_payment::RequestToken;

/// The code of what is asked of an account that its holder had frozen.
const FROZEN: &str = "account.frozen_by_holder";
/// The code of what is asked of a membership that its holder had frozen.
const MEMBERSHIP_FROZEN: &str = "membership.frozen";
/// The code of an account that is in nobody's name.
const NO_CUSTOMER: &str = "account.no_customer";

/// A sheet that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetWritten {
    /// The institutions that it is good at, each as often as keys were left there.
    pub institutions: Vec<String>,
    /// Accounts that are not on it, as nobody's name is behind them.
    pub left_out: Vec<String>,
    /// Accounts abroad and memberships that are not on it, as no key could be left: of whom, and why.
    pub unreached: Vec<(String, String)>,
}

/// What became of freezing at one institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeOutcome {
    /// The institution.
    pub institution: String,
    /// Why it is not frozen there, if it is not.
    pub fault: Option<String>,
    /// What the institution knows of that it cannot freeze.
    pub remains: Vec<Remains>,
}

impl Holder {
    /// Leaves the keys that are still to be left, and writes the sheet to a file that does not exist yet.
    ///
    /// # Errors
    /// If an institution does not answer, or the file cannot be written.
    pub async fn write_sheet(&mut self, to: &Path) -> Result<SheetWritten> {
        let here = self.country();
        self.act_in(None).await?;
        self.find_institutions().await?;
        let (mut left_out, mut unreached) = (Vec::new(), Vec::new());
        for country in self.account_countries() {
            if let Err(error) = self.act_in(country.as_deref()).await {
                unreached.push((country.unwrap_or_default(), format!("{error:#}")));
                continue;
            }
            let accounts: Vec<StoredAccount> = self.accounts_here().cloned().collect();
            for account in accounts {
                if !self.leave_at_bank(&account).await? {
                    left_out.push(account.account);
                }
            }
        }
        self.act_in(None).await?;
        for programme in self.file.contents.programmes.clone() {
            if let Err(error) = self.leave_at_agency(&programme).await {
                unreached.push((programme.agency, format!("{error:#}")));
            }
        }
        self.leave_at_provider().await?;
        self.act_in(here.as_deref()).await?;
        let sheet = self.file.contents.guard()?.sheet();
        ensure!(
            !sheet.places.is_empty(),
            text!("there is nothing to freeze yet: get your identity or open an account first")
        );
        write_new(to, &serde_json::to_vec_pretty(&sheet)?)?;
        self.note(Event::SheetWritten)?;
        let institutions = sheet.places.into_iter().map(|place| place.institution).collect();
        Ok(SheetWritten { institutions, left_out, unreached })
    }

    /// Keeps another wallet's sheet here, so that this one can freeze it. An older one of the same wallet goes.
    ///
    /// # Errors
    /// If it is no sheet.
    pub fn keep_sheet(&mut self, bytes: &[u8]) -> Result<usize> {
        let sheet = FreezeSheet::read(bytes)?;
        let places = sheet.places.len();
        self.file.contents.sheets.retain(|known| !known.is_of(&sheet));
        self.file.contents.sheets.push(sheet);
        self.file.save()?;
        Ok(places)
    }

    /// Freezes everything that a sheet names, or the sheets that are kept here: all institutions are asked at once.
    /// Again is harmless.
    ///
    /// # Errors
    /// If it is no sheet, or none is here.
    pub async fn freeze(&mut self, sheet: Option<&[u8]>) -> Result<Vec<FreezeOutcome>> {
        let sheets = match sheet {
            Some(bytes) => vec![FreezeSheet::read(bytes)?],
            None => self.file.contents.sheets.clone(),
        };
        ensure!(
            !sheets.is_empty(),
            text!("no sheet of another wallet is kept here: name the file with --sheet")
        );
        let here = self.country();
        let all =
            sheets.iter().flat_map(|sheet| sheet.places.iter().map(move |place| (sheet, place)));
        let all: Vec<(&FreezeSheet, &FreezePlace)> = all.collect();
        // At home first: nothing there waits for what is abroad.
        let countries: BTreeSet<Option<&str>> =
            all.iter().map(|(_, place)| place.country.as_deref()).collect();
        let (mut asked, mut outcomes) = (JoinSet::new(), Vec::new());
        for country in countries {
            let reached = self.act_in(country).await;
            let there = all.iter().filter(|(_, place)| place.country.as_deref() == country);
            for (sheet, place) in there {
                if let Err(error) = &reached {
                    outcomes.push(FreezeOutcome::not(place, self.told(error)));
                    continue;
                }
                let (client, place) = (self.client.clone(), (*place).clone());
                let url = format!("{}{}", self.address(&place.institution), place.path());
                let token = self.freeze_token(&sheet.key(&place)?, &place)?;
                asked.spawn(async move {
                    let empty = serde_json::json!({});
                    let answer: Result<Frozen, ClientError> =
                        client.post(&url, Some(&token), &empty).await;
                    (place, answer)
                });
            }
        }
        let told = |answer: Result<Frozen, ClientError>| answer.map_err(|e| self.told(&e.into()));
        let answers = asked.join_all().await.into_iter();
        outcomes.extend(answers.map(|(place, answer)| FreezeOutcome::of(&place, told(answer))));
        self.act_in(here.as_deref()).await?;
        outcomes.sort_by(|one, other| one.institution.cmp(&other.institution));
        let frozen = outcomes.iter().filter(|one| one.fault.is_none());
        let institutions = frozen.map(|one| one.institution.clone()).collect();
        self.note(Event::Froze { institutions })?;
        Ok(outcomes)
    }

    /// Frees the accounts of this wallet that were frozen: each gets a fresh key, by the holder's identity. What is on
    /// the stolen device is worth nothing after that.
    ///
    /// # Errors
    /// Whatever a bank refused (an identity that is frozen itself, too), or the wallet refused of a bank.
    pub async fn unfreeze(&mut self, decide: Decide<'_>) -> Result<Vec<Recovered>> {
        self.find_institutions().await?;
        let mut freed = Vec::new();
        for account in self.frozen_accounts().await? {
            let which = KeyChangeOf::Account(account.account.parse()?);
            freed.push(self.recover_account(&account.bank, &which, decide).await?);
        }
        Ok(freed)
    }

    /// The accounts of this wallet that their holder had frozen, as (bank, account).
    ///
    /// # Errors
    /// If a bank does not answer.
    pub async fn frozen(&self) -> Result<Vec<(String, String)>> {
        let frozen = self.frozen_accounts().await?.into_iter();
        Ok(frozen.map(|account| (account.bank, account.account)).collect())
    }

    /// Frees the memberships of this wallet that were frozen, by enrolling again: the identity is shown. At which
    /// agencies.
    ///
    /// # Errors
    /// Whatever an agency refused (soon after the freeze, too), or the wallet refused of an agency.
    pub async fn free_memberships(&mut self, decide: Decide<'_>) -> Result<Vec<String>> {
        let mut freed = Vec::new();
        for known in self.file.contents.programmes.clone() {
            match self.member_file(&known).await {
                Err(error) if is_refused(&error, MEMBERSHIP_FROZEN) => {
                    self.enrol(&known.agency, &known.programme, decide).await?;
                    freed.push(known.agency);
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(freed)
    }

    async fn frozen_accounts(&self) -> Result<Vec<StoredAccount>> {
        let mut frozen = Vec::new();
        for account in self.accounts_here() {
            let path = format!("/banks/{}/v1/accounts/{}", account.bank, account.account);
            match self.get_as_holder::<AccountState>(account, path).await {
                Ok(_) => {}
                Err(error) if is_frozen(&error) => frozen.push(account.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(frozen)
    }

    /// Leaves the key for an account; whether the bank takes one for it.
    async fn leave_at_bank(&mut self, account: &StoredAccount) -> Result<bool> {
        let StoredAccount { bank, account: id, .. } = account;
        let guard = self.file.contents.guard()?;
        if guard.has(bank, id) {
            return Ok(true);
        }
        let place = guard.place((bank, PlaceKind::CommercialBank), account.country.as_deref(), id);
        let handle = handle(&guard.key(&place)?);
        self.file.save()?;
        let path = format!("/banks/{bank}/v1/accounts/{id}/freeze-handle");
        let token = self.request_token(account, "POST", path.clone())?;
        let url = format!("{}{path}", self.address(bank));
        match self.client.post::<_, FreezeHandleKept>(&url, Some(&token), &handle).await {
            Ok(_) => self.left(&place).map(|()| true),
            Err(ClientError::Refused(problem)) if problem.code == NO_CUSTOMER => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves the key for a membership.
    async fn leave_at_agency(&mut self, known: &StoredProgramme) -> Result<()> {
        // The address has the pseudonym in it: another pseudonym is another member.
        let (about, _) = self.membership(known, "")?;
        let guard = self.file.contents.guard()?;
        if guard.has(&known.agency, &about) {
            return Ok(());
        }
        let place = guard.place((&known.agency, PlaceKind::Agency), None, &about);
        let handle = handle(&guard.key(&place)?);
        self.file.save()?;
        let (path, key) = self.membership(known, "/freeze-handle")?;
        let bearer = self.sector_token(&known.agency, &key, "POST", &path)?;
        let url = format!("{}{path}", self.address(&known.agency));
        let _: FreezeHandleKept = self.client.post(&url, Some(&bearer), &handle).await?;
        self.left(&place)
    }

    /// Leaves the key for this instance with the wallet provider, if there is one.
    async fn leave_at_provider(&mut self) -> Result<()> {
        let Some(provider) = self.provider().map(str::to_owned) else { return Ok(()) };
        let guard = self.file.contents.guard()?;
        if guard.has(&provider, "") {
            return Ok(());
        }
        let place = guard.place((&provider, PlaceKind::WalletProvider), None, "");
        let handle = handle(&guard.key(&place)?);
        self.file.save()?;
        let _: FreezeHandleKept = self.ask_provider("freeze-handles", &handle).await?;
        self.left(&place)
    }

    /// Leaves the key for what an issuer is about to issue, if it takes one. An issuer that takes none, or does not
    /// answer, is not on the sheet; the credentials come all the same.
    pub(super) async fn leave_at_issuer(&mut self, issuer: &str, token: &str) -> Result<()> {
        let Some((institution, kind)) = self.freezing_issuer(issuer) else { return Ok(()) };
        let about = about(kind);
        let guard = self.file.contents.guard()?;
        let place = guard.place((&institution, kind), None, &about);
        let handle = handle(&guard.key(&place)?);
        self.file.save()?;
        let url = format!("{issuer}/v1/freeze-handles");
        match self.client.post::<_, FreezeHandleKept>(&url, Some(token), &handle).await {
            Ok(_) => self.left(&place),
            Err(_) => Ok(()),
        }
    }

    /// The key to be left with what an authority or a railway brought to this wallet as an attested one, and its place.
    pub(super) fn freeze_key_for(&mut self, issuer: &str) -> Result<Option<(Jwk, FreezePlace)>> {
        // The identifier for attested wallets is below the institution's.
        let issuer = issuer.strip_suffix("/haip").unwrap_or(issuer);
        let Some((institution, kind)) = self.freezing_issuer(issuer) else { return Ok(None) };
        let about = about(kind);
        let guard = self.file.contents.guard()?;
        let place = guard.place((&institution, kind), None, &about);
        let key = Jwk::from(guard.key(&place)?.public_key());
        self.file.save()?;
        Ok(Some((key, place)))
    }

    /// The institution has the key of a place.
    pub(super) fn left(&mut self, place: &FreezePlace) -> Result<()> {
        self.file.contents.guard()?.left(place);
        Ok(self.file.save()?)
    }

    /// Which institution of the own country issues under this identifier, if it is one that is left keys at issuance.
    fn freezing_issuer(&self, issuer: &str) -> Option<(String, PlaceKind)> {
        if self.abroad.is_some() {
            return None;
        }
        self.directory().iter().find_map(|entry| {
            let (kind, path) = if entry.kind == PlaceKind::IdentityAuthority.word() {
                (PlaceKind::IdentityAuthority, "/authority".to_owned())
            } else if entry.kind == PlaceKind::Railway.word() {
                (PlaceKind::Railway, format!("/parties/{}", entry.id))
            } else {
                return None;
            };
            (format!("{}{path}", entry.url) == issuer).then(|| (entry.id.clone(), kind))
        })
    }

    /// Acts in that country from here on; at home, if none is named.
    async fn act_in(&mut self, country: Option<&str>) -> Result<()> {
        match country {
            Some(country) => self.go_abroad(country).await,
            None => {
                self.come_home();
                Ok(())
            }
        }
    }

    /// The countries in which this wallet has accounts, the own one first.
    fn account_countries(&self) -> BTreeSet<Option<String>> {
        self.file.contents.accounts.iter().map(|account| account.country.clone()).collect()
    }

    fn freeze_token(&self, key: &SoftwareKey, place: &FreezePlace) -> Result<String> {
        let token = RequestToken {
            iss: Jwk::from(key.public_key()).thumbprint_base64url(),
            aud: place.institution.clone(),
            htm: "POST".to_owned(),
            htu: place.path(),
            iat: self.now(),
        };
        token.sign(key).with_context(|| text!("the cryptographic library derives no key"))
    }
}

impl FreezeOutcome {
    fn of(place: &FreezePlace, answer: Result<Frozen, String>) -> Self {
        match answer {
            Ok(frozen) => {
                let (institution, remains) = (place.institution.clone(), frozen.remains);
                Self { institution, fault: None, remains }
            }
            Err(fault) => Self::not(place, fault),
        }
    }

    fn not(place: &FreezePlace, fault: String) -> Self {
        let institution = place.institution.clone();
        Self { institution, fault: Some(fault), remains: Vec::new() }
    }
}

/// What a bank answers about a frozen account.
pub(super) fn is_frozen(error: &anyhow::Error) -> bool {
    is_refused(error, FROZEN)
}

fn is_refused(error: &anyhow::Error, code: &str) -> bool {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(problem)) => problem.code == code,
        _ => false,
    }
}

/// What a key is left for. Every identity under one: the authority knows whose it is. Each ticket under its own.
fn about(kind: PlaceKind) -> String {
    match kind {
        PlaceKind::Railway => random_text(),
        _ => String::new(),
    }
}

fn handle(key: &SoftwareKey) -> FreezeHandle {
    FreezeHandle { freeze_key: key.public_key().into() }
}
