//! Reading forms (application/x-www-form-urlencoded, WHATWG URL): what protocols post is mostly one long parameter of
//! base64url, which needs no decoding.

use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// The parameters of a form in their order, decoded as they are come to; what has no escape is borrowed. What is no
/// UTF-8 has replacement characters.
pub fn parameters(body: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    pieces(body).map(|piece| (piece.name(), piece.value()))
}

/// The value of a parameter that stands there at most once.
///
/// # Errors
/// [`Repeated`] if it stands there more often.
pub fn value<'b>(body: &'b [u8], name: &str) -> Result<Option<Cow<'b, str>>, Repeated> {
    let mut named = pieces(body).filter(|piece| piece.is(name));
    let first = named.next();
    if named.next().is_some() { Err(Repeated) } else { Ok(first.map(Piece::value)) }
}

/// A parameter stands in a form more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

/// A parameter as it is written.
#[derive(Clone, Copy)]
struct Piece<'b> {
    whole: &'b [u8],
    name: &'b [u8],
    value: &'b [u8],
}

fn pieces(body: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = Some(body);
    let wholes = std::iter::from_fn(move || {
        let (whole, after) = split(rest?, b'&');
        rest = after;
        Some(whole)
    });
    wholes.filter(|whole| !whole.is_empty()).map(|whole| {
        let (name, value) = split(whole, b'=');
        Piece { whole, name, value: value.unwrap_or_default() }
    })
}

impl<'b> Piece<'b> {
    fn is(self, name: &str) -> bool {
        self.name == name.as_bytes() || (escaped(self.name) && self.decoded().0 == name)
    }

    fn name(self) -> Cow<'b, str> {
        if escaped(self.name) { self.decoded().0 } else { String::from_utf8_lossy(self.name) }
    }

    fn value(self) -> Cow<'b, str> {
        if escaped(self.value) { self.decoded().1 } else { String::from_utf8_lossy(self.value) }
    }

    fn decoded(self) -> (Cow<'b, str>, Cow<'b, str>) {
        url::form_urlencoded::parse(self.whole).next().unwrap_or_default()
    }
}

fn escaped(written: &[u8]) -> bool {
    memchr2(b'%', b'+', written).is_some()
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
