//! Commands and responses of a card (ISO/IEC 7816-4), in their short and extended forms.

use std::fmt;

/// The longest command that is read.
const MAX_COMMAND: usize = 65_544;

/// Why bytes are no command or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApduError {
    /// The lengths in a command do not add up.
    #[error("a command's lengths do not add up")]
    Command,
    /// A response has no status.
    #[error("the card's answer is cut off: it has no status")]
    Response,
}

/// The status that ends a response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(pub u16);

impl Status {
    /// Done.
    pub const OK: Self = Self(0x9000);
    /// Authentication failed.
    pub const FAILED: Self = Self(0x6300);
    /// The file ends before what was asked.
    pub const END: Self = Self(0x6282);
    /// The length is wrong.
    pub const LENGTH: Self = Self(0x6700);
    /// Access is not granted.
    pub const SECURITY: Self = Self(0x6982);
    /// The command is not allowed now.
    pub const CONDITIONS: Self = Self(0x6985);
    /// Objects of secure messaging are missing.
    pub const MESSAGING_MISSING: Self = Self(0x6987);
    /// Objects of secure messaging are wrong.
    pub const MESSAGING_WRONG: Self = Self(0x6988);
    /// The data are wrong.
    pub const DATA: Self = Self(0x6A80);
    /// There is no such file.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// The parameters are wrong.
    pub const PARAMETERS: Self = Self(0x6A86);
    /// What is referred to is not there.
    pub const REFERENCE: Self = Self(0x6A88);
    /// The offset lies outside the file.
    pub const OFFSET: Self = Self(0x6B00);
    /// There is no such command.
    pub const INSTRUCTION: Self = Self(0x6D00);
    /// There is no such class.
    pub const CLASS: Self = Self(0x6E00);
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// A command to a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Class.
    pub class: u8,
    /// Instruction.
    pub instruction: u8,
    /// Parameters.
    pub parameters: (u8, u8),
    /// Data; empty if there are none.
    pub data: Vec<u8>,
    /// How many bytes of answer are expected at most: none, or 1 to 65,536.
    pub expected: Option<u32>,
}

impl Command {
    /// A command of class 0 with data, without an expected answer.
    #[must_use]
    pub const fn new(instruction: u8, parameters: (u8, u8), data: Vec<u8>) -> Self {
        Self { class: 0, instruction, parameters, data, expected: None }
    }

    /// The same that expects an answer.
    #[must_use]
    pub fn expecting(self, expected: u32) -> Self {
        Self { expected: Some(expected), ..self }
    }

    /// The four bytes of its head.
    #[must_use]
    pub const fn head(&self) -> [u8; 4] {
        [self.class, self.instruction, self.parameters.0, self.parameters.1]
    }

    /// Its bytes: the short form if it fits, else the extended.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head().to_vec();
        let extended = self.data.len() > 255 || self.expected.is_some_and(|most| most > 256);
        if extended {
            bytes.push(0);
        }
        if !self.data.is_empty() {
            match self.data.len().to_be_bytes() {
                [.., high, low] if extended => bytes.extend([high, low]),
                [.., low] => bytes.push(low),
            }
            bytes.extend(&self.data);
        }
        if let Some(most) = self.expected {
            match most.to_be_bytes() {
                [.., high, low] if extended => bytes.extend([high, low]),
                [.., low] => bytes.push(low),
            }
        }
        bytes
    }

    /// Reads a command.
    ///
    /// # Errors
    /// [`ApduError::Command`] if its lengths do not add up.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApduError> {
        if bytes.len() > MAX_COMMAND {
            return Err(ApduError::Command);
        }
        let (&[class, instruction, p1, p2], body) =
            bytes.split_first_chunk::<4>().ok_or(ApduError::Command)?;
        let (data, expected) = body_of(body).ok_or(ApduError::Command)?;
        Ok(Self { class, instruction, parameters: (p1, p2), data: data.to_vec(), expected })
    }
}

/// Data and expected length of what follows a head.
fn body_of(body: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let short = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    let long = |bytes: [u8; 2]| match u16::from_be_bytes(bytes) {
        0 => 65_536,
        length => u32::from(length),
    };
    match body {
        [] => Some((&[], None)),
        [expected] => Some((&[], Some(short(*expected)))),
        [0, high, low] => Some((&[], Some(long([*high, *low])))),
        [0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (data, expected) = rest.split_at_checked(length).filter(|_| length > 0)?;
            match expected {
                [] => Some((data, None)),
                [high, low] => Some((data, Some(long([*high, *low])))),
                _ => None,
            }
        }
        [length, rest @ ..] => {
            let (data, expected) =
                rest.split_at_checked(usize::from(*length)).filter(|_| *length > 0)?;
            match expected {
                [] => Some((data, None)),
                [expected] => Some((data, Some(short(*expected)))),
                _ => None,
            }
        }
    }
}

/// What a card answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Data; empty if there are none.
    pub data: Vec<u8>,
    /// How it went.
    pub status: Status,
}

impl Response {
    /// A response without data.
    #[must_use]
    pub const fn bare(status: Status) -> Self {
        Self { data: Vec::new(), status }
    }

    /// A response with data, and done.
    #[must_use]
    pub const fn with(data: Vec<u8>) -> Self {
        Self { data, status: Status::OK }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.data.as_slice(), &self.status.0.to_be_bytes()].concat()
    }

    /// Reads a response.
    ///
    /// # Errors
    /// [`ApduError::Response`] if it has no status.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApduError> {
        let (data, status) = bytes.split_last_chunk::<2>().ok_or(ApduError::Response)?;
        Ok(Self { data: data.to_vec(), status: Status(u16::from_be_bytes(*status)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_case_of_the_standard_has_its_form() {
        let command = |data: &[u8], expected| Command {
            class: 0x0C,
            instruction: 0xB0,
            parameters: (1, 2),
            data: data.to_vec(),
            expected,
        };
        let cases: [(Command, &[u8]); 6] = [
            (command(&[], None), &[]),
            (command(&[], Some(256)), &[0]),
            (command(&[9], None), &[1, 9]),
            (command(&[9], Some(8)), &[1, 9, 8]),
            (command(&[], Some(65_536)), &[0, 0, 0]),
            (command(&[9], Some(257)), &[0, 0, 1, 9, 1, 1]),
        ];
        for (command, body) in cases {
            let bytes = command.to_bytes();
            assert_eq!(bytes, [&[0x0C, 0xB0, 1, 2], body].concat());
            assert_eq!(Command::parse(&bytes), Ok(command));
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for body in [&[2, 9][..], &[1, 9, 8, 7], &[0, 0, 2, 9], &[0, 0, 0, 9], &[0, 9]] {
            let bytes = [&[0, 0xB0, 0, 0], body].concat();
            assert_eq!(Command::parse(&bytes), Err(ApduError::Command), "{body:?}");
        }
        assert_eq!(Command::parse(&[0, 0xB0, 0]), Err(ApduError::Command));
        assert_eq!(Response::parse(&[0x90]), Err(ApduError::Response));
    }

    proptest! {
        #[test]
        fn a_command_that_is_read_is_written_to_one_that_reads_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..40)
        ) {
            if let Ok(command) = Command::parse(&bytes) {
                prop_assert_eq!(Command::parse(&command.to_bytes()), Ok(command));
            }
        }
    }
}
