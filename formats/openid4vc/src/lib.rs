//! The messages of OpenID4VCI 1.0 and OpenID4VP 1.0 as values: offers, metadata, tokens,
//! proofs, request objects, responses, and the query language DCQL. Pure: bytes in, values
//! out; HTTP itself is only described ([`HttpRequest`], [`HttpResponse`]).
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod attestation;
pub mod dcql;
pub mod device;
mod endpoint;
pub mod form;
mod http;
mod inside;
pub mod issuance;
pub mod presentation;

pub use endpoint::{Endpoint, EndpointError};
pub use http::{HttpError, HttpRequest, HttpResponse, MAX_BODY, Method, RESPONSE_HEADERS};
pub use inside::is_inside;

/// The credential format identifier of SD-JWT VC (OpenID4VP 1.0, appendix B.3).
pub const FORMAT_SD_JWT_VC: &str = "dc+sd-jwt";

/// The credential format identifier of ISO mdoc (OpenID4VP 1.0, appendix B.2).
pub const FORMAT_MSO_MDOC: &str = "mso_mdoc";
