//! What belongs to no institution: health, readiness, metrics, the API's description, and the
//! front page that says where everything is.

mod pages;

pub use pages::Pages;

use crate::http::{Problem, Starting};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_profile::CurrencyProfile;

/// Says why an institution cannot serve now, if so.
pub type Readiness = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the public pages show.
pub struct Public {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// What the start still waits for.
    pub starting: Arc<Starting>,
    /// One check for each institution that runs here, with its name.
    pub readiness: Vec<(String, Readiness)>,
    /// The front page.
    pub front: Pages,
    /// The currency in which refusals name amounts.
    pub currency: CurrencyProfile,
}

/// Whether the program runs, or can serve.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

pub(crate) fn described() -> OpenApiRouter<Arc<Public>> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

pub(crate) fn pages() -> Router<Arc<Public>> {
    Router::new().route("/", get(front))
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
async fn healthz() -> Json<Health> {
    Json(OK)
}

/// Whether every institution here can serve; 503 names the one that cannot, and why.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, body = Health), (status = 503, body = crate::http::ProblemBody)))]
async fn readyz(State(public): State<Arc<Public>>) -> Result<Json<Health>, Problem> {
    if let Some(what) = public.starting.waits_for() {
        return Err(Problem::unavailable("server.starting", what));
    }
    for (name, ready) in &public.readiness {
        ready().map_err(|cause| {
            Problem::unavailable("server.not_ready", format!("{name}: {cause}"))
        })?;
    }
    Ok(Json(OK))
}

/// Counters and histograms in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, body = String)))]
async fn metrics(State(public): State<Arc<Public>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], public.metrics.render())
}

/// The language that a visitor asks for by name.
#[derive(Deserialize)]
struct Visit {
    lang: Option<String>,
}

async fn front(
    State(public): State<Arc<Public>>,
    Query(visit): Query<Visit>,
    headers: HeaderMap,
) -> Html<String> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Html(public.front.choose(visit.lang.as_deref(), accepted).to_owned())
}
