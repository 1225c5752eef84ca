//! Basic access control, the reader's side: the fallback for cards without PACE (ICAO 9303-11, 4.3).

use super::data::{self, Opened};
use super::session::{Session, done};
use super::{Next, Phase};
use crate::error::CardError;
use yufu_emrtd::SecurityInfos;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::bac::{Contribution, DocumentKeys};

/// Basic access control that was begun.
pub(super) enum Basic {
    /// A nonce was asked for.
    Asked(DocumentKeys, SecurityInfos),
    /// The card's nonce was answered.
    Answered(DocumentKeys, [u8; 8], SecurityInfos),
}

/// Asks for the card's nonce.
pub(super) fn begin(session: &Session, infos: SecurityInfos) -> Result<Next, CardError> {
    let zone = session.access.zone.as_ref().ok_or(CardError::ZoneNeeded)?;
    let keys = DocumentKeys::of(zone);
    let challenge = Command::new(0x84, (0, 0), Vec::new()).expecting(8);
    Ok(Next::Send(challenge, Phase::Basic(Basic::Asked(keys, infos))))
}

impl Basic {
    pub(super) fn handle(
        self,
        session: &mut Session,
        answer: &Response,
    ) -> Result<Next, CardError> {
        let (nonce, key) = session.randomness.basic;
        let own = Contribution { nonce, key };
        match self {
            Self::Asked(keys, infos) => {
                let nonce = done(answer, "asking for a challenge")?;
                let nonce: [u8; 8] = nonce.try_into().map_err(|_| CardError::CardUnproven)?;
                let data = keys.ask(&own, &nonce).map_err(|_| CardError::CardUnproven)?;
                let command = Command::new(0x82, (0, 0), data).expecting(40);
                Ok(Next::Send(command, Phase::Basic(Self::Answered(keys, nonce, infos))))
            }
            Self::Answered(keys, nonce, infos) => {
                if answer.status != Status::OK {
                    return Err(CardError::AccessDenied);
                }
                let channel = keys
                    .complete(&own, &nonce, &answer.data)
                    .map_err(|_| CardError::CardUnproven)?;
                session.open(channel);
                Ok(data::begin(Opened::Basic, infos))
            }
        }
    }
}
