//! Tag, length, value: the encoding of files, secure messaging and certificates. The reader is strict (DER: one
//! length for each value, the shortest) and bounded; it never copies and never recurses.

/// The longest value that is read: more than any card holds.
pub const MAX_VALUE: usize = 1 << 20;

/// Why bytes are no sequence of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The bytes end within an object.
    #[error("an object ends before its length says so: read the file again, whole")]
    Truncated,
    /// A tag has more than two bytes. (Cards write small numbers in two bytes too: ISO/IEC 7816-4, 5.2.2.1.)
    #[error("a tag is not of one or two bytes")]
    Tag,
    /// A length is indefinite, or not the shortest.
    #[error("a length is not in its shortest form, as DER wants")]
    Length,
    /// A value is longer than any card holds.
    #[error("an object claims more than 1048576 bytes")]
    TooLong,
    /// Another object was expected here.
    #[error("found the tag {found:04X} where {expected:04X} was expected")]
    Unexpected {
        /// What must stand here.
        expected: u16,
        /// What stands here; 0 at the end.
        found: u16,
    },
    /// Something follows that nothing accounts for.
    #[error("bytes follow the last object")]
    Trailing,
    /// A value is not one of those that its object may have.
    #[error("the value of the object {0:04X} is not one that it may have")]
    Value(u16),
}

/// One object: its tag (one or two bytes) and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag: `0x30`, `0x7F49`.
    pub tag: u16,
    /// The value.
    pub value: &'a [u8],
    /// The whole object, tag and length included.
    pub whole: &'a [u8],
}

/// Reads one object after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next object, or `None` at the end.
    ///
    /// # Errors
    /// [`TlvError`] if what follows is no object.
    pub fn read(&mut self) -> Result<Option<Tlv<'a>>, TlvError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Header { tag, header, length } = Header::read(self.rest)?;
        let end = header.checked_add(length).ok_or(TlvError::TooLong)?;
        let (whole, rest) = self.rest.split_at_checked(end).ok_or(TlvError::Truncated)?;
        let value = whole.get(header..).ok_or(TlvError::Truncated)?;
        self.rest = rest;
        Ok(Some(Tlv { tag, value, whole }))
    }

    /// The tag that comes next; 0 at the end.
    ///
    /// # Errors
    /// [`TlvError`] if no object follows.
    pub fn peek(&self) -> Result<u16, TlvError> {
        if self.rest.is_empty() { Ok(0) } else { Header::read(self.rest).map(|header| header.tag) }
    }

    /// The value of the next object, which must have this tag.
    ///
    /// # Errors
    /// [`TlvError::Unexpected`] for another, or what is wrong with it.
    pub fn take(&mut self, tag: u16) -> Result<&'a [u8], TlvError> {
        self.take_whole(tag).map(|object| object.value)
    }

    /// The next object, which must have this tag.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_whole(&mut self, tag: u16) -> Result<Tlv<'a>, TlvError> {
        match self.read()? {
            Some(object) if object.tag == tag => Ok(object),
            other => {
                let found = other.map_or(0, |object| object.tag);
                Err(TlvError::Unexpected { expected: tag, found })
            }
        }
    }

    /// The value of the next object if it has this tag.
    ///
    /// # Errors
    /// [`TlvError`] if what follows is no object.
    pub fn optional(&mut self, tag: u16) -> Result<Option<&'a [u8]>, TlvError> {
        if self.peek()? == tag { self.take(tag).map(Some) } else { Ok(None) }
    }

    /// Whether everything was read.
    ///
    /// # Errors
    /// [`TlvError::Trailing`] if not.
    pub const fn end(&self) -> Result<(), TlvError> {
        if self.rest.is_empty() { Ok(()) } else { Err(TlvError::Trailing) }
    }
}

/// The value of the one object that `bytes` are.
///
/// # Errors
/// [`TlvError`] if they are anything else.
pub fn only(bytes: &[u8], tag: u16) -> Result<&[u8], TlvError> {
    let mut reader = Reader::new(bytes);
    let value = reader.take(tag)?;
    reader.end()?;
    Ok(value)
}

/// How many bytes the object has that begins with `start`, which need not be all of it: how much of a file to read.
///
/// # Errors
/// [`TlvError`] if no object begins so.
pub fn whole_length(start: &[u8]) -> Result<usize, TlvError> {
    let Header { header, length, .. } = Header::read(start)?;
    header.checked_add(length).ok_or(TlvError::TooLong)
}

struct Header {
    tag: u16,
    header: usize,
    length: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, TlvError> {
        let mut bytes = bytes.iter().copied();
        let mut next = || bytes.next().ok_or(TlvError::Truncated);
        let mut read = 2_usize;
        let first = next()?;
        let tag = if first & 0x1F == 0x1F {
            read = 3;
            match next()? {
                second @ 0x01..=0x7F => u16::from_be_bytes([first, second]),
                _ => return Err(TlvError::Tag),
            }
        } else {
            u16::from(first)
        };
        if tag == 0 {
            return Err(TlvError::Tag);
        }
        let length = match next()? {
            short @ 0..=0x7F => usize::from(short),
            0x81 => {
                read = read.saturating_add(1);
                Some(usize::from(next()?))
                    .filter(|length| *length > 0x7F)
                    .ok_or(TlvError::Length)?
            }
            0x82 => {
                read = read.saturating_add(2);
                let length = usize::from(u16::from_be_bytes([next()?, next()?]));
                Some(length).filter(|length| *length > 0xFF).ok_or(TlvError::Length)?
            }
            0x83 => {
                read = read.saturating_add(3);
                let length = u32::from_be_bytes([0, next()?, next()?, next()?]);
                let length = usize::try_from(length).map_err(|_| TlvError::TooLong)?;
                Some(length).filter(|length| *length > 0xFFFF).ok_or(TlvError::Length)?
            }
            0x84..=0x88 => return Err(TlvError::TooLong),
            _ => return Err(TlvError::Length),
        };
        if length > MAX_VALUE {
            return Err(TlvError::TooLong);
        }
        Ok(Self { tag, header: read, length })
    }
}

/// The object with this tag and value.
#[must_use]
pub fn object(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len().saturating_add(6));
    match tag.to_be_bytes() {
        [0, tag] => bytes.push(tag),
        two => bytes.extend(two),
    }
    match value.len().to_be_bytes().as_slice() {
        [.., 0, 0, short] if *short < 0x80 => bytes.push(*short),
        [.., 0, 0, length] => bytes.extend([0x81, *length]),
        [.., 0, high, low] => bytes.extend([0x82, *high, *low]),
        [.., high, middle, low] => bytes.extend([0x83, *high, *middle, *low]),
        _ => {}
    }
    bytes.extend(value);
    bytes
}

/// The object with this tag whose value is these objects, one after the other.
#[must_use]
pub fn constructed(tag: u16, parts: &[&[u8]]) -> Vec<u8> {
    object(tag, &parts.concat())
}

/// An unsigned number in the form of a DER INTEGER.
#[must_use]
pub fn integer(big_endian: &[u8]) -> Vec<u8> {
    let first = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
    let digits = big_endian.get(first..).unwrap_or_default();
    let mut content = Vec::new();
    if digits.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.push(0);
    }
    content.extend(digits);
    object(0x02, &content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_length_has_one_form_and_the_others_are_refused() {
        for length in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x1_0000] {
            let written = object(0x7F49, &vec![7; length]);
            assert_eq!(only(&written, 0x7F49).unwrap().len(), length);
            assert_eq!(whole_length(&written[..written.len().min(6)]), Ok(written.len()));
        }
        for bytes in [&[0x04, 0x80][..], &[0x04, 0x81, 0x7F], &[0x04, 0x82, 0, 0xFF]] {
            assert_eq!(Reader::new(bytes).read(), Err(TlvError::Length), "{bytes:02X?}");
        }
        assert_eq!(Reader::new(&[0x04, 0x84, 1, 0, 0, 0]).read(), Err(TlvError::TooLong));
        assert_eq!(Reader::new(&[0x04, 0x83, 0xFF, 0, 0]).read(), Err(TlvError::TooLong));
    }

    #[test]
    fn what_is_cut_off_trails_or_stands_elsewhere_is_refused() {
        let whole = object(0x30, &[1, 2, 3]);
        for end in 1..whole.len() {
            assert_eq!(only(&whole[..end], 0x30), Err(TlvError::Truncated));
        }
        assert_eq!(only(&[whole.clone(), vec![0]].concat(), 0x30), Err(TlvError::Trailing));
        let elsewhere = TlvError::Unexpected { expected: 0x31, found: 0x30 };
        assert_eq!(only(&whole, 0x31), Err(elsewhere));
        assert_eq!(only(&[0x7F, 0x80, 0], 0x7F80), Err(TlvError::Tag));
        assert_eq!(only(&[0, 0], 0), Err(TlvError::Tag));
    }

    proptest! {
        #[test]
        fn what_is_read_has_no_other_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some(found)) = Reader::new(&bytes).read() {
                prop_assert_eq!(object(found.tag, found.value), found.whole);
            }
        }
    }
}
