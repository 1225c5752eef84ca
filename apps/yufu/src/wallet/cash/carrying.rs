//! Carrying what the purse wants sent: saved before each request, and each on a connection of its own, in no
//! person's language, so that requests are not told to be one person's by how they come.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::http::{Client, ClientError, Exchanged, ProblemBody};
use yufu_ecash::message::ErrorBody;
use yufu_openid4vc::Endpoint;
use yufu_purse::{OperationId, Progress, Purse, Reply, Request};

/// More steps than any operation takes.
const MOST_STEPS: usize = 10_000;

impl Holder {
    /// Sends a request to a mint.
    pub(super) async fn ask_mint(&self, mint: &str, request: &Request) -> Result<Reply> {
        let url = format!("{mint}{}", request.path);
        Endpoint::parse(&url)?;
        let client = Client::new()?;
        let method = if request.body.is_some() { "POST" } else { "GET" };
        let mut headers = request.headers.clone();
        if request.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let body = request.body.clone().unwrap_or_default();
        Ok(of_a_mint(client.exchange_whole(method, &url, &headers, body).await?, &url)?)
    }

    /// Goes on with an operation until it is over or waits for somebody.
    pub(super) async fn carry(&mut self, id: OperationId) -> Result<Progress> {
        let seed = self.cash_seed()?;
        for _ in 0..MOST_STEPS {
            // Before anything depends on it.
            self.file.save()?;
            let purse = &self.cash()?.purse;
            let request = purse.request(&seed, id).map_err(PurseFault::from)?;
            let mint = purse.mint_of(id).unwrap_or_default().to_owned();
            let reply = self.ask_mint(&mint, &request).await.with_context(|| {
                text!(
                    "what was begun is kept: `yufu wallet cash settle` goes on with it, and nothing is done twice"
                )
            })?;
            let now = self.now().seconds();
            let progress = self.cash()?.purse.handle(&seed, id, &reply, now);
            let progress = progress.map_err(PurseFault::from)?;
            self.file.save()?;
            if progress != Progress::Next {
                return Ok(progress);
            }
        }
        bail!(text!("the mint leads in a circle: try again later"))
    }

    /// Changes the purse, and saves the wallet.
    pub(super) fn with_purse<T, E: Into<PurseFault>>(
        &mut self,
        change: impl FnOnce(&mut Purse) -> Result<T, E>,
    ) -> Result<T> {
        let changed = change(&mut self.cash()?.purse).map_err(Into::<PurseFault>::into)?;
        self.file.save()?;
        Ok(changed)
    }
}

/// The answer, if it is one of a mint: a document by which something was done or refused. What says that nobody looked at
/// the request, or comes from something else in between, is no answer, and changes nothing in the purse.
fn of_a_mint(answer: Exchanged, url: &str) -> Result<Reply, ClientError> {
    let answer = match answer.looked_at(url) {
        Err(ClientError::Refused(problem)) if (400..500).contains(&problem.status) => {
            return Ok(refusal(*problem));
        }
        other => other?,
    };
    answer.json::<serde::de::IgnoredAny>(url)?;
    Ok(Reply { status: answer.status, body: answer.body })
}

/// A refusal by what surrounds a mint, in the mint's own form.
fn refusal(problem: ProblemBody) -> Reply {
    let detail = problem.remedy.unwrap_or(problem.detail);
    let body = serde_json::to_vec(&ErrorBody { detail, code: 0 }).unwrap_or_default();
    Reply { status: problem.status, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, HeaderValue};

    const URL: &str = "https://bank.example/banks/b/mint/v1/swap";

    fn answer(status: u16, kind: &str, body: &str) -> Exchanged {
        let headers = HeaderMap::from_iter([(
            axum::http::header::RETRY_AFTER,
            HeaderValue::from_static("7"),
        )]);
        Exchanged { status, content_type: kind.to_owned(), headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn what_a_mint_did_or_refused_goes_to_the_purse_and_nothing_else_does() {
        let json = "application/json";
        for (status, body) in [(200, "{}"), (400, r#"{"detail":"spent","code":11001}"#)] {
            let reply = of_a_mint(answer(status, json, body), URL).unwrap();
            assert_eq!((reply.status, reply.body), (status, body.as_bytes().to_vec()));
        }
        let problem = r#"{"type":"urn:yufu:problem:request.not_found","code":"request.not_found","status":404,"detail":"there is none"}"#;
        let reply = of_a_mint(answer(404, "application/problem+json", problem), URL).unwrap();
        assert_eq!(reply.body, br#"{"detail":"there is none","code":0}"#);
        let rows = [
            (200, "text/html", "<html>log in</html>"),
            (302, "text/html", ""),
            (303, "text/html", ""),
            (403, "text/html", "<html>blocked</html>"),
            (408, json, "{}"),
            (429, json, r#"{"detail":"too many exchanges wait","code":0}"#),
            (503, json, r#"{"detail":"ledger.stopped","code":0}"#),
            (502, "text/html", "<html>bad gateway</html>"),
        ];
        for (status, kind, body) in rows {
            let error = of_a_mint(answer(status, kind, body), URL).unwrap_err();
            let ClientError::Unexpected { status: told, retry_after, .. } = &error else {
                unreachable!("{error}")
            };
            assert_eq!(*told, status, "{error}");
            let says_when =
                if (200..400).contains(&status) && status != 302 { None } else { Some(7) };
            assert_eq!(*retry_after, says_when, "{error}");
        }
    }
}
