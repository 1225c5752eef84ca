//! Secure messaging (ICAO 9303-11, 9.8): commands and responses enciphered and summed under the keys of a session.
//! Both sides count every message; a message that is lost, repeated or changed ends the session.

use crate::apdu::{Command, Response, Status};
use crate::crypto::{CipherError, SessionKeys, Suite, pad, unpad};
use crate::tlv::{self, Reader, TlvError};

const ENCIPHERED: u16 = 0x87;
const ENCIPHERED_ODD: u16 = 0x85;
const EXPECTED: u16 = 0x97;
const STATUS: u16 = 0x99;
const SUM: u16 = 0x8E;
/// The bits of the class that say: secure messaging, the head summed too.
const SECURED: u8 = 0x0C;

/// Why a message of a session is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessagingError {
    /// It is not protected.
    #[error("a message is not protected, though a session is open")]
    Unprotected,
    /// Its objects are not those of secure messaging.
    #[error("a message's objects are not those of secure messaging")]
    Objects,
    /// Its sum is not that of this session and place.
    #[error("a message's sum is wrong: it was changed, repeated or is of another session")]
    Sum,
    /// It could not be deciphered.
    #[error("a message could not be deciphered")]
    Cipher,
}

impl From<TlvError> for MessagingError {
    fn from(_: TlvError) -> Self {
        Self::Objects
    }
}

impl From<CipherError> for MessagingError {
    fn from(_: CipherError) -> Self {
        Self::Cipher
    }
}

/// One side of a session: its keys and the count of messages.
#[derive(Clone)]
pub struct Channel {
    keys: SessionKeys,
    count: u128,
}

impl Channel {
    /// A session whose count begins at nothing, as after PACE and chip authentication.
    #[must_use]
    pub const fn new(keys: SessionKeys) -> Self {
        Self { keys, count: 0 }
    }

    /// A session whose count begins at these eight bytes, as after basic access control.
    #[must_use]
    pub const fn counting_from(keys: SessionKeys, start: [u8; 8]) -> Self {
        Self { keys, count: u64::from_be_bytes(start) as u128 }
    }

    /// Protects a command.
    ///
    /// # Errors
    /// [`MessagingError::Cipher`]: does not happen.
    pub fn protect(&mut self, command: &Command) -> Result<Command, MessagingError> {
        self.advance();
        let class = command.class | SECURED;
        let head = [class, command.instruction, command.parameters.0, command.parameters.1];
        let mut objects = Vec::new();
        if !command.data.is_empty() {
            objects.extend(self.enciphered(command.instruction, &command.data)?);
        }
        if let Some(most) = command.expected {
            let [_, _, high, low] = most.to_be_bytes();
            let long = [high, low];
            let value =
                if most > 256 { long.as_slice() } else { long.get(1..).unwrap_or_default() };
            objects.extend(tlv::object(EXPECTED, value));
        }
        let sum = self.sum(&[&pad(&head, self.keys.suite().block()), &objects])?;
        objects.extend(tlv::object(SUM, &sum));
        let expected = command.expected.map_or(256, |most| if most > 256 { 65_536 } else { 256 });
        Ok(Command { class, data: objects, expected: Some(expected), ..command.clone() })
    }

    /// Opens a protected command: the card's side.
    ///
    /// # Errors
    /// [`MessagingError`]: the session is over.
    pub fn receive(&mut self, command: &Command) -> Result<Command, MessagingError> {
        if command.class & SECURED != SECURED {
            return Err(MessagingError::Unprotected);
        }
        self.advance();
        let mut reader = Reader::new(&command.data);
        let tag = if command.instruction & 1 == 1 { ENCIPHERED_ODD } else { ENCIPHERED };
        let enciphered = reader.optional(tag)?;
        let expected = reader.optional(EXPECTED)?;
        let sum = reader.take(SUM)?;
        reader.end()?;
        let without_sum = command.data.len().saturating_sub(sum.len()).saturating_sub(2);
        let summed = command.data.get(..without_sum).ok_or(MessagingError::Objects)?;
        let head = pad(&command.head(), self.keys.suite().block());
        self.check(&[&head, summed], sum)?;
        let data = enciphered
            .map_or(Ok(Vec::new()), |value| self.deciphered(command.instruction, value))?;
        let expected = match expected {
            None => None,
            Some([0]) => Some(256),
            Some([most]) => Some(u32::from(*most)),
            Some([0, 0]) => Some(65_536),
            Some([high, low]) => Some(u32::from(u16::from_be_bytes([*high, *low]))),
            Some(_) => return Err(MessagingError::Objects),
        };
        Ok(Command { class: command.class & !SECURED, data, expected, ..command.clone() })
    }

    /// Protects a response: the card's side.
    ///
    /// # Errors
    /// [`MessagingError::Cipher`]: does not happen.
    pub fn answer(&mut self, response: &Response) -> Result<Response, MessagingError> {
        self.advance();
        let mut objects = Vec::new();
        if !response.data.is_empty() {
            objects.extend(self.enciphered(0, &response.data)?);
        }
        objects.extend(tlv::object(STATUS, &response.status.0.to_be_bytes()));
        let sum = self.sum(&[&objects])?;
        objects.extend(tlv::object(SUM, &sum));
        Ok(Response { data: objects, status: response.status })
    }

    /// Opens a protected response.
    ///
    /// # Errors
    /// [`MessagingError`]: the session is over. A card that ended it answers with its status alone:
    /// [`MessagingError::Unprotected`].
    pub fn open(&mut self, response: &Response) -> Result<Response, MessagingError> {
        if response.data.is_empty() {
            return Err(MessagingError::Unprotected);
        }
        self.advance();
        let mut reader = Reader::new(&response.data);
        let enciphered = reader.optional(ENCIPHERED)?;
        let status = reader.take(STATUS)?;
        let sum = reader.take(SUM)?;
        reader.end()?;
        let without_sum = response.data.len().saturating_sub(sum.len()).saturating_sub(2);
        self.check(&[response.data.get(..without_sum).ok_or(MessagingError::Objects)?], sum)?;
        let data = enciphered.map_or(Ok(Vec::new()), |value| self.deciphered(0, value))?;
        let status: [u8; 2] = status.try_into().map_err(|_| MessagingError::Objects)?;
        Ok(Response { data, status: Status(u16::from_be_bytes(status)) })
    }

    /// Which cipher the session uses.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.keys.suite()
    }

    const fn advance(&mut self) {
        self.count = self.count.wrapping_add(1);
    }

    /// The count in the length of a block.
    fn counter(&self) -> Vec<u8> {
        let bytes = self.count.to_be_bytes();
        let skip = bytes.len().saturating_sub(self.keys.suite().block());
        bytes.get(skip..).unwrap_or_default().to_vec()
    }

    fn enciphered(&self, instruction: u8, data: &[u8]) -> Result<Vec<u8>, MessagingError> {
        let vector = self.keys.vector(&self.counter())?;
        let blocks = self.keys.encrypt(&vector, &pad(data, self.keys.suite().block()))?;
        if instruction & 1 == 1 {
            return Ok(tlv::object(ENCIPHERED_ODD, &blocks));
        }
        Ok(tlv::constructed(ENCIPHERED, &[&[1], &blocks]))
    }

    fn deciphered(&self, instruction: u8, value: &[u8]) -> Result<Vec<u8>, MessagingError> {
        let blocks = match value {
            blocks if instruction & 1 == 1 => blocks,
            [1, blocks @ ..] => blocks,
            _ => return Err(MessagingError::Objects),
        };
        let vector = self.keys.vector(&self.counter())?;
        let padded = self.keys.decrypt(&vector, blocks)?;
        Ok(unpad(&padded)?.to_vec())
    }

    fn sum(&self, parts: &[&[u8]]) -> Result<[u8; 8], CipherError> {
        let message = [self.counter(), parts.concat()].concat();
        match self.keys.suite() {
            Suite::TripleDes => self.keys.sum(&message),
            Suite::Aes128 | Suite::Aes256 => self.keys.sum(&pad(&message, 16)),
        }
    }

    fn check(&self, parts: &[&[u8]], sum: &[u8]) -> Result<(), MessagingError> {
        let right = self.sum(parts)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&right, sum)
            .map_err(|_| MessagingError::Sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [Suite; 3] = [Suite::TripleDes, Suite::Aes128, Suite::Aes256];

    fn both(suite: Suite) -> (Channel, Channel) {
        let channel = Channel::new(SessionKeys::derive(suite, b"a shared secret"));
        (channel.clone(), channel)
    }

    #[test]
    fn what_one_side_protects_the_other_opens_under_every_cipher() {
        for suite in SUITES {
            let (mut reader, mut card) = both(suite);
            for length in [0, 1, 7, 8, 15, 16, 200, 300] {
                let command = Command::new(0xB0, (1, 2), vec![5; length]).expecting(300);
                let protected = reader.protect(&command).unwrap();
                let sent = Command::parse(&protected.to_bytes()).unwrap();
                assert_eq!(card.receive(&sent), Ok(command));
                let response = Response { data: vec![6; length], status: Status::END };
                let answered = card.answer(&response).unwrap();
                assert_eq!(reader.open(&answered), Ok(response));
            }
        }
    }

    #[test]
    fn a_message_that_is_changed_repeated_or_bare_is_refused() {
        for suite in SUITES {
            let (mut reader, card) = both(suite);
            let command = Command::new(0xA4, (2, 0x0C), vec![1, 0x1E]).expecting(16);
            let protected = reader.protect(&command).unwrap();
            for place in 0..protected.data.len() {
                let mut changed = protected.clone();
                changed.data[place] ^= 1;
                assert!(card.clone().receive(&changed).is_err(), "{suite:?} {place}");
            }
            let mut head = protected.clone();
            head.parameters.0 ^= 1;
            assert_eq!(card.clone().receive(&head), Err(MessagingError::Sum));
            let mut card = card;
            assert_eq!(card.receive(&protected), Ok(command.clone()));
            assert_eq!(card.receive(&protected), Err(MessagingError::Sum));
            assert_eq!(card.receive(&command), Err(MessagingError::Unprotected));
            assert_eq!(reader.open(&Response::bare(Status::OK)), Err(MessagingError::Unprotected));
        }
    }
}
