//! Making a view anew: everything it holds is in the log.

use crate::error::ViewError;
use crate::follower::{Follower, Place};
use crate::store::{self, Claim};
use yufu_log::{Log, Seq};

/// Removes the view and folds the log from its beginning; of a pruned log from its oldest snapshot,
/// from which on there is history then. Nobody may keep the view up meanwhile. `tell` hears which
/// record was folded.
///
/// # Errors
/// [`ViewError`]; what is there then is whole as far as it goes, and is gone on from.
pub fn rebuild(
    place: &Place,
    log: &dyn Log,
    tell: &mut dyn FnMut(Seq),
) -> Result<Follower, ViewError> {
    let claim = Claim::take(&place.view)?;
    store::delete(&place.view)?;
    let mut follower = Follower::claimed(place, log, claim)?;
    follower.catch_up(log, &mut |folded| {
        tell(folded.seq);
        true
    })?;
    Ok(follower)
}
