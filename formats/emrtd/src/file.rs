//! The files of a card (ICAO 9303-10): which there are, and what stands in them.

use crate::mrz::{Mrz, MrzError};
use crate::tlv::{self, Reader, TlvError};

/// The application's name on the card (ICAO 9303-10, 3.4).
pub const APPLICATION: [u8; 7] = [0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01];

/// Why a file cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Its objects are not as they must be.
    #[error("{0}")]
    Objects(#[from] TlvError),
    /// Its machine-readable zone is none.
    #[error("{0}")]
    Zone(#[from] MrzError),
    /// A text is no UTF-8.
    #[error("a text is not UTF-8")]
    Text,
}

/// A file of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// Which protocols open the card; outside the application.
    CardAccess,
    /// Which data groups there are.
    Common,
    /// The digests of the data groups, signed.
    SecurityObject,
    /// A data group: 1 to 16.
    Group(u8),
}

impl File {
    /// Its identifier.
    #[must_use]
    pub const fn identifier(self) -> [u8; 2] {
        match self {
            Self::CardAccess => [0x01, 0x1C],
            Self::Common => [0x01, 0x1E],
            Self::SecurityObject => [0x01, 0x1D],
            Self::Group(number) => [0x01, number],
        }
    }

    /// Its short identifier.
    #[must_use]
    pub const fn short(self) -> u8 {
        self.identifier()[1]
    }

    /// The file with this identifier.
    #[must_use]
    pub const fn of_identifier(identifier: [u8; 2]) -> Option<Self> {
        match identifier {
            [0x01, short] => Self::of_short(short),
            _ => None,
        }
    }

    /// The file with this short identifier.
    #[must_use]
    pub const fn of_short(short: u8) -> Option<Self> {
        match short {
            0x1C => Some(Self::CardAccess),
            0x1E => Some(Self::Common),
            0x1D => Some(Self::SecurityObject),
            number @ 1..=16 => Some(Self::Group(number)),
            _ => None,
        }
    }

    /// The tag that the file begins with (ICAO 9303-10, table 29).
    #[must_use]
    pub const fn tag(self) -> u16 {
        match self {
            Self::CardAccess => 0x31,
            Self::Common => 0x60,
            Self::SecurityObject => 0x77,
            Self::Group(number) => group_tag(number),
        }
    }
}

const fn group_tag(number: u8) -> u16 {
    match number {
        1 => 0x61,
        2 => 0x75,
        3 => 0x63,
        4 => 0x76,
        5 => 0x65,
        6 => 0x66,
        7 => 0x67,
        8 => 0x68,
        9 => 0x69,
        10 => 0x6A,
        11 => 0x6B,
        12 => 0x6C,
        13 => 0x6D,
        14 => 0x6E,
        15 => 0x6F,
        _ => 0x70,
    }
}

/// EF.COM: versions, and which data groups there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// The numbers of the data groups.
    pub groups: Vec<u8>,
}

impl Common {
    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let tags: Vec<u8> =
            self.groups.iter().filter_map(|number| u8::try_from(group_tag(*number)).ok()).collect();
        let parts = [
            tlv::object(0x5F01, b"0107"),
            tlv::object(0x5F36, b"040000"),
            tlv::object(0x5C, &tags),
        ];
        tlv::object(0x60, &parts.concat())
    }

    /// Reads the file. Tags that name no group are left out.
    ///
    /// # Errors
    /// [`FileError`] if it is malformed.
    pub fn read(file: &[u8]) -> Result<Self, FileError> {
        let mut common = Reader::new(tlv::only(file, 0x60)?);
        common.take(0x5F01)?;
        common.take(0x5F36)?;
        let tags = common.take(0x5C)?;
        common.end()?;
        let number = |tag: &u8| (1..=16).find(|number| group_tag(*number) == u16::from(*tag));
        Ok(Self { groups: tags.iter().filter_map(number).collect() })
    }
}

/// Writes DG1: the machine-readable zone.
///
/// # Errors
/// [`FileError::Zone`] if a field does not fit.
pub fn write_zone(zone: &Mrz) -> Result<Vec<u8>, FileError> {
    Ok(tlv::object(0x61, &tlv::object(0x5F1F, zone.write()?.as_bytes())))
}

/// Reads DG1.
///
/// # Errors
/// [`FileError`] if it is malformed.
pub fn read_zone(file: &[u8]) -> Result<Mrz, FileError> {
    let zone = tlv::only(tlv::only(file, 0x61)?, 0x5F1F)?;
    Ok(Mrz::read(str::from_utf8(zone).map_err(|_| FileError::Text)?)?)
}

/// DG11: what the zone has no room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The full name, in its own script.
    pub full_name: String,
    /// The personal number: the resident number.
    pub personal_number: String,
    /// The day of birth: eight digits.
    pub birth: String,
    /// The address, its parts.
    pub address: Vec<String>,
}

impl Details {
    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let texts = [
            (0x5F0E, self.full_name.clone()),
            (0x5F10, self.personal_number.clone()),
            (0x5F2B, self.birth.clone()),
            (0x5F42, self.address.join("<")),
        ];
        let there = || texts.iter().filter(|(_, text)| !text.is_empty());
        let tags: Vec<u8> = there().flat_map(|(tag, _): &(u16, _)| tag.to_be_bytes()).collect();
        let objects: Vec<Vec<u8>> =
            there().map(|(tag, text)| tlv::object(*tag, text.as_bytes())).collect();
        tlv::constructed(0x6B, &[&tlv::object(0x5C, &tags), &objects.concat()])
    }

    /// Reads the file. Objects that are not known are left out.
    ///
    /// # Errors
    /// [`FileError`] if it is malformed.
    pub fn read(file: &[u8]) -> Result<Self, FileError> {
        let mut objects = Reader::new(tlv::only(file, 0x6B)?);
        objects.take(0x5C)?;
        let mut details = Self::default();
        while let Some(object) = objects.read()? {
            let text =
                || str::from_utf8(object.value).map(str::to_owned).map_err(|_| FileError::Text);
            match object.tag {
                0x5F0E => details.full_name = text()?,
                0x5F10 => details.personal_number = text()?,
                0x5F2B => details.birth = birth(object.value)?,
                0x5F42 => details.address = text()?.split('<').map(str::to_owned).collect(),
                _ => {}
            }
        }
        Ok(details)
    }
}

/// Eight digits, written as characters or, as some cards do, two to a byte.
fn birth(value: &[u8]) -> Result<String, FileError> {
    let digits = match value {
        [_, _, _, _] => value.iter().map(|byte| format!("{byte:02X}")).collect(),
        characters => str::from_utf8(characters).map_err(|_| FileError::Text)?.to_owned(),
    };
    let right = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if right { Ok(digits) } else { Err(TlvError::Value(0x5F2B).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_groups_is_written_and_read() {
        let common = Common { groups: vec![1, 2, 11, 14, 15] };
        assert_eq!(Common::read(&common.write()), Ok(common));
    }

    #[test]
    fn details_are_written_and_read_and_what_is_not_known_left_out() {
        let details = Details {
            full_name: "罗龙轩".to_owned(),
            personal_number: "420104196209208811".to_owned(),
            birth: "19620920".to_owned(),
            address: vec!["武汉市硚口区".to_owned(), "利济北路217号".to_owned()],
        };
        assert_eq!(Details::read(&details.write()), Ok(details));
        let unknown = [tlv::object(0x5C, &[0x5F, 0x12]), tlv::object(0x5F12, b"1")].concat();
        assert_eq!(Details::read(&tlv::object(0x6B, &unknown)), Ok(Details::default()));
        let packed = [tlv::object(0x5C, &[]), tlv::object(0x5F2B, &[0x19, 0x62, 9, 0x20])];
        let read = Details::read(&tlv::object(0x6B, &packed.concat())).unwrap();
        assert_eq!(read.birth, "19620920");
    }

    #[test]
    fn every_file_is_found_by_its_identifiers() {
        let files = [File::CardAccess, File::Common, File::SecurityObject, File::Group(16)];
        for file in files {
            assert_eq!(File::of_identifier(file.identifier()), Some(file));
            assert_eq!(File::of_short(file.short()), Some(file));
        }
        assert_eq!(File::of_identifier([0x3F, 0x00]), None);
        assert_eq!(File::of_short(0x11), None);
    }
}
