//! What an officer does about a card: has it made, checks its holder, blocks it.

use super::super::Authority;
use super::super::officer::Revoked;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{Digest, Timestamp};
use yufu_card::{Card, CardSecrets, DocumentSigner, Holder, Protocols, personalise, portrait};
use yufu_emrtd::mrz::Sex;
use yufu_jose::encode_base64url;
use yufu_keys::random;
use yufu_population::{Access, Entry, Excerpt, PersonId};
use yufu_profile::Column;

/// The columns that stand on a card.
const ON_THE_CARD: [Column; 9] = [
    Column::ResidentNumber,
    Column::FamilyName,
    Column::GivenName,
    Column::Sex,
    Column::BirthDate,
    Column::Region,
    Column::Locality,
    Column::Street,
    Column::House,
];

/// A card to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// Whose: the resident number.
    pub resident_number: String,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "application 2026-4711; collected at counter 3")]
    pub evidence: String,
    /// Whether the officer compared the person with the portrait: within a day the card leads to the identity, once.
    /// Else it leads to less.
    pub in_person: bool,
}

/// A card for the machine that writes it. The authority keeps neither its secrets nor the number on its face.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IssuedCard {
    /// The card's own number.
    pub document_number: String,
    /// The six digits on its face.
    pub face_number: String,
    /// Its last day.
    pub expiry: String,
    /// What is written on the chip, keys included, in base64url.
    pub chip: String,
}

/// A check of a card's holder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardCheck {
    /// The resident number.
    pub resident_number: String,
    /// What the officer saw, in words: it is recorded.
    #[schema(example = "portrait on the chip compared at counter 3")]
    pub evidence: String,
}

/// That a check was noted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardChecked {
    /// Always true.
    pub checked: bool,
}

/// A card to be blocked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardBlock {
    /// The resident number.
    pub resident_number: String,
    /// Why, in words: it is recorded.
    #[schema(example = "reported stolen")]
    pub reason: String,
}

/// Have a card made. One before it is replaced, and what was derived from that is revoked.
#[utoipa::path(post, path = "/authority/v1/officer/cards", tag = "authority",
    request_body = NewCard, security(("operator" = [])),
    responses((status = 200, body = IssuedCard), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in super::super) async fn issue(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<NewCard>, JsonRejection>,
) -> Result<Json<IssuedCard>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    Ok(Json(authority.make_card(officer, request).await?))
}

/// Note that the holder of a card was compared with its portrait: within a day it leads to the identity, once.
#[utoipa::path(post, path = "/authority/v1/officer/cards/checks", tag = "authority",
    request_body = CardCheck, security(("operator" = [])),
    responses((status = 200, body = CardChecked), (status = 401, body = ProblemBody), (status = 404, description = "no such person, or no card in force", body = ProblemBody)))]
pub(in super::super) async fn check(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<CardCheck>, JsonRejection>,
) -> Result<Json<CardChecked>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    let number = authority.number(&request.resident_number)?;
    let purpose = format!("the holder of the card was checked: {}", request.evidence);
    let person = authority.find(&number, &officer, purpose).await?;
    authority.must_live(person).await?;
    let entry = entry(officer, request.evidence, authority.now());
    if authority.population.check_card(person, entry).await? {
        return Ok(Json(CardChecked { checked: true }));
    }
    Err(Problem::not_found("card in force"))
}

/// Block a person's card: lost, stolen, expired. What was derived from it is revoked at once, for good.
#[utoipa::path(post, path = "/authority/v1/officer/cards/blocks", tag = "authority",
    request_body = CardBlock, security(("operator" = [])),
    responses((status = 200, body = Revoked), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(in super::super) async fn block(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<CardBlock>, JsonRejection>,
) -> Result<Json<Revoked>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    let number = authority.number(&request.resident_number)?;
    let purpose = format!("the card is blocked: {}", request.reason);
    let person = authority.find(&number, &officer, purpose).await?;
    // Blocked first: nothing is derived from here on.
    let entry = entry(officer, request.reason, authority.now());
    authority.population.end_cards(person, entry).await?;
    Ok(Json(Revoked { revoked: authority.revoke_derived(person).await? }))
}

impl Authority {
    async fn make_card(&self, officer: String, request: NewCard) -> Result<IssuedCard, Problem> {
        let cards = self.cards()?;
        let now = self.now();
        let number = self.number(&request.resident_number)?;
        let access = Access {
            actor: officer.clone(),
            role: "officer".to_owned(),
            purpose: format!("making a chip card: {}", request.evidence),
            fields: BTreeSet::from(ON_THE_CARD),
            at: now,
        };
        let excerpt = self.population.read(&number, &access).await?;
        let person = excerpt.person();
        self.must_live(person).await?;
        let last = cards.profile.last_day(self.today(now)?);
        let last = last.ok_or_else(|| Problem::internal("the clock is beyond all calendars"))?;
        let card = Card::draw(cards.profile.issuer.clone(), last.to_string(), random::<32>);
        let secrets = CardSecrets::draw(random::<32>);
        let holder = holder(&excerpt, &cards.profile.issuer)?;
        let face = portrait(&Digest::of(holder.number.as_bytes()).0).map_err(Problem::internal)?;
        let signer = cards.keys.document_signer();
        let signer = DocumentSigner { certificate: &signer.certificate, key: &*signer.key };
        let contents =
            personalise(&holder, &card, Protocols::default(), &secrets, &face, signer, now)
                .map_err(Problem::internal)?;
        let entry = entry(officer, request.evidence, now);
        self.population.record_card(person, &card.number, request.in_person, entry).await?;
        self.revoke_derived(person).await?;
        let chip = encode_base64url(contents.to_bytes().map_err(Problem::internal)?.as_slice());
        let Card { number, can, expiry, .. } = card;
        Ok(IssuedCard { document_number: number, face_number: can, expiry, chip })
    }

    /// Revokes what was derived from the cards of a person that are no longer in force; repeated after a crash, it does
    /// the rest.
    async fn revoke_derived(&self, person: PersonId) -> Result<u64, Problem> {
        let ended = self.population.ended_cards(person).await?;
        Ok(self.issuer.records.revoke_derived(&ended).await?)
    }
}

fn holder(excerpt: &Excerpt, nationality: &str) -> Result<Holder, Problem> {
    let value = |column: Column| {
        let value = excerpt.value(column).map(str::to_owned);
        value.ok_or_else(|| Problem::internal("a record lacks a column of its card"))
    };
    let address = [Column::Region, Column::Locality, Column::Street, Column::House];
    Ok(Holder {
        number: value(Column::ResidentNumber)?,
        family_name: value(Column::FamilyName)?,
        given_name: value(Column::GivenName)?,
        sex: match value(Column::Sex)?.as_str() {
            "F" => Sex::Female,
            "M" => Sex::Male,
            _ => Sex::Unspecified,
        },
        birth_date: value(Column::BirthDate)?,
        nationality: nationality.to_owned(),
        address: address.into_iter().map(value).collect::<Result<_, _>>()?,
    })
}

fn entry(officer: String, basis: String, at: Timestamp) -> Entry {
    Entry { officer, basis, at }
}
