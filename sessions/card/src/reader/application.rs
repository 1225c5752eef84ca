//! Selecting the identity application, under the session of PACE or before basic access control.

use super::basic;
use super::data::{self, Opened};
use super::session::Session;
use super::{Next, Phase};
use crate::error::CardError;
use yufu_emrtd::SecurityInfos;
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::file::APPLICATION;

/// The application was selected.
pub(super) struct Application {
    opened: Option<Opened>,
    infos: SecurityInfos,
}

/// Selects it. `opened` is how the card was opened, if it was.
pub(super) fn begin(opened: Option<Opened>, infos: SecurityInfos) -> Next {
    let select = Command::new(0xA4, (0x04, 0x0C), APPLICATION.to_vec());
    Next::Send(select, Phase::Application(Application { opened, infos }))
}

impl Application {
    pub(super) fn handle(
        self,
        session: &mut Session,
        answer: &Response,
    ) -> Result<Next, CardError> {
        let Self { opened, infos } = self;
        if answer.status != Status::OK {
            return Err(CardError::NoApplication(answer.status));
        }
        match opened {
            Some(opened) => Ok(data::begin(opened, infos)),
            None => basic::begin(session, infos),
        }
    }
}
