//! Wallet attestations (OAuth 2.0 Attestation-Based Client Authentication, as OpenID4VCI 1.0,
//! appendix E, uses it for wallets): a wallet provider vouches for a key of one of its wallets, and
//! the wallet proves to one audience that it holds the key. The attestation names no instance and no
//! audience: the provider does not learn whom it is shown to, and two of them have nothing in common
//! but the provider. Drafts 7 to 11 are read. `iss`, which drafts since the 8th do without, is made, for OpenID4VCI 1.0 rests on the 7th.

use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{
    Chain, ChainError, Header, Jwk, JwsError, SeenSignatures, SignError, Unverified, numeric_date,
};

/// The header of an HTTP request that carries an attestation.
pub const ATTESTATION_HEADER: &str = "OAuth-Client-Attestation";
/// The header of an HTTP response that carries a challenge for the next proof of possession.
pub const ATTESTATION_CHALLENGE_HEADER: &str = "OAuth-Client-Attestation-Challenge";
/// The header of an HTTP request that carries the proof of possession.
pub const ATTESTATION_POP_HEADER: &str = "OAuth-Client-Attestation-PoP";

const TYPE: &str = "oauth-client-attestation+jwt";
const POP_TYPE: &str = "oauth-client-attestation-pop+jwt";
/// The largest token that is read, in bytes.
const MAX: usize = 8 * 1024;
/// The longest that an attestation may still be good for, in seconds.
const MOST_SECONDS: u64 = 3600;
/// How old a proof may be, and how far ahead the wallet's clock, in seconds.
const FRESH_SECONDS: u64 = 60;

/// What a wallet provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletAttestation {
    /// The provider: its address, as the trust list has it. It is the client id too.
    pub provider: String,
    /// The key that lies in one of its wallets.
    pub key: Jwk,
    /// From when it must no longer be taken.
    pub expires: Timestamp,
}

/// A wallet's proof that it holds the key it was attested, for one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationPop {
    /// Whose proof it is: the client's id (`iss`). Drafts since the 8th do without.
    pub client: Option<String>,
    /// Whom it is for: an issuer's address.
    pub audience: String,
    /// Its own id, never used twice.
    pub id: String,
    /// When it was made.
    pub issued: Timestamp,
    /// The server's challenge, if it has one: whether it is live is for the server to say.
    pub challenge: Option<String>,
}

/// What a server's challenge endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeResponse {
    /// The challenge to put into the proof.
    pub attestation_challenge: String,
}

/// An attestation as it came, its signature not verified: its chain says whose key to trust.
pub struct SignedAttestation {
    jws: Unverified,
}

/// Why an attestation is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Not an attestation, or not signed by the key of its chain.
    #[error("the wallet attestation: {0}")]
    Jws(#[from] JwsError),
    /// It carries no certificate chain.
    #[error("the wallet attestation: {0}")]
    Chain(#[from] ChainError),
    /// Made by another provider than its signer is.
    #[error("the wallet attestation is by {found}, and signed by {signer}")]
    Provider {
        /// The provider it names.
        found: String,
        /// The provider that signed.
        signer: String,
    },
    /// Its time has passed.
    #[error("the wallet attestation has expired: get a fresh one from the wallet provider")]
    Expired,
    /// It is good for too long to be fresh.
    #[error(
        "the wallet attestation is good for more than {MOST_SECONDS} s: get one that lapses sooner"
    )]
    TooLong,
    /// Not a proof of possession, or not by the attested key.
    #[error("the proof of possession: {0}")]
    Pop(JwsError),
    /// The proof is by another client than the one that was attested.
    #[error("the proof of possession is by {found}, and the attestation about {expected}")]
    Client {
        /// Whose it is.
        found: String,
        /// Whom the attestation is about.
        expected: String,
    },
    /// The proof is for somebody else.
    #[error("the proof of possession is for {found}, this is {expected}: make one for it")]
    Audience {
        /// Whom it is for.
        found: String,
        /// Who reads it.
        expected: String,
    },
    /// The proof is too old, or from the future.
    #[error(
        "the proof of possession was made at {0} s since the epoch, more than {FRESH_SECONDS} s from now: check the clock, make a new one"
    )]
    Stale(u64),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    sub: String,
    #[serde(with = "numeric_date")]
    exp: Timestamp,
    cnf: Confirmation,
}

#[derive(Serialize, Deserialize)]
struct Confirmation {
    jwk: Jwk,
}

#[derive(Serialize, Deserialize)]
struct PopWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    aud: String,
    jti: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
}

impl WalletAttestation {
    /// Signs the attestation as its provider: a compact JWS with the provider's chain.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, chain: &Chain, signer: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            iss: Some(self.provider.clone()),
            sub: self.provider.clone(),
            exp: self.expires,
            cnf: Confirmation { jwk: self.key.clone() },
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &json, signer)
    }
}

impl AttestationPop {
    /// Signs the proof with the attested key.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SignError> {
        let wire = PopWire {
            iss: self.client.clone(),
            aud: self.audience.clone(),
            jti: self.id.clone(),
            iat: self.issued,
            challenge: self.challenge.clone(),
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(POP_TYPE), &json, key)
    }
}

impl SignedAttestation {
    /// Reads an attestation.
    ///
    /// # Errors
    /// [`AttestationError::Jws`].
    pub fn parse(text: &str) -> Result<Self, AttestationError> {
        Ok(Self { jws: Unverified::parse_bounded(text, MAX)?.expect_type(TYPE)? })
    }

    /// The chain of its signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`AttestationError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, AttestationError> {
        Ok(self.jws.header().chain()?)
    }

    /// The attestation, once it is known to be `provider`'s (address and key), fresh at `now`, and
    /// shown to `audience` by whoever holds the key that it attests.
    ///
    /// # Errors
    /// [`AttestationError`], the first rule broken.
    pub fn verify(
        self,
        provider: (&str, &PublicKey),
        pop: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<WalletAttestation, AttestationError> {
        let seen = SeenSignatures::default();
        self.verify_shown(provider, pop, audience, (now, &seen)).map(|(attestation, _)| attestation)
    }

    /// As [`SignedAttestation::verify`], with what the proof says, for a server that remembers ids and
    /// gives out challenges. A wallet shows one attestation at several steps: its signature is verified once for all that
    /// `seen` is given to.
    ///
    /// # Errors
    /// [`AttestationError`], the first rule broken.
    pub fn verify_shown(
        self,
        provider: (&str, &PublicKey),
        pop: &str,
        audience: &str,
        (now, seen): (Timestamp, &SeenSignatures),
    ) -> Result<(WalletAttestation, AttestationPop), AttestationError> {
        let wire: Wire = self.jws.verify_once(provider.1, seen)?.claims()?;
        for named in wire.iss.iter().chain([&wire.sub]) {
            if named != provider.0 {
                let (found, signer) = (named.clone(), provider.0.to_owned());
                return Err(AttestationError::Provider { found, signer });
            }
        }
        if wire.exp <= now {
            return Err(AttestationError::Expired);
        }
        if wire.exp > now.plus_seconds(MOST_SECONDS) {
            return Err(AttestationError::TooLong);
        }
        let proof = Unverified::parse_bounded(pop, MAX)
            .and_then(|token| token.expect_type(POP_TYPE)?.verify(&wire.cnf.jwk.key))
            .and_then(|token| token.claims::<PopWire>())
            .map_err(AttestationError::Pop)?;
        if let Some(found) = proof.iss.as_ref().filter(|client| **client != wire.sub) {
            return Err(AttestationError::Client { found: found.clone(), expected: wire.sub });
        }
        if proof.aud != audience {
            let expected = audience.to_owned();
            return Err(AttestationError::Audience { found: proof.aud, expected });
        }
        if now.seconds().abs_diff(proof.iat.seconds()) > FRESH_SECONDS {
            return Err(AttestationError::Stale(proof.iat.seconds()));
        }
        let attestation =
            WalletAttestation { provider: wire.sub, key: wire.cnf.jwk, expires: wire.exp };
        let PopWire { iss: client, aud: audience, jti: id, iat: issued, challenge } = proof;
        Ok((attestation, AttestationPop { client, audience, id, issued, challenge }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_jose::SoftwareKey;

    const PROVIDER: &str = "https://pay.example/wallet-providers/p";
    const BANK: &str = "https://bank.example/banks/b";

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn attestation(seconds: u64) -> String {
        attestation_by(Some(PROVIDER), seconds)
    }

    fn attestation_by(issuer: Option<&str>, seconds: u64) -> String {
        let wire = Wire {
            iss: issuer.map(str::to_owned),
            sub: PROVIDER.to_owned(),
            exp: now().plus_seconds(seconds),
            cnf: Confirmation { jwk: key(2).public_key().into() },
        };
        let json = serde_json::to_vec(&wire).unwrap();
        yufu_jose::sign(&Header::typed(TYPE), &json, &key(1)).unwrap()
    }

    fn pop(audience: &str, seed: u8, issued: Timestamp) -> String {
        pop_of(None, audience, seed, issued)
    }

    fn pop_of(client: Option<&str>, audience: &str, seed: u8, issued: Timestamp) -> String {
        let (client, audience) = (client.map(str::to_owned), audience.to_owned());
        let pop = AttestationPop { client, audience, id: "1".into(), issued, challenge: None };
        pop.sign(&key(seed)).unwrap()
    }

    fn verify(
        text: &str,
        provider: (&str, u8),
        pop: &str,
        at: Timestamp,
    ) -> Result<WalletAttestation, AttestationError> {
        let signer = key(provider.1).public_key();
        SignedAttestation::parse(text)
            .and_then(|signed| signed.verify((provider.0, &signer), pop, BANK, at))
    }

    #[test]
    fn an_attestation_is_refused_by_the_first_rule_it_breaks() {
        let (good, long) = (attestation(600), attestation(MOST_SECONDS + 1));
        let late = now().plus_seconds(600);
        let proof = pop(BANK, 2, now());
        let taken = verify(&good, (PROVIDER, 1), &proof, now()).unwrap();
        assert_eq!((taken.key.key, taken.provider.as_str()), (key(2).public_key(), PROVIDER));
        let refused = verify(&good, ("x", 3), "x", late);
        assert_eq!(refused, Err(AttestationError::Jws(JwsError::Signature)));
        let refused = verify(&good, ("x", 1), "x", late);
        assert!(matches!(refused, Err(AttestationError::Provider { .. })));
        assert_eq!(verify(&good, (PROVIDER, 1), "x", late), Err(AttestationError::Expired));
        assert_eq!(verify(&long, (PROVIDER, 1), "x", now()), Err(AttestationError::TooLong));
        assert!(verify(&attestation(MOST_SECONDS), (PROVIDER, 1), &proof, now()).is_ok());
        // Not a proof, of another type, by another key.
        let other = yufu_jose::sign(&Header::typed("kb+jwt"), b"{}", &key(2)).unwrap();
        for proof in ["", "x.y.z", &other, &pop("x", 3, late)] {
            let refused = verify(&good, (PROVIDER, 1), proof, now());
            assert!(matches!(refused, Err(AttestationError::Pop(_))), "{proof}");
        }
        let refused = verify(&good, (PROVIDER, 1), &pop("x", 2, late), now());
        assert!(matches!(refused, Err(AttestationError::Audience { .. })));
        for (seconds, fresh) in [(FRESH_SECONDS, true), (FRESH_SECONDS + 1, false)] {
            for at in [now().plus_seconds(seconds), now().minus_seconds(seconds)] {
                let read = verify(&good, (PROVIDER, 1), &pop(BANK, 2, at), now());
                assert_eq!(read.is_ok(), fresh, "{seconds}");
            }
        }
        let chain = SignedAttestation::parse(&good).unwrap().chain();
        assert!(matches!(chain, Err(AttestationError::Chain(_))));
    }

    #[test]
    fn who_made_both_is_said_as_in_draft_7_or_left_out_as_since_draft_8_and_never_wrong() {
        let proof = |client| pop_of(client, BANK, 2, now());
        for issuer in [Some(PROVIDER), None] {
            for client in [Some(PROVIDER), None] {
                let attestation = attestation_by(issuer, 600);
                let taken = verify(&attestation, (PROVIDER, 1), &proof(client), now());
                assert_eq!(taken.unwrap().provider, PROVIDER);
            }
        }
        let refused = verify(&attestation_by(Some("x"), 600), (PROVIDER, 1), &proof(None), now());
        assert!(matches!(refused, Err(AttestationError::Provider { found, .. }) if found == "x"));
        let refused = verify(&attestation_by(None, 600), ("x", 1), &proof(None), now());
        assert!(matches!(refused, Err(AttestationError::Provider { .. })), "of another client");
        let refused = verify(&attestation(600), (PROVIDER, 1), &proof(Some("x")), now());
        assert!(matches!(refused, Err(AttestationError::Client { found, .. }) if found == "x"));
    }

    #[test]
    fn two_attestations_of_one_wallet_have_the_provider_in_common_and_nothing_else() {
        let text = attestation(600);
        let wire = Unverified::parse(&text).unwrap().unverified_claims::<serde_json::Value>();
        let members: Vec<String> = wire.unwrap().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["cnf", "exp", "iss", "sub"], "no instance, no audience");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String, proof: String) {
            prop_assert!(verify(&text, (PROVIDER, 1), &proof, now()).is_err());
            prop_assert!(verify(&attestation(60), (PROVIDER, 1), &proof, now()).is_err());
        }
    }
}
