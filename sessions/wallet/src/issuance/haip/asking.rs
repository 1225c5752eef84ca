//! From what is wanted to a token: pushed, agreed to by the person in a browser, exchanged.

use super::granted::{Grant, Granted};
use super::{Flow, Ready, Step, StepError, Wallet};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_base::Timestamp;
use yufu_jose::encode_base64url;
use yufu_openid4vc::issuance::{
    AnswerError, AuthorizationAnswer, GrantRequest, GrantResponse, PushedRequest, PushedResponse,
    TOKEN_TYPE_DPOP, pkce_challenge, read_answer,
};
use yufu_openid4vc::presentation::SignIn;
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse};

/// What only this wallet knows until it is needed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    state: String,
    verifier: String,
}

impl Secrets {
    /// From randomness, used once.
    #[must_use]
    pub fn new(state: [u8; 32], verifier: [u8; 32]) -> Self {
        Self { state: encode_base64url(state), verifier: encode_base64url(verifier) }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(hidden)")
    }
}

/// Pushes what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushing {
    flow: Flow,
    issuer_state: Option<String>,
    redirect_uri: String,
    secrets: Secrets,
}

/// Waits for the person, who agrees in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorising {
    flow: Flow,
    redirect_uri: String,
    secrets: Secrets,
    request_uri: String,
    signs_in: bool,
}

/// What the person is to show.
#[derive(Debug, Deserialize)]
pub struct SigningIn {
    /// The presentation request: `openid4vp://...`.
    pub authorization_request: String,
}

/// Exchanges the code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanging {
    flow: Flow,
    redirect_uri: String,
    verifier: String,
    code: String,
}

impl fmt::Debug for Exchanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanging").field("flow", &self.flow).finish_non_exhaustive()
    }
}

impl Ready {
    /// The person agrees: what is to be pushed. The browser will come back to `redirect_uri`.
    #[must_use]
    pub fn accept(self, redirect_uri: &str, secrets: Secrets) -> Pushing {
        let Self { flow, issuer_state } = self;
        Pushing { flow, issuer_state, redirect_uri: redirect_uri.to_owned(), secrets }
    }
}

impl Step for Pushing {
    type Next = Authorising;

    fn request(&self, wallet: Wallet<'_>, now: Timestamp) -> Result<HttpRequest, StepError> {
        let scope = self.flow.configuration().and_then(|found| found.scope.clone());
        let pushed = PushedRequest {
            client_id: self.flow.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: scope.into_iter().collect(),
            details: Vec::new(),
            state: Some(self.secrets.state.clone()),
            code_challenge: pkce_challenge(&self.secrets.verifier),
            issuer_state: self.issuer_state.clone(),
            dpop_jkt: None,
        };
        let fields = pushed.fields().map_err(|_| StepError::Protocol("a form"))?;
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = self.flow.code_flow()?.pushed_authorization_request_endpoint.clone();
        let request = HttpRequest::post_form(url, "application/json", &fields);
        self.flow.attested(request, wallet, now)
    }

    fn handle(&mut self, response: &HttpResponse) -> Result<Authorising, StepError> {
        self.flow.learn(response);
        Flow::refusal(response)?;
        let pushed: PushedResponse = response.json()?;
        Ok(Authorising {
            flow: self.flow.clone(),
            redirect_uri: self.redirect_uri.clone(),
            secrets: self.secrets.clone(),
            request_uri: pushed.request_uri,
            signs_in: self.issuer_state.is_none(),
        })
    }
}

impl Authorising {
    /// Where the person's browser is to go.
    ///
    /// # Errors
    /// [`StepError::Endpoint`] if that is no permitted address.
    pub fn address(&self) -> Result<Endpoint, StepError> {
        let mut url = self.flow.code_flow()?.authorization_endpoint.url().clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.flow.client_id)
            .append_pair("request_uri", &self.request_uri);
        Ok(Endpoint::parse(url.as_str())?)
    }

    /// Whether the person signs in: there was no offer.
    #[must_use]
    pub const fn signs_in(&self) -> bool {
        self.signs_in
    }

    /// Asks for what the person signs in by, for a wallet without a browser; once she did, the same request leads back
    /// to the wallet's own address.
    ///
    /// # Errors
    /// As [`Authorising::address`].
    pub fn sign_in(&self) -> Result<HttpRequest, StepError> {
        Ok(HttpRequest::get(self.address()?, "application/json"))
    }

    /// The issuer, and what the pushed request is known by: what the person signs at a sign-in names both.
    #[must_use]
    pub fn sign_in_names(&self) -> (&Endpoint, String) {
        (&self.flow.metadata.credential_issuer, SignIn::of(&self.request_uri))
    }

    /// The form of the page at that address, filled in: for a wallet without a browser, in which the person types.
    ///
    /// # Errors
    /// [`StepError::Protocol`] never: the metadata were checked.
    pub fn form(&self, digits: Option<&str>) -> Result<HttpRequest, StepError> {
        let url = self.flow.code_flow()?.authorization_endpoint.clone();
        let mut fields = vec![
            ("client_id", self.flow.client_id.as_str()),
            ("request_uri", self.request_uri.as_str()),
            ("decision", "agree"),
        ];
        fields.extend(digits.map(|digits| ("tx_code", digits)));
        Ok(HttpRequest::post_form(url, "text/html", &fields))
    }

    /// Takes the address to which the browser was sent.
    ///
    /// # Errors
    /// [`AnswerError`], the first rule that is broken: an answer by another server, or to another request.
    pub fn answered(self, address: &str) -> Result<Result<Exchanging, String>, AnswerError> {
        let server = &self.flow.server.issuer;
        let answer = read_answer(address, &self.redirect_uri, &self.secrets.state, server)?;
        Ok(match answer {
            AuthorizationAnswer::Code(code) => Ok(Exchanging {
                flow: self.flow,
                redirect_uri: self.redirect_uri,
                verifier: self.secrets.verifier,
                code,
            }),
            AuthorizationAnswer::Refused { error, description } => {
                Err(format!("{error}: {description}"))
            }
        })
    }
}

impl Step for Exchanging {
    type Next = Granted;

    fn request(&self, wallet: Wallet<'_>, now: Timestamp) -> Result<HttpRequest, StepError> {
        let request = GrantRequest {
            client_id: Some(self.flow.client_id.clone()),
            grant: yufu_openid4vc::issuance::Grant::Code {
                code: self.code.clone(),
                redirect_uri: self.redirect_uri.clone(),
                code_verifier: self.verifier.clone(),
            },
        };
        let url = self.flow.server.token_endpoint.clone();
        let http = HttpRequest::post_form(url, "application/json", &request.fields());
        self.flow.attested(http, wallet, now)
    }

    fn handle(&mut self, response: &HttpResponse) -> Result<Granted, StepError> {
        token(&mut self.flow, response, None)
    }
}

/// Takes a token response; `kept` is the refresh token if none comes anew.
pub(super) fn token(
    flow: &mut Flow,
    response: &HttpResponse,
    kept: Option<String>,
) -> Result<Granted, StepError> {
    flow.learn(response);
    Flow::refusal(response)?;
    let token: GrantResponse = response.json()?;
    if !token.token_type.eq_ignore_ascii_case(TOKEN_TYPE_DPOP) {
        return Err(StepError::Protocol("the token is not bound to a key"));
    }
    let refresh_token = token.refresh_token.or(kept);
    let grant = Grant { flow: flow.clone(), refresh_token };
    Ok(Granted { grant, access_token: token.access_token })
}
