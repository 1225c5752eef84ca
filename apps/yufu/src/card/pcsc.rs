//! A card on a reader that the system's PC/SC service knows.

use crate::words::text;
use anyhow::{Context as _, Result};
use pcsc::{Card, Context, MAX_BUFFER_SIZE, Protocols, Scope, ShareMode};
use yufu_card::{Transport, TransportError};

/// A card on a reader.
pub(crate) struct OnReader {
    card: Card,
    /// The reader's name.
    pub(super) reader: String,
}

impl OnReader {
    /// The card on the first reader whose name holds `wanted`, or on the first with a card.
    pub(super) fn find(wanted: Option<&str>) -> Result<Self> {
        let context = Context::establish(Scope::User).with_context(|| {
            text!("the PC/SC service does not answer: install pcscd and start it")
        })?;
        let names = context.list_readers_owned()?;
        let mut failure = None;
        for name in &names {
            let reader = name.to_string_lossy().into_owned();
            if wanted.is_some_and(|wanted| !reader.contains(wanted)) {
                continue;
            }
            match context.connect(name, ShareMode::Exclusive, Protocols::ANY) {
                Ok(card) => return Ok(Self { card, reader }),
                Err(error) => failure = Some(error),
            }
        }
        let none = text!("no reader with a card was found: lay the card on the reader");
        match failure {
            Some(error) => Err(error).context(none),
            None => Err(anyhow::Error::msg(none)),
        }
    }
}

impl Transport for OnReader {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut answer = [0; MAX_BUFFER_SIZE];
        let answered = self.card.transmit(command, &mut answer);
        answered.map(<[u8]>::to_vec).map_err(|error| TransportError(error.to_string()))
    }
}
