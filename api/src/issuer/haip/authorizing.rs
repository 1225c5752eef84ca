//! The authorization endpoint: a wallet pushes what it wants, the person shows at the page that the offer is hers,
//! and the browser carries a code back.

use super::client::{NoProof, Proof};
use super::page::page;
use super::signing_in::leads_to_one_code;
use super::{Fresh, Haip, HaipRefusal, Kind};
use crate::http::{Language, Page, Problem};
use crate::issuer::Issuer;
use crate::issuer::protocol::session;
use axum::http::{HeaderMap, StatusCode};
use yufu_base::Timestamp;
use yufu_credentials::{CredentialsError, Issuance, Marker};
use yufu_issuer::haip::{AuthorizeError, CardBasis, PUSHED_SECONDS, Pushed};
use yufu_issuer::{IssuerSession, Offered, TokenError, secret_id};
use yufu_keys::random_text;
use yufu_openid4vc::issuance::{
    DpopTarget, PushedRequest, PushedResponse, REQUEST_URI, TokenErrorCode, TokenRequest,
};

/// What the person's browser gets.
pub(crate) enum Shown {
    /// A page that asks for the digits.
    Page(Page),
    /// A page that leads to the wallet, and the link that it leads by.
    SignIn { page: Box<Page>, link: String },
    /// Back to the wallet.
    Redirect(String),
}

/// What a request is about that a browser brings.
enum Came {
    /// An offer.
    Offered(Box<Taking>),
    /// No offer: the person is to sign in.
    Alone(Box<Pushed>),
    /// Nothing: where the browser goes.
    Nowhere(Shown),
}

/// An offer that a pushed request is about, as it stands.
struct Taking {
    pushed: Pushed,
    state: String,
    row: Issuance,
    offered: Offered,
}

impl Issuer {
    /// Takes a pushed request of an attested wallet (RFC 9126).
    pub(crate) async fn push(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(PushedResponse, Fresh), HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let attested = haip.attested(headers, now).await?;
        let fresh = haip.fresh(now)?;
        let request = match PushedRequest::from_form(body) {
            Ok(request) => request,
            Err(error) => return Err(HaipRefusal::token(error.code(), error, fresh)),
        };
        let dpop = match haip.pushing_key(headers, now) {
            Ok(dpop) => dpop,
            Err(NoProof::Nonce) => {
                let (code, why) = (TokenErrorCode::UseDpopNonce, NoProof::Nonce.why());
                return Err(HaipRefusal::token(code, why, fresh));
            }
            Err(error) => {
                let code = TokenErrorCode::InvalidDpopProof;
                return Err(HaipRefusal::token(code, error.why(), fresh));
            }
        };
        let (proof, marker) = dpop.map(|Proof { proof, marker }| (proof, marker)).unzip();
        let metadata = &haip.documents.issuer;
        let new = (random_text(), now);
        let pushed = match Pushed::new(request, attested.client, proof.as_ref(), metadata, new) {
            Ok(pushed) => pushed,
            Err(error) => return Err(HaipRefusal::token(error.code(), error, fresh)),
        };
        let markers = [attested.marker].into_iter().chain(marker).collect();
        self.use_at_token(markers, None, now).await?;
        let request_uri = format!("{REQUEST_URI}{}", haip.seal(Kind::Pushed, &pushed)?);
        Ok((PushedResponse { request_uri, expires_in: PUSHED_SECONDS }, fresh))
    }

    /// The page for a pushed request, or straight back to the wallet: if it leads nowhere, or the person signed in.
    pub(crate) async fn authorization_page(
        &self,
        (client_id, request_uri): (&str, &str),
        language: Language,
    ) -> Result<Shown, Problem> {
        let haip = self.under_haip()?;
        match self.came(&haip, client_id, request_uri).await? {
            Came::Nowhere(shown) => Ok(shown),
            Came::Alone(pushed) => self.signing_in(&haip, *pushed, request_uri, language).await,
            Came::Offered(taking) => {
                Ok(Shown::Page(self.page(&haip, &taking, request_uri, language)))
            }
        }
    }

    /// The person agreed, with the digits of the offer if she typed some: a code for the wallet. Wrong digits are
    /// counted before they are answered.
    pub(crate) async fn authorize(
        &self,
        (client_id, request_uri): (&str, &str),
        agreed: Option<Option<&str>>,
        language: Language,
    ) -> Result<Shown, Problem> {
        let haip = self.under_haip()?;
        let declined = "the person declined";
        match (self.came(&haip, client_id, request_uri).await?, agreed) {
            (Came::Nowhere(shown), _) => Ok(shown),
            (Came::Alone(pushed), None) => haip.back(&pushed, "access_denied", declined),
            (Came::Alone(pushed), Some(_)) => {
                self.signing_in(&haip, *pushed, request_uri, language).await
            }
            (Came::Offered(taking), None) => haip.back(&taking.pushed, "access_denied", declined),
            (Came::Offered(taking), Some(digits)) => self.take(&haip, *taking, digits).await,
        }
    }

    /// Takes up an offer with the digits that were typed.
    async fn take(
        &self,
        haip: &Haip,
        taking: Taking,
        digits: Option<&str>,
    ) -> Result<Shown, Problem> {
        let (Taking { pushed, state, row, offered }, now) = (taking, self.clock.read().wall);
        let tx_code = digits.filter(|digits| !digits.is_empty()).map(str::to_owned);
        let request = TokenRequest { pre_authorized_code: state, tx_code };
        let taken = match offered.take(&request, now) {
            Ok(taken) => taken,
            Err(refused) => {
                let error = self.count(&row, refused).await;
                let error = error.map_err(|_| {
                    Problem::conflict("authorization.over", "the offer was used meanwhile")
                })?;
                return haip.wrong(&pushed, error);
            }
        };
        let coded =
            pushed.clone().authorise(taken.subject, &taken.configuration_ids, random_text(), now);
        let card = row
            .derived_from
            .map(|from| CardBasis { card: from.card.to_string(), until: from.until.seconds() });
        let coded = match coded {
            Ok(coded) => coded.from_card(card),
            Err(error) => return haip.back(&pushed, "access_denied", &error.to_string()),
        };
        let passed = (row.id.to_string(), String::new());
        match self.records.take_up(row, passed, vec![leads_to_one_code(&pushed)], now).await {
            Ok(()) => {}
            Err(error @ (CredentialsError::UsedBefore(_) | CredentialsError::AlreadyPassed)) => {
                return Err(Problem::conflict("authorization.over", error));
            }
            Err(other) => return Err(other.into()),
        }
        let code = haip.seal(Kind::Code, &coded)?;
        haip.answer(&pushed, &[("code", &code)])
    }

    /// What a request is about.
    async fn came(&self, haip: &Haip, client_id: &str, request_uri: &str) -> Result<Came, Problem> {
        let now = self.clock.read().wall;
        let sealed = request_uri.strip_prefix(REQUEST_URI).unwrap_or_default();
        let unknown = || {
            let detail = "this request is unknown here or has expired: begin anew in the wallet";
            Problem::new(StatusCode::BAD_REQUEST, "authorization.request_unknown", detail)
        };
        let pushed: Pushed = haip.open(Kind::Pushed, sealed).ok_or_else(unknown)?;
        match pushed.check(client_id, now) {
            Ok(()) => {}
            // Nobody is sent to an address that another wallet gave.
            Err(AuthorizeError::Client) => return Err(unknown()),
            Err(error) => {
                let back = haip.back(&pushed, "access_denied", &error.to_string());
                return back.map(Came::Nowhere);
            }
        }
        let Some(state) = pushed.issuer_state().map(str::to_owned) else {
            return Ok(Came::Alone(Box::new(pushed)));
        };
        let nothing = || {
            let why = "the offer was used, or has lapsed: ask for another one";
            haip.back(&pushed, "access_denied", why).map(Came::Nowhere)
        };
        let row = match self.records.issuance(&secret_id(&state)).await {
            Ok(row) => row,
            Err(CredentialsError::Unknown(_)) => return nothing(),
            Err(other) => return Err(other.into()),
        };
        match session(&row) {
            Ok(IssuerSession::Offered(offered)) => {
                Ok(Came::Offered(Box::new(Taking { pushed, state, row, offered })))
            }
            _ => nothing(),
        }
    }

    fn page(&self, haip: &Haip, taking: &Taking, request_uri: &str, language: Language) -> Page {
        let metadata = &haip.documents.issuer;
        let wanted = taking.pushed.configuration_ids().iter().filter_map(|id| {
            let found = metadata.credential_configurations_supported.get(id)?;
            Some(found.credential_metadata.as_ref()?.display.as_slice())
        });
        page(
            (&metadata.display, wanted),
            (taking.pushed.client_id(), request_uri),
            taking.offered.needs_digits(),
            language,
        )
    }

    /// Uses markers for an OAuth endpoint.
    pub(super) async fn use_at_token(
        &self,
        markers: Vec<Marker>,
        grant: Option<String>,
        now: Timestamp,
    ) -> Result<(), HaipRefusal> {
        let used = self.records.use_once(markers, grant, now).await;
        used.map_err(|error| self.at_token(error, now))
    }

    /// Why the records refused, for an OAuth endpoint.
    pub(super) fn at_token(&self, error: CredentialsError, now: Timestamp) -> HaipRefusal {
        let fresh = self.under_haip().and_then(|haip| haip.fresh(now));
        match (super::refusing::not_granted(&error), fresh) {
            (Some(code), Ok(fresh)) => HaipRefusal::token(code, error, fresh),
            (Some(_), Err(problem)) => HaipRefusal::Problem(problem),
            (None, _) => HaipRefusal::Problem(error.into()),
        }
    }
}

impl Haip {
    fn pushing_key(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<Proof>, NoProof> {
        let flow = self.documents.server.code_flow.as_ref();
        let Some(flow) = flow else { return Ok(None) };
        let url = &flow.pushed_authorization_request_endpoint;
        self.proof(headers, DpopTarget { method: "POST", url, access_token: None }, now)
    }

    /// Wrong digits: to be typed again, or over.
    fn wrong(&self, pushed: &Pushed, error: TokenError) -> Result<Shown, Problem> {
        match error {
            TokenError::TxCodeWrong { left } => {
                Err(Problem::refused("authorization.code_wrong", error).with("left", left))
            }
            TokenError::TxCodeMissing => Err(Problem::refused("authorization.code_missing", error)),
            over => self.back(pushed, "access_denied", &over.to_string()),
        }
    }

    /// Back to the wallet with an error.
    pub(super) fn back(&self, pushed: &Pushed, error: &str, why: &str) -> Result<Shown, Problem> {
        self.answer(pushed, &[("error", error), ("error_description", why)])
    }

    pub(super) fn answer(&self, pushed: &Pushed, what: &[(&str, &str)]) -> Result<Shown, Problem> {
        let address = pushed.answer(self.identifier().as_str(), what);
        let address = address.ok_or_else(|| Problem::internal("a redirect URI is none"))?;
        Ok(Shown::Redirect(address))
    }
}
