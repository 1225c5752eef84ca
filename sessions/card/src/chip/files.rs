//! Selecting and reading files on the card.

use super::{Chip, Outcome};
use yufu_emrtd::apdu::{Response, Status};
use yufu_emrtd::file::{APPLICATION, File};

impl Chip {
    pub(super) fn select(&mut self, (how, _): (u8, u8), data: &[u8]) -> Outcome {
        let found = match (how, data) {
            (4, name) if name == APPLICATION => {
                (self.state.application, self.state.selected) = (true, None);
                Status::OK
            }
            (0, [] | [0x3F, 0x00]) => {
                (self.state.application, self.state.selected) = (false, None);
                Status::OK
            }
            (0 | 2, [high, low]) => {
                let file = File::of_identifier([*high, *low]);
                match file.map(|file| (file, self.readable(file))) {
                    Some((file, Ok(()))) => {
                        self.state.selected = Some(file);
                        Status::OK
                    }
                    Some((_, Err(refused))) => refused,
                    None => Status::NOT_FOUND,
                }
            }
            _ => Status::NOT_FOUND,
        };
        found.into()
    }

    pub(super) fn read_binary(
        &mut self,
        (p1, p2): (u8, u8),
        expected: Option<u32>,
        room: usize,
    ) -> Outcome {
        let (file, offset) = if p1 & 0x80 != 0 {
            (File::of_short(p1 & 0x1F), usize::from(p2))
        } else {
            (self.state.selected, usize::from(u16::from_be_bytes([p1, p2])))
        };
        let Some(file) = file else {
            return if p1 & 0x80 != 0 { Status::NOT_FOUND } else { Status::CONDITIONS }.into();
        };
        if let Err(refused) = self.readable(file) {
            return refused.into();
        }
        self.state.selected = Some(file);
        let Some(most) = expected else { return Status::LENGTH.into() };
        let Some(rest) = self.contents.file(file).and_then(|bytes| bytes.get(offset..)) else {
            return Status::OFFSET.into();
        };
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let given = rest.get(..wanted.min(room)).unwrap_or(rest);
        // Asked for as much as there is, a card says nothing of the end.
        let ended =
            rest.len() < wanted && most != 256 && most != 65_536 && given.len() == rest.len();
        let status = if ended { Status::END } else { Status::OK };
        Outcome::of(Response { data: given.to_vec(), status })
    }

    /// Whether a file may be read now.
    fn readable(&self, file: File) -> Result<(), Status> {
        let open = file == File::CardAccess;
        if self.contents.file(file).is_none() || (!open && !self.state.application) {
            return Err(Status::NOT_FOUND);
        }
        if open || self.state.channel.is_some() { Ok(()) } else { Err(Status::SECURITY) }
    }
}
