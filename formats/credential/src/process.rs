//! Processing (RFC 9901 section 7.1): puts disclosed claims back where their digests
//! stand, and refuses everything that could make two readers see different credentials.

use crate::SdJwtError;
use crate::disclosure::{ALGORITHM, DIGESTS, Disclosure, ELEMENT};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::PathStep;

/// How deeply claims may nest, disclosures within disclosures counted.
pub(crate) const MAX_DEPTH: usize = 32;

/// What a credential says of itself and not of its subject (SD-JWT VC, 2.2.2.3): issuance sets it, and nobody has to ask for it.
pub const REGISTERED: [&str; 9] =
    ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];

/// Whether a claim must stand in the open with all that is in it (SD-JWT VC, 2.2.2.3): all of these but `iat`.
fn must_be_open(name: &str) -> bool {
    name != "iat" && REGISTERED.contains(&name)
}

/// A payload with its disclosed claims in place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Processed {
    /// All claims, without digests.
    pub(crate) claims: Map<String, Value>,
    /// For each disclosure, in the order given, where its claim stands.
    pub(crate) places: Vec<Vec<PathStep>>,
}

/// Processes `payload` with `disclosures`.
pub(crate) fn process(
    mut payload: Map<String, Value>,
    disclosures: &[Disclosure],
) -> Result<Processed, SdJwtError> {
    match payload.remove(ALGORITHM) {
        None => {}
        Some(Value::String(name)) if name == "sha-256" => {}
        Some(other) => return Err(SdJwtError::HashAlgorithm(other.to_string())),
    }
    let mut by_digest = BTreeMap::new();
    for (index, disclosure) in disclosures.iter().enumerate() {
        if by_digest.insert(disclosure.digest.as_str(), (index, disclosure)).is_some() {
            return Err(SdJwtError::Repeated(disclosure.digest.clone()));
        }
    }
    let mut walk = Walk {
        by_digest,
        met: BTreeSet::new(),
        places: vec![None; disclosures.len()],
        path: Vec::new(),
    };
    let claims = walk.object(payload)?;
    let places: Option<Vec<_>> = walk.places.into_iter().collect();
    Ok(Processed { claims, places: places.ok_or(SdJwtError::Unreferenced)? })
}

struct Walk<'a> {
    by_digest: BTreeMap<&'a str, (usize, &'a Disclosure)>,
    /// Every digest met so far, decoys included.
    met: BTreeSet<String>,
    places: Vec<Option<Vec<PathStep>>>,
    path: Vec<PathStep>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, step: PathStep, value: Value) -> Result<Value, SdJwtError> {
        if self.path.len() >= MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        self.path.push(step);
        let value = match value {
            Value::Object(members) => Value::Object(self.object(members)?),
            Value::Array(items) => Value::Array(self.array(items)?),
            plain => plain,
        };
        self.path.pop();
        Ok(value)
    }

    fn object(
        &mut self,
        mut members: Map<String, Value>,
    ) -> Result<Map<String, Value>, SdJwtError> {
        let digests = members.remove(DIGESTS);
        let mut out = Map::new();
        for (name, value) in members {
            // A placeholder is consumed where it may stand: as an array's element.
            if name == ELEMENT {
                return Err(SdJwtError::Reserved(name));
            }
            let value = self.value(PathStep::Name(name.clone()), value)?;
            out.insert(name, value);
        }
        let digests = match digests {
            None => Vec::new(),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(SdJwtError::Digests),
        };
        for digest in digests {
            let Value::String(digest) = digest else { return Err(SdJwtError::Digests) };
            self.may_hide()?;
            let Some((index, disclosure)) = self.meet(digest)? else { continue };
            let name = disclosure.name.clone().ok_or(SdJwtError::Kind(index))?;
            if [DIGESTS, ELEMENT].contains(&name.as_str()) {
                return Err(SdJwtError::Reserved(name));
            }
            let top = self.path.is_empty();
            if top && (must_be_open(&name) || name == ALGORITHM) {
                return Err(SdJwtError::MustBeOpen(name));
            }
            if out.contains_key(&name) {
                return Err(SdJwtError::Overwrites(name));
            }
            let step = PathStep::Name(name.clone());
            let value = self.disclosed(index, step, disclosure)?;
            out.insert(name, value);
        }
        Ok(out)
    }

    fn array(&mut self, items: Vec<Value>) -> Result<Vec<Value>, SdJwtError> {
        let mut out = Vec::new();
        for item in items {
            let step = PathStep::Index(out.len());
            match placeholder(&item)? {
                None => out.push(self.value(step, item)?),
                Some(digest) => {
                    self.may_hide()?;
                    let Some((index, disclosure)) = self.meet(digest)? else { continue };
                    if disclosure.name.is_some() {
                        return Err(SdJwtError::Kind(index));
                    }
                    out.push(self.disclosed(index, step, disclosure)?);
                }
            }
        }
        Ok(out)
    }

    fn disclosed(
        &mut self,
        index: usize,
        step: PathStep,
        disclosure: &Disclosure,
    ) -> Result<Value, SdJwtError> {
        let place = self.path.iter().cloned().chain([step.clone()]).collect();
        if let Some(slot) = self.places.get_mut(index) {
            *slot = Some(place);
        }
        self.value(step, disclosure.value.clone())
    }

    /// Refuses a digest within a claim that must stand in the open.
    fn may_hide(&self) -> Result<(), SdJwtError> {
        match self.path.first() {
            Some(PathStep::Name(name)) if must_be_open(name) => {
                Err(SdJwtError::MustBeOpen(name.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Notes a digest, and finds the disclosure it stands for; a digest met twice is refused.
    fn meet(&mut self, digest: String) -> Result<Option<(usize, &'a Disclosure)>, SdJwtError> {
        let found = self.by_digest.get(digest.as_str()).copied();
        if self.met.contains(&digest) {
            return Err(SdJwtError::Repeated(digest));
        }
        self.met.insert(digest);
        Ok(found)
    }
}

/// The digest in an array's placeholder `{"...": digest}`; `None` for other elements.
fn placeholder(item: &Value) -> Result<Option<String>, SdJwtError> {
    let Some((members, digest)) =
        item.as_object().and_then(|members| members.get(ELEMENT).map(|digest| (members, digest)))
    else {
        return Ok(None);
    };
    match digest {
        Value::String(digest) if members.len() == 1 => Ok(Some(digest.clone())),
        _ => Err(SdJwtError::Digests),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disclosure::digest;
    use crate::key_binding::BindingClaims;
    use serde_json::json;
    use yufu_jose::{Jwk, Unverified, parse_json_object};

    /// RFC 9901 section 5.2: the SD-JWT+KB of the main example.
    const EXAMPLE: &str = include_str!("../tests/rfc9901-section-5.2.txt");

    /// RFC 9901 appendices A.1 and A.2: what their holders show.
    const STRUCTURED: &str = include_str!("../tests/rfc9901-appendix-a.1.txt");
    const VERIFIED: &str = include_str!("../tests/rfc9901-appendix-a.2.txt");

    /// The claims of an example whose signature holds, by the issuer's key of appendix A.5.
    fn processed(disclosed: &str) -> Map<String, Value> {
        let mut parts = disclosed.trim_end_matches('~').split('~');
        let issuer: Jwk = serde_json::from_value(json!({
            "kty": "EC", "crv": "P-256",
            "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
            "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
        }))
        .unwrap();
        let token = Unverified::parse(parts.next().unwrap()).unwrap().verify(&issuer.key).unwrap();
        let disclosures: Vec<_> = parts.map(|part| Disclosure::parse(part).unwrap()).collect();
        process(parse_json_object(&token.payload).unwrap(), &disclosures).unwrap().claims
    }

    #[test]
    fn the_structured_examples_of_rfc_9901_a_1_and_a_2_verify_and_process_as_printed() {
        let structured = json!({
            "iss": "https://issuer.example.com", "iat": 1683000000, "exp": 1883000000,
            "address": {"region": "港区", "country": "JP"},
        });
        assert_eq!(Value::Object(processed(STRUCTURED.trim())), structured);
        let verified = json!({
            "iss": "https://issuer.example.com", "iat": 1683000000, "exp": 1883000000,
            "verified_claims": {
                "verification": {
                    "trust_framework": "de_aml", "time": "2012-04-23T18:25Z",
                    "evidence": [{"method": "pipp"}],
                },
                "claims": {
                    "given_name": "Max", "family_name": "Müller",
                    "address": {
                        "locality": "Maxstadt", "postal_code": "12344", "country": "DE",
                        "street_address": "Weidenstraße 22",
                    },
                },
            },
        });
        assert_eq!(Value::Object(processed(VERIFIED.trim())), verified);
    }

    #[test]
    fn the_main_example_of_rfc_9901_verifies_and_processes_as_printed() {
        let (disclosed, binding) = crate::sd_jwt::split(EXAMPLE.trim()).unwrap();
        let mut claims = processed(disclosed);
        let holder: Jwk =
            serde_json::from_value(claims.remove("cnf").unwrap()["jwk"].clone()).unwrap();
        let expected = json!({
            "iss": "https://issuer.example.com", "iat": 1683000000, "exp": 1883000000,
            "sub": "user_42", "given_name": "John", "family_name": "Doe",
            "nationalities": ["US"],
            "address": {
                "street_address": "123 Main St", "locality": "Anytown",
                "region": "Anystate", "country": "US",
            },
        });
        assert_eq!(Value::Object(claims), expected);
        let binding = Unverified::parse(binding).unwrap().verify(&holder.key).unwrap();
        let binding: BindingClaims = binding.claims().unwrap();
        assert_eq!(binding.sd_hash, digest(disclosed));
        assert_eq!(
            (binding.aud.as_str(), binding.nonce.as_str()),
            ("https://verifier.example.org", "1234567890")
        );
    }

    #[test]
    fn places_count_the_elements_that_are_left() {
        let [hidden, shown] = ["a", "b"].map(|text| Disclosure::new([1; 16], None, json!(text)));
        let payload = json!({"list": [{"...": hidden.digest}, {"...": shown.digest}, "c"]});
        let processed = process(payload.as_object().unwrap().clone(), &[shown]).unwrap();
        assert_eq!(processed.claims["list"], json!(["b", "c"]));
        let place = vec![PathStep::Name("list".into()), PathStep::Index(0)];
        assert_eq!(processed.places, [place]);
    }
}
