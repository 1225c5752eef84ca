//! Opening the card: PACE with generic mapping, and basic access control. An attempt after wrong ones is answered
//! later and later; a right one forgets them.

use super::{Chip, DELAY, Outcome, Random};
use yufu_emrtd::apdu::{Response, Status};
use yufu_emrtd::bac::{Contribution, DocumentKeys};
use yufu_emrtd::crypto::{AccessKey, Point, Secret, SessionKeys};
use yufu_emrtd::pace::Protocol;
use yufu_emrtd::secure_messaging::Channel;
use yufu_emrtd::tlv::{self, Reader, TlvError};

/// How far an attempt to open the card has come.
#[derive(Default)]
pub(super) enum Attempt {
    /// None was begun.
    #[default]
    None,
    /// Basic access control: a nonce was given.
    Basic([u8; 8]),
    /// PACE was chosen.
    Chosen(Protocol, AccessKey),
    /// The nonce was given.
    Nonce(Protocol, [u8; 16]),
    /// The generator is mapped.
    Mapped(Protocol, Point),
    /// Keys are agreed: those of the session, the card's and the reader's ephemeral ones.
    Agreed(Protocol, SessionKeys, Point, Point),
}

impl Chip {
    pub(super) fn challenge(&mut self, expected: Option<u32>, random: Random<'_>) -> Outcome {
        if !self.contents.basic || !self.state.application || self.state.channel.is_some() {
            return Status::CONDITIONS.into();
        }
        if expected.is_none_or(|most| most != 8) {
            return Status::LENGTH.into();
        }
        let nonce = random().first_chunk::<8>().copied().unwrap_or_default();
        self.state.attempt = Attempt::Basic(nonce);
        self.delayed(Response::with(nonce.to_vec()))
    }

    pub(super) fn mutual(&mut self, data: &[u8], random: Random<'_>) -> Outcome {
        let Attempt::Basic(nonce) = std::mem::take(&mut self.state.attempt) else {
            return Status::CONDITIONS.into();
        };
        let key = random().first_chunk::<16>().copied().unwrap_or_default();
        let keys = DocumentKeys::of(self.contents.zone());
        match keys.answer(&Contribution { nonce, key }, data) {
            Ok((answer, channel)) => self.opened(answer, channel),
            Err(_) => self.failed(),
        }
    }

    pub(super) fn choose_pace(&mut self, data: &[u8]) -> Outcome {
        self.state.attempt = Attempt::None;
        self.state.proving = None;
        let Some((suite, curve)) = self.contents.pace else { return Status::REFERENCE.into() };
        let protocol = Protocol { suite, curve };
        let Ok((name, password, parameters)) = pace_choice(data) else {
            return Status::DATA.into();
        };
        let known = name == protocol.oid()
            && parameters.is_none_or(|parameters| parameters == [curve.parameters()]);
        let key = match password {
            [reference] if known => self.contents.access_key(*reference),
            _ => None,
        };
        let Some(key) = key else { return Status::REFERENCE.into() };
        self.state.attempt = Attempt::Chosen(protocol, key);
        Status::OK.into()
    }

    pub(super) fn pace(&mut self, data: &[u8], chained: bool, random: Random<'_>) -> Outcome {
        let attempt = std::mem::take(&mut self.state.attempt);
        let Ok(object) = dynamic(data) else { return Status::DATA.into() };
        let last = matches!(attempt, Attempt::Agreed(..));
        if last == chained {
            return Status::CONDITIONS.into();
        }
        match (attempt, object) {
            (Attempt::Chosen(protocol, key), None) => self.give_nonce(protocol, &key, random),
            (Attempt::Nonce(protocol, nonce), Some((0x81, point))) => {
                self.map(protocol, &nonce, point, random).unwrap_or_else(|| Status::DATA.into())
            }
            (Attempt::Mapped(protocol, generator), Some((0x83, point))) => self
                .agree(protocol, &generator, point, random)
                .unwrap_or_else(|| Status::DATA.into()),
            (Attempt::Agreed(protocol, keys, own, other), Some((0x85, token))) => {
                self.confirm(protocol, keys, (&own, &other), token)
            }
            _ => Status::CONDITIONS.into(),
        }
    }

    fn give_nonce(&mut self, protocol: Protocol, key: &AccessKey, random: Random<'_>) -> Outcome {
        let nonce = random().first_chunk::<16>().copied().unwrap_or_default();
        let Ok(sealed) = key.seal_nonce(protocol.suite, &nonce) else {
            return Status::CONDITIONS.into();
        };
        self.state.attempt = Attempt::Nonce(protocol, nonce);
        self.delayed(answer(0x80, &sealed))
    }

    fn map(
        &mut self,
        protocol: Protocol,
        nonce: &[u8; 16],
        point: &[u8],
        random: Random<'_>,
    ) -> Option<Outcome> {
        let other = Point::from_bytes(point).ok()?;
        let own: Secret = protocol.curve.secret(&random()).ok()?;
        let public = protocol.curve.public(&own).ok()?;
        let generator = protocol.generator(nonce, &own, &other).ok()?;
        self.state.attempt = Attempt::Mapped(protocol, generator);
        Some(Outcome::of(answer(0x82, public.as_bytes())))
    }

    fn agree(
        &mut self,
        protocol: Protocol,
        generator: &Point,
        point: &[u8],
        random: Random<'_>,
    ) -> Option<Outcome> {
        let other = Point::from_bytes(point).ok()?;
        let own = protocol.curve.secret(&random()).ok()?;
        let public = protocol.curve.multiply(&own, generator).ok()?;
        if public == other {
            return None;
        }
        let keys = protocol.keys(&own, &other).ok()?;
        self.state.attempt = Attempt::Agreed(protocol, keys, public, other);
        Some(Outcome::of(answer(0x84, public.as_bytes())))
    }

    fn confirm(
        &mut self,
        protocol: Protocol,
        keys: SessionKeys,
        (own, other): (&Point, &Point),
        token: &[u8],
    ) -> Outcome {
        let tokens = protocol
            .token(&keys, own)
            .and_then(|theirs| protocol.token(&keys, other).map(|ours| (theirs, ours)));
        match tokens {
            Ok((theirs, ours)) if theirs == *token => {
                self.opened(tlv::object(0x7C, &tlv::object(0x86, &ours)), Channel::new(keys))
            }
            _ => self.failed(),
        }
    }

    fn opened(&mut self, data: Vec<u8>, channel: Channel) -> Outcome {
        self.failures = 0;
        Outcome { channel: Some(channel), ..Outcome::of(Response::with(data)) }
    }

    fn failed(&mut self) -> Outcome {
        self.failures = self.failures.saturating_add(1);
        Status::FAILED.into()
    }

    /// An answer that waits the longer, the more wrong attempts came before.
    fn delayed(&self, response: Response) -> Outcome {
        Outcome { delay_seconds: DELAY.seconds(self.failures), ..Outcome::of(response) }
    }
}

/// A protocol, a password and perhaps parameters.
type Choice<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>);

/// What MSE:Set AT names.
fn pace_choice(data: &[u8]) -> Result<Choice<'_>, TlvError> {
    let mut objects = Reader::new(data);
    let (name, password) = (objects.take(0x80)?, objects.take(0x83)?);
    let parameters = objects.optional(0x84)?;
    objects.end()?;
    Ok((name, password, parameters))
}

/// The one object in dynamic authentication data, or none.
pub(super) fn dynamic(data: &[u8]) -> Result<Option<(u16, &[u8])>, TlvError> {
    let mut objects = Reader::new(tlv::only(data, 0x7C)?);
    let object = objects.read()?;
    objects.end()?;
    Ok(object.map(|object| (object.tag, object.value)))
}

pub(super) fn answer(tag: u16, value: &[u8]) -> Response {
    Response::with(tlv::object(0x7C, &tlv::object(tag, value)))
}
