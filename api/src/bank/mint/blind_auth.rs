//! Blind tokens (NUT-21, NUT-22): an access token of the OpenID provider buys one batch of them, each lets its
//! holder pay in once without saying who. They are signed with a keyset of the epoch, the same for everybody; the
//! bank knows which batches it signed and which tokens are used, and cannot tell which is of which.

use super::{Bank, Banks, Mint, MintRefusal, checks, of};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_base::{Digest, Timestamp};
use yufu_ecash::message::{
    AUTH_UNIT, AuthProof, BLIND_AUTH, BlindAuthMintRequest, BlindAuthSettings, BlindSignature,
    CLEAR_AUTH, ClearAuthSettings, ErrorCode, ProtectedEndpoint, Signatures,
};
use yufu_ecash::{
    KeysResponse, KeysetId, KeysetPlan, KeysetSigner, KeysetsResponse, MintKeys, Note, Point,
    Promise,
};
use yufu_onboarding::OnboardingError;
use yufu_payment::{AccessToken, SignedAccessToken};
use yufu_profile::PseudonymEpoch;
use yufu_trust::Role;

/// What a batch is asked for at.
const BATCH: &str = "/v1/auth/blind/mint";
/// What a token lets its holder ask for.
const TOP_UP_QUOTE: &str = "/v1/mint/quote/cash";

/// What anonymous top-ups are like.
#[derive(Clone, Debug)]
pub struct TopUpTerms {
    /// How many tokens are signed together: always so many.
    pub batch: u32,
    /// The most that is paid in with one token, in minor units.
    pub most: u64,
    /// The class of the account that holds what was paid in until it is in notes.
    pub class: String,
    /// The epochs of tokens.
    pub epoch: PseudonymEpoch,
    /// Where the OpenID provider describes itself.
    pub discovery: String,
}

/// A token that lets its holder do one thing, verified.
pub(super) struct Admitted {
    pub(super) point: Point,
    pub(super) epoch: u64,
}

/// The keys that sign tokens now.
pub(super) async fn keys(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<KeysResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let signer = mint.token_keys(bank.now())?;
    Ok(Json(KeysResponse { keysets: vec![signer.keyset().clone()] }))
}

/// The keys of one keyset of tokens.
pub(super) async fn keys_of(
    State(banks): State<Arc<Banks>>,
    Path((bank, keyset)): Path<(String, String)>,
) -> Result<Json<KeysResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let signer = mint.token_keys(bank.now())?;
    let id: Result<KeysetId, _> = keyset.parse();
    if id.ok() != Some(signer.keyset().id) {
        return Err(checks::unknown_text(&keyset));
    }
    Ok(Json(KeysResponse { keysets: vec![signer.keyset().clone()] }))
}

/// The keysets of tokens.
pub(super) async fn keysets(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<KeysetsResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let signer = mint.token_keys(bank.now())?;
    Ok(Json(KeysetsResponse { keysets: vec![signer.keyset().info()] }))
}

/// Have a batch of tokens signed.
pub(super) async fn mint(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<BlindAuthMintRequest>, JsonRejection>,
) -> Result<Json<Signatures>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let terms = mint.top_ups()?;
    let token = bank.access(&headers).await?;
    let Json(BlindAuthMintRequest { outputs }) = request?;
    let now = bank.now();
    let epoch = terms.epoch.number(now);
    if token.yufu_epoch != epoch {
        let detail = "the access token is of another epoch: get a new one from the OpenID provider";
        return Err(MintRefusal::new(ErrorCode::ClearAuthFailed, detail));
    }
    if u32::try_from(outputs.len()).ok() != Some(terms.batch) {
        let detail = format!("tokens are signed {} together, no more and no fewer", terms.batch);
        return Err(MintRefusal::new(ErrorCode::BlindAuthTooMany, detail));
    }
    checks::well_formed(&outputs)?;
    let signer = mint.token_keys(now)?;
    let keyset = signer.keyset().id;
    if let Some(other) = outputs.iter().find(|output| output.id != keyset) {
        return Err(checks::unknown(other.id));
    }
    if outputs.iter().any(|output| output.amount != 1) {
        let detail = "a token is of amount 1";
        return Err(MintRefusal::new(ErrorCode::AmountOutsideLimits, detail));
    }
    let points: Vec<u8> = outputs.iter().flat_map(|output| output.blinded.to_bytes()).collect();
    let digest = Digest::derive("yufu blind batch v1", &points);
    match bank.records.sign_batch(&token.jti, &digest.0, epoch).await {
        Err(OnboardingError::AlreadyAnswered) => {
            let detail = "a batch was signed for this access token: get another token, if the epoch's allowance is not used";
            return Err(MintRefusal::new(ErrorCode::BlindAuthRateLimited, detail));
        }
        signed => signed?,
    }
    let asked: Vec<_> = outputs.iter().map(|output| (1, output.blinded)).collect();
    let promises = signer.sign_all(&asked).map_err(MintRefusal::internal)?;
    let signature = |promise: Promise| {
        let (signature, dleq) = (promise.signature, Some(promise.dleq));
        BlindSignature { amount: 1, id: keyset, signature, dleq }
    };
    let signatures = promises.into_iter().map(signature).collect();
    Ok(Json(Signatures { signatures }))
}

impl Mint {
    pub(super) fn top_ups(&self) -> Result<&TopUpTerms, MintRefusal> {
        self.top_ups.as_ref().ok_or_else(|| {
            let detail = "there are no anonymous top-ups here";
            MintRefusal::other(axum::http::StatusCode::NOT_FOUND, detail)
        })
    }

    /// The keys that sign tokens of the epoch: they follow from the seed, and are over with it.
    fn token_keys(&self, now: Timestamp) -> Result<MintKeys, MintRefusal> {
        let terms = self.top_ups()?;
        let plan = KeysetPlan {
            unit: AUTH_UNIT.to_owned(),
            generation: terms.epoch.number(now),
            denominations: 1,
            input_fee_ppk: 0,
            final_expiry: Some(terms.epoch.next_after(now).seconds()),
        };
        MintKeys::derive(&self.seed, &plan).map_err(MintRefusal::internal)
    }

    /// What is said of it to wallets: which requests need an access token, and which a blind one.
    pub(super) fn auth_settings(
        &self,
        bank: &Bank,
    ) -> (Option<ClearAuthSettings>, Option<BlindAuthSettings>) {
        let protected = |path: &str| {
            vec![ProtectedEndpoint { method: "POST".to_owned(), path: path.to_owned() }]
        };
        let clear = self.top_ups.as_ref().map(|terms| ClearAuthSettings {
            openid_discovery: terms.discovery.clone(),
            client_id: bank.id.to_string(),
            protected_endpoints: protected(BATCH),
        });
        let blind = self.top_ups.as_ref().map(|terms| BlindAuthSettings {
            bat_max_mint: terms.batch.into(),
            protected_endpoints: protected(TOP_UP_QUOTE),
        });
        (clear, blind)
    }

    /// The token that a request carries, if this mint signed it in this epoch. It is not used yet.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Admitted, MintRefusal> {
        let terms = self.top_ups()?;
        let failed = |detail: &str| MintRefusal::new(ErrorCode::BlindAuthFailed, detail.to_owned());
        let Some(header) = headers.get(BLIND_AUTH) else {
            let detail = "paying in without an account takes a blind token: get some with your identity, or open a purse of the class without one";
            return Err(MintRefusal::new(ErrorCode::BlindAuthRequired, detail));
        };
        let text = header.to_str().map_err(|_| failed("that is no blind token"))?;
        let token = AuthProof::from_header(text).map_err(|error| failed(&error.to_string()))?;
        let signer = self.token_keys(now)?;
        if token.id != signer.keyset().id {
            return Err(failed("the token is of another bank, or of an epoch that is over"));
        }
        let hashed = token.to_proof().hashed().map_err(|_| failed("a secret has no point"))?;
        let note = Note { amount: 1, hashed, signature: token.signature };
        match signer.verify(&[note], &[1]).as_deref() {
            Ok([]) => Ok(Admitted { point: hashed, epoch: terms.epoch.number(now) }),
            _ => Err(failed("this mint did not sign the token")),
        }
    }
}

impl Bank {
    /// The access token that a request carries, if an OpenID provider of the trust list made it for this bank.
    async fn access(&self, headers: &HeaderMap) -> Result<AccessToken, MintRefusal> {
        let Some(header) = headers.get(CLEAR_AUTH) else {
            let detail = "send the OpenID provider's access token as \"Clear-auth: ...\"";
            return Err(MintRefusal::new(ErrorCode::ClearAuthRequired, detail));
        };
        let failed = |error: &dyn std::fmt::Display| {
            MintRefusal::new(ErrorCode::ClearAuthFailed, error.to_string())
        };
        let text = header.to_str().map_err(|error| failed(&error))?;
        let signed = SignedAccessToken::parse(text).map_err(|error| failed(&error))?;
        let chain = signed.chain().map_err(|error| failed(&error))?;
        let now = self.now();
        let list = self.trust.list(now).await.map_err(crate::http::Problem::from)?;
        let by = list.identify(Role::OpenidProvider, &chain, now).map_err(|e| failed(&e))?;
        let provider = (by.entry.identifier.as_str(), &by.leaf.public_key);
        signed.verify(provider, self.id.as_str(), now).map_err(|error| failed(&error))
    }
}
