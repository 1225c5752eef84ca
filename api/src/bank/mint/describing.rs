//! What a mint says of itself and of its keysets (NUT-01, NUT-02, NUT-06).

use super::keysets::Own;
use super::{Banks, MOST, Mint, MintRefusal, checks, of};
use axum::Json;
use axum::extract::{Path, State};
use std::sync::Arc;
use yufu_ecash::message::{
    BatchSettings, CacheSettings, CachedEndpoint, Method, MethodSettings, MintInfo, Nuts,
    SubscriptionMethod, SubscriptionSettings, Supported,
};
use yufu_ecash::{KeysResponse, Keyset, KeysetId, KeysetsResponse};
use yufu_onboarding::TOP_UP;

/// The way of funding and redeeming that a bank has: its accounts.
pub(super) const BANK: &str = "bank";
const VERSION: &str = concat!("yufu/", env!("CARGO_PKG_VERSION"));
/// For how long a request that was done is answered once more, in seconds, whatever became of keysets meanwhile. In
/// fact it is until its keysets are over.
const ANSWERED_AGAIN: u64 = 86_400;

pub(super) async fn info(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<MintInfo>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let book = bank.keysets_by_newest_rules(mint).await?;
    let methods = mint.methods();
    let method = |method: &String, most| Method {
        method: method.clone(),
        unit: mint.unit.clone(),
        method_name: None,
        min_amount: Some(1),
        max_amount: most,
        options: None,
    };
    let settings = |most, disabled| {
        let methods = methods.iter().map(|name| method(name, most)).collect();
        MethodSettings { methods, disabled }
    };
    let yes = Supported { supported: true };
    let mut minting = settings(book.most, !book.open);
    let top_up = mint.top_ups.as_ref().map(|terms| method(&TOP_UP.to_owned(), Some(terms.most)));
    minting.methods.extend(top_up);
    let (clear_auth, blind_auth) = mint.auth_settings(bank);
    let nuts = Nuts {
        mint: minting,
        melt: settings(None, false),
        state: yes,
        change: yes,
        restore: yes,
        conditions: yes,
        p2pk: yes,
        dleq: yes,
        htlc: yes,
        subscriptions: Some(mint.subscriptions()),
        cache: Some(mint.repeats()),
        signed_quotes: yes,
        clear_auth,
        blind_auth,
        batch: Some(BatchSettings {
            max_batch_size: u64::try_from(MOST).ok(),
            methods: Some(methods.clone()),
        }),
        ..Nuts::default()
    };
    Ok(Json(MintInfo {
        name: Some(mint.name.clone()),
        version: Some(VERSION.to_owned()),
        description: Some("central-bank money as bearer notes, backed by as much of it".to_owned()),
        urls: Some(vec![mint.address.clone()]),
        time: Some(bank.now().seconds()),
        max_array_length: u64::try_from(MOST).ok(),
        nuts,
        ..MintInfo::default()
    }))
}

impl Mint {
    /// What wallets may listen to, by method (NUT-17).
    fn subscriptions(&self) -> SubscriptionSettings {
        let redeems = self.methods();
        let of = |method: &String| {
            let mut commands = vec![format!("{method}_mint_quote")];
            if redeems.contains(method) {
                commands.push(format!("{method}_melt_quote"));
            }
            commands.push("proof_state".to_owned());
            SubscriptionMethod { method: method.clone(), unit: self.unit.clone(), commands }
        };
        SubscriptionSettings { supported: self.minting_methods().iter().map(of).collect() }
    }

    /// Which requests are answered once more as they were (NUT-19): all that notes come of. Nothing is kept for it, the
    /// answers follow from the ledger.
    fn repeats(&self) -> CacheSettings {
        let minting = self.minting_methods().into_iter().map(|method| format!("/v1/mint/{method}"));
        let batches = self.methods().into_iter().map(|method| format!("/v1/mint/{method}/batch"));
        let melting = self.methods().into_iter().map(|method| format!("/v1/melt/{method}"));
        let all =
            std::iter::once("/v1/swap".to_owned()).chain(minting).chain(batches).chain(melting);
        let post = |path| CachedEndpoint { method: "POST".to_owned(), path };
        CacheSettings { ttl: Some(ANSWERED_AGAIN), cached_endpoints: all.map(post).collect() }
    }
}

pub(super) async fn keys(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<KeysResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let (book, now) = (bank.keysets(mint).await?, bank.now());
    let signing = book.own.iter().filter(|own| own.active && own.final_expiry > now);
    Ok(Json(KeysResponse { keysets: signing.map(|own| public(own)).collect() }))
}

pub(super) async fn keys_of(
    State(banks): State<Arc<Banks>>,
    Path((bank, keyset)): Path<(String, String)>,
) -> Result<Json<KeysResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let book = bank.keysets(mint).await?;
    let id: Result<KeysetId, _> = keyset.parse();
    let own = id.ok().and_then(|id| book.get(id));
    let own = own.ok_or_else(|| checks::unknown_text(&keyset))?;
    Ok(Json(KeysResponse { keysets: vec![public(own)] }))
}

pub(super) async fn keysets(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<KeysetsResponse>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let book = bank.keysets(mint).await?;
    let keysets = book.own.iter().map(|own| public(own).info()).collect();
    Ok(Json(KeysetsResponse { keysets }))
}

fn public(own: &Own) -> Keyset {
    Keyset { active: Some(own.active), ..own.signer.keyset().clone() }
}
