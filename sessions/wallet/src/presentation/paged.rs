//! A request of a web page, which the browser or the platform hands over with the page's origin (the Digital
//! Credentials API; OpenID4VP 1.0, appendix A): whoever handed it over vouches for the origin, and for nothing else.

use super::checking::CheckingStatus;
use super::reviewed::{Came, RequestRefused, review};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_openid4vc::presentation::DigitalRequest;
use yufu_trust::TrustList;

/// Takes the request of a page, and checks whom it is from, that it was made for pages of this `origin`, and that whoever
/// asks is registered to ask this there; whether that was withdrawn is asked next. `seen` is as for
/// [`FetchingRequest::handle`](super::FetchingRequest::handle).
///
/// # Errors
/// [`RequestRefused`], the first rule that is broken.
pub fn take(
    origin: &str,
    request: &DigitalRequest,
    trust: &TrustList,
    seen: &BTreeSet<String>,
    now: Timestamp,
) -> Result<CheckingStatus, RequestRefused> {
    review(Came::Page(origin), request.request_object()?, trust, seen, now)
}
