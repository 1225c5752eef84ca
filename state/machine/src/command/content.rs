//! What the orders of a list commit to, worked out once: by whoever verifies the list's signature,
//! many lists beside each other, so that the machine, of which there is one, need not.

use super::{Order, write_signing_bytes};
use std::borrow::Cow;
use std::sync::OnceLock;
use yufu_base::{Digest, InstitutionId};

/// The digests of the orders of a list as one institution signed them. No part of what is encoded or
/// compared: it follows from the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents(OnceLock<(InstitutionId, Box<[Digest]>)>);

impl Contents {
    /// The digests, worked out if they were not before, or were for another institution.
    pub(super) fn of(&self, institution: &InstitutionId, orders: &[Order]) -> Cow<'_, [Digest]> {
        let work_out = || -> Box<[Digest]> {
            let mut scratch = Vec::with_capacity(256);
            orders.iter().map(|order| content(&mut scratch, institution, order)).collect()
        };
        let (of, known) = self.0.get_or_init(|| (institution.clone(), work_out()));
        if of == institution { Cow::Borrowed(known) } else { Cow::Owned(work_out().into_vec()) }
    }
}

impl PartialEq for Contents {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Contents {}

/// The digest of what the institution signed: equal for a repeat, also under a new signature, and
/// also when it was first one of several.
pub(crate) fn content(scratch: &mut Vec<u8>, institution: &InstitutionId, order: &Order) -> Digest {
    scratch.clear();
    write_signing_bytes(institution, order, scratch);
    Digest::of(scratch)
}
