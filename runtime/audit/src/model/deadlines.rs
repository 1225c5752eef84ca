//! Deadlines: what is begun has to end in time, and what ids are forgotten.

use super::{Found, Model};
use crate::finding::Irregularity;
use yufu_base::Timestamp;
use yufu_machine::Action;

const DAY_SECONDS: u64 = 86_400;

impl Model {
    /// The latest an action may ask for as an end; `None` where it asks for none.
    pub(super) fn latest(&self, at: Timestamp, action: &Action) -> Option<(Timestamp, Timestamp)> {
        if let Action::SendAbroad { sending } = action {
            let days = self.peer(&sending.peer)?.most_days();
            return Some((sending.expires, after(at, days)));
        }
        let terms = self.deadlines?;
        let (asked, days) = match action {
            Action::HoldPayment { expires, .. } => (*expires, terms.hold_days),
            Action::DisputePayment { expires, .. } => (*expires, terms.dispute_days),
            Action::OrderFreeze { until, .. } => (*until, terms.freeze_days),
            _ => return None,
        };
        Some((asked, after(at, days)))
    }

    pub(super) fn check_deadline(&self, at: Timestamp, action: &Action) -> Found {
        let begins = matches!(
            action,
            Action::HoldPayment { .. }
                | Action::DisputePayment { .. }
                | Action::OrderFreeze { .. }
                | Action::SendAbroad { .. }
        );
        let in_time =
            self.latest(at, action).is_some_and(|(asked, latest)| asked > at && asked <= latest);
        if begins && !in_time { Err(Irregularity::Deadline) } else { Ok(()) }
    }

    /// Until when a freeze that is ordered now may be confirmed.
    pub(super) fn confirm_until(&self, at: Timestamp) -> Timestamp {
        after(at, self.deadlines.map_or(0, |terms| terms.freeze_confirm_days))
    }

    /// Moves on the time before which ids are forgotten, and with them what could be taken back.
    pub(super) fn forget(&mut self, at: Timestamp) {
        if let Some(terms) = &self.terms {
            self.reversals.forget(at.minus_seconds(terms.id_retention_seconds));
            self.answers.forget(self.reversals.horizon());
        }
    }
}

fn after(at: Timestamp, days: u32) -> Timestamp {
    at.plus_seconds(u64::from(days).saturating_mul(DAY_SECONDS))
}
