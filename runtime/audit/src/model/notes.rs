//! Bearer notes by the auditor's own books: every point that was promised or spent by all its bytes,
//! and what each keyset has out, added up anew.

mod refusing;

use super::flows::{Flow, Place};
use super::spent::Spent;
use super::{Found, Model};
use crate::finding::Irregularity;
use crate::report::KeysetReport;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{AccountId, Digest, InstitutionId, Timestamp};
use yufu_machine::{
    Action, Authorisation, Input, KeysetTerms, Machine, Melting, Minting, NoteTerms, Output,
    Payees, Point, Swapping,
};

/// All that was ever promised and spent of a keyset that is not forgotten.
struct Keyset {
    bank: InstitutionId,
    keys: Digest,
    terms: KeysetTerms,
    active: bool,
    promised: Points,
    spent: Points,
}

/// Points by all their bytes, what each stands for in minor units, and the sum of that.
#[derive(Default)]
struct Points {
    amounts: BTreeMap<[u8; 33], u64>,
    sum: u128,
}

impl Points {
    /// Whether the point was there before.
    fn add(&mut self, Point(bytes): Point, minor: u64) -> bool {
        self.sum = self.sum.saturating_add(minor.into());
        self.amounts.insert(bytes, minor).is_some()
    }

    fn contains(&self, Point(bytes): &Point) -> bool {
        self.amounts.contains_key(bytes)
    }
}

impl Keyset {
    const fn issued(&self) -> u128 {
        self.promised.sum
    }

    const fn redeemed(&self) -> u128 {
        self.spent.sum
    }

    fn is_denomination(&self, minor: u64) -> bool {
        (0..self.terms.denominations).any(|bit| 1_u64.checked_shl(bit.into()) == Some(minor))
    }

    fn is_over(&self, at: Timestamp) -> bool {
        at >= self.terms.final_expiry
    }
}

/// What the auditor knows of notes.
#[derive(Default)]
pub(super) struct Notes {
    rules: Option<NoteTerms>,
    keysets: BTreeMap<u32, Keyset>,
    registered: u32,
    withdrawn: Spent,
}

impl Model {
    /// What an accepted action does about notes, with what does not fit.
    pub(super) fn notes(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
    ) -> Vec<Irregularity> {
        match action {
            Action::SetNoteRules { rules } => {
                let terms = rules.as_ref().map(|rules| rules.terms().clone());
                let known = self.terms.as_ref().map(|terms| &terms.classes);
                let named = terms.iter().flat_map(|terms| &terms.payees);
                let strange = named
                    .into_iter()
                    .any(|class| known.is_none_or(|classes| !classes.contains_key(class)));
                self.notes.rules = terms;
                strange.then_some(Irregularity::Malformed).into_iter().collect()
            }
            Action::RegisterKeyset { keys, terms } => self.register_keyset(at, by, *keys, *terms),
            Action::DeactivateKeyset { keyset } => {
                let number = keyset.0;
                let found = self.notes.keysets.get_mut(&number);
                match found.filter(|found| found.bank == *by && found.active) {
                    Some(found) => {
                        found.active = false;
                        Vec::new()
                    }
                    None => vec![Irregularity::Keyset(number)],
                }
            }
            Action::ExpireKeyset { keyset } => self.expire_keyset(at, by, keyset.0),
            Action::MintNotes { minting } => self.mint_notes(at, by, minting),
            Action::SwapNotes { swapping } => self.swap_notes(at, by, swapping),
            Action::MeltNotes { melting } => self.melt_notes(at, by, melting),
            _ => Vec::new(),
        }
    }

    fn register_keyset(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        keys: Digest,
        terms: KeysetTerms,
    ) -> Vec<Irregularity> {
        let number = self.notes.registered;
        self.notes.registered = number.saturating_add(1);
        let again = self.notes.keysets.values().any(|keyset| keyset.keys == keys);
        let sane = (1..=64).contains(&terms.denominations)
            && terms.input_fee_ppk <= 1_000_000
            && terms.final_expiry > at
            && self.notes.rules.is_some();
        let (promised, spent) = (Points::default(), Points::default());
        let keyset = Keyset { bank: by.clone(), keys, terms, active: true, promised, spent };
        self.notes.keysets.insert(number, keyset);
        (again || !sane).then_some(Irregularity::Keyset(number)).into_iter().collect()
    }

    fn expire_keyset(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        number: u32,
    ) -> Vec<Irregularity> {
        let Some(over) = self.notes.keysets.remove(&number) else {
            return vec![Irregularity::Keyset(number)];
        };
        let out = over.issued().saturating_sub(over.redeemed());
        let minor = u64::try_from(out).unwrap_or(u64::MAX);
        let flow = Flow {
            from: Some(Place::Bearer(by.clone())),
            to: None,
            minor,
            issues: false,
            cancels: true,
        };
        let mut found: Vec<_> = self.flow(&flow).err().into_iter().collect();
        let fits = over.bank == *by && over.is_over(at);
        found.extend((!fits).then_some(Irregularity::Keyset(number)));
        found
    }

    fn mint_notes(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        minting: &Minting,
    ) -> Vec<Irregularity> {
        let Minting { payer, outputs, authorisation, .. } = minting;
        let minor = asked(minting);
        let stepped_up = matches!(authorisation, Authorisation::SteppedUp { .. });
        let mut found = self.check_spending(at, *payer, minor, stepped_up);
        found.extend(self.check_withdrawal(at, *payer, minor));
        found.extend(self.promise_outputs(at, by, outputs));
        if let Some(terms) = &self.terms {
            self.spent.add(terms, at, *payer, minor);
            self.notes.withdrawn.add(terms, at, *payer, minor);
        }
        let way = (Place::Wallet(*payer), Place::Bearer(by.clone()));
        found.extend(self.moved_between(way, minor).err());
        self.touched(at, *payer);
        found
    }

    fn swap_notes(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        swapping: &Swapping,
    ) -> Vec<Irregularity> {
        let Swapping { inputs, outputs } = swapping;
        let (taken, given) = (self.worth(inputs), sum(outputs.iter().map(|one| one.amount)));
        let uneven = given == 0 || taken != Some(given);
        let mut found: Vec<_> = uneven.then_some(Irregularity::NotesUneven).into_iter().collect();
        let issuer = outputs.first().and_then(|output| self.notes.keysets.get(&output.keyset.0));
        let issuer = issuer.map_or_else(|| by.clone(), |keyset| keyset.bank.clone());
        found.extend(self.spend_notes(at, by, inputs));
        found.extend(self.promise_outputs(at, &issuer, outputs));
        found.extend(self.check_payees(inputs, outputs).err());
        found.extend(self.keep_fee(by, inputs).err());
        if issuer != *by {
            let way = (Place::Bearer(by.clone()), Place::Bearer(issuer));
            found.extend(self.moved_between(way, given).err());
        }
        found
    }

    fn melt_notes(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        melting: &Melting,
    ) -> Vec<Irregularity> {
        let Melting { inputs, payee, change, quote: _ } = melting;
        let given = sum(change.iter().map(|one| one.amount));
        let left = self.worth(inputs).and_then(|taken| taken.checked_sub(given));
        let minor = left.unwrap_or(0);
        let mut found: Vec<_> =
            (minor == 0).then_some(Irregularity::NotesUneven).into_iter().collect();
        found.extend(self.check_redemption(inputs, *payee, minor));
        found.extend(self.check_room(*payee, minor.into()).err());
        found.extend(self.check_room_below(*payee, minor.into()).err());
        found.extend(self.spend_notes(at, by, inputs));
        found.extend(self.promise_outputs(at, by, change));
        found.extend(self.check_payees(inputs, change).err());
        found.extend(self.keep_fee(by, inputs).err());
        let way = (Place::Bearer(by.clone()), Place::Wallet(*payee));
        found.extend(self.moved_between(way, minor).err());
        self.touched(at, *payee);
        found
    }

    /// What notes are worth less the fee, by the keysets' own terms; `None` if the fee is more.
    fn worth(&self, inputs: &[Input]) -> Option<u64> {
        sum(inputs.iter().map(|one| one.amount)).checked_sub(self.fee(inputs))
    }

    fn fee(&self, inputs: &[Input]) -> u64 {
        let of = |one: &Input| self.notes.keysets.get(&one.keyset.0);
        let ppk = inputs.iter().filter_map(of).map(|keyset| u64::from(keyset.terms.input_fee_ppk));
        sum(ppk).div_ceil(1_000)
    }

    fn keep_fee(&mut self, by: &InstitutionId, inputs: &[Input]) -> Found {
        match self.fee(inputs) {
            0 => Ok(()),
            fee => self.moved_between((Place::Bearer(by.clone()), Place::Vault(by.clone())), fee),
        }
    }

    /// Each note is of a keyset of the bank that is not over, of a denomination, and spent once; and
    /// no keyset takes back more than it gave out.
    fn spend_notes(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        inputs: &[Input],
    ) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let mut touched = BTreeSet::new();
        for input in inputs {
            let number = input.keyset.0;
            let keyset = self.notes.keysets.get_mut(&number);
            let Some(keyset) = keyset.filter(|keyset| keyset.bank == *by && !keyset.is_over(at))
            else {
                found.push(Irregularity::Keyset(number));
                continue;
            };
            touched.insert(number);
            let twice = keyset.spent.add(input.point, input.amount);
            let fits = keyset.is_denomination(input.amount);
            found.extend((twice || !fits).then_some(Irregularity::Note(number)));
        }
        for number in touched {
            let keyset = self.notes.keysets.get(&number);
            let beyond = keyset.is_some_and(|keyset| keyset.redeemed() > keyset.issued());
            found.extend(beyond.then_some(Irregularity::BeyondIssued(number)));
        }
        found
    }

    /// Each output is of an active keyset of the bank, of a denomination, and promised once.
    fn promise_outputs(
        &mut self,
        at: Timestamp,
        bank: &InstitutionId,
        outputs: &[Output],
    ) -> Vec<Irregularity> {
        let mut found = Vec::new();
        for output in outputs {
            let number = output.keyset.0;
            let keyset = self.notes.keysets.get_mut(&number);
            let usable =
                |keyset: &&mut Keyset| keyset.bank == *bank && keyset.active && !keyset.is_over(at);
            let Some(keyset) = keyset.filter(usable) else {
                found.push(Irregularity::Keyset(number));
                continue;
            };
            let twice = keyset.promised.add(output.blinded, output.amount);
            let fits = keyset.is_denomination(output.amount);
            found.extend((twice || !fits).then_some(Irregularity::Note(number)));
        }
        found
    }

    /// A withdrawal keeps to the limits on notes.
    fn check_withdrawal(&self, at: Timestamp, payer: AccountId, minor: u64) -> Vec<Irregularity> {
        let Some(rules) = &self.notes.rules else { return vec![Irregularity::Malformed] };
        let (day, year) = self.withdrawn_so_far(at, payer);
        [
            ("single notes", rules.per_withdrawal, 0),
            ("daily notes", rules.per_day, day),
            ("yearly notes", rules.per_year, year),
        ]
        .into_iter()
        .filter(|(_, limit, used)| {
            limit.is_some_and(|limit| used.saturating_add(minor.into()) > u128::from(limit))
        })
        .map(|(limit, _, _)| Irregularity::Limit { limit, account: payer })
        .collect()
    }

    fn withdrawn_so_far(&self, at: Timestamp, payer: AccountId) -> (u128, u128) {
        let so_far = |terms| self.notes.withdrawn.so_far(terms, at, payer);
        self.terms.as_ref().map_or((0, 0), so_far)
    }

    /// Whether a wallet is of a registered payee.
    fn is_registered_payee(&self, wallet: AccountId) -> bool {
        let class = self.wallets.get(&wallet).map(|known| known.class);
        let rules = self.notes.rules.as_ref();
        class.zip(rules).is_some_and(|(class, rules)| rules.payees.contains(&class))
    }

    fn are_for_payees_alone(&self, inputs: &[Input]) -> bool {
        let of = |one: &Input| self.notes.keysets.get(&one.keyset.0);
        inputs.iter().filter_map(of).any(|keyset| keyset.terms.payees == Payees::Registered)
    }

    /// Notes for registered payees alone become no others.
    fn check_payees(&self, inputs: &[Input], outputs: &[Output]) -> Found {
        let anyones = |one: &&Output| {
            let keyset = self.notes.keysets.get(&one.keyset.0);
            keyset.is_some_and(|keyset| keyset.terms.payees == Payees::Anyone)
        };
        match outputs.iter().find(anyones) {
            Some(output) if self.are_for_payees_alone(inputs) => {
                Err(Irregularity::Note(output.keyset.0))
            }
            _ => Ok(()),
        }
    }

    fn most_redeemed(&self, payee: AccountId) -> Option<u64> {
        let most = self.notes.rules.as_ref().and_then(|rules| rules.per_redemption);
        most.filter(|_| self.is_registered_payee(payee))
    }

    /// A registered payee is paid no more than it may be, and some notes go to no other.
    fn check_redemption(
        &self,
        inputs: &[Input],
        payee: AccountId,
        minor: u64,
    ) -> Vec<Irregularity> {
        let wrong = self.are_for_payees_alone(inputs) && !self.is_registered_payee(payee);
        let mut found: Vec<_> = wrong.then_some(Irregularity::Wallet(payee)).into_iter().collect();
        let over = self.most_redeemed(payee).is_some_and(|most| minor > most);
        let limit = Irregularity::Limit { limit: "redemption", account: payee };
        found.extend(over.then_some(limit));
        found
    }

    /// What each keyset has issued and redeemed, recomputed.
    pub(crate) fn keysets_report(&self) -> Vec<KeysetReport> {
        let keysets = self.notes.keysets.iter();
        let count = super::abroad::count;
        keysets
            .map(|(number, keyset)| KeysetReport {
                keyset: *number,
                bank: keyset.bank.to_string(),
                issued: keyset.issued(),
                redeemed: keyset.redeemed(),
                outstanding: keyset.issued().saturating_sub(keyset.redeemed()),
                outputs: count(keyset.promised.amounts.len()),
                spent: count(keyset.spent.amounts.len()),
            })
            .collect()
    }

    /// The machine's keysets against these: what they are, what is out, and each point.
    pub(super) fn compare_notes(&self, machine: &Machine) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let views = machine.keysets();
        if views.len() != self.notes.keysets.len() {
            found.push(Irregularity::Keyset(self.notes.registered));
        }
        for view in views {
            let number = view.number.0;
            let same = self.notes.keysets.get(&number).is_some_and(|own| {
                let sums = (u128::from(view.issued.minor()), u128::from(view.redeemed.minor()));
                let counts = (own.promised.amounts.len(), own.spent.amounts.len());
                let of = (&view.bank, view.keys, view.terms, view.active);
                of == (&own.bank, own.keys, own.terms, own.active)
                    && sums == (own.issued(), own.redeemed())
                    && (usize::try_from(view.outputs), usize::try_from(view.spent))
                        == (Ok(counts.0), Ok(counts.1))
                    && same_points(own, &view.bank, machine)
            });
            found.extend((!same).then_some(Irregularity::Keyset(number)));
        }
        found
    }
}

/// Whether the machine knows each point that was promised or spent.
fn same_points(own: &Keyset, bank: &InstitutionId, machine: &Machine) -> bool {
    let points = |of: &Points| of.amounts.keys().map(|bytes| Point(*bytes)).collect::<Vec<_>>();
    let spent = machine.are_spent(bank, &points(&own.spent)).into_iter().all(|spent| spent);
    let promised = machine.promised(bank, &points(&own.promised));
    let amounts = promised.iter().zip(own.promised.amounts.values());
    let known = amounts
        .into_iter()
        .all(|(promises, minor)| promises.iter().any(|promise| promise.amount == *minor));
    spent && known
}

/// What a withdrawal asks for.
pub(super) fn asked(minting: &Minting) -> u64 {
    sum(minting.outputs.iter().map(|output| output.amount))
}

fn sum(amounts: impl Iterator<Item = u64>) -> u64 {
    amounts.fold(0, u64::saturating_add)
}
