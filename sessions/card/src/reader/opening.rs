//! The first phase: which protocols does the card speak?

use super::application;
use super::files::{FileReading, Piece};
use super::pace;
use super::session::Session;
use super::{Next, Phase};
use crate::error::CardError;
use yufu_emrtd::SecurityInfos;
use yufu_emrtd::apdu::{Command, Response};
use yufu_emrtd::file::File;

/// Waits for the answer to selecting the root, then for EF.CardAccess.
pub(super) enum Opening {
    /// The root was selected. Cards that know no root refuse, and go on nevertheless.
    Root,
    /// EF.CardAccess is being read.
    CardAccess(FileReading),
}

/// Selects the root.
pub(super) fn begin() -> Next {
    let root = Command::new(0xA4, (0x00, 0x0C), vec![0x3F, 0x00]);
    Next::Send(root, Phase::Opening(Opening::Root))
}

impl Opening {
    pub(super) fn handle(self, session: &mut Session, answer: Response) -> Result<Next, CardError> {
        let Self::CardAccess(reading) = self else {
            let (command, reading) = FileReading::begin(File::CardAccess);
            return Ok(Next::Send(command, Phase::Opening(Self::CardAccess(reading))));
        };
        let infos = match reading.take(answer) {
            Ok(Piece::More(command, reading)) => {
                return Ok(Next::Send(command, Phase::Opening(Self::CardAccess(reading))));
            }
            Ok(Piece::Whole(file)) => {
                SecurityInfos::read(&file).map_err(CardError::SecurityInfos)?
            }
            // Cards without PACE have no such file, and refuse in many ways.
            Ok(Piece::Absent) | Err(CardError::Refused { .. }) => SecurityInfos::default(),
            Err(error) => return Err(error),
        };
        match infos.pace.iter().max_by_key(|protocol| protocol.suite).copied() {
            Some(protocol) => pace::begin(session, protocol, infos),
            None if session.access.zone.is_some() => Ok(application::begin(None, infos)),
            None => Err(CardError::ZoneNeeded),
        }
    }
}
