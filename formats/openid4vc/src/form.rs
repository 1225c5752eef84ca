//! Reading forms (application/x-www-form-urlencoded, WHATWG URL): what protocols post is mostly one long parameter of
//! base64url, which needs no decoding.

use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// The parameters of a form in their order, decoded as they are come to; those without an escape are borrowed. What is no
/// UTF-8 has replacement characters.
pub fn parameters(body: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let mut rest = Some(body);
    let mut pieces = std::iter::from_fn(move || {
        let (piece, after) = split(rest?, b'&');
        rest = after;
        Some(piece)
    });
    std::iter::from_fn(move || pieces.find(|piece| !piece.is_empty()).and_then(parameter))
}

/// The value of a parameter that stands there at most once.
///
/// # Errors
/// [`Repeated`] if it stands there more often.
pub fn value<'b>(body: &'b [u8], name: &str) -> Result<Option<Cow<'b, str>>, Repeated> {
    let mut values = parameters(body).filter(|(found, _)| found == name);
    let first = values.next().map(|(_, value)| value);
    if values.next().is_some() { Err(Repeated) } else { Ok(first) }
}

/// A parameter stands in a form more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

fn parameter(piece: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    match std::str::from_utf8(piece) {
        Ok(plain) if memchr2(b'%', b'+', piece).is_none() => {
            let (name, value) = plain.split_once('=').unwrap_or((plain, ""));
            Some((name.into(), value.into()))
        }
        _ => url::form_urlencoded::parse(piece).next(),
    }
}

/// What is before the first `at`, and what is after it if there is one.
fn split(bytes: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    let place = memchr(at, bytes);
    match place.and_then(|place| bytes.split_at_checked(place)) {
        Some((before, after)) => (before, after.get(1..)),
        None => (bytes, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_parameter_is_borrowed_where_it_has_no_escape() {
        let body = b"response=eyJ.abc-_&state=a%20b&x=1+1";
        let found: Vec<_> = parameters(body).collect();
        assert!(matches!(&found[0], (Cow::Borrowed("response"), Cow::Borrowed("eyJ.abc-_"))));
        assert_eq!(found[1], ("state".into(), "a b".into()));
        assert_eq!(found[2], ("x".into(), "1 1".into()));
    }

    #[test]
    fn a_value_stands_there_once() {
        assert_eq!(value(b"a=1&b=2", "b"), Ok(Some("2".into())));
        assert_eq!(value(b"a=1&b=2", "c"), Ok(None));
        assert_eq!(value(b"a=1&%61=2", "a"), Err(Repeated));
    }

    proptest! {
        #[test]
        fn every_form_is_read_as_by_the_url_standard(
            body in proptest::collection::vec(
                prop_oneof![Just(b'&'), Just(b'='), Just(b'%'), Just(b'+'), Just(b'4'), any::<u8>()],
                0..64,
            )
        ) {
            let ours: Vec<_> = parameters(&body).collect();
            let theirs: Vec<_> = url::form_urlencoded::parse(&body).collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
