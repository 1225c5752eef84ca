//! The application on the card: a state machine, a command in and an answer out. Files can be read only within a
//! session that PACE or basic access control opened; a message that does not fit ends the session.

mod access;
mod contents;
mod files;
mod proving;

pub use contents::{Contents, ContentsError};

use crate::chip::access::Attempt;
use yufu_base::GrowingDelay;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::file::File;
use yufu_emrtd::secure_messaging::{Channel, MessagingError};

/// How long a card waits before it answers an attempt to open it, after wrong ones in a row.
pub const DELAY: GrowingDelay = GrowingDelay { first: 1, longest: 60 };

/// Draws 32 unpredictable bytes.
pub(crate) type Random<'a> = &'a mut dyn FnMut() -> [u8; 32];

/// A card.
pub struct Chip {
    contents: Contents,
    /// Wrong attempts in a row; a card keeps them without power.
    failures: u32,
    state: State,
}

/// What a card forgets without power.
#[derive(Default)]
struct State {
    channel: Option<Channel>,
    application: bool,
    selected: Option<File>,
    attempt: Attempt,
    proving: Option<proving::Chosen>,
}

/// What a card answers, and how long it waits before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub bytes: Vec<u8>,
    /// Seconds before it is given.
    pub delay_seconds: u64,
}

/// What a command leads to.
struct Outcome {
    response: Response,
    delay_seconds: u64,
    /// The session that begins with the next command.
    channel: Option<Channel>,
}

impl Outcome {
    const fn of(response: Response) -> Self {
        Self { response, delay_seconds: 0, channel: None }
    }
}

/// A refusal by status.
impl From<Status> for Outcome {
    fn from(status: Status) -> Self {
        Self::of(Response::bare(status))
    }
}

impl Chip {
    /// A card with these contents.
    #[must_use]
    pub fn new(contents: Contents) -> Self {
        Self { contents, failures: 0, state: State::default() }
    }

    /// Power off and on again: sessions and selections are forgotten, wrong attempts are not.
    pub fn reset(&mut self) {
        self.state = State::default();
    }

    /// What is on it.
    #[must_use]
    pub const fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Wrong attempts in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Answers a command. `random` draws what the card needs.
    pub fn handle(&mut self, command: &[u8], random: Random<'_>) -> Answer {
        let Ok(command) = Command::parse(command) else {
            self.end_session();
            return plain(&Status::LENGTH.into());
        };
        let Some(mut channel) = self.state.channel.take() else {
            if command.class & !0x10 != 0 {
                return plain(&Status::CLASS.into());
            }
            let outcome = self.perform(&command, random, usize::MAX);
            self.state.channel.clone_from(&outcome.channel);
            return plain(&outcome);
        };
        let inner = match channel.receive(&command) {
            Ok(inner) => inner,
            Err(error) => {
                self.end_session();
                return plain(&refusal(error).into());
            }
        };
        self.state.channel = Some(channel);
        // A short answer has room for 223 bytes in whole blocks beside the objects of secure messaging.
        let room = if command.expected.is_some_and(|most| most > 256) { 4096 } else { 223 };
        let outcome = self.perform(&inner, random, room);
        let Some(mut channel) = self.state.channel.take() else { return plain(&outcome) };
        let Ok(protected) = channel.answer(&outcome.response) else {
            self.end_session();
            return plain(&Status::MESSAGING_WRONG.into());
        };
        self.state.channel = Some(outcome.channel.unwrap_or(channel));
        Answer { bytes: protected.to_bytes(), delay_seconds: outcome.delay_seconds }
    }

    fn perform(&mut self, command: &Command, random: Random<'_>, room: usize) -> Outcome {
        let chained = command.class & 0x10 != 0;
        match (command.instruction, command.parameters) {
            (0xA4, parameters) if !chained => self.select(parameters, &command.data),
            (0xB0, parameters) if !chained => self.read_binary(parameters, command.expected, room),
            (0x84, (0, 0)) if !chained => self.challenge(command.expected, random),
            (0x82, (0, 0)) if !chained => self.mutual(&command.data, random),
            (0x22, (0xC1, 0xA4)) if !chained => self.choose_pace(&command.data),
            (0x22, (0x41, 0xA4)) if !chained => self.choose_proof(&command.data),
            (0x22, (0x41, 0xA6)) if !chained => self.prove_at_once(&command.data),
            (0x86, (0, 0)) if self.state.proving.is_some() => self.prove(&command.data),
            (0x86, (0, 0)) => self.pace(&command.data, chained, random),
            (0x88, (0, 0)) if !chained => self.sign(&command.data),
            (0xA4 | 0xB0 | 0x84 | 0x82 | 0x22 | 0x86 | 0x88, _) => Status::PARAMETERS.into(),
            _ => Status::INSTRUCTION.into(),
        }
    }

    /// Forgets the session and what was selected in it.
    fn end_session(&mut self) {
        self.state = State::default();
    }
}

fn plain(outcome: &Outcome) -> Answer {
    Answer { bytes: outcome.response.to_bytes(), delay_seconds: outcome.delay_seconds }
}

const fn refusal(error: MessagingError) -> Status {
    match error {
        MessagingError::Unprotected => Status::MESSAGING_MISSING,
        MessagingError::Objects | MessagingError::Sum | MessagingError::Cipher => {
            Status::MESSAGING_WRONG
        }
    }
}
