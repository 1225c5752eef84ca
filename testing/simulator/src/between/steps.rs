//! The steps of a schedule between two ledgers.

use super::mishaps::{Doing, Mishap, Wrong};
use super::{Between, Message, Which};
use crate::store::Fate;
use yufu_machine::{Action, Outcome, Refusal, Resolution, ReturnReason, Submission};

#[derive(Clone, Copy)]
enum Step {
    Send,
    Say,
    Arrive,
    Rules,
    CrashIdle,
    Snapshot,
    Failover,
}

const STEPS: [(u64, Step); 7] = [
    (22, Step::Send),
    (22, Step::Say),
    (44, Step::Arrive),
    (4, Step::Rules),
    (4, Step::CrashIdle),
    (3, Step::Snapshot),
    (3, Step::Failover),
];

const FATES: [(u64, Fate); 9] = [
    (60, Fate::Fine),
    (6, Fate::CrashBefore),
    (6, Fate::CrashAfter),
    (5, Fate::Lost),
    (5, Fate::Kept),
    (5, Fate::Late),
    (2, Fate::Full),
    (2, Fate::Busy),
    (2, Fate::KeptUnread),
];

/// How many words one says at a time.
const AT_A_TIME: usize = 4;

impl Between {
    pub(super) fn step(&mut self) -> Result<(), String> {
        // The clocks go apart, but not far.
        let seconds = if self.chance.one_in(15) { 2_000 } else { 20 };
        let seconds = self.chance.below(seconds);
        for which in Which::BOTH {
            let more = self.chance.below(2);
            self.side(which).pass(seconds.saturating_add(more));
        }
        let which = if self.chance.one_in(2) { Which::One } else { Which::Other };
        match self.chance.weighted(&STEPS).unwrap_or(Step::Say) {
            Step::Send => self.send(which),
            Step::Say => {
                let most = AT_A_TIME;
                self.say(which, most)
            }
            Step::Arrive => self.arrive(),
            Step::Rules => self.rules(which),
            Step::CrashIdle => {
                self.mishaps.count(Mishap::CrashIdle);
                if self.chance.one_in(3) {
                    self.side(which).hinder();
                }
                self.restarted(which)
            }
            Step::Snapshot => {
                self.side(which).node()?.snapshot()?;
                self.restarted(which)
            }
            Step::Failover => {
                self.mishaps.count(Mishap::Failover);
                self.side(which).fail_over()
            }
        }
    }

    fn restarted(&mut self, which: Which) -> Result<(), String> {
        if self.side(which).restart()? {
            self.mishaps.count(Mishap::FromSnapshot);
        }
        Ok(())
    }

    /// A bank orders a payment to the other ledger; some cannot arrive.
    fn send(&mut self, which: Which) -> Result<(), String> {
        let payer = u128::from(self.chance.below(2)).saturating_add(1);
        let payee = self.chance.pick(&[1, 1, 1, 2, 2, 3, 99]).copied().unwrap_or(1);
        let minor = self.chance.below(90).saturating_add(1);
        let seconds = if self.chance.one_in(5) { 30 } else { 40_000 };
        let side = self.side(which);
        let (bank, action) = (side.bank, side.sending(payer, payee, minor, seconds));
        let command = side.signed(bank, action);
        side.sends.insert(command.order.id, minor);
        self.submit(which, Doing::Sending, command).map(drop)
    }

    /// A central bank says what is unresolved, by what its state says, from nothing else.
    pub(super) fn say(&mut self, which: Which, most: usize) -> Result<(), String> {
        let side = self.side(which);
        let (name, peer) = (side.name, side.peer());
        let Some(words) = side.node()?.read(|machine| machine.words(&peer, most))? else {
            return Ok(());
        };
        let to = which.opposite();
        for action in words {
            let signed = self.side(which).signed(name, action);
            self.messages.push(Message { to, signed });
        }
        Ok(())
    }

    /// One of the messages under way arrives, comes twice, or is lost.
    fn arrive(&mut self) -> Result<(), String> {
        let count = u64::try_from(self.messages.len()).unwrap_or(0);
        if count == 0 {
            return Ok(());
        }
        // Many keep their order.
        let place = if self.chance.one_in(2) { 0 } else { self.chance.below(count) };
        let place = usize::try_from(place).unwrap_or(0);
        let is_word = |message: &Message| {
            matches!(message.signed.order.action, Action::ReceiveFromAbroad { .. })
        };
        let word = self.messages.get(place).is_some_and(is_word);
        let kind = |of_word, of_answer| if word { of_word } else { of_answer };
        if place > 0 {
            self.mishaps.count(kind(Mishap::WordOvertook, Mishap::AnswerOvertook));
        }
        let message = if self.chance.one_in(6) {
            self.mishaps.count(kind(Mishap::WordTwice, Mishap::AnswerTwice));
            self.messages.get(place).cloned()
        } else {
            Some(self.messages.remove(place))
        };
        if self.chance.one_in(6) {
            self.mishaps.count(kind(Mishap::WordLost, Mishap::AnswerLost));
            return Ok(());
        }
        message.map_or(Ok(()), |message| self.take(message, true))
    }

    /// The oldest message arrives, and nothing goes wrong.
    pub(super) fn arrive_undisturbed(&mut self) -> Result<(), String> {
        let message = self.messages.remove(0);
        self.take(message, false)
    }

    fn take(&mut self, message: Message, disturbed: bool) -> Result<(), String> {
        let Message { to, signed } = message;
        let action = signed.order.action.clone();
        let doing = match action {
            Action::ReceiveFromAbroad { .. } => Doing::Receiving,
            _ => Doing::Settling,
        };
        let outcome = if disturbed {
            self.submit(to, doing, signed)?
        } else {
            self.side(to).submit(signed, Fate::Fine)?
        };
        match (action, outcome) {
            (Action::ReceiveFromAbroad { transit, .. }, Some(outcome)) => {
                if let Some(mishap) = word_refused(&outcome) {
                    self.mishaps.count(mishap);
                }
                let side = self.side(to);
                let (name, peer) = (side.name, side.peer());
                let answer =
                    side.node()?.read(|machine| machine.answer(&peer, &transit))?.flatten();
                if let Some(action) = answer.filter(|_| outcome.is_ok()) {
                    let signed = self.side(to).signed(name, action);
                    self.messages.push(Message { to: to.opposite(), signed });
                }
                Ok(())
            }
            (Action::SettleTransit { .. }, Some(Err(Refusal::TransitUnknown(_)))) => {
                self.mishaps.count(Mishap::AnswerStale);
                Ok(())
            }
            (_, Some(Err(refusal))) if !refusal.before_admission() => {
                Err(format!("what a ledger answered is refused: {refusal}"))
            }
            _ => Ok(()),
        }
    }

    /// Submits while something may go wrong.
    fn submit(
        &mut self,
        which: Which,
        doing: Doing,
        command: Submission,
    ) -> Result<Option<Outcome>, String> {
        let fate = self.chance.weighted(&FATES).unwrap_or(Fate::Fine);
        let outcome = self.side(which).submit(command, fate)?;
        let wrong = Wrong::of(fate);
        if let Some(wrong) = wrong {
            self.mishaps.count(Mishap::Within(doing, wrong));
        }
        if wrong.is_none() && self.chance.one_in(9) {
            self.mishaps.count(Mishap::Within(doing, Wrong::CrashAnswer));
            self.restarted(which)?;
            return Ok(None);
        }
        Ok(outcome)
    }

    /// The bank is ready to give more or less; the ledger is closed to the other for a while.
    fn rules(&mut self, which: Which) -> Result<(), String> {
        let ready = self.chance.below(1_500);
        let closed = self.chance.one_in(4);
        let side = self.side(which);
        let commands = if closed {
            let (shut, open) = (side.set_peer(false), side.set_peer(true));
            vec![(side.name, shut), (side.name, open)]
        } else {
            vec![(side.bank, side.ready(ready))]
        };
        for (by, action) in commands {
            let command = self.side(which).signed(by, action);
            self.side(which).submit(command, Fate::Fine)?;
            if closed {
                self.arrive()?;
            }
        }
        Ok(())
    }

    pub(super) fn count_resolution(&mut self, resolution: Resolution) {
        self.mishaps.count(match resolution {
            Resolution::Credited => Mishap::Credited,
            Resolution::Returned(ReturnReason::Expired) => Mishap::Expired,
            Resolution::Returned(_) => Mishap::Returned,
        });
    }
}

fn word_refused(outcome: &Outcome) -> Option<Mishap> {
    match outcome {
        Err(Refusal::TransitAhead { .. }) => Some(Mishap::WordAhead),
        Err(Refusal::TransitSettled(_)) => Some(Mishap::WordStale),
        _ => None,
    }
}
