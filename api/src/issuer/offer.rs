//! Offers: what is about to be issued, to whom, on what basis.

use super::Issuer;
use crate::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_credentials::{Authentication as Basis, DerivedFrom, Issuance};
use yufu_issuer::{IssuerSession, Offer, OfferEntropy, OfferTerms, mdoc_configuration};
use yufu_keys::random;
use yufu_openid4vc::issuance::OfferLink;

/// How long an offer stands.
const OFFER_SECONDS: u64 = 1800;

/// An offer, and the code that goes to the person by another way.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IssuedOffer {
    /// `openid-credential-offer://...`, to be shown as a QR code.
    pub offer: String,
    /// The same offer for attested wallets (HAIP 1.0): `haip-vci://...`; none where there is no such issuer. Either is
    /// taken up, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub haip_offer: Option<String>,
    /// The digits that the person types into the wallet; empty if none are needed.
    pub transaction_code: String,
    /// Until when the offer stands, in seconds since the epoch.
    pub expires: u64,
}

/// What is to be offered.
pub(crate) struct OfferFor {
    /// The credential's configuration id.
    pub(crate) credential: String,
    /// Whom it is about, by the issuer's internal id.
    pub(crate) subject: Uuid,
    /// Who says so.
    pub(crate) officer: String,
    /// On what basis, in words.
    pub(crate) evidence: String,
    /// The digits of a transaction code and what the person is told of it; none if the offer
    /// goes straight to whom it is for.
    pub(crate) code: Option<(u8, String)>,
    /// The chip card that it is derived from, if it is from one: it ends with the card.
    pub(crate) derived_from: Option<DerivedFrom>,
}

impl Issuer {
    /// Records the basis, and makes the offer that follows from it.
    pub(crate) async fn offer(&self, wanted: OfferFor) -> Result<IssuedOffer, Problem> {
        let kind = self.credentials.iter().find(|kind| kind.id == wanted.credential);
        let kind = kind.ok_or_else(|| Problem::not_found("credential type here"))?;
        // One permission: the wallet takes the credential in one of its formats.
        let mdoc = kind.doctype.is_some().then(|| mdoc_configuration(&kind.id));
        let configuration_ids = std::iter::once(kind.id.clone()).chain(mdoc).collect();
        let now = self.clock.read().wall;
        let (digits, description) = wanted.code.unzip();
        let terms = OfferTerms {
            issuer: self.metadata.credential_issuer.clone(),
            configuration_ids,
            subject: wanted.subject.to_string(),
            tx_code_digits: digits,
            tx_code_description: description,
            lifetime_seconds: OFFER_SECONDS,
        };
        let entropy = OfferEntropy { code: random(), tx_code: u64::from_be_bytes(random()) };
        let made = Offer::new(terms, &entropy, now).map_err(Problem::malformed)?;
        let basis = Basis {
            id: Uuid::now_v7(),
            person: wanted.subject,
            officer: wanted.officer,
            evidence: wanted.evidence,
            at: now,
        };
        let issuance = Issuance {
            id: Uuid::now_v7(),
            authentication: basis.id,
            person: wanted.subject,
            lookup: made.session.id().to_owned(),
            expires_at: made.session.expires_at(),
            session: serde_json::to_string(&IssuerSession::from(made.session))
                .map_err(Problem::internal)?,
            stage: 0,
            derived_from: wanted.derived_from,
        };
        let expires = issuance.expires_at.seconds();
        self.records.start_issuance(basis, issuance).await?;
        let haip_offer =
            self.haip.as_ref().map(|haip| haip.get().offer(&made.offer)).transpose()?;
        let offer = OfferLink::Value(made.offer).to_link().map_err(Problem::internal)?;
        let code = made.tx_code.map(|code| code.digits().to_owned()).unwrap_or_default();
        Ok(IssuedOffer { offer, haip_offer, transaction_code: code, expires })
    }
}
