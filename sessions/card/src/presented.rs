//! A card shown from afar: files that somebody sends, believed only as far as they were signed; and a challenge that only
//! the chip can answer, whoever carries it there and back. Nothing that the one in between says is trusted.

use crate::error::CardError;
use crate::reader::choice;
use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::crypto::{SessionKeys, Suite};
use yufu_emrtd::file::{Details, File, FileError, read_zone};
use yufu_emrtd::mrz::Mrz;
use yufu_emrtd::secure_messaging::Channel;
use yufu_emrtd::{
    Anchors, Attested, ChipAuthentication, ChipKey, PassiveError, SecurityInfos, tlv,
};

/// The bytes of a card's zone that are read back under the challenge: all of DG1.
const ZONE_BYTES: u32 = 95;

/// A card whose files were signed for it.
#[derive(Clone, Debug)]
pub struct PresentedCard {
    /// Its zone.
    pub zone: Mrz,
    /// When its last day is over, wherever on earth.
    pub until: Timestamp,
    /// What the zone has no room for.
    pub details: Details,
    zone_file: Vec<u8>,
    offered: ChipAuthentication,
    key: ChipKey,
}

/// What the chip is asked, for whoever carries it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipChallenge {
    /// The key that the chip agrees a session with.
    pub public: Vec<u8>,
    /// The command under that session.
    pub command: Vec<u8>,
}

/// What the answer is checked with. Secret until then.
pub struct ExpectedAnswer {
    channel: Channel,
    zone_file: Vec<u8>,
}

impl PresentedCard {
    /// Reads what was sent: the security object and the data groups 1, 11 and 14.
    ///
    /// # Errors
    /// [`CardError`]: the first rule that the card breaks.
    pub fn check(
        security_object: &[u8],
        groups: &BTreeMap<u8, Vec<u8>>,
        anchors: &Anchors,
        at: Timestamp,
    ) -> Result<Self, CardError> {
        let attested = Attested::verify(security_object, anchors, at)?;
        let group = |number: u8| {
            let file = groups.get(&number).ok_or(CardError::Missing(number))?;
            attested.check(number, file)?;
            Ok::<_, CardError>(file.as_slice())
        };
        let malformed =
            |number: u8| move |cause| CardError::Malformed { file: File::Group(number), cause };
        let zone_file = group(1)?;
        let zone = read_zone(zone_file).map_err(malformed(1))?;
        let until = zone.expiry.over().map_err(|cause| malformed(1)(cause.into()))?;
        if at >= until {
            return Err(CardError::Expired(zone.expiry.digits().to_owned()));
        }
        let details = Details::read(group(11)?).map_err(malformed(11))?;
        let infos = tlv::only(group(14)?, File::Group(14).tag());
        let infos = infos.map_err(|cause| malformed(14)(FileError::Objects(cause)))?;
        let infos = SecurityInfos::read(infos).map_err(CardError::SecurityInfos)?;
        // Without a key of its own a card cannot be told from a copy.
        let (offered, key) = choice(&infos).ok_or(PassiveError::NotSigned(14))?;
        Ok(Self { zone, until, details, zone_file: zone_file.to_vec(), offered, key })
    }

    /// A challenge from 32 bytes that must be unpredictable, and what its answer is checked with.
    ///
    /// # Errors
    /// [`CardError::Key`] if the card's key is no point of its curve.
    pub fn challenge(&self, seed: &[u8; 32]) -> Result<(ChipChallenge, ExpectedAnswer), CardError> {
        let curve = self.key.curve;
        let own = curve.secret(seed)?;
        let shared = curve.multiply(&own, &self.key.point)?;
        let mut channel = Channel::new(SessionKeys::derive(self.offered.suite, shared.x()));
        let file = File::Group(1).short();
        let read = Command::new(0xB0, (0x80 | file, 0), Vec::new()).expecting(ZONE_BYTES);
        let command = channel.protect(&read)?.to_bytes();
        let public = curve.public(&own)?.as_bytes().to_vec();
        let expected = ExpectedAnswer { channel, zone_file: self.zone_file.clone() };
        Ok((ChipChallenge { public, command }, expected))
    }

    /// Which cipher the challenge uses.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.offered.suite
    }
}

impl ExpectedAnswer {
    /// Whether the chip answered: only the holder of the key that was signed for the card can.
    ///
    /// # Errors
    /// [`CardError::Cloned`] for any other answer.
    pub fn check(mut self, answer: &[u8]) -> Result<(), CardError> {
        let answer = Response::parse(answer)?;
        let opened = self.channel.open(&answer).map_err(|_| CardError::Cloned)?;
        let whole = matches!(opened.status, Status::OK | Status::END);
        if whole && opened.data == self.zone_file { Ok(()) } else { Err(CardError::Cloned) }
    }
}
