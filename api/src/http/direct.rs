//! Routes that are answered before the router is asked: those of which thousands are asked a second, and whose own work is
//! so little that the router's would show beside it. What surrounds every route surrounds them too.

use super::edge::{Edge, Seen, Tally, Template, too_large};
use super::localising::Wishes;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tower::Service;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = Box<dyn Fn(HeaderMap, Bytes) -> Answering + Send + Sync>;

/// A route at one whole address that is posted to, and takes its body whole.
pub(crate) struct Direct {
    template: &'static str,
    address: String,
    handler: Handler,
}

impl Direct {
    /// `handler` answers what is posted to `address`, which is of the router's route `template`: the router answers
    /// there whatever is asked in another way.
    pub(crate) fn post<F>(
        template: &'static str,
        address: String,
        handler: impl Fn(HeaderMap, Bytes) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let handler: Handler = Box::new(move |headers, body| Box::pin(handler(headers, body)));
        Self { template, address, handler }
    }
}

/// What a server answers by: a router, and before it the routes at whole addresses.
#[derive(Default)]
pub struct Routes {
    router: Router,
    direct: BTreeMap<String, Arc<Edged>>,
}

impl From<Router> for Routes {
    fn from(router: Router) -> Self {
        Self { router, direct: BTreeMap::new() }
    }
}

/// A route before the router, with what surrounds it.
struct Edged {
    template: &'static str,
    handler: Handler,
    edge: Arc<Edge>,
    tally: Tally,
}

impl Routes {
    pub(super) fn new(router: Router, direct: Vec<Direct>, edge: Arc<Edge>) -> Self {
        let edged = |Direct { template, address, handler }| {
            let edge = Arc::clone(&edge);
            (address, Arc::new(Edged { template, handler, edge, tally: Tally::default() }))
        };
        Self { router, direct: direct.into_iter().map(edged).collect() }
    }

    /// What is answered to `request`. It borrows nothing: the routes may be exchanged meanwhile.
    pub(super) fn answer<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<B>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let direct = (request.method() == Method::POST)
            .then(|| self.direct.get(request.uri().path()).map(Arc::clone))
            .flatten();
        let answer = match direct {
            Some(direct) => Either::Direct((direct, request)),
            // A router is always ready.
            None => Either::Router(self.router.clone().call(request)),
        };
        async move {
            match answer {
                Either::Direct((direct, request)) => Ok(direct.answer(request).await),
                Either::Router(answer) => answer.await,
            }
        }
    }
}

enum Either<D, R> {
    Direct(D),
    Router(R),
}

impl Edged {
    async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let template = Some(Template::Direct(self.template));
        let asked = (Seen::of(&request, template), Wishes::of(request.headers()));
        let largest = self.edge.largest();
        let answer = (!too_large(request.headers(), largest)).then_some(async {
            let (parts, body) = request.into_parts();
            match Limited::new(body, largest).collect().await {
                Ok(body) => (self.handler)(parts.headers, body.to_bytes()).await,
                Err(error) if error.is::<LengthLimitError>() => {
                    StatusCode::PAYLOAD_TOO_LARGE.into_response()
                }
                Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            }
        });
        self.edge.around(asked, &self.tally, answer).await
    }
}
