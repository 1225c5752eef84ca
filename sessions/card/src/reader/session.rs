//! What a reading carries from phase to phase: what opens the card, whom it is believed from, the session.

use crate::error::CardError;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_emrtd::Anchors;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::crypto::AccessKey;
use yufu_emrtd::mrz::{ShortDate, information};
use yufu_emrtd::secure_messaging::Channel;
use zeroize::Zeroizing;

/// What opens a card.
#[derive(Clone)]
pub struct Access {
    pub(super) key: AccessKey,
    /// What the zone says, if that is known: only with it basic access control opens.
    pub(super) zone: Option<Zeroizing<String>>,
}

impl Access {
    /// The six digits on the card's face.
    ///
    /// # Errors
    /// [`CardError::NotACan`] if it is anything else.
    pub fn can(digits: &str) -> Result<Self, CardError> {
        let key = AccessKey::can(digits).map_err(|_| CardError::NotACan)?;
        Ok(Self { key, zone: None })
    }

    /// The document's number, the day of birth and the last day, as the zone has them.
    #[must_use]
    pub fn zone(number: &str, birth: ShortDate, expiry: ShortDate) -> Self {
        Self::information(information(number, birth, expiry))
    }

    /// The same as one text.
    #[must_use]
    pub fn information(information: String) -> Self {
        let key = AccessKey::zone(&information);
        Self { key, zone: Some(Zeroizing::new(information)) }
    }
}

/// What a reading draws, unpredictable and for this reading only.
#[derive(Clone)]
pub struct Randomness {
    /// For the mapping of PACE.
    pub map: [u8; 32],
    /// For the agreement of PACE.
    pub agree: [u8; 32],
    /// For basic access control: nonce and key.
    pub basic: ([u8; 8], [u8; 16]),
    /// For chip authentication.
    pub chip: [u8; 32],
    /// The challenge of active authentication.
    pub challenge: [u8; 8],
}

impl Randomness {
    /// All of it from a source of 32 unpredictable bytes.
    pub fn draw(mut random: impl FnMut() -> [u8; 32]) -> Self {
        let eight = |bytes: [u8; 32]| bytes.first_chunk::<8>().copied().unwrap_or_default();
        let sixteen = |bytes: [u8; 32]| bytes.first_chunk::<16>().copied().unwrap_or_default();
        Self {
            map: random(),
            agree: random(),
            basic: (eight(random()), sixteen(random())),
            chip: random(),
            challenge: eight(random()),
        }
    }
}

/// What a reading carries.
pub(super) struct Session {
    pub(super) access: Access,
    pub(super) anchors: Arc<Anchors>,
    pub(super) at: Timestamp,
    pub(super) randomness: Randomness,
    channel: Option<Channel>,
    /// Whether the session was just renewed by chip authentication: that the next answer fits is the proof.
    unproven: bool,
}

impl Session {
    pub(super) const fn new(
        access: Access,
        anchors: Arc<Anchors>,
        at: Timestamp,
        randomness: Randomness,
    ) -> Self {
        Self { access, anchors, at, randomness, channel: None, unproven: false }
    }

    /// From now on under this session.
    pub(super) fn open(&mut self, channel: Channel) {
        self.channel = Some(channel);
    }

    /// From now on under this session, which only the true chip shares.
    pub(super) fn open_unproven(&mut self, channel: Channel) {
        self.channel = Some(channel);
        self.unproven = true;
    }

    /// The bytes of a command, protected if a session is open.
    pub(super) fn send(&mut self, command: &Command) -> Result<Vec<u8>, CardError> {
        match &mut self.channel {
            Some(channel) => Ok(channel.protect(command)?.to_bytes()),
            None => Ok(command.to_bytes()),
        }
    }

    /// What the card answered, opened if a session is open.
    pub(super) fn receive(&mut self, answer: &[u8]) -> Result<Response, CardError> {
        let answer = Response::parse(answer)?;
        let Some(channel) = &mut self.channel else { return Ok(answer) };
        match channel.open(&answer) {
            Ok(opened) => {
                self.unproven = false;
                Ok(opened)
            }
            Err(_) if self.unproven => Err(CardError::Cloned),
            Err(error) => Err(error.into()),
        }
    }
}

/// An answer that must be done.
pub(super) fn done<'a>(answer: &'a Response, doing: &'static str) -> Result<&'a [u8], CardError> {
    if answer.status == Status::OK {
        Ok(&answer.data)
    } else {
        Err(CardError::Refused { doing, status: answer.status })
    }
}
