//! The memory of command ids: a repeat gets the first answer, until its id expires. What can still
//! be taken back of a transfer is kept beside its answer, and forgotten with it.

use crate::outcome::{Done, Outcome};
use crate::refusal::Refusal;
use crate::reversal::{Entered, Payment, Reversible};
use crate::slab::Slab;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use yufu_base::{Amount, CommandId, Currency, Digest, Timestamp};
use yufu_ledger::Ledger;
use yufu_registry::Policy;

/// Answers by id. Ids are ordered by their creation time, so the oldest are pruned from the front.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Ids made before it are forgotten. Never decreases, or a longer retention would admit an
    /// id that was done and forgotten.
    horizon: Timestamp,
    /// Where the answer to each id is: the tree holds little, so that it is fast to walk and to
    /// enter into.
    places: BTreeMap<CommandId, u32>,
    answers: Slab<Answer>,
    /// What to put back if a chain fails; no part of the state.
    journal: Option<Vec<(CommandId, Before)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    content: Digest,
    came_to: CameTo,
    reversible: Reversible,
}

/// What an order came to, in little space.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CameTo {
    /// It is being done.
    Pending,
    Done {
        at: Timestamp,
        balance: Option<u64>,
    },
    /// Boxed, because refusals are rare and large.
    Refused(Box<Refusal>),
    /// A list: each of its orders is remembered by itself.
    Each {
        at: Timestamp,
    },
}

/// What a chain changed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Before {
    Unknown,
    Reversible(Reversible),
}

/// A place for what an order comes to, to be filled by [`Memory::remember`] or given back by
/// [`Memory::forget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// What is remembered of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remembered {
    /// Nothing: the command is new. There is a place now for what it comes to.
    Nothing(Place),
    /// Its first outcome.
    Outcome(Outcome),
    /// It was a list, done at that time: ask for each of its orders.
    Each(Timestamp),
}

impl Memory {
    /// Forgets what is older than the policy remembers.
    pub(crate) fn advance(&mut self, now: Timestamp, policy: &Policy) {
        let horizon = now.minus_seconds(policy.terms().id_retention_seconds);
        self.horizon = self.horizon.max(horizon);
        while let Some(oldest) = self.places.first_entry() {
            if oldest.key().created() >= self.horizon {
                break;
            }
            self.answers.remove(oldest.remove());
        }
    }

    /// What is remembered of an id that carries `content`. A new id has its place from then on,
    /// and until it is filled the id is taken for any order.
    ///
    /// # Errors
    /// [`Refusal::IdExpired`], [`Refusal::IdFromFuture`], [`Refusal::IdReused`].
    pub(crate) fn recall(
        &mut self,
        id: CommandId,
        content: Digest,
        now: Timestamp,
        (policy, currency): (&Policy, Currency),
    ) -> Result<Remembered, Refusal> {
        let created = id.created();
        if created < self.horizon {
            return Err(Refusal::IdExpired { created, oldest: self.horizon });
        }
        let newest = now.plus_seconds(policy.terms().id_future_tolerance_seconds);
        if created > newest {
            return Err(Refusal::IdFromFuture { created, newest });
        }
        match self.places.entry(id) {
            Entry::Vacant(vacant) => {
                let answer =
                    Answer { content, came_to: CameTo::Pending, reversible: Reversible::Nothing };
                // There is a number for each: 2^32 answers do not fit into any memory there is.
                let place = self.answers.insert(answer).unwrap_or(u32::MAX);
                Ok(Remembered::Nothing(Place(*vacant.insert(place))))
            }
            Entry::Occupied(place) => self
                .answers
                .get(*place.get())
                .filter(|answer| answer.content == content)
                .and_then(|answer| answer.came_to.remembered(currency))
                .ok_or(Refusal::IdReused),
        }
    }

    /// As if an order that was recalled had not come.
    pub(crate) fn forget(&mut self, id: CommandId) {
        if let Some(place) = self.places.remove(&id) {
            self.answers.remove(place);
        }
    }

    /// Fills the place of an order that was recalled.
    pub(crate) fn remember(
        &mut self,
        (id, place): (CommandId, Place),
        outcome: &Outcome,
        reversible: Reversible,
    ) {
        if let Some(journal) = &mut self.journal {
            journal.push((id, Before::Unknown));
        }
        let came_to = match outcome {
            Ok(Done { at, each: Some(_), .. }) => CameTo::Each { at: *at },
            Ok(Done { at, balance, .. }) => {
                CameTo::Done { at: *at, balance: balance.map(|amount| amount.minor()) }
            }
            Err(refusal) => CameTo::Refused(Box::new(refusal.clone())),
        };
        if let Some(answer) = self.answers.get_mut(place.0) {
            (answer.came_to, answer.reversible) = (came_to, reversible);
        }
    }

    fn answer(&self, id: CommandId) -> Option<&Answer> {
        let answer = self.answers.get(*self.places.get(&id)?);
        answer.filter(|answer| answer.came_to != CameTo::Pending)
    }

    fn answer_mut(&mut self, id: CommandId) -> Option<&mut Answer> {
        self.answers.get_mut(*self.places.get(&id)?)
    }

    /// Every answer, ordered by id.
    fn all(&self) -> impl Iterator<Item = (CommandId, &Answer)> {
        self.places.iter().filter_map(|(id, place)| Some((*id, self.answers.get(*place)?)))
    }

    /// What can still be taken back of a transfer; `None` if it is not remembered.
    pub(crate) fn reversible(&self, id: CommandId) -> Option<&Reversible> {
        self.answer(id).map(|answer| &answer.reversible)
    }

    /// Notes that more, or less, of a transfer was taken back. One that was forgotten stays so.
    pub(crate) fn set_reversible(&mut self, id: CommandId, reversible: Reversible) {
        let Some(answer) = self.answer_mut(id) else { return };
        let before = std::mem::replace(&mut answer.reversible, reversible);
        if let Some(journal) = &mut self.journal {
            journal.push((id, Before::Reversible(before)));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn begin_chain(&mut self) {
        self.journal = Some(Vec::new());
    }

    pub(crate) fn keep_chain(&mut self) {
        self.journal = None;
    }

    pub(crate) fn undo_chain(&mut self) {
        for (id, before) in self.journal.take().unwrap_or_default().into_iter().rev() {
            match before {
                Before::Unknown => self.forget(id),
                Before::Reversible(before) => {
                    if let Some(answer) = self.answer_mut(id) {
                        answer.reversible = before;
                    }
                }
            }
        }
    }

    /// Whether every transfer in a memory that was read back is between accounts of `ledger`.
    pub(crate) fn fits<C>(&self, ledger: &Ledger<C>) -> bool {
        self.all().all(|(_, answer)| match &answer.reversible {
            Reversible::Nothing | Reversible::Abroad { .. } => true,
            Reversible::Payment(Payment { payer, payee, .. }) => {
                ledger.is_wallet(*payer) && ledger.is_wallet(*payee)
            }
            Reversible::Entry(entry) => match &entry.what {
                Entered::Exchange(_) => true,
                Entered::Movement(posted) => ledger.is_posting(posted),
            },
        })
    }

    /// Writes it as the version of the state has it; the first one takes nothing back.
    pub(crate) fn write<W: io::Write>(
        &self,
        (version, currency): (u16, Currency),
        writer: &mut W,
    ) -> io::Result<()> {
        self.horizon.serialize(writer)?;
        u32::try_from(self.places.len()).map_err(io::Error::other)?.serialize(writer)?;
        for (id, answer) in self.all() {
            id.serialize(writer)?;
            answer.content.serialize(writer)?;
            answer.came_to.write(currency, writer)?;
            if version >= 2 {
                answer.reversible.serialize(writer)?;
            }
        }
        Ok(())
    }

    /// Reads what [`Memory::write`] wrote.
    pub(crate) fn read<R: io::Read>(
        (version, currency): (u16, Currency),
        reader: &mut R,
    ) -> io::Result<Self> {
        let horizon = Timestamp::deserialize_reader(reader)?;
        let count = u32::deserialize_reader(reader)?;
        let mut memory = Self { horizon, ..Self::default() };
        for _ in 0..count {
            let id = CommandId::deserialize_reader(reader)?;
            if memory.places.last_key_value().is_some_and(|(last, _)| *last >= id) {
                let what = "the ids are not in order";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            let content = Digest::deserialize_reader(reader)?;
            let came_to = CameTo::read(currency, reader)?;
            let reversible = match version {
                1 => Reversible::Nothing,
                _ => Reversible::deserialize_reader(reader)?,
            };
            // There is a number for each: the count has no more bits than numbers have.
            if let Some(place) = memory.answers.insert(Answer { content, came_to, reversible }) {
                memory.places.insert(id, place);
            }
        }
        Ok(memory)
    }
}

impl CameTo {
    /// `None` while it is being done.
    fn remembered(&self, currency: Currency) -> Option<Remembered> {
        Some(match self {
            Self::Pending => return None,
            Self::Done { at, balance } => {
                let balance = balance.map(|minor| Amount::new(currency, minor));
                Remembered::Outcome(Ok(Done::one(*at, balance)))
            }
            Self::Refused(refusal) => Remembered::Outcome(Err((**refusal).clone())),
            Self::Each { at } => Remembered::Each(*at),
        })
    }

    /// As the first version wrote an outcome; 2 is a list.
    fn write<W: io::Write>(&self, currency: Currency, writer: &mut W) -> io::Result<()> {
        match self {
            Self::Pending => Err(io::Error::other("a command is being applied")),
            Self::Refused(refusal) => {
                0_u8.serialize(writer)?;
                refusal.serialize(writer)
            }
            Self::Done { at, balance } => {
                1_u8.serialize(writer)?;
                at.serialize(writer)?;
                balance.map(|minor| Amount::new(currency, minor)).serialize(writer)
            }
            Self::Each { at } => {
                2_u8.serialize(writer)?;
                at.serialize(writer)
            }
        }
    }

    fn read<R: io::Read>(currency: Currency, reader: &mut R) -> io::Result<Self> {
        Ok(match u8::deserialize_reader(reader)? {
            0 => Self::Refused(Box::deserialize_reader(reader)?),
            1 => {
                let at = Timestamp::deserialize_reader(reader)?;
                let balance = Option::<Amount>::deserialize_reader(reader)?;
                if balance.is_some_and(|amount| amount.currency() != currency) {
                    let what = "a balance is in another currency";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
                Self::Done { at, balance: balance.map(|amount| amount.minor()) }
            }
            2 => Self::Each { at: Timestamp::deserialize_reader(reader)? },
            tag => {
                let what = format!("{tag} is not what an order may come to");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        })
    }
}
