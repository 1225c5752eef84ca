//! Status lists as they are published, by issuers of credentials and by the registrar: always whole, so
//! that nobody learns which entry is looked at.

use crate::http::Problem;
use crate::signing::unsigned;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Chain, Header};
use yufu_trust::{
    STATUS_LIST_CWT_MEDIA_TYPE, STATUS_LIST_MEDIA_TYPE, Status, StatusBits, StatusList,
    StatusListToken,
};

/// The number of the list in which everything is placed.
pub(crate) const LIST: i32 = 1;
/// How many places it has.
pub(crate) const LIST_SIZE: i32 = 1 << 17;
/// How long a list that was fetched may be relied on, in seconds: a revocation is seen within it.
const TTL_SECONDS: u64 = 60;
/// How long a list is valid at all, in seconds.
const LIFETIME_SECONDS: u64 = 300;

/// The address of a list below its publisher's.
pub(crate) fn address(publisher: &str, list: i32) -> String {
    format!("{publisher}/status/{list}")
}

/// The number of a list that was asked for, if there is one.
pub(crate) fn number(list: &str) -> Result<i32, Problem> {
    if list == LIST.to_string() { Ok(LIST) } else { Err(Problem::not_found("status list")) }
}

/// Whether the list is asked for as CWT (section 8.1 of the draft); it is a JWT otherwise.
fn wants_cwt(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let kind = one.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(STATUS_LIST_CWT_MEDIA_TYPE)
    })
}

/// The list at `uri`, in which the places named are not valid, signed as it is served.
pub(crate) fn answer(
    uri: String,
    invalid: impl Iterator<Item = (i32, Status)>,
    (signer, chain): (&dyn Signer, &Chain),
    asked: &HeaderMap,
    now: Timestamp,
) -> Result<Response, Problem> {
    let size = u64::try_from(LIST_SIZE).map_err(Problem::internal)?;
    let mut list = StatusList::new(StatusBits::Two, size).map_err(Problem::internal)?;
    for (place, status) in invalid {
        let index = u64::try_from(place).map_err(Problem::internal)?;
        list.set(index, status).map_err(Problem::internal)?;
    }
    let token = StatusListToken {
        uri,
        issued_at: now,
        expires_at: now.plus_seconds(LIFETIME_SECONDS),
        ttl_seconds: Some(TTL_SECONDS),
        list,
    };
    let (kind, body) = if wants_cwt(asked) {
        (STATUS_LIST_CWT_MEDIA_TYPE, token.sign_cwt(chain, signer))
    } else {
        let jwt = token.sign(Header::default().with_chain(chain), signer);
        (STATUS_LIST_MEDIA_TYPE, jwt.map(String::into_bytes))
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, format!("max-age={TTL_SECONDS}")),
        (header::VARY, "Accept".to_owned()),
    ];
    Ok((headers, body.map_err(|error| unsigned(signer, error))?).into_response())
}
