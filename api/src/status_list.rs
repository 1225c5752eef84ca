//! Status lists as they are published, by issuers of credentials and by the registrar: always whole, so
//! that nobody learns which entry is looked at. Signed when a status changed or the last one grew old, however many
//! ask.

use crate::http::Problem;
use crate::signing::unsigned;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as Turn;
use utoipa::ToSchema;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, Header};
use yufu_trust::{
    LEEWAY_SECONDS, STATUS_LIST_CWT_MEDIA_TYPE, STATUS_LIST_MEDIA_TYPE, Status, StatusBits,
    StatusList, StatusListToken,
};

/// How long a list that was fetched may be relied on, in seconds: a revocation is seen within it.
const TTL_SECONDS: u64 = 60;
/// How long a list is valid at all, in seconds.
const LIFETIME_SECONDS: u64 = 300;
/// From which age on a list is signed anew for whoever asks, in seconds: most of its ttl is then ahead of it.
const SIGNED_SECONDS: u64 = 15;
/// From which age on a list is made anew even if no status changed, in seconds: places of ended credentials are then
/// marked no longer.
const MADE_SECONDS: u64 = 300;
/// How long after its credential's end a place is freed, in seconds: nobody takes that credential any more, and nobody
/// has a list any more in which the place is marked.
pub(crate) const FREED_SECONDS: u64 = 3_600;

const _: () =
    assert!(FREED_SECONDS > LEEWAY_SECONDS + MADE_SECONDS + SIGNED_SECONDS + LIFETIME_SECONDS);

/// All status lists of an issuer (Token Status List, section 9.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct StatusListAggregation {
    /// Their addresses.
    pub(crate) status_lists: Vec<String>,
}

/// The lists that were signed last.
#[derive(Default)]
pub struct Published(Mutex<BTreeMap<(i32, Kind), Last>>);

/// What was signed last of a list, in one form; whoever holds it signs the next.
type Last = Arc<Turn<Option<Signed>>>;

/// A list as it was made and signed last.
struct Signed {
    version: i64,
    made: Timestamp,
    by: PublicKey,
    token: StatusListToken,
    body: Vec<u8>,
}

impl Signed {
    /// Whether no status changed since it was made, and that is not long ago.
    fn stands(&self, version: i64, now: Timestamp) -> bool {
        self.version == version && is_young(self.made, MADE_SECONDS, now)
    }
}

/// Whether something is so many seconds old at the most, and not of the future.
fn is_young(at: Timestamp, seconds: u64, now: Timestamp) -> bool {
    at <= now && now < at.plus_seconds(seconds)
}

/// In which form a list is signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Jwt,
    Cwt,
}

/// A list that is asked for, as it stands.
pub(crate) struct Asked {
    /// Its number.
    pub(crate) list: i32,
    /// Its address.
    pub(crate) uri: String,
    /// How many places it has.
    pub(crate) places: i32,
    /// Another one whenever a status changed.
    pub(crate) version: i64,
    /// The key in use, which signs it: one that a former key signed is served no more.
    pub(crate) by: PublicKey,
}

/// The address of a list below its publisher's.
pub(crate) fn address(publisher: &str, list: i32) -> String {
    format!("{publisher}/status/{list}")
}

/// The number of the list at an address, if it is one of this publisher's.
pub(crate) fn number_at(publisher: &str, uri: &str) -> Option<i32> {
    number(uri.strip_prefix(publisher)?.strip_prefix("/status/")?).ok()
}

/// The number of a list that was asked for, as it is written in addresses.
pub(crate) fn number(text: &str) -> Result<i32, Problem> {
    let number = text.parse::<i32>().ok().filter(|number| number.to_string() == text);
    number.ok_or_else(|| Problem::not_found("status list"))
}

/// What ended before then counts for nothing any more: no verifier takes it, whatever its list says.
pub(crate) const fn ended(now: Timestamp) -> Timestamp {
    now.minus_seconds(LEEWAY_SECONDS)
}

impl Kind {
    /// CWT if it is asked for (section 8.1 of the draft); JWT otherwise.
    fn asked_for(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let cwt = accepted.unwrap_or_default().split(',').any(|one| {
            let kind = one.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case(STATUS_LIST_CWT_MEDIA_TYPE)
        });
        if cwt { Self::Cwt } else { Self::Jwt }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Jwt => STATUS_LIST_MEDIA_TYPE,
            Self::Cwt => STATUS_LIST_CWT_MEDIA_TYPE,
        }
    }
}

impl Published {
    fn last(&self, list: i32, kind: Kind) -> Last {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((list, kind)).or_default())
    }

    /// The list as it is served: the one signed last, or, if a status changed since or that one grew old, a new one in
    /// which the places that `marked` finds are not valid.
    pub(crate) async fn answer(
        &self,
        asked: Asked,
        marked: impl Future<Output = Result<Vec<(i32, Status)>, Problem>>,
        key: impl FnOnce() -> Result<(Arc<dyn Signer>, Chain), Problem>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Response, Problem> {
        let kind = Kind::asked_for(headers);
        let last = self.last(asked.list, kind);
        let mut last = last.lock().await;
        let body = match last.take().filter(|signed| signed.stands(asked.version, now)) {
            Some(signed)
                if signed.by == asked.by
                    && is_young(signed.token.issued_at, SIGNED_SECONDS, now) =>
            {
                let body = signed.body.clone();
                *last = Some(signed);
                body
            }
            old => {
                let (signer, chain) = key()?;
                let (version, made) =
                    old.as_ref().map_or((asked.version, now), |old| (old.version, old.made));
                let list = match old {
                    Some(old) => old.token.list,
                    None => list(&asked, marked.await?)?,
                };
                let token = StatusListToken {
                    uri: asked.uri,
                    issued_at: now,
                    expires_at: now.plus_seconds(LIFETIME_SECONDS),
                    ttl_seconds: Some(TTL_SECONDS),
                    list,
                };
                let body = sign(&token, kind, (&*signer, &chain))?;
                *last = Some(Signed { version, made, by: asked.by, token, body: body.clone() });
                body
            }
        };
        drop(last);
        let headers = [
            (header::CONTENT_TYPE, kind.media_type().to_owned()),
            (header::CACHE_CONTROL, format!("max-age={SIGNED_SECONDS}")),
            (header::VARY, "Accept".to_owned()),
        ];
        Ok((headers, body).into_response())
    }
}

/// The list in which these places are not valid.
fn list(asked: &Asked, marked: Vec<(i32, Status)>) -> Result<StatusList, Problem> {
    let size = u64::try_from(asked.places).map_err(Problem::internal)?;
    let mut list = StatusList::new(StatusBits::Two, size).map_err(Problem::internal)?;
    for (place, status) in marked {
        let index = u64::try_from(place).map_err(Problem::internal)?;
        list.set(index, status).map_err(Problem::internal)?;
    }
    Ok(list)
}

fn sign(
    token: &StatusListToken,
    kind: Kind,
    (signer, chain): (&dyn Signer, &Chain),
) -> Result<Vec<u8>, Problem> {
    let signed = match kind {
        Kind::Cwt => token.sign_cwt(chain, signer),
        Kind::Jwt => {
            token.sign(Header::default().with_chain(chain), signer).map(String::into_bytes)
        }
    };
    signed.map_err(|error| unsigned(signer, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use axum::http::HeaderValue;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use yufu_fixtures::{Party, party};
    use yufu_jose::Unverified;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    /// A publisher, and how often its list was made anew.
    struct Publisher {
        signer: Arc<dyn Signer>,
        chain: Chain,
        published: Published,
        made: AtomicUsize,
    }

    impl Publisher {
        fn new() -> Self {
            let Party { key, chain, .. } = party();
            let (published, made) = (Published::default(), AtomicUsize::new(0));
            Self { signer: Arc::new(key), chain, published, made }
        }

        async fn get(
            &self,
            list: i32,
            version: i64,
            accept: &'static str,
            now: Timestamp,
        ) -> Vec<u8> {
            let by = self.signer.public_key();
            let uri = address("https://id.example", list);
            let asked = Asked { list, uri, places: 64, version, by };
            let marked = async {
                self.made.fetch_add(1, Ordering::Relaxed);
                Ok(vec![(i32::try_from(version).unwrap(), Status::Invalid)])
            };
            let key = || Ok((Arc::clone(&self.signer), self.chain.clone()));
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            let answer = self.published.answer(asked, marked, key, &headers, now).await.unwrap();
            to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()
        }

        fn made(&self) -> usize {
            self.made.load(Ordering::Relaxed)
        }
    }

    fn read(jwt: &[u8], key: PublicKey, now: Timestamp) -> StatusListToken {
        let jwt = std::str::from_utf8(jwt).unwrap();
        let uri = "https://id.example/status/1";
        StatusListToken::verify(jwt, &key, uri, now).unwrap()
    }

    #[tokio::test]
    async fn a_list_is_signed_once_for_all_who_ask_until_a_status_changes_or_it_grows_old() {
        let publisher = Publisher::new();
        let first = publisher.get(1, 3, "*/*", NOW).await;
        for second in 0..15 {
            assert_eq!(publisher.get(1, 3, "*/*", NOW.plus_seconds(second)).await, first);
        }
        assert_eq!(publisher.made(), 1);
        let changed = publisher.get(1, 4, "*/*", NOW.plus_seconds(14)).await;
        assert_eq!(publisher.made(), 2, "a change is published at once");
        let key = publisher.signer.public_key();
        let token = read(&changed, key, NOW);
        assert_eq!(token.list.get(4), Some(Status::Invalid));
        assert_eq!(token.list.get(3), Some(Status::Valid));
        assert_eq!(token.issued_at, NOW.plus_seconds(14));
        let renewed = publisher.get(1, 4, "*/*", NOW.plus_seconds(29)).await;
        assert_eq!((publisher.made(), renewed == changed), (2, false), "old, it is signed anew");
        let token = read(&renewed, key, NOW);
        assert_eq!((token.ttl_seconds, token.expires_at), (Some(60), NOW.plus_seconds(29 + 300)));
        assert_eq!(token.list.get(4), Some(Status::Invalid));
        publisher.get(1, 4, "*/*", NOW.plus_seconds(314)).await;
        assert_eq!(publisher.made(), 3, "and made anew, for what ended since");
        publisher.get(1, 4, "*/*", NOW).await;
        assert_eq!(publisher.made(), 4, "nothing from the future is served");
    }

    #[tokio::test]
    async fn once_the_key_turned_no_list_by_the_former_one_is_served() {
        let mut publisher = Publisher::new();
        publisher.get(1, 3, "*/*", NOW).await;
        let Party { key, chain, .. } = party();
        let next = key.public_key();
        (publisher.signer, publisher.chain) = (Arc::new(key), chain);
        let list = publisher.get(1, 3, "*/*", NOW.plus_seconds(1)).await;
        assert_eq!(read(&list, next, NOW).list.get(3), Some(Status::Invalid));
        assert_eq!(publisher.made(), 1, "signed anew, and not made anew");
    }

    #[tokio::test]
    async fn lists_and_their_forms_are_signed_apart() {
        let publisher = Publisher::new();
        let jwt = publisher.get(1, 1, "application/statuslist+jwt", NOW).await;
        let cwt = publisher.get(1, 1, "text/html, application/statuslist+cwt;q=1", NOW).await;
        let other = publisher.get(2, 1, "*/*", NOW).await;
        assert_eq!(publisher.made(), 3);
        assert_ne!(jwt, cwt);
        let sub = |jwt: &[u8]| {
            let claims = Unverified::parse(std::str::from_utf8(jwt).unwrap()).unwrap();
            let claims: serde_json::Value = claims.unverified_claims().unwrap();
            claims["sub"].as_str().unwrap().to_owned()
        };
        assert_eq!(sub(&jwt), "https://id.example/status/1");
        assert_eq!(sub(&other), "https://id.example/status/2");
        assert_eq!(publisher.get(1, 1, "application/statuslist+cwt", NOW).await, cwt);
        assert_eq!(publisher.made(), 3);
    }

    #[test]
    fn a_list_has_one_address_and_an_address_one_list() {
        let at = |uri: &str| number_at("https://id.example", uri);
        assert_eq!(at(&address("https://id.example", 17)), Some(17));
        for other in [
            "https://id.example/status/017",
            "https://id.example/status/+1",
            "https://id.example/status/",
            "https://id.example/status/1/2",
            "https://id.example.evil/status/1",
            "https://other.example/status/1",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
        assert!(number("1").is_ok() && number("one").is_err() && number("99999999999").is_err());
    }
}
