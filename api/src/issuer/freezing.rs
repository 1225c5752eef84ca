//! What an issuer was left to freeze what it issued, and freezing it.

use super::Issuer;
use crate::freezing::{Claimed, FreezeHandle, FreezeHandleKept, Frozen};
use crate::http::{Problem, bearer};
use axum::http::HeaderMap;
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_credentials::CredentialsError;
use yufu_issuer::{IssuerSession, secret_id};

impl Issuer {
    /// Keeps the key that may freeze what is about to be issued to whoever holds this access token.
    pub(crate) async fn keep_freeze_handle(
        &self,
        headers: &HeaderMap,
        handle: FreezeHandle,
    ) -> Result<FreezeHandleKept, Problem> {
        let unknown = || {
            Problem::unauthenticated(
                "send the access token of an issuance under way as \"Authorization: Bearer ...\"",
            )
        };
        let token = bearer(headers).ok_or_else(unknown)?;
        let now = self.clock.read().wall;
        let row = match self.records.issuance(&secret_id(token)).await {
            Ok(row) if now < row.expires_at => row,
            Ok(_) | Err(CredentialsError::Unknown(_)) => return Err(unknown()),
            Err(error) => return Err(error.into()),
        };
        let session: IssuerSession =
            serde_json::from_str(&row.session).map_err(Problem::internal)?;
        if !matches!(session, IssuerSession::Authorised(_)) {
            return Err(unknown());
        }
        let (thumbprint, key) = handle.kept()?;
        let (batch, person) = (row.id.to_string(), row.person);
        let kept = FreezeHandleKept { thumbprint: thumbprint.clone() };
        let handle = yufu_credentials::FreezeHandle { thumbprint, key, batch, grant: None, person };
        self.records.keep_freeze_handle(handle, now).await?;
        Ok(kept)
    }

    /// Suspends what was issued to the wallet that left the asking key, which asks the institution at this address of
    /// it; about whom that was.
    pub(crate) async fn freeze(
        &self,
        headers: &HeaderMap,
        here: (&str, &str),
    ) -> Result<(Frozen, BTreeSet<Uuid>), Problem> {
        let (claimed, now) = (Claimed::read(headers)?, self.clock.read().wall);
        let key = self.records.freeze_key(&claimed.thumbprint).await?;
        claimed.proven(key.as_deref(), here, now)?;
        let about = self.records.freeze(&claimed.thumbprint, now).await?;
        Ok((Frozen::since(now), about))
    }
}
