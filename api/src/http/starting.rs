//! A server that answers while it starts: institutions are added as they are ready, and what is
//! waited for is told.

use super::direct::Routes;
use axum::body::{Bytes, HttpBody};
use axum::http::Request;
use axum::response::Response;
use axum::{BoxError, Router};
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

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

/// Routes that can be exchanged under a running server. Clones share them.
#[derive(Clone, Default)]
pub struct Switch(Arc<RwLock<Routes>>);

impl Switch {
    /// Answers by `routes` from now on.
    pub fn to(&self, routes: impl Into<Routes>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes.into();
    }

    /// What the present routes answer.
    pub(super) fn answer<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<B>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.0.read().unwrap_or_else(PoisonError::into_inner).answer(request)
    }
}

impl From<Routes> for Switch {
    fn from(routes: Routes) -> Self {
        Self(Arc::new(RwLock::new(routes)))
    }
}

impl From<Router> for Switch {
    fn from(router: Router) -> Self {
        Routes::from(router).into()
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
