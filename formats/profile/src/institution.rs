//! Institutions: who they are, and what they may ask of a person and why.

use crate::allowance::{Allowance, read_allowance};
use crate::client_name::{ClientName, read_client_name};
use crate::credential::{ClaimPath, CredentialType, identity, read_claim_paths};
use crate::money::{BankMoney, read_bank_money};
use crate::page_origin::{Taken, read_page_origins};
use crate::programme::{Programme, read_programmes};
use crate::query::{Query, check_number, check_queries, read_query};
use crate::section::Section;
use crate::sector::{check_request, check_requests};
use crate::text::{Text, read_text};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{Amount, Currency, InstitutionId};

/// What an institution does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Keeps the population register and issues the identity credential.
    IdentityAuthority,
    /// Registers what relying parties may ask.
    Registrar,
    /// Publishes the trust list.
    TrustListOperator,
    /// Issues money to commercial banks.
    CentralBank,
    /// Opens accounts and wallets for persons.
    CommercialBank,
    /// Sells, and takes payments on an account at a bank.
    Merchant,
    /// Lodges guests, whom the law has it identify.
    Hotel,
    /// Carries passengers, and issues their tickets.
    Railway,
    /// Pays programmes to their members.
    Agency,
    /// Provides wallets, and vouches for their keys.
    WalletProvider,
    /// Says to services that somebody is one person, and how often.
    OpenidProvider,
}

impl Role {
    pub(crate) const WORDS: [(&'static str, Self); 11] = [
        ("identity-authority", Self::IdentityAuthority),
        ("registrar", Self::Registrar),
        ("trust-list-operator", Self::TrustListOperator),
        ("central-bank", Self::CentralBank),
        ("commercial-bank", Self::CommercialBank),
        ("merchant", Self::Merchant),
        ("hotel", Self::Hotel),
        ("railway", Self::Railway),
        ("agency", Self::Agency),
        ("wallet-provider", Self::WalletProvider),
        ("openid-provider", Self::OpenidProvider),
    ];

    /// Roles with an account at a bank: to take payments on, or to pay from.
    const TRADES: [Self; 4] = [Self::Merchant, Self::Hotel, Self::Railway, Self::Agency];

    /// Roles of which a profile names exactly one institution.
    const SINGLE: [Self; 4] =
        [Self::IdentityAuthority, Self::Registrar, Self::TrustListOperator, Self::CentralBank];

    /// The word for it in a profile: `central-bank`.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// An institution of the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// Its unique short name.
    pub id: InstitutionId,
    /// What it does.
    pub role: Role,
    /// How it is shown.
    pub name: Text,
    /// For how many days it may keep what it learned from a presentation.
    pub retention_days: u32,
    /// What it does with what it learns, in one or two sentences.
    pub privacy_policy: Text,
    /// Where a person complains: an e-mail address.
    pub support: String,
    /// By what it is known in its requests.
    pub client_name: ClientName,
    /// What it may ask, and why; empty if it asks nothing.
    pub requests: Vec<Request>,
    /// Its trade and bank; exactly if it is a merchant, a hotel, a railway or an agency.
    pub merchant: Option<Merchant>,
    /// What a commercial bank begins with; exactly if it is one.
    pub opening_money: Option<BankMoney>,
    /// The wallet providers that onboard people for a commercial bank.
    pub onboards_through: Vec<InstitutionId>,
    /// Where its pages are from which it may ask, beside its own address: origins.
    pub page_origins: Vec<String>,
}

/// Something an institution is registered to ask of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its name, unique within the institution: `open-account`.
    pub id: String,
    /// Why it is asked, as the wallet shows it.
    pub purpose: Text,
    /// The law or contract that allows it.
    pub basis: Text,
    /// Whether that is a law, which demands it: without one nobody asks for a resident's number.
    pub by_law: bool,
    /// The ids of the credentials that are asked for together; the identity credential unless the
    /// profile says otherwise.
    pub credentials: Vec<String>,
    /// Whether the identity credential of a recognised country does as well.
    pub foreign: bool,
    /// The claims that may be asked of them, and no others; empty if only a signed confirmation is.
    pub claims: BTreeSet<ClaimPath>,
    /// How it is asked, if not simply for all of it.
    pub query: Option<Query>,
    /// Whether a yes or no is all that is made of them: then no value is given on or kept.
    pub result_only: bool,
    /// Whether the signed answer is kept as evidence, for as long as the institution keeps anything.
    pub keeps_evidence: bool,
    /// Whether a person gets one account by it, under a pseudonym that no other party has.
    pub one_account: bool,
}

/// What the money rules must know of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Its merchant category code (ISO 18245), such as 5940, bicycle shops.
    pub category: u16,
    /// The commercial bank that keeps its account.
    pub bank: InstitutionId,
}

/// What `institutions.toml` says.
pub(crate) struct Institutions {
    pub(crate) institutions: BTreeMap<InstitutionId, Institution>,
    pub(crate) paper_in_circulation: Amount,
    pub(crate) programmes: Vec<Programme>,
    pub(crate) allowance: Option<Allowance>,
}

/// Reads `institutions.toml`.
pub(crate) fn read_institutions(
    mut root: Section<'_, '_, '_>,
    credentials: &[CredentialType],
    currency: Currency,
) -> Option<Institutions> {
    let mut seen: BTreeMap<InstitutionId, Role> = BTreeMap::new();
    let mut origins = Taken::new();
    let paper = root.whole("paper_in_circulation").map(|minor| Amount::new(currency, minor));
    let list = root.tables("institutions", |section| {
        read_one(section, (credentials, currency), &mut seen, &mut origins)
    });
    let span = root.span();
    for role in Role::SINGLE {
        let count = seen.values().filter(|r| **r == role).count();
        if count != 1 {
            root.report(&span, format!("{count} institutions are {}", role.word()), "exactly one");
        }
    }
    let programmes = read_programmes(&mut root, credentials, currency, list.as_deref());
    let allowance = read_allowance(&mut root, currency, list.as_deref());
    root.finish();
    Some(Institutions {
        institutions: list?.into_iter().map(|i| (i.id.clone(), i)).collect(),
        paper_in_circulation: paper?,
        programmes: programmes?,
        allowance: allowance?,
    })
}

fn read_one(
    mut section: Section<'_, '_, '_>,
    (credentials, currency): (&[CredentialType], Currency),
    seen: &mut BTreeMap<InstitutionId, Role>,
    origins: &mut Taken,
) -> Option<Institution> {
    let id = section.parsed::<InstitutionId>("id", "1 to 40 of a-z, 0-9 and hyphen");
    let role = section.word("role", &Role::WORDS);
    let name = read_text(&mut section, "name");
    let retention_days = section.whole("retention_days");
    let privacy_policy = read_text(&mut section, "privacy_policy");
    let support = read_support(&mut section);
    let client_name = read_client_name(&mut section);
    let requests = read_requests(&mut section, credentials);
    if let Some(requests) = &requests {
        check_requests(&section, credentials, requests);
        check_evidence(&section, requests, retention_days);
        check_queries(&section, requests, role.as_ref().map(|(role, _)| *role));
    }
    let is = |wanted| role.as_ref().is_some_and(|(role, _)| *role == wanted);
    let merchant = if Role::TRADES.into_iter().any(is) {
        section.table("merchant").and_then(|s| read_merchant(s, seen)).map(Some)
    } else {
        Some(None)
    };
    let opening_money = if is(Role::CommercialBank) {
        section.table("opening_money").and_then(|s| read_bank_money(s, currency)).map(Some)
    } else {
        Some(None)
    };
    let onboards_through = if is(Role::CommercialBank) {
        read_onboards_through(&mut section, seen)
    } else {
        Some(Vec::new())
    };
    let owner = id.as_ref().map(|(id, _)| id.as_str());
    let page_origins = read_page_origins(&mut section, owner, origins);
    if let (Some((id, span)), Some((role, _))) = (&id, &role)
        && seen.insert(id.clone(), *role).is_some()
    {
        section.report(span, format!("institution `{id}` is given twice"), "each id once");
    }
    section.finish();
    Some(Institution {
        id: id?.0,
        role: role?.0,
        name: name?,
        retention_days: retention_days?,
        privacy_policy: privacy_policy?,
        support: support?,
        client_name: client_name?,
        requests: requests?,
        merchant: merchant?,
        opening_money: opening_money?,
        onboards_through: onboards_through?,
        page_origins: page_origins?,
    })
}

/// Reads `onboards_through`, the wallet providers that a bank admits; none if it is not given.
fn read_onboards_through(
    section: &mut Section<'_, '_, '_>,
    seen: &BTreeMap<InstitutionId, Role>,
) -> Option<Vec<InstitutionId>> {
    if !section.has("onboards_through") {
        section.optional("onboards_through");
        return Some(Vec::new());
    }
    let mut providers: Vec<InstitutionId> = Vec::new();
    for (text, span) in section.texts("onboards_through")? {
        match text.parse::<InstitutionId>() {
            Ok(id) if providers.contains(&id) => {
                section.report(&span, format!("wallet provider `{id}` is given twice"), "once");
            }
            Ok(id) if seen.get(&id) == Some(&Role::WalletProvider) => providers.push(id),
            _ => {
                let expected = "the id of a wallet provider given above";
                section.report(&span, format!("`onboards_through` names `{text}`"), expected);
            }
        }
    }
    Some(providers)
}

fn read_support(section: &mut Section<'_, '_, '_>) -> Option<String> {
    let (address, span) = section.text("support")?;
    let parts = address.split_once('@');
    if !parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) {
        section.report(&span, format!("`support` is {address:?}"), "an e-mail address");
    }
    Some(address)
}

fn read_requests(
    section: &mut Section<'_, '_, '_>,
    credentials: &[CredentialType],
) -> Option<Vec<Request>> {
    if !section.has("requests") {
        section.optional("requests");
        return Some(Vec::new());
    }
    let mut ids = BTreeSet::new();
    section.tables("requests", |request| read_request(request, credentials, &mut ids))
}

fn read_request(
    mut section: Section<'_, '_, '_>,
    known: &[CredentialType],
    ids: &mut BTreeSet<String>,
) -> Option<Request> {
    let id = section.unique_text("id", ids);
    let purpose = read_text(&mut section, "purpose");
    let basis = read_text(&mut section, "basis");
    let by_law = section.flag("by_law");
    let credentials = read_asked(&mut section, known)?;
    let asked = known.iter().filter(|kind| credentials.contains(&kind.id));
    let paths = asked.flat_map(|kind| &kind.claims).map(|claim| claim.path.clone()).collect();
    let claims = read_claim_paths(&mut section, &paths);
    let foreign = section.flag("foreign");
    let (result_only, keeps_evidence) = (section.flag("result_only"), section.flag("evidence"));
    let one_account = section.flag("one_account");
    let mut query = Some(None);
    if let Some(claims) = &claims {
        check_request(&mut section, known, claims);
        check_number(&section, claims, by_law);
        query = read_query(&mut section, known, &credentials, claims);
    }
    section.finish();
    let (id, purpose, basis, claims, query) = (id?, purpose?, basis?, claims?, query?);
    Some(Request {
        id,
        purpose,
        basis,
        by_law,
        credentials,
        foreign,
        claims,
        query,
        result_only,
        keeps_evidence,
        one_account,
    })
}

/// Evidence holds the values that were shown: who keeps it has to keep them, and for a time that is stated.
fn check_evidence(section: &Section<'_, '_, '_>, requests: &[Request], days: Option<u32>) {
    for request in requests.iter().filter(|request| request.keeps_evidence) {
        let (id, span) = (&request.id, section.span());
        if request.result_only {
            let found = format!("`{id}` keeps a result only, and evidence, which shows the values");
            section.report(&span, found, "one of `result_only` and `evidence`");
        }
        if days == Some(0) {
            let found = format!("`{id}` keeps evidence for no time");
            section.report(&span, found, "`retention_days` of at least 1");
        }
    }
}

/// Reads `credentials`, the ids of those asked for together.
fn read_asked(section: &mut Section<'_, '_, '_>, known: &[CredentialType]) -> Option<Vec<String>> {
    if !section.has("credentials") {
        section.optional("credentials");
        return Some(identity(known).map(|kind| kind.id.clone()).into_iter().collect());
    }
    let mut ids = Vec::new();
    for (id, span) in section.texts("credentials")? {
        if !known.iter().any(|kind| kind.id == id) {
            let expected = "the id of a credential in profile.toml";
            section.report(&span, format!("credential `{id}` is issued by nobody"), expected);
        } else if ids.contains(&id) {
            section.report(&span, format!("credential `{id}` is given twice"), "once");
        } else {
            ids.push(id);
        }
    }
    Some(ids)
}

fn read_merchant(
    mut section: Section<'_, '_, '_>,
    seen: &BTreeMap<InstitutionId, Role>,
) -> Option<Merchant> {
    let category = section.whole::<u16>("category");
    let bank = section.parsed::<InstitutionId>("bank", "the id of a commercial bank");
    if let Some((bank, span)) = &bank
        && seen.get(bank) != Some(&Role::CommercialBank)
    {
        let expected = "the id of a commercial bank given above";
        section.report(span, format!("`bank` is `{bank}`"), expected);
    }
    section.finish();
    Some(Merchant { category: category?, bank: bank?.0 })
}
