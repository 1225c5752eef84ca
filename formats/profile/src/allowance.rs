//! The allowance of anonymous top-ups: how many blind tokens a person gets in an epoch, and what each is good for.

use crate::institution::{Institution, Role};
use crate::section::Section;
use yufu_base::{Amount, Currency, InstitutionId, SECTOR_PSEUDONYM, SectorId};

/// The most tokens of a batch: what a mint signs at once.
const MOST_TOKENS: u32 = 200;

/// An allowance: `batches` times `batch` tokens in each of the profile's epochs, over all banks; each lets its holder
/// pay in up to `top_up` without saying who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The OpenID provider that grants it.
    pub provider: InstitutionId,
    /// The provider's request by which somebody shows to be one person.
    pub request: String,
    /// The sector whose pseudonym it is charged to.
    pub sector: SectorId,
    /// How many tokens are signed together: always so many.
    pub batch: u32,
    /// How many batches somebody gets in an epoch.
    pub batches: u32,
    /// The most that is paid in with one token.
    pub top_up: Amount,
    /// The class of the account that holds what was paid in until it is in notes.
    pub class: String,
    /// The addresses of wallets to which a browser goes back with a code, beside the one of Cashu's own
    /// (NUT-21): as they are written here, to the letter.
    pub redirect_uris: Vec<String>,
}

impl Allowance {
    /// The claim that a person's pseudonym is.
    #[must_use]
    pub fn pseudonym_claim(&self) -> String {
        format!("{SECTOR_PSEUDONYM}.{}", self.sector)
    }
}

/// Reads `allowance`; none if the profile has none.
pub(crate) fn read_allowance(
    root: &mut Section<'_, '_, '_>,
    currency: Currency,
    institutions: Option<&[Institution]>,
) -> Option<Option<Allowance>> {
    let Some(institutions) = institutions.filter(|_| root.has("allowance")) else {
        // Without the institutions that it refers to, it is read once those are right.
        root.optional("allowance");
        return Some(None);
    };
    let mut section = root.table("allowance")?;
    let provider = section.parsed::<InstitutionId>("provider", "the id of an OpenID provider");
    let request = section.text("request");
    let sector = section.parsed::<SectorId>("sector", "the name of a sector in profile.toml");
    let batch = bounded(&mut section, "batch", MOST_TOKENS);
    let batches = bounded(&mut section, "batches", u32::MAX);
    let top_up = section.whole::<u64>("top_up");
    let class = section.text("class");
    let returns = section.has("redirect_uris").then(|| section.texts("redirect_uris"));
    if let (Some((provider, at)), Some((request, asked)), Some((sector, _))) =
        (&provider, &request, &sector)
    {
        let known = institutions.iter().find(|known| known.id == *provider);
        match known.filter(|known| known.role == Role::OpenidProvider) {
            None => {
                let what = format!("`provider` is `{provider}`");
                section.report(at, what, "the id of an institution with role openid-provider");
            }
            Some(known) => {
                let wanted = format!("{SECTOR_PSEUDONYM}.{sector}");
                let fits = known.requests.iter().any(|one| {
                    let mut claims = one.claims.iter().map(ToString::to_string);
                    one.id == *request
                        && claims.next() == Some(wanted.clone())
                        && claims.next().is_none()
                });
                if !fits {
                    let expected = format!("a request of the provider for `{wanted}` alone");
                    section.report(asked, format!("`request` is `{request}`"), &expected);
                }
            }
        }
    }
    section.finish();
    let returns = returns.unwrap_or_else(|| Some(Vec::new()));
    Some(Some(Allowance {
        provider: provider?.0,
        request: request?.0,
        sector: sector?.0,
        batch: batch?,
        batches: batches?,
        top_up: Amount::new(currency, top_up?),
        class: class?.0,
        redirect_uris: returns?.into_iter().map(|(uri, _)| uri).collect(),
    }))
}

fn bounded(section: &mut Section<'_, '_, '_>, key: &str, most: u32) -> Option<u32> {
    let number = section.whole::<u32>(key)?;
    if !(1..=most).contains(&number) {
        let span = section.span();
        section.report(&span, format!("`{key}` is {number}"), &format!("1 to {most}"));
    }
    Some(number)
}
