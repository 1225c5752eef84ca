//! What a card says of its own protocols (SecurityInfos, ICAO 9303-11, 9.2): in EF.CardAccess which PACE it speaks,
//! in DG14 the keys of chip authentication and how it signs.

use crate::crypto::{Curve, Point, Suite};
use crate::key::{KeyInfoError, read_key, write_key};
use crate::oid;
use crate::pace::Protocol;
use crate::tlv::{self, Reader, TlvError};

/// Why security infos cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityInfoError {
    /// The objects are not as they must be.
    #[error("the card's security infos: {0}")]
    Objects(#[from] TlvError),
    /// A key is not one that can be used.
    #[error("the card's security infos: {0}")]
    Key(#[from] KeyInfoError),
}

/// Chip authentication that a card offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipAuthentication {
    /// The cipher.
    pub suite: Suite,
    /// Which of the card's keys, if it has several.
    pub key: Option<u8>,
}

/// A card's static key for chip authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipKey {
    /// On which curve.
    pub curve: Curve,
    /// The public point.
    pub point: Point,
    /// Its number, if the card has several.
    pub number: Option<u8>,
}

/// The security infos that Yufu knows, in the order of the card; others are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityInfos {
    /// The PACE that it speaks.
    pub pace: Vec<Protocol>,
    /// The chip authentication that it offers.
    pub chip_authentication: Vec<ChipAuthentication>,
    /// The keys for it.
    pub chip_keys: Vec<ChipKey>,
    /// Whether it signs with ECDSA and SHA-256 in active authentication.
    pub signs: bool,
}

impl SecurityInfos {
    /// Reads a SET of security infos.
    ///
    /// # Errors
    /// [`SecurityInfoError`] if they are malformed. What is not known is left out.
    pub fn read(bytes: &[u8]) -> Result<Self, SecurityInfoError> {
        let mut infos = Self::default();
        let mut set = Reader::new(tlv::only(bytes, 0x31)?);
        while set.peek()? != 0 {
            infos.add(set.take(0x30)?)?;
        }
        Ok(infos)
    }

    /// Writes them.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut infos: Vec<Vec<u8>> = Vec::new();
        for protocol in &self.pace {
            let parts = [
                oid::object(&protocol.oid()),
                tlv::integer(&[2]),
                tlv::integer(&[protocol.curve.parameters()]),
            ];
            infos.push(tlv::object(0x30, &parts.concat()));
        }
        for ChipAuthentication { suite, key } in &self.chip_authentication {
            let oid = [oid::CHIP_AUTHENTICATION_ECDH, &[suite.number()]].concat();
            let number = key.map(|number| tlv::integer(&[number])).unwrap_or_default();
            let parts = [oid::object(&oid), tlv::integer(&[1]), number];
            infos.push(tlv::object(0x30, &parts.concat()));
        }
        for ChipKey { curve, point, number } in &self.chip_keys {
            let number = number.map(|number| tlv::integer(&[number])).unwrap_or_default();
            let parts = [oid::object(oid::CHIP_KEY_ECDH), write_key(*curve, point), number];
            infos.push(tlv::object(0x30, &parts.concat()));
        }
        if self.signs {
            let parts = [
                oid::object(oid::ACTIVE_AUTHENTICATION),
                tlv::integer(&[1]),
                oid::object(oid::ECDSA_PLAIN_SHA256),
            ];
            infos.push(tlv::object(0x30, &parts.concat()));
        }
        infos.sort();
        tlv::object(0x31, &infos.concat())
    }

    /// The key that a chip authentication is to be run with.
    #[must_use]
    pub fn key_of(&self, offered: &ChipAuthentication) -> Option<&ChipKey> {
        self.chip_keys.iter().find(|key| offered.key.is_none() || key.number == offered.key)
    }

    fn add(&mut self, info: &[u8]) -> Result<(), SecurityInfoError> {
        let mut info = Reader::new(info);
        let name = info.take(0x06)?;
        match name {
            [prefix @ .., number] if prefix == oid::PACE_ECDH_GM => {
                info.take(0x02)?;
                let curve = small(info.optional(0x02)?)?.and_then(Curve::of_parameters);
                if let (Some(suite), Some(curve)) = (Suite::of_number(*number), curve) {
                    self.pace.push(Protocol { suite, curve });
                }
            }
            [prefix @ .., number] if prefix == oid::CHIP_AUTHENTICATION_ECDH => {
                info.take(0x02)?;
                let key = small(info.optional(0x02)?)?;
                if let Some(suite) = Suite::of_number(*number) {
                    self.chip_authentication.push(ChipAuthentication { suite, key });
                }
            }
            name if name == oid::CHIP_KEY_ECDH => {
                let key = info.take_whole(0x30)?.whole;
                let number = small(info.optional(0x02)?)?;
                match read_key(key) {
                    Ok((curve, point)) => self.chip_keys.push(ChipKey { curve, point, number }),
                    Err(KeyInfoError::Unsupported) => {}
                    Err(malformed) => return Err(malformed.into()),
                }
            }
            name if name == oid::ACTIVE_AUTHENTICATION => {
                info.take(0x02)?;
                self.signs |= info.take(0x06)? == oid::ECDSA_PLAIN_SHA256;
            }
            _ => return Ok(()),
        }
        Ok(info.end()?)
    }
}

/// An INTEGER of one byte that may be absent.
fn small(value: Option<&[u8]>) -> Result<Option<u8>, TlvError> {
    match value {
        None => Ok(None),
        Some([number @ 0..=0x7F]) => Ok(Some(*number)),
        Some(_) => Err(TlvError::Value(0x02)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for curve in [Curve::NistP256, Curve::BrainpoolP256r1] {
            let point = curve.public(&curve.secret(&[1; 32]).unwrap()).unwrap();
            let infos = SecurityInfos {
                pace: vec![Protocol { suite: Suite::Aes128, curve }],
                chip_authentication: vec![ChipAuthentication {
                    suite: Suite::Aes256,
                    key: Some(1),
                }],
                chip_keys: vec![ChipKey { curve, point, number: Some(1) }],
                signs: true,
            };
            let read = SecurityInfos::read(&infos.write()).unwrap();
            assert_eq!(read, infos);
            assert_eq!(read.key_of(&read.chip_authentication[0]), Some(&infos.chip_keys[0]));
            let other = ChipAuthentication { suite: Suite::Aes256, key: Some(2) };
            assert_eq!(read.key_of(&other), None);
        }
    }

    #[test]
    fn the_card_access_of_the_standards_worked_example_is_read() {
        // ICAO 9303-11, appendix G.1: PACE with ECDH, generic mapping, AES-128, parameters 13.
        let bytes = [
            0x31, 0x14, 0x30, 0x12, 0x06, 0x0A, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04,
            0x02, 0x02, 0x02, 0x01, 0x02, 0x02, 0x01, 0x0D,
        ];
        let infos = SecurityInfos::read(&bytes).unwrap();
        let expected = Protocol { suite: Suite::Aes128, curve: Curve::BrainpoolP256r1 };
        assert_eq!(infos.pace, [expected]);
        assert_eq!(infos.write(), bytes);
    }

    #[test]
    fn what_is_not_known_is_left_out_and_what_is_malformed_refused() {
        let unknown = tlv::object(0x31, &tlv::object(0x30, &oid::object(&[0x2A, 3])));
        assert_eq!(SecurityInfos::read(&unknown), Ok(SecurityInfos::default()));
        let info = [oid::object(oid::CHIP_KEY_ECDH), tlv::object(0x30, &[])].concat();
        let malformed = tlv::object(0x31, &tlv::object(0x30, &info));
        assert!(SecurityInfos::read(&malformed).is_err());
        assert!(SecurityInfos::read(&[]).is_err());
    }
}
