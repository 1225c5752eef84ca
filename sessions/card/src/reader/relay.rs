//! Carrying somebody else's challenge to the chip: the session passes to them, and whoever carries it understands
//! neither command nor answer.

use super::proof::{choice, commands};
use super::session::{Session, done};
use crate::error::CardError;
use yufu_emrtd::apdu::Command;
use yufu_emrtd::file::File;
use yufu_emrtd::{SecurityInfos, tlv};

/// An open session with a card that was read.
pub struct Relay {
    session: Session,
}

impl Relay {
    pub(super) const fn new(session: Session) -> Self {
        Self { session }
    }

    /// The commands that hand the session over to the owner of a public key: each is sent as [`Relay::send`] protects
    /// it, and its answer checked by [`Relay::receive`].
    ///
    /// # Errors
    /// [`CardError`] if the card has no key for it. `infos` is the card's DG14.
    pub fn handing_over(infos: &[u8], public: &[u8]) -> Result<Vec<Command>, CardError> {
        let missing = || CardError::Missing(14);
        let infos = tlv::only(infos, File::Group(14).tag()).map_err(|_| missing())?;
        let infos = SecurityInfos::read(infos).map_err(CardError::SecurityInfos)?;
        let (offered, _) = choice(&infos).ok_or_else(missing)?;
        let (first, then) = commands(offered, public);
        Ok(std::iter::once(first).chain(then).collect())
    }

    /// Protects a command under the session.
    ///
    /// # Errors
    /// [`CardError`]: does not happen.
    pub fn send(&mut self, command: &Command) -> Result<Vec<u8>, CardError> {
        self.session.send(command)
    }

    /// Checks an answer under the session.
    ///
    /// # Errors
    /// [`CardError`] if the card refused, or the answer is not its own.
    pub fn receive(&mut self, answer: &[u8]) -> Result<(), CardError> {
        let answer = self.session.receive(answer)?;
        done(&answer, "handing the session over").map(|_| ())
    }
}
