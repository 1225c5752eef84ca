//! A whole profile, from the texts of its files or from a folder.

use crate::allowance::Allowance;
use crate::calendar::{UtcOffsets, read_offsets};
use crate::card::{CardProfile, check_light, read_cards};
use crate::city::data::{CityData, read_city};
use crate::credential::{ClaimPath, CredentialType, identity, read_credential};
use crate::deadlines::{Deadlines, read_deadlines};
use crate::error::ProfileErrors;
use crate::foreign::{
    ForeignCredential, ForeignIdentity, read_country, read_foreign_credentials,
    read_foreign_identity,
};
use crate::haip::{HaipProfile, check_checked, read_haip};
use crate::institution::{Institution, Institutions, Role, read_institutions};
use crate::money::{CurrencyProfile, read_currency};
use crate::notes::{BearerNotes, read_notes};
use crate::number::{NumberScheme, read_scheme};
use crate::programme::Programme;
use crate::resident::Resident;
use crate::residents_csv::read_residents;
use crate::section::{Section, read_toml};
use crate::sector::{PseudonymEpoch, check_issued, read_epoch, read_sectors};
use crate::text::{Text, read_languages, read_text};
use crate::wallet_class::{
    AccountOpening, Evidence, WalletClass, read_account_opening, read_class, read_dormancy,
};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use yufu_base::{Amount, InstitutionId, SectorId};

/// A country as data. Made by [`load_dir`] or [`Profile::read`]; complete and consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The languages of all its texts (BCP 47); the first is the default.
    pub languages: Vec<String>,
    /// How the country is called.
    pub name: Text,
    /// From which age on somebody opens an account alone.
    pub majority: u8,
    /// How many digits one-time codes have.
    pub code_digits: u8,
    /// Whether banks open accounts for residents of recognised countries.
    pub foreign_identity: ForeignIdentity,
    /// The identity credentials of other countries that may stand in for the own one.
    pub foreign_credentials: Vec<ForeignCredential>,
    /// The currency of its ledger.
    pub currency: CurrencyProfile,
    /// Its resident numbers.
    pub resident_number: NumberScheme,
    /// Its civil time.
    pub utc_offsets: UtcOffsets,
    /// For how many days the answer to a command id is kept.
    pub id_retention_days: u32,
    /// Where wallets that need an identity may be opened.
    pub account_opening: AccountOpening,
    /// After how many days without movement a wallet may be flagged dormant; `None` is never.
    pub dormant_after_days: Option<u32>,
    /// How long what is pending on the ledger may stay so; `None` if nothing may be pending.
    pub deadlines: Option<Deadlines>,
    /// Rules for bearer notes; `None` if there are none.
    pub bearer_notes: Option<BearerNotes>,
    /// From which age on somebody opens a wallet in their name alone; below it a guardian does.
    pub account_age: u8,
    /// For how many hours an account whose key was recovered keeps to its ordinary limits; 0 if not given.
    pub key_change_rest_hours: u32,
    /// Sectors within which a person is known by a pseudonym of her own; none if empty.
    pub sectors: Vec<SectorId>,
    /// How often a person's pseudonyms can be replaced; exactly if there are sectors.
    pub pseudonym_epoch: Option<PseudonymEpoch>,
    /// Wallet classes, in the order of the file, the least identified first.
    pub wallet_classes: Vec<WalletClass>,
    /// Credential types, in the order of the file.
    pub credentials: Vec<CredentialType>,
    /// Institutions by id.
    pub institutions: BTreeMap<InstitutionId, Institution>,
    /// Banknotes and coins in the public's hands at the beginning: a liability of the
    /// central bank. What each commercial bank begins with is [`Institution::opening_money`].
    pub paper_in_circulation: Amount,
    /// What agencies pay, in the order of the file.
    pub programmes: Vec<Programme>,
    /// The allowance of anonymous top-ups; `None` if there are none.
    pub allowance: Option<Allowance>,
    /// Its chip cards; `None` if it issues none.
    pub cards: Option<CardProfile>,
    /// How it issues to attested wallets; `None` if it does not.
    pub haip: Option<HaipProfile>,
    /// What the sample city is generated from.
    pub city: CityData,
}

/// The texts of a profile's files, each with the name that errors show.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// `profile.toml`: name and text.
    pub profile: (&'a str, &'a str),
    /// `institutions.toml`: name and text.
    pub institutions: (&'a str, &'a str),
    /// `city.toml`: name and text.
    pub city: (&'a str, &'a str),
}

/// Reads the profile in a folder. The residents are separate: [`load_residents`].
///
/// # Errors
/// [`ProfileErrors`]: everything wrong in its files, or a file that cannot be read.
pub fn load_dir(dir: &Path) -> Result<Profile, ProfileErrors> {
    let (profile, institutions, city) =
        (read(dir, "profile.toml")?, read(dir, "institutions.toml")?, read(dir, "city.toml")?);
    Profile::read(Sources {
        profile: (&profile.0, &profile.1),
        institutions: (&institutions.0, &institutions.1),
        city: (&city.0, &city.1),
    })
}

/// Reads `residents.csv` in a profile's folder. `today` bounds dates of birth.
///
/// # Errors
/// [`ProfileErrors`]: everything wrong in it; nothing is returned unless all is right.
pub fn load_residents(
    dir: &Path,
    profile: &Profile,
    today: Date,
) -> Result<Vec<Resident>, ProfileErrors> {
    let (file, text) = read(dir, "residents.csv")?;
    profile.read_residents(&file, &text, today)
}

fn read(dir: &Path, name: &str) -> Result<(String, String), ProfileErrors> {
    let path = dir.join(name);
    let file = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((file, text)),
        Err(error) => {
            let what = format!("cannot be read: {error}");
            Err(ProfileErrors::whole_file(&file, what, "a readable UTF-8 file"))
        }
    }
}

impl Profile {
    /// Reads a profile from the texts of its files.
    ///
    /// # Errors
    /// [`ProfileErrors`]: everything wrong in them.
    pub fn read(sources: Sources<'_>) -> Result<Self, ProfileErrors> {
        let main = read_toml(sources.profile.0, sources.profile.1, &[], read_main)?;
        let (file, text) = sources.institutions;
        let institutions = read_toml(file, text, &main.languages, |root| {
            read_institutions(root, &main.credentials, main.currency.code)
        });
        let (file, text) = sources.city;
        let city =
            read_toml(file, text, &main.languages, |root| read_city(root, &main.resident_number));
        match (institutions, city) {
            (Ok(institutions), Ok(city)) => Ok(main.with(institutions, city)),
            (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
            (Err(institutions), Err(city)) => Err(institutions.join(city)),
        }
    }

    /// Reads a `residents.csv`, named `file` in errors.
    ///
    /// # Errors
    /// [`ProfileErrors`]: everything wrong in it.
    pub fn read_residents(
        &self,
        file: &str,
        text: &str,
        today: Date,
    ) -> Result<Vec<Resident>, ProfileErrors> {
        read_residents(file, text, &self.resident_number, today)
    }

    /// The wallet class of that name.
    #[must_use]
    pub fn wallet_class(&self, name: &str) -> Option<&WalletClass> {
        self.wallet_classes.iter().find(|class| class.name == name)
    }

    /// The credential type of that id.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialType> {
        self.credentials.iter().find(|credential| credential.id == id)
    }

    /// The credential that says who somebody is: the authority's, with the resident number among its
    /// claims.
    #[must_use]
    pub fn identity(&self) -> Option<&CredentialType> {
        identity(&self.credentials)
    }

    /// The first wallet class that this evidence opens.
    #[must_use]
    pub fn class_by(&self, evidence: Evidence) -> Option<&WalletClass> {
        self.wallet_classes.iter().find(|class| class.opening.evidence == evidence)
    }

    /// The institutions of a role, by id.
    pub fn institutions_of(&self, role: Role) -> impl Iterator<Item = &Institution> {
        self.institutions.values().filter(move |institution| institution.role == role)
    }
}

/// `profile.toml`, to which the other files refer.
struct Main {
    country: String,
    languages: Vec<String>,
    name: Text,
    majority: u8,
    code_digits: u8,
    foreign_identity: ForeignIdentity,
    foreign_credentials: Vec<ForeignCredential>,
    currency: CurrencyProfile,
    resident_number: NumberScheme,
    utc_offsets: UtcOffsets,
    id_retention_days: u32,
    account_opening: AccountOpening,
    dormant_after_days: Option<u32>,
    deadlines: Option<Deadlines>,
    bearer_notes: Option<BearerNotes>,
    account_age: u8,
    key_change_rest_hours: u32,
    sectors: Vec<SectorId>,
    pseudonym_epoch: Option<PseudonymEpoch>,
    wallet_classes: Vec<WalletClass>,
    credentials: Vec<CredentialType>,
    cards: Option<CardProfile>,
    haip: Option<HaipProfile>,
}

impl Main {
    fn with(self, institutions: Institutions, city: CityData) -> Profile {
        Profile {
            country: self.country,
            languages: self.languages,
            name: self.name,
            majority: self.majority,
            code_digits: self.code_digits,
            foreign_identity: self.foreign_identity,
            foreign_credentials: self.foreign_credentials,
            currency: self.currency,
            resident_number: self.resident_number,
            utc_offsets: self.utc_offsets,
            id_retention_days: self.id_retention_days,
            account_opening: self.account_opening,
            dormant_after_days: self.dormant_after_days,
            deadlines: self.deadlines,
            bearer_notes: self.bearer_notes,
            account_age: self.account_age,
            key_change_rest_hours: self.key_change_rest_hours,
            sectors: self.sectors,
            pseudonym_epoch: self.pseudonym_epoch,
            wallet_classes: self.wallet_classes,
            credentials: self.credentials,
            institutions: institutions.institutions,
            paper_in_circulation: institutions.paper_in_circulation,
            programmes: institutions.programmes,
            allowance: institutions.allowance,
            cards: self.cards,
            haip: self.haip,
            city,
        }
    }
}

fn claims_of(credentials: &[CredentialType]) -> BTreeSet<ClaimPath> {
    credentials.iter().flat_map(|c| &c.claims).map(|claim| claim.path.clone()).collect()
}

fn read_main(mut root: Section<'_, '_, '_>) -> Option<Main> {
    let country = read_country(&mut root);
    let languages = read_languages(&mut root);
    let name = read_text(&mut root, "name");
    let majority = root.whole("majority");
    let account_age = read_account_age(&mut root, majority);
    let code_digits = read_code_digits(&mut root);
    let foreign_identity = read_foreign_identity(&mut root);
    let foreign_credentials = read_foreign_credentials(&mut root, country.as_deref());
    let id_retention_days = root.whole("id_retention_days");
    let account_opening = read_account_opening(&mut root);
    let dormant_after_days = read_dormancy(&mut root);
    let deadlines = read_deadlines(&mut root);
    let key_change_rest_hours = read_key_rest(&mut root);
    let sectors = read_sectors(&mut root);
    let pseudonym_epoch = read_epoch(&mut root, sectors.as_deref());
    let currency = root.table("currency").and_then(read_currency);
    let resident_number = root.table("resident_number").and_then(read_scheme);
    let utc_offsets = read_offsets(&mut root);
    let cards = read_cards(&mut root);
    let haip = read_haip(&mut root);
    let credentials = read_credentials(&mut root, sectors.as_deref().unwrap_or_default());
    if let (Some(sectors), Some(credentials)) = (&sectors, &credentials) {
        check_issued(&mut root, sectors, credentials);
    }
    if let (Some(Some(cards)), Some(credentials)) = (&cards, &credentials) {
        check_light(&root, cards, credentials);
    }
    check_checked(&root, haip.as_ref(), credentials.as_deref());
    let wallet_classes = match (&currency, &credentials) {
        (Some(currency), Some(credentials)) => {
            read_classes(&mut root, currency, &claims_of(credentials))
        }
        _ => {
            // What they refer to is wrong already; they are read once it is right.
            root.optional("wallet_classes");
            None
        }
    };
    let bearer_notes = match (&currency, &wallet_classes) {
        (Some(currency), Some(classes)) => read_notes(&mut root, currency.code, classes),
        _ => {
            root.optional("bearer_notes");
            None
        }
    };
    root.finish();
    Some(Main {
        country: country?,
        languages: languages?,
        name: name?,
        majority: majority?,
        code_digits: code_digits?,
        foreign_identity: foreign_identity?,
        foreign_credentials: foreign_credentials?,
        currency: currency?,
        resident_number: resident_number?,
        utc_offsets: utc_offsets?,
        id_retention_days: id_retention_days?,
        account_opening: account_opening?,
        dormant_after_days: dormant_after_days?,
        deadlines: deadlines?,
        bearer_notes: bearer_notes?,
        account_age: account_age?,
        key_change_rest_hours: key_change_rest_hours?,
        sectors: sectors?,
        pseudonym_epoch: pseudonym_epoch?,
        wallet_classes: wallet_classes?,
        credentials: credentials?,
        cards: cards?,
        haip: haip?,
    })
}

/// The age from which somebody opens a wallet alone: of majority, unless it is given.
fn read_account_age(root: &mut Section<'_, '_, '_>, majority: Option<u8>) -> Option<u8> {
    const NAME: &str = "account_age";
    if !root.has(NAME) {
        root.optional(NAME);
        return majority;
    }
    let alone = root.whole::<u8>(NAME)?;
    if majority.is_some_and(|majority| alone > majority) {
        let expected = "at most `majority`: nobody is left without a way to a wallet";
        root.report(&root.span(), format!("`account_age` is {alone}"), expected);
    }
    Some(alone)
}

fn read_key_rest(root: &mut Section<'_, '_, '_>) -> Option<u32> {
    const NAME: &str = "key_change_rest_hours";
    if root.has(NAME) {
        return root.whole(NAME);
    }
    root.optional(NAME);
    Some(0)
}

fn read_credentials(
    root: &mut Section<'_, '_, '_>,
    sectors: &[SectorId],
) -> Option<Vec<CredentialType>> {
    let mut ids = BTreeSet::new();
    let read = |section: Section<'_, '_, '_>| read_credential(section, sectors, &mut ids);
    let credentials = root.tables("credentials", read)?;
    if identity(&credentials).is_none() {
        let span = root.span();
        let expected = "one issued by identity-authority with a claim from resident_number";
        root.report(&span, "`credentials` hold no identity credential", expected);
    }
    Some(credentials)
}

fn read_code_digits(root: &mut Section<'_, '_, '_>) -> Option<u8> {
    let digits = root.whole::<u8>("code_digits")?;
    if !(4..=10).contains(&digits) {
        let span = root.span();
        root.report(&span, format!("`code_digits` is {digits}"), "4 to 10");
    }
    Some(digits)
}

fn read_classes(
    root: &mut Section<'_, '_, '_>,
    currency: &CurrencyProfile,
    claims: &BTreeSet<ClaimPath>,
) -> Option<Vec<WalletClass>> {
    let mut names = BTreeSet::new();
    root.tables("wallet_classes", |section| read_class(section, currency.code, claims, &mut names))
}

#[cfg(test)]
mod tests;
