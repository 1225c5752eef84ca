//! What a view still needs of the log.

use crate::error::ViewError;
use crate::follower::Place;
use crate::query::View;
use yufu_engine::snapshots_in;
use yufu_log::Seq;

/// Up to which record the log may be pruned so that the view still goes on from where it stands:
/// the newest snapshot that is not beyond it. `None`: nothing may be pruned. Whoever prunes asks
/// this first, and keeps that snapshot.
///
/// # Errors
/// [`ViewError`]; without a view there is none to consider, but [`ViewError::Missing`].
pub fn prunable(place: &Place) -> Result<Option<Seq>, ViewError> {
    let through = View::open(&place.view)?.through()?;
    let failed = |error: std::io::Error| ViewError::Storage(error.to_string());
    let snapshots = snapshots_in(&place.snapshots).map_err(failed)?.into_iter();
    Ok(snapshots.map(|file| file.seq).find(|seq| *seq <= through.seq))
}
