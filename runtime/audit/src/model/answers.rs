//! What each order was first answered, and taking note of submissions: of one order, of several
//! that are each for itself, of a chain that is done whole or not at all.

use super::Model;
use crate::finding::Irregularity;
use std::collections::BTreeMap;
use yufu_base::{Amount, CommandId, Digest, InstitutionId, Timestamp};
use yufu_machine::{Action, Done, Order, Outcome, Refusal, Submission};

/// What every admitted id was first answered, from the horizon on: an older one may not be admitted at all.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<CommandId, (Digest, First)>);

enum First {
    Done(Timestamp, Option<Amount>),
    /// Boxed, because refusals are rare and large.
    Refused(Box<Refusal>),
    /// A list: each of its orders is answered by itself.
    Each(Timestamp),
    /// Of a chain: done, and nobody was told the balance then.
    InChain(Timestamp),
}

impl Answers {
    pub(super) fn contains(&self, id: CommandId) -> bool {
        self.0.contains_key(&id)
    }

    /// Forgets the ids made before `horizon`.
    pub(super) fn forget(&mut self, horizon: Timestamp) {
        while let Some(oldest) = self.0.first_entry() {
            if oldest.key().created() >= horizon {
                break;
            }
            oldest.remove();
        }
    }
}

impl First {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Ok(Done { at, balance, .. }) => Self::Done(*at, *balance),
            Err(refusal) => Self::Refused(Box::new(refusal.clone())),
        }
    }

    /// Whether a repeat is answered as the first time.
    fn is(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Done(at, balance), Ok(done)) => {
                done.at == *at && done.balance == *balance && done.each.is_none()
            }
            (Self::Refused(first), Err(refusal)) => **first == *refusal,
            (Self::Each(at), Ok(done)) => done.at == *at && done.each.is_some(),
            (Self::InChain(at), Ok(done)) => done.at == *at && done.each.is_none(),
            (_, Err(_)) | (Self::Refused(_), Ok(_)) => false,
        }
    }
}

impl Model {
    /// Takes note of a command and its outcome, and says what does not fit.
    pub(crate) fn observe(
        &mut self,
        at: Timestamp,
        command: &Submission,
        outcome: &Outcome,
    ) -> Vec<Irregularity> {
        let Submission { institution, key, order, .. } = command;
        let mut found = Vec::new();
        if self.currency.is_some() {
            self.pass(at);
        }
        let known = self.institutions.get(institution);
        let admitted = outcome.as_ref().err().is_none_or(|refusal| !refusal.before_admission());
        let opens = outcome.is_ok() && matches!(order.action, Action::Genesis { .. });
        if admitted && !opens && known.is_some_and(|(_, current)| current != key) {
            found.push(Irregularity::Key(institution.clone()));
        }
        let noted = if opens && !self.answers.0.contains_key(&order.id) {
            self.answer(institution, order, First::of(outcome));
            self.open(at, command).err().into_iter().collect()
        } else {
            self.observe_order(at, institution, order, outcome)
        };
        found.extend(noted);
        found
    }

    /// One order, submitted by itself or as one of several.
    fn observe_order(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        order: &Order,
        outcome: &Outcome,
    ) -> Vec<Irregularity> {
        if let Err(refusal) = outcome
            && refusal.before_admission()
        {
            return self.check_unadmitted(at, by, order, refusal).err().into_iter().collect();
        }
        let mut found = Vec::new();
        if self.currency.is_some() && !self.is_in_time(at, order.id) {
            found.push(Irregularity::IdOutOfTime);
        }
        if let Some((content, first)) = self.answers.0.get(&order.id) {
            if *content != content_of(by, order) || !first.is(outcome) {
                found.push(Irregularity::IdUsedTwice);
                return found;
            }
        } else {
            found.extend(self.observe_first(at, by, order, outcome));
        }
        if let (Action::Each { orders }, Ok(done)) = (&order.action, outcome) {
            let each = done.each.as_deref().unwrap_or_default();
            if each.len() != orders.as_slice().len() {
                found.push(Irregularity::Answers);
            }
            for (order, outcome) in orders.as_slice().iter().zip(each) {
                found.extend(self.observe_order(at, by, order, outcome));
            }
        }
        found
    }

    fn observe_first(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        order: &Order,
        outcome: &Outcome,
    ) -> Vec<Irregularity> {
        let said = || First::of(outcome);
        match (&order.action, outcome) {
            (_, Err(refusal)) => {
                self.answer(by, order, said());
                self.check_refusal(at, by, &order.action, refusal).err().into_iter().collect()
            }
            (Action::Each { .. }, Ok(Done { at: done, .. })) => {
                self.answer(by, order, First::Each(*done));
                self.check_list(by, &order.action)
            }
            (Action::Chain { orders }, Ok(Done { at: done, .. })) => {
                self.answer(by, order, said());
                let mut found = self.check_list(by, &order.action);
                for linked in orders.as_slice() {
                    if !self.is_in_time(at, linked.id) {
                        found.push(Irregularity::IdOutOfTime);
                    }
                    if self.answers.0.contains_key(&linked.id) {
                        found.push(Irregularity::IdUsedTwice);
                    }
                    self.answer(by, linked, First::InChain(*done));
                    found.extend(self.accept(at, by, linked));
                }
                found
            }
            (_, Ok(done)) => {
                self.answer(by, order, said());
                let mut found = self.accept(at, by, order);
                found.extend(done.each.is_some().then_some(Irregularity::Answers));
                found
            }
        }
    }

    /// A list moves nothing itself, but needs its version and a submitter.
    fn check_list(&self, by: &InstitutionId, action: &Action) -> Vec<Irregularity> {
        let checks = [self.check_right(by, action), self.check_version(action)];
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn answer(&mut self, by: &InstitutionId, order: &Order, first: First) {
        self.answers.0.insert(order.id, (content_of(by, order), first));
    }

    /// A refusal before admission is not remembered; where it names a number, that has to be so.
    pub(super) fn check_unadmitted(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        order: &Order,
        refusal: &Refusal,
    ) -> Result<(), Irregularity> {
        let created = order.id.created();
        let borne_out = match refusal {
            Refusal::NotOpen => self.currency.is_none(),
            Refusal::SubmitterUnknown(id) => !self.institutions.contains_key(id),
            Refusal::IdExpired { created: made, oldest } => {
                *made == created && created < *oldest && *oldest == self.reversals.horizon()
            }
            Refusal::IdFromFuture { created: made, newest } => {
                *made == created && created > *newest && *newest == self.newest_id(at)
            }
            Refusal::IdReused => {
                let first = self.answers.0.get(&order.id);
                first.is_some_and(|(content, _)| *content != content_of(by, order))
            }
            Refusal::NotInForce { in_force, needed } => {
                *in_force == self.version && needed > in_force
            }
            Refusal::TransitAhead { .. } | Refusal::TransitsUnsettled(_) => {
                self.about_turn(by, &order.action, refusal)
            }
            _ => true,
        };
        // Before the books are open there is nothing to hold it against.
        let checked = self.currency.is_some() || matches!(refusal, Refusal::NotOpen);
        if borne_out || !checked { Ok(()) } else { Err(Irregularity::Refusal(refusal.to_string())) }
    }

    /// Whether an id is remembered, and not from the future.
    fn is_in_time(&self, at: Timestamp, id: CommandId) -> bool {
        let created = id.created();
        self.reversals.horizon() <= created && created <= self.newest_id(at)
    }

    fn newest_id(&self, at: Timestamp) -> Timestamp {
        let tolerance = self.terms.as_ref().map_or(0, |terms| terms.id_future_tolerance_seconds);
        at.plus_seconds(tolerance)
    }
}

/// What the institution signed for one order, also where it was one of several.
fn content_of(by: &InstitutionId, order: &Order) -> Digest {
    Digest::of(&Submission::signing_bytes(by, order))
}
