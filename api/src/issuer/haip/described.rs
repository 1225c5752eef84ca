//! Where the endpoints of an issuer to attested wallets are, and what is said of each: the same at every institution.

use super::attesting::{Attesters, ID};
use super::endpoints as at;
use axum::Router;
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItemBuilder,
    PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa_axum::router::OpenApiRouter;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const HTML: &str = "text/html";
const REQUEST: &str = "application/oauth-authz-req+jwt";
/// Of an answer that is a problem.
const PROBLEM: &str = "problem";
/// Of an answer without a body.
const NOTHING: &str = "";

/// What is said of an operation.
struct Said {
    id: &'static str,
    summary: &'static str,
    /// Parameters of the query, with what they are.
    query: &'static [(&'static str, &'static str)],
    /// The media type of the body, and what it holds.
    body: Option<(&'static str, &'static str)>,
    /// Status, media type, and what it is.
    answers: &'static [(&'static str, &'static str, &'static str)],
}

/// An endpoint: where it is below the institution, and what is said of it by method.
type Endpoint<A> = (&'static str, &'static [(HttpMethod, Said)], MethodRouter<Arc<A>>);

const PUSH: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "push",
        summary: "Push an authorization request (RFC 9126), as an attested wallet.",
        query: &[],
        body: Some((
            FORM,
            "client_id, response_type, code_challenge, code_challenge_method, redirect_uri, scope or authorization_details, state, issuer_state, dpop_jkt",
        )),
        answers: &[("201", JSON, "request_uri, expires_in"), ("400", JSON, "OAuth error")],
    },
)];

const AUTHORIZE: &[(HttpMethod, Said)] = &[
    (
        HttpMethod::Get,
        Said {
            id: "page",
            summary: "The page that asks the person for the digits of the offer; without an offer, to sign in with her wallet.",
            query: &[
                ("client_id", "The wallet that pushed the request."),
                ("request_uri", "The request, as the pushing was answered."),
            ],
            body: None,
            answers: &[
                (
                    "200",
                    HTML,
                    "a page; of a sign-in, for `Accept: application/json`, {\"authorization_request\": \"openid4vp://...\"}",
                ),
                (
                    "303",
                    NOTHING,
                    "back to the wallet: with code, state and iss once she signed in; or with an error",
                ),
                ("400", PROBLEM, "no such request"),
                ("403", PROBLEM, "the registration to ask who somebody is was revoked"),
                ("409", PROBLEM, "used meanwhile"),
            ],
        },
    ),
    (
        HttpMethod::Post,
        Said {
            id: "decide",
            summary: "The person agrees, with the digits of the offer if it has any: a code for the wallet, by way of the browser.",
            query: &[],
            body: Some((FORM, "client_id, request_uri, tx_code, decision (agree, decline)")),
            answers: &[
                ("303", NOTHING, "back to the wallet: code, state, iss; or error"),
                ("400", PROBLEM, "no such request"),
                ("409", PROBLEM, "used meanwhile"),
                ("422", PROBLEM, "wrong digits; how many attempts are left"),
            ],
        },
    ),
];

const TOKEN: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "token",
        summary: "Exchange a code, or take up a refresh token (OpenID4VCI 1.0, section 6), as an attested wallet with a DPoP proof.",
        query: &[],
        body: Some((
            FORM,
            "grant_type authorization_code: code, redirect_uri, code_verifier; refresh_token: refresh_token",
        )),
        answers: &[
            ("200", JSON, "access_token (DPoP), refresh_token, scope or authorization_details"),
            ("400", JSON, "OAuth error"),
        ],
    },
)];

const CHALLENGE: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "challenge",
        summary: "A challenge for the proof that goes with a wallet attestation; a nonce for DPoP is in the header.",
        query: &[],
        body: None,
        answers: &[("200", JSON, "attestation_challenge")],
    },
)];

const NONCE: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "nonce",
        summary: "A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7); one for DPoP is in the header.",
        query: &[],
        body: None,
        answers: &[("200", JSON, "NonceResponse")],
    },
)];

const CREDENTIAL: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "credential",
        summary: "Issue a batch of credentials for attested keys (OpenID4VCI 1.0, section 8), or have it wait for an officer.",
        query: &[],
        body: Some((
            JSON,
            "CredentialRequest, or a JWE of it as application/jwt; proofs with a key attestation",
        )),
        answers: &[
            ("200", JSON, "credentials, notification_id; as a JWE if the request asks for it"),
            ("202", JSON, "transaction_id, interval"),
            ("400", JSON, "credential error"),
            ("401", JSON, "no valid token or proof"),
        ],
    },
)];

const DEFERRED: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "deferred",
        summary: "Fetch what waited for an officer (OpenID4VCI 1.0, section 9).",
        query: &[],
        body: Some((JSON, "transaction_id; or a JWE of it as application/jwt")),
        answers: &[
            ("200", JSON, "credentials, notification_id"),
            ("202", JSON, "not yet"),
            ("400", JSON, "credential error"),
            ("401", JSON, "no valid token or proof"),
        ],
    },
)];

const NOTIFICATION: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "notify",
        summary: "Say what became of credentials (OpenID4VCI 1.0, section 11): those that are not in the wallet become void.",
        query: &[],
        body: Some((JSON, "notification_id, event")),
        answers: &[
            ("204", NOTHING, "noted"),
            ("400", JSON, "notification error"),
            ("401", JSON, "no valid token or proof"),
        ],
    },
)];

const SIGN_IN_REQUEST: &[(HttpMethod, Said)] = &[
    (
        HttpMethod::Get,
        Said {
            id: "sign_in_request",
            summary: "The signed presentation request of a sign-in.",
            query: &[],
            body: None,
            answers: &[
                ("200", REQUEST, "a JWS of type oauth-authz-req+jwt"),
                ("404", PROBLEM, "no such sign-in"),
                ("409", PROBLEM, "answered before"),
                ("410", PROBLEM, "expired"),
            ],
        },
    ),
    (
        HttpMethod::Post,
        Said {
            id: "sign_in_request_with_nonce",
            summary: "The signed presentation request of a sign-in, for the wallet's nonce.",
            query: &[],
            body: Some((FORM, "wallet_nonce, wallet_metadata")),
            answers: &[
                ("200", REQUEST, "a JWS of type oauth-authz-req+jwt"),
                ("404", PROBLEM, "no such sign-in"),
                ("409", PROBLEM, "answered before"),
                ("410", PROBLEM, "expired"),
                ("422", PROBLEM, "the wallet takes nothing of what is asked"),
            ],
        },
    ),
];

const SIGN_IN_ANSWER: &[(HttpMethod, Said)] = &[(
    HttpMethod::Post,
    Said {
        id: "sign_in_answer",
        summary: "The wallet's encrypted answer to a sign-in, or its refusal.",
        query: &[],
        body: Some((FORM, "response (JWE), or error")),
        answers: &[
            ("200", JSON, "accepted, with the institution's receipt"),
            ("400", PROBLEM, "the answer does not hold"),
            ("404", PROBLEM, "no such sign-in, or nobody here that it is of"),
            ("409", PROBLEM, "answered before"),
            ("410", PROBLEM, "expired"),
            ("422", PROBLEM, "nothing is issued for it, or the credential is revoked"),
        ],
    },
)];

const OFFER: &[(HttpMethod, Said)] = &[(
    HttpMethod::Get,
    Said {
        id: "referred_offer",
        summary: "The offer that a link refers to (OpenID4VCI 1.0, section 4.1.3). It is read once.",
        query: &[],
        body: None,
        answers: &[
            ("200", JSON, "credential offer"),
            ("404", PROBLEM, "no such offer: read before, or lapsed"),
        ],
    },
)];

const TYPE: &[(HttpMethod, Said)] = &[(
    HttpMethod::Get,
    Said {
        id: "type_metadata",
        summary: "The metadata of a type of credential (SD-JWT VC, section 5), by the digest in `vct#integrity` (sha256- and base64url), or the newest of a type by its `vct`.",
        query: &[],
        body: None,
        answers: &[
            ("200", JSON, "type metadata, the same for everybody; under a digest for ever"),
            ("404", PROBLEM, "no such type here"),
        ],
    },
)];

/// The endpoints of every institution that attests.
pub(crate) fn described<A: Attesters>() -> OpenApiRouter<Arc<A>> {
    let all: [Endpoint<A>; 12] = [
        ("/haip/par", PUSH, post(at::push::<A>)),
        ("/haip/authorize", AUTHORIZE, get(at::page::<A>).post(at::decide::<A>)),
        ("/haip/token", TOKEN, post(at::token::<A>)),
        ("/haip/challenge", CHALLENGE, post(at::challenge::<A>)),
        ("/haip/nonce", NONCE, post(at::nonce::<A>)),
        ("/haip/credential", CREDENTIAL, post(at::credential::<A>)),
        ("/haip/deferred", DEFERRED, post(at::deferred::<A>)),
        ("/haip/notification", NOTIFICATION, post(at::notify::<A>)),
        (
            "/haip/openid4vp/{id}/request",
            SIGN_IN_REQUEST,
            get(at::sign_in_request::<A>).post(at::sign_in_request_with_nonce::<A>),
        ),
        ("/haip/openid4vp/{id}/response", SIGN_IN_ANSWER, post(at::sign_in_answer::<A>)),
        ("/offers/{id}", OFFER, get(at::offer::<A>)),
        ("/types/{id}", TYPE, get(at::type_metadata::<A>)),
    ];
    all.into_iter().fold(OpenApiRouter::new(), |router, (below, said, methods)| {
        let path = format!("{}{below}", A::AT);
        let item = said.iter().fold(PathItemBuilder::new(), |item, (method, said)| {
            item.operation(method.clone(), operation(said, &path, A::TAG))
        });
        let paths = PathsBuilder::new().path(path, item.build()).build();
        router.routes((Vec::new(), paths, methods))
    })
}

/// Documents at well-known addresses, whose paths the issuers' identifiers under HAIP determine.
pub(crate) fn well_known<A: Attesters>() -> Router<Arc<A>> {
    let at = |document: &str| format!("/.well-known/{document}{}/haip", A::AT);
    Router::new()
        .route(&at("openid-credential-issuer"), get(at::issuer::<A>))
        .route(&at("oauth-authorization-server"), get(at::server::<A>))
}

fn operation(said: &Said, path: &str, tag: &str) -> Operation {
    let mut operation =
        OperationBuilder::new().tag(tag).summary(Some(said.summary)).operation_id(Some(said.id));
    for name in path.split(['{', '}']).skip(1).step_by(2) {
        let what = if name == ID { "its id".to_owned() } else { format!("the {name}") };
        operation = operation.parameter(parameter(ParameterIn::Path, name, &what));
    }
    for (name, what) in said.query {
        operation = operation.parameter(parameter(ParameterIn::Query, name, what));
    }
    if let Some((kind, what)) = said.body {
        let body = RequestBodyBuilder::new()
            .description(Some(what))
            .content(kind, content(kind))
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    for (status, kind, what) in said.answers {
        let answer = ResponseBuilder::new().description(*what);
        let answer = match *kind {
            NOTHING => answer,
            PROBLEM => {
                let schema = RefOr::Ref(Ref::from_schema_name("ProblemBody"));
                answer.content(JSON, ContentBuilder::new().schema(Some(schema)).build())
            }
            kind => answer.content(kind, content(kind)),
        };
        operation = operation.response(*status, answer.build());
    }
    operation.build()
}

fn parameter(place: ParameterIn, name: &str, what: &str) -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::True)
        .description(Some(what))
        .schema(Some(of(Type::String)))
        .build()
}

fn content(kind: &str) -> utoipa::openapi::Content {
    let schema = of(if kind == JSON { Type::Object } else { Type::String });
    ContentBuilder::new().schema(Some(schema)).build()
}

fn of(kind: Type) -> RefOr<Schema> {
    RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(kind).build()))
}
