//! What carries commands to a card and answers back: a reader on the desk, or a card in the same process.

use crate::chip::Chip;
use crate::error::CardError;
use crate::presented::ChipChallenge;
use crate::reader::{CardData, Reading, Relay, Turn};

/// Why an exchange with a card failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(pub String);

/// A way to a card.
pub trait Transport {
    /// Sends a command and gives the answer.
    ///
    /// # Errors
    /// [`TransportError`] if the card is gone.
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;
}

/// Reads a card over a transport to the end.
///
/// # Errors
/// [`CardError`]: [`CardError::Gone`] if the transport fails.
pub fn read(transport: &mut dyn Transport, reading: Reading) -> Result<CardData, CardError> {
    read_on(transport, reading).map(|(data, _)| data)
}

/// Reads a card, and keeps the session open for somebody else's challenge.
///
/// # Errors
/// As [`read`].
pub fn read_on(
    transport: &mut dyn Transport,
    reading: Reading,
) -> Result<(CardData, Relay), CardError> {
    let mut turn = reading.begin()?;
    loop {
        match turn {
            Turn::Done(data, relay) => return Ok((*data, *relay)),
            Turn::Send(command, next) => turn = next.handle(&exchange(transport, &command)?)?,
        }
    }
}

/// Carries a challenge to the chip, and gives its answer, which nobody but the challenger understands. `infos` is the
/// card's DG14.
///
/// # Errors
/// [`CardError`] if the card is gone or refuses.
pub fn relay(
    transport: &mut dyn Transport,
    mut relay: Relay,
    infos: &[u8],
    challenge: &ChipChallenge,
) -> Result<Vec<u8>, CardError> {
    for command in Relay::handing_over(infos, &challenge.public)? {
        let command = relay.send(&command)?;
        relay.receive(&exchange(transport, &command)?)?;
    }
    exchange(transport, &challenge.command)
}

fn exchange(transport: &mut dyn Transport, command: &[u8]) -> Result<Vec<u8>, CardError> {
    transport.exchange(command).map_err(|TransportError(cause)| CardError::Gone(cause))
}

/// A card in the same process. The delay after wrong attempts is only told, not waited for.
pub struct InProcess<'a> {
    chip: &'a mut Chip,
    random: &'a mut dyn FnMut() -> [u8; 32],
    waited: u64,
}

impl<'a> InProcess<'a> {
    /// A card, reset, and its source of randomness.
    pub fn new(chip: &'a mut Chip, random: &'a mut dyn FnMut() -> [u8; 32]) -> Self {
        chip.reset();
        Self { chip, random, waited: 0 }
    }

    /// How many seconds the card would have let its reader wait.
    #[must_use]
    pub const fn waited(&self) -> u64 {
        self.waited
    }
}

impl Transport for InProcess<'_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = self.chip.handle(command, &mut self.random);
        self.waited = self.waited.saturating_add(answer.delay_seconds);
        Ok(answer.bytes)
    }
}
