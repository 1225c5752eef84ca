//! The token endpoint: codes and refresh tokens for access tokens, each in the hands of one wallet and one key.

use super::client::{NoProof, Proof};
use super::{Fresh, Haip, HaipRefusal, Kind};
use crate::http::Problem;
use crate::issuer::Issuer;
use axum::http::HeaderMap;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{DerivedFrom, NewGrant};
use yufu_issuer::haip::{ACCESS_SECONDS, Coded, GrantError, Granted, Refresh};
use yufu_keys::random_text;
use yufu_openid4vc::issuance::{
    DpopTarget, Grant, GrantRequest, GrantResponse, TOKEN_TYPE_DPOP, TokenErrorCode,
};

impl Issuer {
    /// Exchanges a code, or takes up a refresh token (RFC 6749, sections 4.1.3 and 6).
    pub(crate) async fn grant(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(GrantResponse, Fresh), HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let attested = haip.attested(headers, now).await?;
        let refused = |code, why: String| match haip.fresh(now) {
            Ok(fresh) => HaipRefusal::token(code, why, fresh),
            Err(problem) => HaipRefusal::Problem(problem),
        };
        let request = GrantRequest::from_form(body)
            .map_err(|error| refused(error.code(), error.to_string()))?;
        let own = &attested.client.client_id;
        if request.client_id.as_ref().is_some_and(|named| named != own) {
            let why = format!("client_id is not {own}, whom the attestation is of");
            return Err(refused(TokenErrorCode::InvalidClient, why));
        }
        let url = &haip.documents.server.token_endpoint;
        let target = DpopTarget { method: "POST", url, access_token: None };
        let Proof { proof, marker } = match haip.proof(headers, target, now) {
            Ok(Some(proof)) => proof,
            Ok(None) => {
                let why = "send a DPoP proof: tokens are bound to a key".to_owned();
                return Err(refused(TokenErrorCode::InvalidDpopProof, why));
            }
            Err(NoProof::Nonce) => {
                return Err(refused(TokenErrorCode::UseDpopNonce, NoProof::Nonce.why()));
            }
            Err(error) => return Err(refused(TokenErrorCode::InvalidDpopProof, error.why())),
        };
        let markers = vec![attested.marker, marker];
        let wrong = |error: GrantError| refused(error.code(), error.to_string());
        let unknown = || {
            let why = "it is unknown here: begin anew".to_owned();
            refused(TokenErrorCode::InvalidGrant, why)
        };
        match request.grant {
            Grant::Code { code, redirect_uri, code_verifier } => {
                let coded: Coded = haip.open(Kind::Code, &code).ok_or_else(unknown)?;
                let brought = (redirect_uri.as_str(), code_verifier.as_str());
                let granted = coded.exchange(brought, &attested.client, &proof, now);
                let granted = granted.map_err(wrong)?;
                let lapses = haip.lapses(now);
                let new = NewGrant {
                    id: granted.grant.clone(),
                    person: person(&granted)?,
                    expires_at: lapses,
                    derived_from: derived_from(&granted)?,
                };
                let recorded = self.records.grant(new, markers, now).await;
                recorded.map_err(|error| self.at_token(error, now))?;
                let refresh = granted.clone().refresh(lapses);
                let refresh = haip.seal(Kind::Refresh, &refresh)?;
                Ok((haip.response(granted, Some(refresh), now)?, haip.fresh(now)?))
            }
            Grant::Refresh { refresh_token } => {
                let refresh: Refresh =
                    haip.open(Kind::Refresh, &refresh_token).ok_or_else(unknown)?;
                let granted = refresh.take_up(&attested.client, &proof, now).map_err(wrong)?;
                self.use_at_token(markers, Some(granted.grant.clone()), now).await?;
                Ok((haip.response(granted, None, now)?, haip.fresh(now)?))
            }
        }
    }
}

impl Haip {
    fn response(
        &self,
        granted: Granted,
        refresh_token: Option<String>,
        now: Timestamp,
    ) -> Result<GrantResponse, Problem> {
        let authorization_details = granted.details();
        let scopes: Vec<&str> = granted
            .configuration_ids
            .iter()
            .filter(|_| !granted.by_details)
            .filter_map(|id| self.documents.issuer.credential_configurations_supported.get(id))
            .filter_map(|found| found.scope.as_deref())
            .collect();
        let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
        let access_token = self.seal(Kind::Access, &granted.access(random_text(), now))?;
        Ok(GrantResponse {
            access_token,
            token_type: TOKEN_TYPE_DPOP.to_owned(),
            expires_in: ACCESS_SECONDS,
            refresh_token,
            scope,
            authorization_details,
        })
    }
}

/// The issuer's internal id of the person.
pub(super) fn person(granted: &Granted) -> Result<Uuid, Problem> {
    Uuid::parse_str(&granted.subject).map_err(Problem::internal)
}

/// The card behind a grant, if one is.
pub(super) fn derived_from(granted: &Granted) -> Result<Option<DerivedFrom>, Problem> {
    let Some(basis) = &granted.card else { return Ok(None) };
    let card = Uuid::parse_str(&basis.card).map_err(Problem::internal)?;
    Ok(Some(DerivedFrom { card, until: Timestamp::from_seconds(basis.until) }))
}
