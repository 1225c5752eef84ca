//! What tokens and payment requests need of CBOR: maps by name, lists without a size believed.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};
use std::collections::BTreeSet;

/// Why CBOR is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Not well-formed, cut short, or of another type.
    #[error("not the CBOR expected: {0}")]
    Form(String),
    /// A map names a member twice.
    #[error("a map names {0:?} twice")]
    Repeated(String),
    /// A member that must be there is not.
    #[error("the member {0:?} is missing")]
    Missing(&'static str),
    /// A member's value does not mean anything here.
    #[error("the member {name:?}: {cause}")]
    Member {
        /// The member.
        name: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Something follows the end.
    #[error("bytes follow the end")]
    Trailing,
}

impl From<Error> for CborError {
    fn from(error: Error) -> Self {
        Self::Form(error.to_string())
    }
}

impl CborError {
    /// What is wrong with a member.
    pub(crate) fn member(name: &'static str, cause: impl ToString) -> Self {
        Self::Member { name, cause: cause.to_string() }
    }
}

/// Reads a map, handing each member to `read`, which says whether it knows it; others are skipped,
/// and so are members that are null or undefined.
pub(crate) fn map<'b>(
    decoder: &mut Decoder<'b>,
    mut read: impl FnMut(&str, &mut Decoder<'b>) -> Result<bool, CborError>,
) -> Result<(), CborError> {
    let length = decoder.map()?;
    let mut seen = BTreeSet::new();
    items(length, decoder, |decoder| {
        let name = decoder.str()?;
        if !seen.insert(name) {
            return Err(CborError::Repeated(name.to_owned()));
        }
        let absent = matches!(decoder.datatype()?, Type::Null | Type::Undefined);
        if absent || !read(name, decoder)? {
            decoder.skip()?;
        }
        Ok(())
    })
}

/// Reads a list. Its size is not believed: memory grows with what is in fact there.
pub(crate) fn list<'b, T>(
    decoder: &mut Decoder<'b>,
    mut read: impl FnMut(&mut Decoder<'b>) -> Result<T, CborError>,
) -> Result<Vec<T>, CborError> {
    let length = decoder.array()?;
    let mut out = Vec::new();
    items(length, decoder, |decoder| {
        out.push(read(decoder)?);
        Ok(())
    })?;
    Ok(out)
}

fn items<'b>(
    length: Option<u64>,
    decoder: &mut Decoder<'b>,
    mut item: impl FnMut(&mut Decoder<'b>) -> Result<(), CborError>,
) -> Result<(), CborError> {
    if let Some(length) = length {
        for _ in 0..length {
            item(decoder)?;
        }
        return Ok(());
    }
    while decoder.datatype()? != Type::Break {
        item(decoder)?;
    }
    decoder.skip()?;
    Ok(())
}

/// Reads one value and nothing after it.
pub(crate) fn whole<'b, T>(
    bytes: &'b [u8],
    read: impl FnOnce(&mut Decoder<'b>) -> Result<T, CborError>,
) -> Result<T, CborError> {
    let mut decoder = Decoder::new(bytes);
    let value = read(&mut decoder)?;
    if decoder.position() == bytes.len() { Ok(value) } else { Err(CborError::Trailing) }
}

/// Lists of texts, as tags are.
pub(crate) fn tags(decoder: &mut Decoder<'_>) -> Result<Vec<Vec<String>>, CborError> {
    list(decoder, |d| list(d, |d| Ok(d.str()?.to_owned())))
}
