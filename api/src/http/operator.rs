//! Operators (officers, tellers, the central bank's desk) authenticate with a bearer token
//! that lies in the data folder of their institution, readable by its owner alone.

use crate::http::Problem;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, header};
use std::fmt;

/// The secret of an institution's desk. Never printed.
#[derive(Clone)]
pub struct OperatorToken(String);

/// Proof that a request carried its institution's operator token, and who said to be acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The acting person's staff name from the `Operator` header, for the record; `desk` if absent.
    pub name: String,
}

impl OperatorToken {
    /// A token from its text.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Checks a request's `Authorization: Bearer` header, in constant time.
    ///
    /// # Errors
    /// 401 if the header is missing or wrong; 400 if the `Operator` name is not 1 to 64 characters.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Operator, Problem> {
        let wanted = "send the desk's token as \"Authorization: Bearer ...\"; it lies in the institution's data folder";
        let given = bearer(headers).ok_or_else(|| Problem::unauthenticated(wanted))?;
        if verify_slices_are_equal(given.as_bytes(), self.0.as_bytes()).is_err() {
            return Err(Problem::unauthenticated(wanted));
        }
        let name = headers.get("operator").map_or(Ok("desk"), |v| v.to_str());
        match name {
            Ok(name) if (1..=64).contains(&name.len()) => Ok(Operator { name: name.to_owned() }),
            _ => Err(Problem::malformed(
                "the Operator header is to be a staff name of 1 to 64 ASCII characters",
            )),
        }
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(…)")
    }
}

impl Operator {
    /// The acting officer, who has to be named.
    ///
    /// # Errors
    /// 400 if no `Operator` header was sent.
    pub fn officer(self) -> Result<String, Problem> {
        if self.name == "desk" {
            return Err(Problem::malformed(
                "name the officer who answers for this in the Operator header",
            ));
        }
        Ok(self.name)
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_right_token_authenticates() {
        let token = OperatorToken::new("secret".to_owned());
        assert_eq!(token.authenticate(&headers("Bearer secret")).unwrap().name, "desk");
        for wrong in ["Bearer secreT", "Bearer secret2", "Bearer ", "secret", "Basic secret"] {
            assert!(token.authenticate(&headers(wrong)).is_err(), "{wrong}");
        }
        assert!(token.authenticate(&HeaderMap::new()).is_err());
    }
}
