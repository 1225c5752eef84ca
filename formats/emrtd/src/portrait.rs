//! DG2: a portrait in its envelopes (CBEFF, and the face record of ISO/IEC 19794-5).

use crate::file::FileError;
use crate::tlv::{self, Reader, TlvError};

/// `FAC`, version 010.
const MAGIC: [u8; 8] = *b"FAC\x00010\x00";
/// Bytes before the image: the head of the record, of the face, of the image.
const HEADS: usize = 14 + 20 + 12;
/// Owner and type of the format: ISO/IEC JTC 1/SC 37, face image.
const FORMAT: [u8; 4] = [0x01, 0x01, 0x00, 0x08];

/// A portrait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portrait {
    /// Width and height in dots.
    pub size: (u16, u16),
    /// The image: JPEG, or JPEG 2000.
    pub image: Vec<u8>,
}

impl Portrait {
    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let record = self.record();
        let format = [
            tlv::object(0x80, &[0x01, 0x01]),
            tlv::object(0x81, &[0x02]),
            tlv::object(0x87, &FORMAT[..2]),
            tlv::object(0x88, &FORMAT[2..]),
        ];
        let template = [tlv::object(0xA1, &format.concat()), tlv::object(0x5F2E, &record)];
        let group = [tlv::integer(&[1]), tlv::object(0x7F60, &template.concat())];
        tlv::object(0x75, &tlv::object(0x7F61, &group.concat()))
    }

    /// Reads the file: the first portrait in it.
    ///
    /// # Errors
    /// [`FileError`] if it is malformed.
    pub fn read(file: &[u8]) -> Result<Self, FileError> {
        let mut group = Reader::new(tlv::only(tlv::only(file, 0x75)?, 0x7F61)?);
        group.take(0x02)?;
        let mut template = Reader::new(group.take(0x7F60)?);
        template.take(0xA1)?;
        let record = template.take(0x5F2E)?;
        let malformed = || TlvError::Value(0x5F2E);
        let (heads, image) = record.split_at_checked(HEADS).ok_or_else(malformed)?;
        let part = |from: usize, length: usize| {
            heads.get(from..from.saturating_add(length)).ok_or_else(malformed)
        };
        let number = |from: usize| {
            part(from, 2).map(|two| two.iter().fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte)))
        };
        let length = part(8, 4)?.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let points = number(18)?;
        if part(0, 8)? != MAGIC || length != record.len() || points != 0 {
            return Err(malformed().into());
        }
        Ok(Self { size: (number(36)?, number(38)?), image: image.to_vec() })
    }

    fn record(&self) -> Vec<u8> {
        let length = |more: usize| {
            let length = self.image.len().saturating_add(more);
            u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
        };
        let (width, height) = self.size;
        [
            MAGIC.as_slice(),
            &length(HEADS),
            &[0, 1],
            // The face: its length, no feature points, nothing said of sex, eyes, hair, expression and pose.
            &length(32),
            &[0; 16],
            // The image: full frontal, JPEG.
            &[1, 0],
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            // Colours sRGB, source a camera, device and quality unspecified.
            &[1, 2, 0, 0, 0, 0],
            &self.image,
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portrait_is_written_and_read_and_nothing_that_is_cut_off() {
        let portrait = Portrait { size: (240, 320), image: vec![0xFF, 0xD8, 1, 2, 3] };
        let file = portrait.write();
        assert_eq!(Portrait::read(&file), Ok(portrait));
        for end in 0..file.len() {
            assert!(Portrait::read(&file[..end]).is_err());
        }
        let mut longer = file.clone();
        let place = longer.windows(8).position(|window| window == MAGIC).unwrap() + 11;
        longer[place] ^= 1;
        assert!(Portrait::read(&longer).is_err());
    }
}
