//! The first state: an offer is out, and waits for whoever brings its code.

use crate::authorised::Authorised;
use crate::stored::{Refused, secret_id};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_base::Timestamp;
use yufu_jose::{encode_base64url, sha256};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    CredentialOffer, Grants, OfferError, PreAuthorizedGrant, TokenErrorCode, TokenErrorResponse,
    TokenRequest, TokenResponse, TxCodeDescription,
};

/// How many wrong transaction codes end an offer.
const ATTEMPTS: u8 = 5;
/// How long a token is good, in seconds.
const TOKEN_SECONDS: u64 = 600;
/// The longest an offer may wait, in seconds.
const MAX_OFFER_SECONDS: u64 = 7 * 24 * 3600;

/// What is offered, to whom, for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferTerms {
    /// The issuer's identifier.
    pub issuer: Endpoint,
    /// The offered credential configurations.
    pub configuration_ids: Vec<String>,
    /// What the issuer's records call the person: opaque here, and never sent.
    pub subject: String,
    /// The number of digits of the transaction code, 4 to 10; `None` for an offer that is
    /// handed over where nobody looks on.
    pub tx_code_digits: Option<u8>,
    /// What the wallet tells the person about the transaction code.
    pub tx_code_description: Option<String>,
    /// For how long the offer stands, in seconds; at most a week.
    pub lifetime_seconds: u64,
}

/// The randomness of one offer.
pub struct OfferEntropy {
    /// Becomes the pre-authorized code.
    pub code: [u8; 32],
    /// Becomes the transaction code.
    pub tx_code: u64,
}

/// The digits the person types; sent to her by another way than the offer.
#[derive(Clone, PartialEq, Eq)]
pub struct TxCode(String);

impl TxCode {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TxCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TxCode(secret)")
    }
}

/// What making an offer yields.
#[derive(Clone, Debug)]
pub struct Offer {
    /// To be stored, under [`Offered::id`].
    pub session: Offered,
    /// To be shown as a QR code or a link.
    pub offer: CredentialOffer,
    /// To be sent to the person by another way.
    pub tx_code: Option<TxCode>,
}

/// An offer that waits. Holds digests of its codes, not the codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    code_id: String,
    tx_code_id: Option<String>,
    attempts_left: u8,
    expires_at: u64,
    configuration_ids: Vec<String>,
    subject: String,
}

/// An offer that was taken up in the authorization code flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the issuer's records call the person.
    pub subject: String,
    /// What was offered.
    pub configuration_ids: Vec<String>,
}

/// Why an offer cannot be made. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// A transaction code that is too short to resist guessing, or too long to type.
    #[error("a transaction code has 4 to 10 digits, not {0}")]
    Digits(u8),
    /// An offer that would stand for nothing, or for more than a week.
    #[error("an offer stands for 1 to {MAX_OFFER_SECONDS} seconds, not {0}")]
    Lifetime(u64),
    /// What the specification forbids.
    #[error(transparent)]
    Offer(#[from] OfferError),
}

/// Why a code is not exchanged. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The code belongs to no offer, or was exchanged before.
    #[error("the pre-authorized code is unknown or was used: ask the issuer for a new offer")]
    UnknownCode,
    /// The offer is too old.
    #[error("the offer has expired: ask the issuer for a new one")]
    Expired,
    /// No transaction code where one is expected.
    #[error("a transaction code is required")]
    TxCodeMissing,
    /// A transaction code where none is expected.
    #[error("no transaction code is expected")]
    TxCodeUnexpected,
    /// The wrong transaction code.
    #[error("the transaction code is wrong; {left} attempts are left")]
    TxCodeWrong {
        /// How many more there are.
        left: u8,
    },
    /// The last wrong transaction code: the offer is over.
    #[error("the transaction code was wrong too often: ask the issuer for a new offer")]
    TooManyAttempts,
}

impl TokenError {
    /// What the token endpoint answers, with status 400 (OpenID4VCI 1.0, 6.3).
    #[must_use]
    pub fn response(self) -> TokenErrorResponse {
        let error = match self {
            Self::TxCodeMissing | Self::TxCodeUnexpected => TokenErrorCode::InvalidRequest,
            Self::UnknownCode
            | Self::Expired
            | Self::TxCodeWrong { .. }
            | Self::TooManyAttempts => TokenErrorCode::InvalidGrant,
        };
        TokenErrorResponse { error, error_description: Some(self.to_string()) }
    }
}

impl Offer {
    /// Makes an offer.
    ///
    /// # Errors
    /// [`TermsError`], the first rule that is broken.
    pub fn new(
        terms: OfferTerms,
        entropy: &OfferEntropy,
        now: Timestamp,
    ) -> Result<Self, TermsError> {
        if let Some(digits) = terms.tx_code_digits.filter(|digits| !(4..=10).contains(digits)) {
            return Err(TermsError::Digits(digits));
        }
        if !(1..=MAX_OFFER_SECONDS).contains(&terms.lifetime_seconds) {
            return Err(TermsError::Lifetime(terms.lifetime_seconds));
        }
        let code = encode_base64url(entropy.code);
        let tx_code = terms.tx_code_digits.map(|digits| digits_of(entropy.tx_code, digits));
        let tx_code_description = terms.tx_code_digits.map(|length| TxCodeDescription {
            length: Some(length),
            description: terms.tx_code_description.clone(),
            ..TxCodeDescription::default()
        });
        let grant = PreAuthorizedGrant {
            pre_authorized_code: code.clone(),
            tx_code: tx_code_description,
            authorization_server: None,
        };
        let offer = CredentialOffer {
            credential_issuer: terms.issuer,
            credential_configuration_ids: terms.configuration_ids.clone(),
            grants: Grants { pre_authorized: Some(grant), authorization_code: None },
        };
        offer.check()?;
        let session = Offered {
            code_id: secret_id(&code),
            tx_code_id: tx_code.as_ref().map(|digits| tx_code_id(&code, digits.digits())),
            attempts_left: ATTEMPTS,
            expires_at: now.plus_seconds(terms.lifetime_seconds).seconds(),
            configuration_ids: terms.configuration_ids,
            subject: terms.subject,
        };
        Ok(Self { session, offer, tx_code })
    }
}

impl Offered {
    /// The name to store it under: [`secret_id`] of the code.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.code_id
    }

    /// From when it can be deleted.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// Exchanges the code for a token. The session is used up: whoever stores it replaces
    /// it, in one transaction, by what this returns.
    ///
    /// # Errors
    /// [`TokenError`] with the session as it goes on.
    pub fn token(
        self,
        request: &TokenRequest,
        now: Timestamp,
        entropy: &[u8; 32],
    ) -> Result<(Authorised, TokenResponse), Refused<Self, TokenError>> {
        match self.check(request, now) {
            Ok(()) => {
                let access_token = encode_base64url(entropy);
                let response = TokenResponse {
                    access_token: access_token.clone(),
                    token_type: "Bearer".to_owned(),
                    expires_in: Some(TOKEN_SECONDS),
                };
                let authorised = Authorised::new(
                    &access_token,
                    now.plus_seconds(TOKEN_SECONDS),
                    self.configuration_ids,
                    self.subject,
                );
                Ok((authorised, response))
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Whether digits are needed beside the code.
    #[must_use]
    pub const fn needs_digits(&self) -> bool {
        self.tx_code_id.is_some()
    }

    /// Takes up the offer in the authorization code flow: the person shows at the authorization endpoint that
    /// it is hers. The session is used up, as by [`Offered::token`]: an offer is one permission.
    ///
    /// # Errors
    /// [`TokenError`] with the session as it goes on.
    pub fn take(
        self,
        request: &TokenRequest,
        now: Timestamp,
    ) -> Result<Taken, Refused<Self, TokenError>> {
        match self.check(request, now) {
            Ok(()) => {
                Ok(Taken { subject: self.subject, configuration_ids: self.configuration_ids })
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// The session after a refusal: a wrong transaction code counts, the last one ends it.
    fn refused(mut self, error: TokenError) -> Refused<Self, TokenError> {
        let session = match error {
            TokenError::Expired | TokenError::TooManyAttempts => None,
            TokenError::TxCodeWrong { left } => {
                self.attempts_left = left;
                Some(Box::new(self))
            }
            _ => Some(Box::new(self)),
        };
        Refused { error, session }
    }

    fn check(&self, request: &TokenRequest, now: Timestamp) -> Result<(), TokenError> {
        if secret_id(&request.pre_authorized_code) != self.code_id {
            return Err(TokenError::UnknownCode);
        }
        if now >= self.expires_at() {
            return Err(TokenError::Expired);
        }
        match (&self.tx_code_id, &request.tx_code) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(TokenError::TxCodeUnexpected),
            (Some(_), None) => Err(TokenError::TxCodeMissing),
            (Some(id), Some(typed)) if *id == tx_code_id(&request.pre_authorized_code, typed) => {
                Ok(())
            }
            (Some(_), Some(_)) => match self.attempts_left.saturating_sub(1) {
                0 => Err(TokenError::TooManyAttempts),
                left => Err(TokenError::TxCodeWrong { left }),
            },
        }
    }
}

/// Digested together with the code, which is not stored: the few possible transaction codes
/// cannot be tried against a stolen store.
fn tx_code_id(code: &str, digits: &str) -> String {
    encode_base64url(sha256(format!("yufu.tx-code.v1\0{code}\0{digits}").as_bytes()))
}

fn digits_of(random: u64, digits: u8) -> TxCode {
    let limit = 10_u64.saturating_pow(u32::from(digits));
    let width = usize::from(digits);
    TxCode(format!("{:0width$}", random.checked_rem(limit).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn terms() -> OfferTerms {
        OfferTerms {
            issuer: Endpoint::parse("https://id.example").unwrap(),
            configuration_ids: vec!["pid".into()],
            subject: "person-7".into(),
            tx_code_digits: Some(6),
            tx_code_description: Some("By SMS".into()),
            lifetime_seconds: 600,
        }
    }

    fn offered(terms: OfferTerms) -> Offer {
        Offer::new(terms, &OfferEntropy { code: [1; 32], tx_code: 42 }, NOW).unwrap()
    }

    fn request(tx_code: Option<&str>) -> TokenRequest {
        TokenRequest {
            pre_authorized_code: encode_base64url([1; 32]),
            tx_code: tx_code.map(str::to_owned),
        }
    }

    #[test]
    fn terms_that_cannot_be_kept_are_refused() {
        let entropy = OfferEntropy { code: [1; 32], tx_code: 42 };
        let error = |terms| Offer::new(terms, &entropy, NOW).unwrap_err();
        for digits in [0, 3, 11] {
            let terms = OfferTerms { tx_code_digits: Some(digits), ..terms() };
            assert_eq!(error(terms), TermsError::Digits(digits));
        }
        for seconds in [0, MAX_OFFER_SECONDS + 1] {
            let terms = OfferTerms { lifetime_seconds: seconds, ..terms() };
            assert_eq!(error(terms), TermsError::Lifetime(seconds));
        }
        let terms = OfferTerms { configuration_ids: vec![], ..terms() };
        assert_eq!(error(terms), TermsError::Offer(OfferError::Configurations));
    }

    #[test]
    fn each_rule_of_the_exchange_has_its_error_and_the_code_of_6_3() {
        use TokenErrorCode::{InvalidGrant, InvalidRequest};
        let other = TokenRequest { pre_authorized_code: "x".into(), tx_code: None };
        let late = NOW.plus_seconds(600);
        let open = OfferTerms { tx_code_digits: None, ..terms() };
        for (terms, request, now, error, code, goes_on) in [
            (terms(), other, NOW, TokenError::UnknownCode, InvalidGrant, true),
            (terms(), request(Some("000042")), late, TokenError::Expired, InvalidGrant, false),
            (terms(), request(None), NOW, TokenError::TxCodeMissing, InvalidRequest, true),
            (open, request(Some("1")), NOW, TokenError::TxCodeUnexpected, InvalidRequest, true),
            (
                terms(),
                request(Some("42")),
                NOW,
                TokenError::TxCodeWrong { left: 4 },
                InvalidGrant,
                true,
            ),
        ] {
            let refused = offered(terms).session.token(&request, now, &[2; 32]).unwrap_err();
            assert_eq!(refused.error, error);
            assert_eq!(refused.error.response().error, code);
            assert_eq!(refused.session.is_some(), goes_on, "{error}");
        }
    }

    #[test]
    fn the_fifth_wrong_transaction_code_ends_the_offer() {
        let mut session = offered(terms()).session;
        for left in [4, 3, 2, 1] {
            let refused = session.token(&request(Some("999999")), NOW, &[2; 32]).unwrap_err();
            assert_eq!(refused.error, TokenError::TxCodeWrong { left });
            session = *refused.session.unwrap();
        }
        let refused = session.token(&request(Some("999999")), NOW, &[2; 32]).unwrap_err();
        assert_eq!(refused.error, TokenError::TooManyAttempts);
        assert!(refused.session.is_none());
    }

    #[test]
    fn what_is_stored_holds_neither_code_and_survives_storage() {
        let offer = offered(terms());
        let digits = offer.tx_code.clone().unwrap();
        assert_eq!(digits.digits(), "000042");
        let stored = serde_json::to_string(&crate::IssuerSession::from(offer.session)).unwrap();
        assert!(!stored.contains(&encode_base64url([1; 32])) && !stored.contains("000042"));
        let crate::IssuerSession::Offered(back) = serde_json::from_str(&stored).unwrap() else {
            panic!("offered")
        };
        let (authorised, token) =
            back.token(&request(Some(digits.digits())), NOW, &[2; 32]).unwrap();
        assert_eq!(authorised.id(), secret_id(&token.access_token));
    }

    proptest! {
        #[test]
        fn a_transaction_code_has_exactly_its_digits(random: u64, digits in 4u8..=10) {
            let code = digits_of(random, digits);
            prop_assert_eq!(code.digits().len(), usize::from(digits));
            prop_assert!(code.digits().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
