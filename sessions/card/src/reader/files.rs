//! Reading one file in pieces.

use crate::error::CardError;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::file::{File, FileError};
use yufu_emrtd::tlv;

/// As much as a short answer carries in whole blocks under secure messaging.
const PIECE: u32 = 223;
/// The longest file that is read: as far as an offset reaches.
const LONGEST: usize = 0x7FFF;

/// A file being read.
pub(super) struct FileReading {
    file: File,
    bytes: Vec<u8>,
}

/// What an answer leads to.
pub(super) enum Piece {
    More(Command, FileReading),
    Whole(Vec<u8>),
    Absent,
}

impl FileReading {
    /// Begins with a file.
    pub(super) fn begin(file: File) -> (Command, Self) {
        let command = Command::new(0xB0, (0x80 | file.short(), 0), Vec::new()).expecting(PIECE);
        (command, Self { file, bytes: Vec::new() })
    }

    /// Which file it is.
    pub(super) const fn file(&self) -> File {
        self.file
    }

    /// Takes a piece.
    pub(super) fn take(mut self, answer: Response) -> Result<Piece, CardError> {
        let malformed = |cause| CardError::Malformed { file: self.file, cause };
        match answer.status {
            Status::OK | Status::END => {}
            Status::NOT_FOUND if self.bytes.is_empty() => return Ok(Piece::Absent),
            status => return Err(CardError::Refused { doing: "reading a file", status }),
        }
        let ended = answer.data.is_empty();
        self.bytes.extend(answer.data);
        let length = match tlv::whole_length(&self.bytes) {
            Ok(length) if length > LONGEST => return Err(CardError::TooLong(length)),
            Ok(length) => length,
            Err(cause) => return Err(malformed(FileError::Objects(cause))),
        };
        if self.bytes.len() >= length {
            self.bytes.truncate(length);
            return Ok(Piece::Whole(self.bytes));
        }
        if ended {
            return Err(malformed(FileError::Objects(tlv::TlvError::Truncated)));
        }
        let missing = length.saturating_sub(self.bytes.len());
        let most = u32::try_from(missing).unwrap_or(PIECE).min(PIECE);
        let [.., high, low] = self.bytes.len().to_be_bytes();
        Ok(Piece::More(Command::new(0xB0, (high, low), Vec::new()).expecting(most), self))
    }
}
