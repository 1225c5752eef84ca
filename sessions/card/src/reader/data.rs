//! Reading the card's data, the security object first: whatever is read afterwards is checked against it at once. The
//! chip proves itself as soon as its key is known to be signed, and before anything else is read.

use super::files::{FileReading, Piece};
use super::proof;
use super::session::Session;
use super::{Next, Phase};
use crate::error::CardError;
use std::collections::BTreeMap;
use yufu_emrtd::apdu::Response;
use yufu_emrtd::file::{Details, File, FileError, read_zone};
use yufu_emrtd::mrz::Mrz;
use yufu_emrtd::pace::Protocol;
use yufu_emrtd::{Attested, PassiveError, Portrait, SecurityInfos, tlv};

/// The data groups that are read, if they were signed: the chip's keys, then the person's data.
const WANTED: [u8; 5] = [14, 15, 1, 2, 11];

/// How a card was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// By PACE.
    Pace(Protocol),
    /// By basic access control.
    Basic,
}

/// What was proven of a card, beside that its data are those that its country wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// How it was opened.
    pub opened: Opened,
    /// The country of the document signer, two letters.
    pub country: String,
    /// The document signer.
    pub signer: String,
    /// Whether the chip proved by chip authentication that it is no copy. If not, it does not offer it.
    pub chip: bool,
    /// Whether it proved the same by active authentication. If not, it does not offer it.
    pub signature: bool,
}

/// What was read of a card, and proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardData {
    /// The machine-readable zone.
    pub zone: Mrz,
    /// What the zone has no room for, if the card has it.
    pub details: Option<Details>,
    /// The portrait, if the card has it.
    pub portrait: Option<Portrait>,
    /// What was proven.
    pub proofs: Proofs,
    /// EF.SOD.
    pub security_object: Vec<u8>,
    /// The data groups that were read, by their numbers.
    pub groups: BTreeMap<u8, Vec<u8>>,
}

/// What is known so far.
pub(super) struct Collected {
    pub(super) opened: Opened,
    /// What the card says openly of its protocols.
    open_infos: SecurityInfos,
    security_object: Vec<u8>,
    attested: Option<Attested>,
    pub(super) groups: BTreeMap<u8, Vec<u8>>,
    pub(super) chip: bool,
    pub(super) signature: bool,
}

/// A file is being read.
pub(super) struct Data {
    collected: Collected,
    reading: FileReading,
}

/// Reads the security object.
pub(super) fn begin(opened: Opened, open_infos: SecurityInfos) -> Next {
    let collected = Collected {
        opened,
        open_infos,
        security_object: Vec::new(),
        attested: None,
        groups: BTreeMap::new(),
        chip: false,
        signature: false,
    };
    read(collected, File::SecurityObject)
}

fn read(collected: Collected, file: File) -> Next {
    let (command, reading) = FileReading::begin(file);
    Next::Send(command, Phase::Data(Data { collected, reading }))
}

impl Data {
    pub(super) fn handle(self, session: &mut Session, answer: Response) -> Result<Next, CardError> {
        let Self { mut collected, reading } = self;
        let file = reading.file();
        let bytes = match reading.take(answer)? {
            Piece::More(command, reading) => {
                return Ok(Next::Send(command, Phase::Data(Self { collected, reading })));
            }
            Piece::Absent => return Err(CardError::Missing(file.short())),
            Piece::Whole(bytes) => bytes,
        };
        if let File::Group(number) = file {
            collected.attested()?.check(number, &bytes)?;
            collected.groups.insert(number, bytes);
            if number == 14 {
                return collected.signed_infos(session);
            }
        } else {
            let attested = Attested::verify(&bytes, &session.anchors, session.at)?;
            (collected.attested, collected.security_object) = (Some(attested), bytes);
        }
        collected.next(session)
    }
}

impl Collected {
    /// Reads what is still missing; then the signature, if the card offers one; then all is done.
    pub(super) fn next(self, session: &Session) -> Result<Next, CardError> {
        let signed: Vec<u8> = self.attested()?.groups().collect();
        let missing = |number: &&u8| signed.contains(number) && !self.groups.contains_key(number);
        if let Some(number) = WANTED.iter().find(missing) {
            return Ok(read(self, File::Group(*number)));
        }
        match proof::sign(self, session)? {
            Ok(next) => Ok(next),
            Err(collected) => collected.finish(session).map(|data| Next::Done(Box::new(data))),
        }
    }

    /// DG14 was read: what the card said openly must be what was signed; then the chip proves itself.
    fn signed_infos(self, session: &mut Session) -> Result<Next, CardError> {
        let value = self.group(14)?;
        let infos = SecurityInfos::read(value).map_err(CardError::SecurityInfos)?;
        if !infos.pace.is_empty() && infos.pace != self.open_infos.pace {
            return Err(CardError::Downgraded);
        }
        proof::prove(self, session, &infos)
    }

    /// What stands in a data group.
    pub(super) fn group(&self, number: u8) -> Result<&[u8], CardError> {
        let file = self.groups.get(&number).ok_or(CardError::Missing(number))?;
        let file_of = File::Group(number);
        let malformed =
            |cause| CardError::Malformed { file: file_of, cause: FileError::Objects(cause) };
        tlv::only(file, file_of.tag()).map_err(malformed)
    }

    pub(super) fn finish(self, session: &Session) -> Result<CardData, CardError> {
        let file = |number: u8| self.groups.get(&number);
        let malformed =
            |number: u8| move |cause| CardError::Malformed { file: File::Group(number), cause };
        let zone = file(1).ok_or(PassiveError::NotSigned(1))?;
        let zone = read_zone(zone).map_err(malformed(1))?;
        let over = zone.expiry.over().map_err(|cause| malformed(1)(cause.into()))?;
        if session.at >= over {
            return Err(CardError::Expired(zone.expiry.digits().to_owned()));
        }
        let details =
            file(11).map(|file| Details::read(file)).transpose().map_err(malformed(11))?;
        let portrait =
            file(2).map(|file| Portrait::read(file)).transpose().map_err(malformed(2))?;
        let signer = self.attested()?.signer();
        let proofs = Proofs {
            opened: self.opened,
            country: signer.country().unwrap_or_default().to_owned(),
            signer: signer.name().unwrap_or_default().to_owned(),
            chip: self.chip,
            signature: self.signature,
        };
        let Self { security_object, groups, .. } = self;
        Ok(CardData { zone, details, portrait, proofs, security_object, groups })
    }

    fn attested(&self) -> Result<&Attested, CardError> {
        self.attested.as_ref().ok_or(CardError::Missing(File::SecurityObject.short()))
    }
}
