//! What an identity credential is to a relying party: which claim names the person, and whose country
//! a shown credential is of. Two countries' equal numbers are two persons.

use super::rejected;
use crate::http::Problem;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use yufu_profile::ClaimPath;
use yufu_verifier::VerifiedCredential;

/// The claim under which a record notes the country that issued an identity, if it is another one.
const ISSUING_COUNTRY: &str = "issuing_country";

/// What the country's profile says of identity credentials.
#[derive(Clone, Debug)]
pub struct IdentityTerms {
    /// The claim that names a resident.
    pub number: ClaimPath,
    /// The identity credentials of other countries by their type, each with its country.
    pub foreign: BTreeMap<String, String>,
}

/// A person, as an identity credential names them.
pub(crate) struct Person {
    /// Their number: of another country's resident with the country before it, so that two
    /// countries' equal numbers never meet.
    pub(crate) number: String,
    /// The claims shown, and of another country's resident the country.
    pub(crate) claims: Map<String, Value>,
    /// The other country; none of a resident of this one.
    pub(crate) country: Option<String>,
}

impl IdentityTerms {
    /// The resident number among claims, as the card has it.
    pub(crate) fn number<'c>(&self, claims: &'c Map<String, Value>) -> Result<&'c str, Problem> {
        let (last, outer) =
            self.number.segments().split_last().ok_or_else(|| Problem::internal("no claim"))?;
        let inner = outer.iter().try_fold(claims, |inner, name| inner.get(name)?.as_object());
        let number = inner.and_then(|inner| inner.get(last)).and_then(Value::as_str);
        number.ok_or_else(|| rejected("the resident number is not a text"))
    }

    /// Who showed this credential, with the number that was asked for.
    pub(crate) fn person(&self, shown: &VerifiedCredential) -> Result<Person, Problem> {
        let number = self.number(&shown.claims)?;
        Ok(match shown.issuer.country() {
            None => {
                Person { number: number.to_owned(), claims: shown.claims.clone(), country: None }
            }
            Some(country) => Person {
                number: format!("{country}:{number}"),
                claims: with_country(shown),
                country: Some(country.to_owned()),
            },
        })
    }
}

/// The claims of a credential, and which country issued it, if that is another one.
pub(crate) fn with_country(shown: &VerifiedCredential) -> Map<String, Value> {
    let mut claims = shown.claims.clone();
    if let Some(country) = shown.issuer.country() {
        claims.insert(ISSUING_COUNTRY.to_owned(), country.into());
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use yufu_jose::{Jwk, SoftwareKey};
    use yufu_trust::{Localized, Origin, Role, TrustEntry};

    fn terms(path: &str) -> IdentityTerms {
        IdentityTerms { number: path.parse().unwrap(), foreign: BTreeMap::new() }
    }

    fn shown(claims: Value, country: Option<&str>) -> VerifiedCredential {
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let mut issuer = TrustEntry::new(
            Localized::new("en", "Register"),
            Role::PidIssuer,
            "https://register.example",
            &[],
        );
        issuer.origin = country.map(|country| Origin {
            country: country.to_owned(),
            operator: "https://seals.example".to_owned(),
            expires_at: yufu_base::Timestamp::from_seconds(1),
        });
        VerifiedCredential {
            format: "dc+sd-jwt",
            vct: "urn:x".to_owned(),
            issuer,
            holder_key: Jwk::from(yufu_base::Signer::public_key(&key)),
            claims: claims.as_object().unwrap().clone(),
            unasked: Vec::new(),
            status: None,
            expires_at: None,
        }
    }

    #[test]
    fn equal_numbers_of_two_countries_are_two_persons() {
        let terms = terms("number");
        let claims = || json!({"number": "NA7K2M943"});
        let of = |country| terms.person(&shown(claims(), country)).unwrap();
        let numbers = [None, Some("XP"), Some("XQ")].map(|country| of(country).number);
        assert_eq!(numbers, ["NA7K2M943", "XP:NA7K2M943", "XQ:NA7K2M943"]);
        assert_eq!(of(Some("XP")).claims[ISSUING_COUNTRY], json!("XP"));
        assert!(!of(None).claims.contains_key(ISSUING_COUNTRY), "nothing is added to one's own");
    }

    #[test]
    fn the_profile_says_which_claim_names_a_person() {
        let claims = json!({"card": {"number": "7"}, "other": 7});
        let at = |path: &str| {
            let found = terms(path).number(claims.as_object().unwrap()).map(str::to_owned);
            found.map_err(|problem| problem.code().to_owned())
        };
        assert_eq!(at("card.number").unwrap(), "7");
        for bad in ["other", "card", "number", "card.other"] {
            assert_eq!(at(bad).unwrap_err(), "presentation.rejected", "{bad}");
        }
    }
}
