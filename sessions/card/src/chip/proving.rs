//! Proving that the card is no copy: chip authentication, whose session only the holder of the card's key has, and
//! active authentication, a signature over the reader's challenge.

use super::access::dynamic;
use super::{Chip, Outcome};
use yufu_base::Signer as _;
use yufu_emrtd::apdu::{Response, Status};
use yufu_emrtd::crypto::{Curve, Point, SessionKeys, Suite};
use yufu_emrtd::oid;
use yufu_emrtd::secure_messaging::Channel;
use yufu_emrtd::tlv::{self, Reader};

/// The chip authentication that was chosen.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    suite: Suite,
    curve: Curve,
}

impl Chip {
    pub(super) fn choose_proof(&mut self, data: &[u8]) -> Outcome {
        self.state.proving = None;
        if self.state.channel.is_none() {
            return Status::SECURITY.into();
        }
        let mut objects = Reader::new(data);
        let name = objects.take(0x80);
        let key = objects.optional(0x84);
        let (Ok(name), Ok(_), Ok(())) = (name, key, objects.end()) else {
            return Status::DATA.into();
        };
        match self.contents.proof {
            Some((suite, curve))
                if suite != Suite::TripleDes
                    && name == [oid::CHIP_AUTHENTICATION_ECDH, &[suite.number()]].concat() =>
            {
                self.state.proving = Some(Chosen { suite, curve });
                Status::OK.into()
            }
            _ => Status::REFERENCE.into(),
        }
    }

    pub(super) fn prove(&mut self, data: &[u8]) -> Outcome {
        let Some(chosen) = self.state.proving.take() else { return Status::CONDITIONS.into() };
        let Ok(Some((0x80, point))) = dynamic(data) else { return Status::DATA.into() };
        match self.session(chosen, point) {
            Some(channel) => {
                let empty = Response::with(tlv::object(0x7C, &[]));
                Outcome { channel: Some(channel), ..Outcome::of(empty) }
            }
            None => Status::DATA.into(),
        }
    }

    /// Chip authentication with triple DES, which is one command (ICAO 9303-11, 6.2.4.1).
    pub(super) fn prove_at_once(&mut self, data: &[u8]) -> Outcome {
        let Some((suite @ Suite::TripleDes, curve)) = self.contents.proof else {
            return Status::REFERENCE.into();
        };
        if self.state.channel.is_none() {
            return Status::SECURITY.into();
        }
        let mut objects = Reader::new(data);
        let (Ok(point), Ok(_)) = (objects.take(0x91), objects.optional(0x84)) else {
            return Status::DATA.into();
        };
        match self.session(Chosen { suite, curve }, point) {
            Some(channel) => {
                Outcome { channel: Some(channel), ..Outcome::of(Response::bare(Status::OK)) }
            }
            None => Status::DATA.into(),
        }
    }

    pub(super) fn sign(&self, data: &[u8]) -> Outcome {
        if self.state.channel.is_none() || !self.state.application {
            return Status::SECURITY.into();
        }
        if data.len() != 8 {
            return Status::LENGTH.into();
        }
        let signature = self.contents.signing_key().and_then(|key| key.sign(data).ok());
        match signature {
            Some(signature) => Outcome::of(Response::with(signature.0.to_vec())),
            None => Status::CONDITIONS.into(),
        }
    }

    fn session(&self, chosen: Chosen, point: &[u8]) -> Option<Channel> {
        let Chosen { suite, curve } = chosen;
        let other = Point::from_bytes(point).ok()?;
        let own = curve.secret(&self.contents.chip_secret).ok()?;
        let shared = curve.multiply(&own, &other).ok()?;
        Some(Channel::new(SessionKeys::derive(suite, shared.x())))
    }
}
