//! A server that answers while it starts: institutions are added as they are ready, and what is
//! waited for is told.

use axum::body::{Bytes, HttpBody};
use axum::http::Request;
use axum::routing::future::RouteFuture;
use axum::{BoxError, Router};
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use tower::Service;

/// What a start still waits for; nothing, by default.
#[derive(Debug, Default)]
pub struct Starting(RwLock<Option<String>>);

impl Starting {
    /// The start waits for `what`: a sentence for whoever asks.
    pub fn wait_for(&self, what: &str) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(what.to_owned());
    }

    /// Everything is there.
    pub fn done(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is waited for.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A router that can be exchanged under a running server. Clones share it.
#[derive(Clone, Default)]
pub struct Switch(Arc<RwLock<Router>>);

impl Switch {
    /// Answers by `router` from now on.
    pub fn to(&self, router: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = router;
    }

    /// What the present router answers.
    pub(super) fn answer<B>(&self, request: Request<B>) -> RouteFuture<Infallible>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        // A router is always ready.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone().call(request)
    }
}

impl From<Router> for Switch {
    fn from(router: Router) -> Self {
        Self(Arc::new(RwLock::new(router)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;

    async fn ask(switch: &Switch) -> u16 {
        let request = Request::get("/late").body(Body::empty()).unwrap();
        switch.answer(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn a_router_is_exchanged_under_those_who_hold_it() {
        let switch = Switch::default();
        assert_eq!(ask(&switch).await, 404);
        switch.to(Router::new().route("/late", get(|| async { "here" })));
        assert_eq!(ask(&switch).await, 200);
    }

    #[test]
    fn what_is_waited_for_is_told_until_it_is_there() {
        let starting = Starting::default();
        assert_eq!(starting.waits_for(), None);
        starting.wait_for("the registrar");
        assert_eq!(starting.waits_for().as_deref(), Some("the registrar"));
        starting.done();
        assert_eq!(starting.waits_for(), None);
    }
}
