//! PACE with generic mapping, the reader's side (ICAO 9303-11, 4.4).

use super::application;
use super::data::Opened;
use super::session::{Session, done};
use super::{Next, Phase};
use crate::error::CardError;
use yufu_emrtd::SecurityInfos;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::crypto::{Point, Secret, SessionKeys};
use yufu_emrtd::pace::Protocol;
use yufu_emrtd::secure_messaging::Channel;
use yufu_emrtd::tlv::{self, TlvError};

/// PACE that was begun.
pub(super) struct Pace {
    protocol: Protocol,
    infos: SecurityInfos,
    step: Step,
}

/// What it waits for.
enum Step {
    Chosen,
    Nonce,
    Mapped([u8; 16], Secret),
    Agreed(Secret, Point),
    Confirmed(SessionKeys, Point),
}

/// Chooses the protocol and the password.
pub(super) fn begin(
    session: &Session,
    protocol: Protocol,
    infos: SecurityInfos,
) -> Result<Next, CardError> {
    let ambiguous = infos.pace.iter().filter(|other| other.suite == protocol.suite).count() > 1;
    let parameters =
        if ambiguous { tlv::object(0x84, &[protocol.curve.parameters()]) } else { Vec::new() };
    let data = [
        tlv::object(0x80, &protocol.oid()),
        tlv::object(0x83, &[session.access.key.reference()]),
        parameters,
    ];
    let choose = Command::new(0x22, (0xC1, 0xA4), data.concat());
    Ok(Next::Send(choose, Phase::Pace(Pace { protocol, infos, step: Step::Chosen })))
}

impl Pace {
    pub(super) fn handle(
        self,
        session: &mut Session,
        answer: &Response,
    ) -> Result<Next, CardError> {
        let Self { protocol, infos, step } = self;
        let curve = protocol.curve;
        let waits = |step| Phase::Pace(Self { protocol, infos: infos.clone(), step });
        match step {
            Step::Chosen => {
                done(answer, "choosing PACE")?;
                Ok(Next::Send(general(None, false), waits(Step::Nonce)))
            }
            Step::Nonce => {
                let sealed = value(answer, 0x80)?;
                let nonce = session.access.key.open_nonce(protocol.suite, sealed)?;
                let own = curve.secret(&session.randomness.map)?;
                let public = curve.public(&own)?;
                let command = general(Some((0x81, public.as_bytes())), false);
                Ok(Next::Send(command, waits(Step::Mapped(nonce, own))))
            }
            Step::Mapped(nonce, own) => {
                let other = Point::from_bytes(value(answer, 0x82)?)?;
                let generator = protocol.generator(&nonce, &own, &other)?;
                let own = curve.secret(&session.randomness.agree)?;
                let public = curve.multiply(&own, &generator)?;
                let command = general(Some((0x83, public.as_bytes())), false);
                Ok(Next::Send(command, waits(Step::Agreed(own, public))))
            }
            Step::Agreed(own, public) => {
                let other = Point::from_bytes(value(answer, 0x84)?)?;
                if other == public {
                    return Err(CardError::Key);
                }
                let keys = protocol.keys(&own, &other)?;
                let token = protocol.token(&keys, &other)?;
                let command = general(Some((0x85, &token)), true);
                Ok(Next::Send(command, waits(Step::Confirmed(keys, public))))
            }
            Step::Confirmed(keys, public) => {
                if answer.status == Status::FAILED || answer.status.0 & 0xFFF0 == 0x63C0 {
                    return Err(CardError::AccessDenied);
                }
                if value(answer, 0x86)? != protocol.token(&keys, &public)? {
                    return Err(CardError::CardUnproven);
                }
                session.open(Channel::new(keys));
                Ok(application::begin(Some(Opened::Pace(protocol)), infos))
            }
        }
    }
}

/// A step of general authentication; all but the last are chained.
pub(super) fn general(object: Option<(u16, &[u8])>, last: bool) -> Command {
    let inner = object.map(|(tag, value)| tlv::object(tag, value)).unwrap_or_default();
    let class = if last { 0x00 } else { 0x10 };
    let command = Command::new(0x86, (0, 0), tlv::object(0x7C, &inner)).expecting(256);
    Command { class, ..command }
}

/// The value of the object that the card answered with. (It may be followed by names of certification authorities,
/// which nobody here needs.)
fn value(answer: &Response, tag: u16) -> Result<&[u8], CardError> {
    let data = done(answer, "opening the card with PACE")?;
    let read = || -> Result<&[u8], TlvError> { tlv::Reader::new(tlv::only(data, 0x7C)?).take(tag) };
    read().map_err(|_| CardError::CardUnproven)
}
