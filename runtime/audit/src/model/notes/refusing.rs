//! Refusals about notes, where the reason names something that can be looked up.

use super::super::Model;
use super::{asked, sum};
use yufu_base::{InstitutionId, Timestamp};
use yufu_machine::{
    Action, Input, KeysetError, KeysetNumber, LimitExceeded, LimitKind, NoteError, Output, Refusal,
};

/// What an action spends and asks for.
fn named(action: &Action) -> (&[Input], &[Output]) {
    match action {
        Action::MintNotes { minting } => (&[], &minting.outputs),
        Action::SwapNotes { swapping } => (&swapping.inputs, &swapping.outputs),
        Action::MeltNotes { melting } => (&melting.inputs, &melting.change),
        _ => (&[], &[]),
    }
}

/// The keyset that an action does something to.
const fn keyset(action: &Action) -> Option<KeysetNumber> {
    match action {
        Action::DeactivateKeyset { keyset } | Action::ExpireKeyset { keyset } => Some(*keyset),
        _ => None,
    }
}

impl Model {
    pub(in crate::model) fn about_notes(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        refusal: &Refusal,
    ) -> bool {
        let (inputs, outputs) = named(action);
        match refusal {
            Refusal::NoNoteRules => self.notes.rules.is_none(),
            Refusal::Keyset(error) => self.about_keyset(at, by, action, *error),
            Refusal::Notes(error) => self.about_note(at, (inputs, outputs), *error),
            Refusal::NotesUneven { taken, given } => {
                let wanted = sum(outputs.iter().map(|one| one.amount));
                let worth = self.worth(inputs).unwrap_or(0);
                let pays = matches!(action, Action::MeltNotes { .. }) && worth > wanted;
                let even =
                    wanted > 0 && worth == wanted && matches!(action, Action::SwapNotes { .. });
                (*taken, *given) == (worth, wanted) && !pays && !even
            }
            Refusal::NotRegisteredPayee(payee) => {
                self.are_for_payees_alone(inputs) && !self.is_registered_payee(*payee)
            }
            Refusal::LimitExceeded(exceeded) => self.about_limit(at, action, exceeded),
            _ => true,
        }
    }

    fn about_limit(&self, at: Timestamp, action: &Action, exceeded: &LimitExceeded) -> bool {
        let rules = self.notes.rules.as_ref();
        let (limit, used, minor) = match (exceeded.kind, action) {
            (LimitKind::NotesSingle, Action::MintNotes { minting }) => {
                let minor = asked(minting);
                (rules.and_then(|rules| rules.per_withdrawal), 0, minor)
            }
            (LimitKind::NotesDaily, Action::MintNotes { minting }) => {
                let minor = asked(minting);
                let (day, _) = self.withdrawn_so_far(at, minting.payer);
                (rules.and_then(|rules| rules.per_day), day, minor)
            }
            (LimitKind::NotesYearly, Action::MintNotes { minting }) => {
                let minor = asked(minting);
                let (_, year) = self.withdrawn_so_far(at, minting.payer);
                (rules.and_then(|rules| rules.per_year), year, minor)
            }
            (LimitKind::NotesRedeemed, Action::MeltNotes { melting }) => {
                let given = sum(melting.change.iter().map(|one| one.amount));
                let worth = self.worth(&melting.inputs).unwrap_or(0);
                (self.most_redeemed(melting.payee), 0, worth.saturating_sub(given))
            }
            (
                LimitKind::NotesSingle
                | LimitKind::NotesDaily
                | LimitKind::NotesYearly
                | LimitKind::NotesRedeemed,
                _,
            ) => return false,
            _ => return true,
        };
        let remaining = limit.map(|limit| u128::from(limit).saturating_sub(used));
        limit == Some(exceeded.limit)
            && remaining == Some(exceeded.remaining.into())
            && minor == exceeded.requested
            && u128::from(minor) > u128::from(exceeded.remaining)
    }

    fn about_keyset(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        error: KeysetError,
    ) -> bool {
        let get = |number: KeysetNumber| self.notes.keysets.get(&number.0);
        let (inputs, outputs) = named(action);
        let names = |number: KeysetNumber| {
            keyset(action) == Some(number)
                || inputs.iter().any(|one| one.keyset == number)
                || outputs.iter().any(|one| one.keyset == number)
        };
        match error {
            KeysetError::Unknown(number) => names(number) && get(number).is_none(),
            // Of a swap, outputs of a second bank are refused by the same code.
            KeysetError::NotOwned(number) => {
                let swaps = matches!(action, Action::SwapNotes { .. });
                names(number) && get(number).is_some_and(|own| swaps || own.bank != *by)
            }
            KeysetError::Registered(number) => matches!(action,
                Action::RegisterKeyset { keys, .. } if get(number).is_some_and(|own| own.keys == *keys)),
            KeysetError::Inactive(number) => get(number).is_some_and(|own| !own.active),
            KeysetError::NotOver(number) => get(number).is_some_and(|own| !own.is_over(at)),
            KeysetError::Expired => matches!(action,
                Action::RegisterKeyset { terms, .. } if terms.final_expiry <= at),
            KeysetError::Denominations => matches!(action,
                Action::RegisterKeyset { terms, .. } if !(1..=64).contains(&terms.denominations)),
            KeysetError::Fee => matches!(action,
                Action::RegisterKeyset { terms, .. } if terms.input_fee_ppk > 1_000_000),
            KeysetError::Full => self.notes.registered == u32::MAX,
        }
    }

    fn about_note(
        &self,
        at: Timestamp,
        (inputs, outputs): (&[Input], &[Output]),
        error: NoteError,
    ) -> bool {
        let get = |number: KeysetNumber| self.notes.keysets.get(&number.0);
        let input = |place: u32| usize::try_from(place).ok().and_then(|at| inputs.get(at));
        let output = |place: u32| usize::try_from(place).ok().and_then(|at| outputs.get(at));
        match error {
            NoteError::Nothing => inputs.is_empty() && outputs.is_empty(),
            NoteError::TooMany(count) => {
                usize::try_from(count) == Ok(inputs.len().max(outputs.len())) && count > 1_000
            }
            NoteError::KeysetUnknown(number) => get(number).is_none_or(|own| own.is_over(at)),
            NoteError::KeysetInactive(number) => get(number).is_some_and(|own| !own.active),
            NoteError::Denomination { keyset, amount } => {
                get(keyset).is_some_and(|own| !own.is_denomination(amount))
            }
            NoteError::Payees { place } => output(place)
                .is_some_and(|one| self.check_payees(inputs, std::slice::from_ref(one)).is_err()),
            NoteError::InputRepeated { place } => input(place).is_some_and(|one| {
                inputs
                    .iter()
                    .filter(|other| (other.keyset, other.point) == (one.keyset, one.point))
                    .count()
                    > 1
            }),
            NoteError::OutputRepeated { place } => output(place).is_some_and(|one| {
                let same =
                    |other: &&Output| (other.keyset, other.blinded) == (one.keyset, one.blinded);
                outputs.iter().filter(same).count() > 1
            }),
            NoteError::Spent { place } => input(place).is_some_and(|one| {
                get(one.keyset).is_some_and(|own| own.spent.contains(&one.point))
            }),
            NoteError::Promised { place } => output(place).is_some_and(|one| {
                get(one.keyset).is_some_and(|own| own.promised.contains(&one.blinded))
            }),
            NoteError::BeyondIssued(number) => get(number).is_some_and(|own| {
                let back = inputs.iter().filter(|one| one.keyset == number).map(|one| one.amount);
                own.redeemed().saturating_add(sum(back).into()) > own.issued()
            }),
            NoteError::OutOfRange(number) => get(number).is_some_and(|own| {
                let more = outputs.iter().filter(|one| one.keyset == number).map(|one| one.amount);
                own.issued().saturating_add(more.map(u128::from).sum()) > u128::from(u64::MAX)
            }),
        }
    }
}
