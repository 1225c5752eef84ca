//! All institutions that run here under one router, and the description of the whole API.

use crate::agency::{self, Agencies};
use crate::authority::{self, Authority};
use crate::bank::{self, Banks};
use crate::central_bank::{self, CentralBank};
use crate::http::{Limits, Routes, layers};
use crate::openid_provider::{self, OpenidProviders};
use crate::public::{self, Public};
use crate::registrar::{self, Registrar};
use crate::relying_party::{self, RelyingParties};
use crate::trust::{self, TrustOperator};
use crate::verifying::{self, VerifyingParties};
use crate::wallet_provider::{self, WalletProviders};
use axum::Router;
use std::sync::Arc;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref,
    RefOr, ResponseBuilder,
};
use utoipa_swagger_ui::SwaggerUi;

/// The institutions that run in this process; those left out run elsewhere.
#[derive(Clone, Default)]
pub struct Institutions {
    /// The identity authority.
    pub authority: Option<Arc<Authority>>,
    /// The central bank.
    pub central_bank: Option<Arc<CentralBank>>,
    /// Commercial banks, by name.
    pub banks: Banks,
    /// Hotels and railways, by name.
    pub relying_parties: RelyingParties,
    /// Parties that only ask, by name.
    pub verifying_parties: VerifyingParties,
    /// Agencies, by name.
    pub agencies: Agencies,
    /// Wallet providers, by name.
    pub wallet_providers: WalletProviders,
    /// OpenID providers.
    pub openid_providers: OpenidProviders,
    /// The registrar of relying parties.
    pub registrar: Option<Arc<Registrar>>,
    /// The operator of the trust list.
    pub trust_operator: Option<Arc<TrustOperator>>,
}

/// The routes of `institutions` and the public pages, with its bounds around it. While
/// [`Public::starting`] says that more are to come, an unknown address is answered with 503.
pub fn router(institutions: Institutions, public: Arc<Public>, limits: Limits) -> Routes {
    let currency = public.currency.clone();
    let starting = Arc::clone(&public.starting);
    let mut router = Router::from(public::described().with_state(Arc::clone(&public)))
        .merge(public::pages().with_state(public))
        .merge(SwaggerUi::new("/docs").url("/openapi.json", description()));
    if let Some(authority) = institutions.authority {
        router = router
            .merge(authority::well_known().with_state(Arc::clone(&authority)))
            .merge(Router::from(authority::described().with_state(authority)));
    }
    if let Some(central_bank) = institutions.central_bank {
        router = router.merge(Router::from(central_bank::described().with_state(central_bank)));
    }
    if let Some(registrar) = institutions.registrar {
        router = router.merge(Router::from(registrar::described().with_state(registrar)));
    }
    if let Some(operator) = institutions.trust_operator {
        router = router.merge(Router::from(trust::described().with_state(operator)));
    }
    let mut direct = Vec::new();
    if !institutions.banks.is_empty() {
        direct = bank::direct(&institutions.banks);
        let banks = Arc::new(institutions.banks);
        router = router
            .merge(bank::well_known().with_state(Arc::clone(&banks)))
            .merge(Router::from(bank::described().with_state(banks)));
    }
    if !institutions.relying_parties.is_empty() {
        let parties = Arc::new(institutions.relying_parties);
        router = router
            .merge(relying_party::well_known().with_state(Arc::clone(&parties)))
            .merge(Router::from(relying_party::described().with_state(parties)));
    }
    if !institutions.verifying_parties.is_empty() {
        let parties = Arc::new(institutions.verifying_parties);
        router = router.merge(Router::from(verifying::described().with_state(parties)));
    }
    if !institutions.agencies.is_empty() {
        let agencies = Arc::new(institutions.agencies);
        router = router
            .merge(agency::well_known().with_state(Arc::clone(&agencies)))
            .merge(Router::from(agency::described().with_state(agencies)));
    }
    if !institutions.wallet_providers.is_empty() {
        let providers = Arc::new(institutions.wallet_providers);
        router = router.merge(Router::from(wallet_provider::described().with_state(providers)));
    }
    if !institutions.openid_providers.is_empty() {
        let providers = Arc::new(institutions.openid_providers);
        router = router.merge(Router::from(openid_provider::described().with_state(providers)));
    }
    layers(router, direct, limits, starting, currency)
}

/// The description of the whole API, whichever institutions run here.
#[must_use]
pub fn description() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Yufu")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Every institution of a city. Amounts are whole minor units. Refusals are \
             problem details (RFC 9457) with a stable `code`; the protocol endpoints of OpenID4VCI \
             answer in that protocol's words. Issuer metadata lies at its well-known addresses.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()));
    let scheme = |what: &str| {
        let http =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build();
        SecurityScheme::Http(http)
    };
    let components = ComponentsBuilder::new()
        .security_scheme("operator", scheme("the token of an institution's desk"))
        .security_scheme("terminal", scheme("a terminal's session at a bank's counter"))
        .security_scheme("request", scheme("a JWS of type yufu-request+jwt for this address"));
    let mut all =
        OpenApiBuilder::new().info(info.build()).components(Some(components.build())).build();
    all.merge(authority::described().into_openapi());
    all.merge(registrar::described().into_openapi());
    all.merge(trust::described().into_openapi());
    all.merge(bank::described().into_openapi());
    all.merge(relying_party::described().into_openapi());
    all.merge(verifying::described().into_openapi());
    all.merge(agency::described().into_openapi());
    all.merge(wallet_provider::described().into_openapi());
    all.merge(openid_provider::described().into_openapi());
    all.merge(central_bank::described().into_openapi());
    all.merge(public::described().into_openapi());
    document_refusals(&mut all);
    all
}

/// Every operation can refuse with a problem that is common to all: malformed, too large, too slow, unavailable.
fn document_refusals(all: &mut OpenApi) {
    let schema = RefOr::Ref(Ref::from_schema_name("ProblemBody"));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let refusal = ResponseBuilder::new()
        .description("refused: a problem with a stable code, see docs/errors.md")
        .content("application/problem+json", content)
        .build();
    for item in all.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(refusal.clone()));
        }
    }
}
