//! The reader's side: open the card, read it, prove it. One file for each phase; each takes the card's answer and gives
//! the next command and phase, or what was read.

mod application;
mod basic;
mod data;
mod files;
mod opening;
mod pace;
mod proof;
mod relay;
mod session;

pub use data::{CardData, Opened, Proofs};
pub(crate) use proof::choice;
pub use relay::Relay;
pub use session::{Access, Randomness};

use crate::error::CardError;
use session::Session;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_emrtd::Anchors;
use yufu_emrtd::apdu::{Command, Response};

/// A card being read.
pub struct Reading {
    session: Session,
    phase: Phase,
}

/// What comes next.
pub enum Turn {
    /// Send this to the card, and give its answer to the reading.
    Send(Vec<u8>, Box<Reading>),
    /// Everything is read and proven; the session can carry somebody else's challenge.
    Done(Box<CardData>, Box<Relay>),
}

/// Where a reading stands: what it waits for.
enum Phase {
    Opening(opening::Opening),
    Pace(pace::Pace),
    Application(application::Application),
    Basic(basic::Basic),
    Data(data::Data),
    Proof(proof::ChipProof),
    Signature(proof::SignatureProof),
}

/// What a phase leads to.
#[expect(clippy::large_enum_variant, reason = "it lives for one turn, and what lasts is boxed")]
enum Next {
    Send(Command, Phase),
    Done(Box<CardData>),
}

impl Reading {
    /// A card to be read with what opens it, believed from these authorities at this moment.
    #[must_use]
    pub const fn new(
        access: Access,
        anchors: Arc<Anchors>,
        at: Timestamp,
        randomness: Randomness,
    ) -> Self {
        let session = Session::new(access, anchors, at, randomness);
        Self { session, phase: Phase::Opening(opening::Opening::Root) }
    }

    /// The first command.
    ///
    /// # Errors
    /// [`CardError`]: does not happen.
    pub fn begin(self) -> Result<Turn, CardError> {
        let Self { session, .. } = self;
        turn(session, opening::begin())
    }

    /// Takes the card's answer.
    ///
    /// # Errors
    /// [`CardError`]: the card is not accepted, and the reading is over.
    pub fn handle(self, answer: &[u8]) -> Result<Turn, CardError> {
        let Self { mut session, phase } = self;
        let answer: Response = session.receive(answer)?;
        let next = match phase {
            Phase::Opening(phase) => phase.handle(&mut session, answer),
            Phase::Pace(phase) => phase.handle(&mut session, &answer),
            Phase::Application(phase) => phase.handle(&mut session, &answer),
            Phase::Basic(phase) => phase.handle(&mut session, &answer),
            Phase::Data(phase) => phase.handle(&mut session, answer),
            Phase::Proof(phase) => phase.handle(&mut session, &answer),
            Phase::Signature(phase) => phase.handle(&session, &answer),
        }?;
        turn(session, next)
    }
}

fn turn(mut session: Session, next: Next) -> Result<Turn, CardError> {
    Ok(match next {
        Next::Done(data) => Turn::Done(data, Box::new(Relay::new(session))),
        Next::Send(command, phase) => {
            let bytes = session.send(&command)?;
            Turn::Send(bytes, Box::new(Reading { session, phase }))
        }
    })
}
