//! Forms of OAuth: each parameter once, empty ones count as missing (RFC 6749, section 3.1).

use super::TokenRequestError;
use crate::form;
use std::borrow::Cow;

/// The largest form that is read, in bytes.
pub(super) const MAX_FORM: usize = 8 * 1024;

/// A form that is read.
pub(super) struct Form<'a>(&'a [u8]);

impl<'a> Form<'a> {
    pub(super) const fn read(body: &'a [u8]) -> Result<Self, TokenRequestError> {
        if body.len() > MAX_FORM { Err(TokenRequestError::TooLarge) } else { Ok(Self(body)) }
    }

    /// A parameter, if it is there.
    pub(super) fn field(&self, name: &'static str) -> Result<Option<String>, TokenRequestError> {
        let value = form::value(self.0, name).map_err(|_| TokenRequestError::Repeated(name))?;
        Ok(value.filter(|value| !value.is_empty()).map(Cow::into_owned))
    }

    /// A parameter that has to be there.
    pub(super) fn needed(&self, name: &'static str) -> Result<String, TokenRequestError> {
        self.field(name)?.ok_or(TokenRequestError::Missing(name))
    }
}
