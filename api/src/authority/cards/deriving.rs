//! A wallet derives credentials from a card: it sends the card's files, carries the authority's challenge to the chip
//! and the answer back. The authority verifies who signed the files and that the chip holds its key; the wallet understands
//! neither challenge nor answer.

use super::super::Authority;
use super::{decoded, unproven};
use crate::http::{Problem, ProblemBody};
use crate::issuer::{IssuedOffer, OfferFor};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_card::{ExpectedAnswer, PresentedCard};
use yufu_credentials::DerivedFrom;
use yufu_jose::encode_base64url;
use yufu_keys::{random, random_text};
use yufu_population::CardEntry;
use yufu_profile::{Column, CredentialType};

/// How long a chip may take to answer, in seconds.
const ANSWER_SECONDS: u64 = 120;
/// For how long an officer's check of the holder lets the card lead to the identity, once.
const CHECK_SECONDS: u64 = 86_400;
/// The most derivations under way at once.
const MOST: usize = 1_000;

/// Derivations under way, in memory: one that a restart cuts off is begun again. Behind several processes of one
/// authority, a derivation must stay with the process that began it.
#[derive(Default)]
pub struct Derivations(Mutex<BTreeMap<String, UnderWay>>);

struct UnderWay {
    until: Timestamp,
    document_number: String,
    /// When the card's last day is over.
    card_until: Timestamp,
    expected: ExpectedAnswer,
}

/// A card's files, each in base64url.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresentedFiles {
    /// EF.SOD.
    pub security_object: String,
    /// The data groups 1, 11 and 14, by their numbers.
    pub groups: BTreeMap<String, String>,
}

/// What to carry to the chip.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChallengeIssued {
    /// The derivation.
    pub derivation: String,
    /// The public key for chip authentication, in base64url.
    pub public: String,
    /// The command to send afterwards, as it is, in base64url.
    pub command: String,
}

/// What the chip answered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChipAnswer {
    /// The answer as it came, in base64url.
    pub answer: String,
}

/// What the card led to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Derived {
    /// `openid-credential-offer://...`, for the wallet that carried the challenge; without a code.
    pub offer: String,
    /// The same for an attested wallet (HAIP 1.0), if the authority issues to those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub haip_offer: Option<String>,
    /// `full` if an officer compared the card's holder with its portrait within a day, and nothing was derived since;
    /// else `light`.
    pub assurance: String,
}

/// Show a card's files, and get a challenge for its chip.
#[utoipa::path(post, path = "/authority/v1/cards/derivations", tag = "authority",
    request_body = PresentedFiles,
    responses((status = 201, body = ChallengeIssued), (status = 400, body = ProblemBody), (status = 422, description = "the card is not believed, or blocked", body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(in super::super) async fn begin(
    State(authority): State<Arc<Authority>>,
    request: Result<Json<PresentedFiles>, JsonRejection>,
) -> Result<(StatusCode, Json<ChallengeIssued>), Problem> {
    let Json(request) = request?;
    Ok((StatusCode::CREATED, Json(authority.challenge(&request).await?)))
}

/// Bring the chip's answer, and get an offer.
#[utoipa::path(post, path = "/authority/v1/cards/derivations/{id}", tag = "authority",
    params(("id" = String, Path, description = "the derivation")),
    request_body = ChipAnswer,
    responses((status = 200, body = Derived), (status = 400, body = ProblemBody), (status = 404, description = "unknown, expired, or answered before", body = ProblemBody), (status = 422, description = "the chip did not prove itself, or the card was blocked", body = ProblemBody)))]
pub(in super::super) async fn answer(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    request: Result<Json<ChipAnswer>, JsonRejection>,
) -> Result<Json<Derived>, Problem> {
    let answer = decoded("answer", &request?.answer)?;
    Ok(Json(authority.derive(&id, &answer).await?))
}

impl Authority {
    async fn challenge(&self, request: &PresentedFiles) -> Result<ChallengeIssued, Problem> {
        let (cards, now) = (self.cards()?, self.now());
        let security_object = decoded("security_object", &request.security_object)?;
        let mut groups = BTreeMap::new();
        for (number, file) in &request.groups {
            let number = number.parse::<u8>();
            let number = number.map_err(|_| Problem::malformed("a data group is a number"))?;
            groups.insert(number, decoded("a data group", file)?);
        }
        let anchors = cards.keys.anchors(now)?;
        let card = PresentedCard::check(&security_object, &groups, &anchors, now);
        let card = card.map_err(|error| unproven(&error))?;
        let document_number = card.zone.number.clone();
        let card_until = card.until;
        self.card_in_force(&document_number).await?;
        let challenged = card.challenge(&random::<32>());
        let (challenge, expected) = challenged.map_err(|error| unproven(&error))?;
        let derivation = random_text();
        let until = now.plus_seconds(ANSWER_SECONDS);
        let under_way = UnderWay { until, document_number, card_until, expected };
        cards.derivations.begin(derivation.clone(), under_way, now)?;
        Ok(ChallengeIssued {
            derivation,
            public: encode_base64url(challenge.public),
            command: encode_base64url(challenge.command),
        })
    }

    async fn derive(&self, id: &str, answer: &[u8]) -> Result<Derived, Problem> {
        let cards = self.cards()?;
        let UnderWay { document_number, card_until, expected, .. } =
            cards.derivations.end(id, self.now())?;
        expected.check(answer).map_err(|error| unproven(&error))?;
        let card = self.card_in_force(&document_number).await?;
        self.must_live(card.person).await?;
        let since = self.now().minus_seconds(CHECK_SECONDS);
        let full = self.population.take_check(card.id, since).await?;
        let (assurance, credential) = if full {
            ("full", self.identity()?.id.clone())
        } else {
            ("light", cards.profile.light.clone())
        };
        if full {
            // The identity moves to the device that asks: what another has is revoked.
            self.issuer.records.withdraw(card.person.uuid()).await?;
        }
        let offer = OfferFor {
            credential,
            subject: card.person.uuid(),
            officer: "chip card".to_owned(),
            evidence: format!("the chip of card {} proved itself; assurance {assurance}", card.id),
            code: None,
            derived_from: Some(DerivedFrom { card: card.id, until: whole_day_after(card_until) }),
        };
        let IssuedOffer { offer, haip_offer, .. } = self.issuer.offer(offer).await?;
        // A block that came meanwhile withdrew what was begun before: this offer goes too.
        if let Err(blocked) = self.card_in_force(&document_number).await {
            self.issuer.records.revoke_derived(&[card.id]).await?;
            return Err(blocked);
        }
        Ok(Derived { offer, haip_offer, assurance: assurance.to_owned() })
    }

    async fn card_in_force(&self, document_number: &str) -> Result<CardEntry, Problem> {
        let found = self.population.card(document_number).await?;
        found.filter(|card| card.in_force).ok_or_else(|| {
            let detail = "this card is blocked, replaced, or not of this register: show the newest card, or ask an officer";
            Problem::refused("id_card.blocked", detail)
        })
    }

    /// The credential that says who somebody is.
    fn identity(&self) -> Result<&CredentialType, Problem> {
        let kinds = self.issuer.credentials.iter();
        let mut of_number = kinds.filter(|kind| kind.claim_from(Column::ResidentNumber).is_some());
        of_number.next().ok_or_else(|| Problem::not_found("identity credential here"))
    }
}

impl Derivations {
    fn begin(&self, id: String, under_way: UnderWay, now: Timestamp) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, under_way| under_way.until > now);
        if all.len() >= MOST {
            let detail = "many cards are being read: try again in two minutes";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "id_card.too_many", detail));
        }
        all.insert(id, under_way);
        Ok(())
    }

    /// One answer: of two at once, one finds the derivation gone.
    fn end(&self, id: &str, now: Timestamp) -> Result<UnderWay, Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.remove(id).filter(|under_way| under_way.until > now);
        found.ok_or_else(|| Problem::not_found("derivation under way"))
    }
}

/// The end of the day, so that a credential ends on the stroke of one and never before its card.
const fn whole_day_after(at: Timestamp) -> Timestamp {
    const DAY: u64 = 86_400;
    Timestamp::from_seconds(at.seconds().div_ceil(DAY).saturating_mul(DAY))
}
