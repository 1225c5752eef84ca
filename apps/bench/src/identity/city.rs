//! What the wallets of the bench have in common: the trust list, what issuers publish, the registrar's list, and
//! the officer who identifies them.

use crate::http::{Connection, Prepared, Server, text};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_trust::TrustList;
use yufu_wallet::presentation::StatusLists;

pub(super) struct City {
    address: String,
    connection: Connection,
    desk: String,
    pub(super) trust: TrustList,
    pub(super) lists: StatusLists,
    /// What was fetched once for all wallets: what issuers publish.
    published: BTreeMap<String, HttpResponse>,
}

/// An offer, and the digits that go with it.
pub(super) struct Offered {
    pub(super) link: String,
    /// The same for attested wallets.
    pub(super) attested: String,
    pub(super) code: String,
}

impl City {
    pub(super) fn enter(server: &Server) -> Result<Self> {
        let address = server.target.address.clone();
        let mut connection = Connection::open(&address)?;
        let key: Jwk = serde_json::from_slice(&server.trust_key()?)?;
        let trust = trust(&mut connection, &address, &key.key)?;
        Ok(Self {
            desk: server.desk("identity-authority")?,
            address,
            connection,
            trust,
            lists: StatusLists::default(),
            published: BTreeMap::new(),
        })
    }

    /// An officer identifies a resident: an offer of the identity credential.
    pub(super) fn offer(&mut self, number: &str) -> Result<Offered> {
        let body = json!({
            "resident_number": number, "evidence": "bench", "credential": "pid",
        });
        let path = "/authority/v1/officer/authentications";
        let body = serde_json::to_vec(&body)?;
        let request = Prepared::post(&self.address, path, Some(&self.desk), &body);
        let made: Value = serde_json::from_slice(&self.connection.answer(&request)?)?;
        let text = |name| text(&made, name).map(str::to_owned);
        let (link, attested) = (text("offer")?, text("haip_offer")?);
        Ok(Offered { link, attested, code: text("transaction_code")? })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The answer to a request that needs no more.
    pub(super) fn answer(&mut self, request: &Prepared) -> Result<Vec<u8>> {
        match self.connection.answer(request) {
            Ok(answer) => Ok(answer),
            // One that was left alone for some seconds is closed by the server.
            Err(_) => {
                self.connection = Connection::open(&self.address)?;
                self.connection.answer(request)
            }
        }
    }

    /// What is asked for, fetched the first time only.
    pub(super) fn published(&mut self, request: &HttpRequest) -> Result<HttpResponse> {
        let url = request.url.to_string();
        if let Some(known) = self.published.get(&url) {
            return Ok(known.clone());
        }
        let answer = self.fetch(request)?;
        self.published.insert(url, answer.clone());
        Ok(answer)
    }

    /// What is asked for.
    pub(super) fn fetch(&mut self, request: &HttpRequest) -> Result<HttpResponse> {
        // One that was left alone for some seconds is closed by the server.
        self.connection = Connection::open(&self.address)?;
        self.connection.response(&Prepared::of(request))
    }
}

fn trust(connection: &mut Connection, address: &str, key: &PublicKey) -> Result<TrustList> {
    let list = connection.answer(&Prepared::get(address, "/trust-list/v1/list"))?;
    Ok(TrustList::verify(std::str::from_utf8(&list)?, key, now()?, None)?)
}

#[expect(clippy::disallowed_methods, reason = "wallets act now, by the clock of the machine")]
pub(super) fn now() -> Result<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(u64::try_from(since.as_millis())?))
}
