//! Bearer notes: withdrawn, swapped, also into another bank's, and redeemed; now and then spent twice,
//! asked for twice, uneven, of no denomination, or of a keyset that may not be used.

use super::Clients;
use crate::chance::Chance;
use crate::city::City;
use yufu_base::{Digest, Timestamp};
use yufu_machine::{
    Action, Authorisation, Input, KeysetNumber, KeysetTerms, Melting, Minting, NoteRules,
    NoteTerms, Output, Payees, Point, Swapping,
};

/// How many notes clients remember.
const REMEMBERED: usize = 24;
/// The bank of each keyset that there is from the start.
const BANKS: [&str; 4] = ["bank-a", "bank-a", "bank-b", "bank-b"];

/// The notes that clients hold, as far as they know: they do not look at what was refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Purse {
    notes: Vec<Input>,
    spent: Vec<Input>,
    promised: Vec<Output>,
    numbers: u64,
}

impl Purse {
    pub(super) fn note(&mut self, action: &Action) {
        let (inputs, outputs) = match action {
            Action::MintNotes { minting } => (&[][..], &minting.outputs),
            Action::SwapNotes { swapping } => (&swapping.inputs[..], &swapping.outputs),
            Action::MeltNotes { melting } => (&melting.inputs[..], &melting.change),
            _ => return,
        };
        self.notes.retain(|note| !inputs.contains(note));
        self.spent.extend(inputs);
        self.promised.extend(outputs);
        for Output { keyset, amount, .. } in outputs {
            self.numbers = self.numbers.saturating_add(1);
            let point = point(2, self.numbers);
            self.notes.push(Input { keyset: *keyset, amount: *amount, point });
        }
        keep_last(&mut self.notes);
        keep_last(&mut self.spent);
        keep_last(&mut self.promised);
    }
}

fn keep_last<T>(all: &mut Vec<T>) {
    let over = all.len().saturating_sub(REMEMBERED);
    all.drain(..over);
}

fn point(kind: u8, number: u64) -> Point {
    let mut bytes = [kind; 33];
    for (byte, of) in bytes.iter_mut().rev().zip(number.to_le_bytes()) {
        *byte = of;
    }
    Point(bytes)
}

impl City {
    pub(crate) fn note_rules() -> NoteTerms {
        NoteTerms {
            per_withdrawal: Some(80),
            per_day: Some(110),
            per_year: Some(300),
            per_redemption: Some(30),
            payees: [Self::class("I")].into(),
            least_promised: 3,
        }
    }

    /// The keysets of both banks: one with a fee, one for registered payees alone.
    pub(crate) fn keysets() -> Vec<(&'static str, Action)> {
        let number = |place: usize| u8::try_from(place).unwrap_or(u8::MAX);
        let keysets = BANKS.iter().enumerate().map(|(place, bank)| {
            let terms = KeysetTerms {
                denominations: 8,
                input_fee_ppk: if place == 1 { 700 } else { 0 },
                final_expiry: Self::START.plus_seconds(if place == 3 {
                    20 * 86_400
                } else {
                    90 * 86_400
                }),
                payees: if place == 3 { Payees::Registered } else { Payees::Anyone },
            };
            (*bank, Action::RegisterKeyset { keys: Digest([number(place); 32]), terms })
        });
        keysets.collect()
    }
}

impl Clients {
    pub(super) fn notes(&self, chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        match chance.below(20) {
            0..=8 => self.mint(chance),
            9..=13 => self.swap(chance),
            14..=17 => self.melt(chance),
            18 => Self::keyset(chance, now),
            _ => {
                let rules = (!chance.one_in(4)).then(City::note_rules);
                let rules = rules.and_then(|terms| NoteRules::new(terms).ok());
                (City::CENTRAL_BANK, Action::SetNoteRules { rules })
            }
        }
    }

    fn mint(&self, chance: &mut Chance) -> (&'static str, Action) {
        let (payer, by) = self.wallet(chance);
        let own = if by == "bank-a" { [0, 1] } else { [2, 3] };
        let keyset = chance.pick(&own).copied().unwrap_or_default();
        let sum = chance.below(90).saturating_add(1);
        let outputs = self.outputs(chance, KeysetNumber(keyset), sum);
        let authorisation = match chance.below(6) {
            0 => Authorisation::SteppedUp { presentation: Digest::ZERO },
            _ => Authorisation::Ordinary,
        };
        let minting = Minting { payer, outputs, order: Digest::ZERO, authorisation };
        (by, Action::MintNotes { minting: Box::new(minting) })
    }

    fn swap(&self, chance: &mut Chance) -> (&'static str, Action) {
        let (by, inputs, worth) = self.taken(chance);
        let keyset = KeysetNumber(u32::try_from(chance.below(4)).unwrap_or_default());
        let more = if chance.one_in(9) { chance.below(3) } else { 0 };
        let outputs = self.outputs(chance, keyset, worth.saturating_add(more));
        (by, Action::SwapNotes { swapping: Box::new(Swapping { inputs, outputs }) })
    }

    fn melt(&self, chance: &mut Chance) -> (&'static str, Action) {
        let (by, inputs, worth) = self.taken(chance);
        let (payee, _) = self.wallet(chance);
        let back = if chance.one_in(3) { chance.below(worth.saturating_add(1)) } else { 0 };
        let own = if by == "bank-a" { 0 } else { 2 };
        let change = self.outputs(chance, KeysetNumber(own), back);
        let quote = Digest::ZERO;
        let melting = Melting { inputs, payee, change, quote };
        (by, Action::MeltNotes { melting: Box::new(melting) })
    }

    fn keyset(chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        let place = chance.below(5);
        let keyset = KeysetNumber(u32::try_from(place).unwrap_or_default());
        let own = usize::try_from(place).ok().and_then(|place| BANKS.get(place));
        let by = own.copied().unwrap_or("bank-a");
        let action = match chance.below(8) {
            0 => Action::DeactivateKeyset { keyset },
            1..=3 => Action::ExpireKeyset { keyset },
            _ => {
                let terms = KeysetTerms {
                    denominations: u8::try_from(chance.below(66)).unwrap_or_default(),
                    input_fee_ppk: 0,
                    final_expiry: now.plus_seconds(chance.below(30 * 86_400)),
                    payees: Payees::Anyone,
                };
                let keys = u8::try_from(chance.below(40)).unwrap_or_default();
                Action::RegisterKeyset { keys: Digest([keys; 32]), terms }
            }
        };
        (by, action)
    }

    /// Some notes, most of one keyset, with its bank and what they are worth after the fee.
    fn taken(&self, chance: &mut Chance) -> (&'static str, Vec<Input>, u64) {
        let Some(first) = chance.pick(&self.purse.notes).copied() else {
            return ("bank-a", Vec::new(), 0);
        };
        let alike = |note: &&Input| note.keyset == first.keyset && **note != first;
        let wanted = usize::try_from(chance.below(3)).unwrap_or_default();
        let mut inputs = vec![first];
        inputs.extend(self.purse.notes.iter().filter(alike).take(wanted));
        if chance.one_in(12) {
            inputs.extend(chance.pick(&self.purse.spent));
        }
        if chance.one_in(25) {
            inputs.push(first);
        }
        let place = usize::try_from(first.keyset.0).unwrap_or_default();
        let by = BANKS.get(place).copied().unwrap_or("bank-a");
        let count = u64::try_from(inputs.len()).unwrap_or_default();
        let fee = if place == 1 { count.saturating_mul(700).div_ceil(1_000) } else { 0 };
        let worth = inputs.iter().map(|note| note.amount).fold(0, u64::saturating_add);
        (by, inputs, worth.saturating_sub(fee))
    }

    /// Outputs that add up to `sum`, by its bits; now and then a wrong one among them.
    fn outputs(&self, chance: &mut Chance, keyset: KeysetNumber, sum: u64) -> Vec<Output> {
        let base = u64::try_from(self.ids).unwrap_or_default().saturating_mul(64);
        let bits = (0..16_u64).filter(|bit| sum >> bit & 1 == 1);
        let mut outputs: Vec<Output> = bits
            .map(|bit| {
                let blinded = point(3, base.saturating_add(bit));
                Output { keyset, amount: 1 << bit, blinded }
            })
            .collect();
        if chance.one_in(14) {
            outputs.extend(chance.pick(&self.purse.promised));
        }
        if chance.one_in(30) {
            outputs.extend(outputs.first().copied());
        }
        if chance.one_in(30) {
            let blinded = point(3, base.saturating_add(40));
            outputs.push(Output { keyset, amount: 3, blinded });
        }
        outputs
    }
}
