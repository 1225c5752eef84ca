//! What may be asked of the state about bearer notes.

use crate::machine::Machine;
use yufu_base::{Amount, Digest, InstitutionId};
use yufu_mint::{Keyset, KeysetNumber, KeysetTerms, Point};
use yufu_registry::{InstitutionNumber, NoteRules};

/// A keyset and what is out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetView {
    /// What it is known by in the log.
    pub number: KeysetNumber,
    /// The bank whose it is.
    pub bank: InstitutionId,
    /// The digest of its id and public keys.
    pub keys: Digest,
    /// What it was registered with.
    pub terms: KeysetTerms,
    /// Whether outputs are signed with it.
    pub active: bool,
    /// What it has signed for.
    pub issued: Amount,
    /// What of that came back.
    pub redeemed: Amount,
    /// How many outputs were promised.
    pub outputs: u64,
    /// How many notes were spent.
    pub spent: u64,
}

/// An output that was promised: what a mint is to sign for it, also when it is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// With which keyset.
    pub keyset: KeysetNumber,
    /// What it is worth, in minor units.
    pub amount: u64,
}

impl Machine {
    /// The rules for bearer notes; `None` where no new ones are made.
    #[must_use]
    pub fn note_rules(&self) -> Option<&NoteRules> {
        self.books.as_ref()?.notes.rules.as_ref()
    }

    /// All keysets that are not forgotten, by their numbers.
    #[must_use]
    pub fn keysets(&self) -> Vec<KeysetView> {
        let keysets = self.books.iter().flat_map(|books| books.notes.mint.keysets());
        keysets.filter_map(|(number, keyset)| self.keyset_view(number, keyset)).collect()
    }

    /// The keyset with these keys.
    #[must_use]
    pub fn keyset_of(&self, keys: Digest) -> Option<KeysetView> {
        let (number, keyset) = self.books.as_ref()?.notes.mint.keyset_of(keys)?;
        self.keyset_view(number, keyset)
    }

    /// Which of a bank's notes were spent, by their points, in the order of these.
    #[must_use]
    pub fn are_spent(&self, bank: &InstitutionId, points: &[Point]) -> Vec<bool> {
        let own: Vec<&Keyset> = self.keysets_of(bank).map(|(_, keyset)| keyset).collect();
        points.iter().map(|point| own.iter().any(|keyset| keyset.is_spent(point))).collect()
    }

    /// What a bank promised for blinded outputs, in the order of these; nothing for what it did not.
    #[must_use]
    pub fn promised(&self, bank: &InstitutionId, blinded: &[Point]) -> Vec<Vec<Promise>> {
        let own: Vec<_> = self.keysets_of(bank).collect();
        let of = |point| {
            let found = own.iter().filter_map(|(number, keyset)| {
                Some(Promise { keyset: *number, amount: keyset.promised(point)? })
            });
            found.collect()
        };
        blinded.iter().map(of).collect()
    }

    /// What is out in a bank's notes.
    #[must_use]
    pub fn notes_out(&self, bank: &InstitutionId) -> Option<Amount> {
        let books = self.books.as_ref()?;
        let out = books.notes.mint.outstanding(books.registry.institution(bank)?.number.0);
        Some(books.amount(u64::try_from(out).unwrap_or(u64::MAX)))
    }

    fn keysets_of(&self, bank: &InstitutionId) -> impl Iterator<Item = (KeysetNumber, &Keyset)> {
        let books = self.books.as_ref();
        let number = books.and_then(|books| books.registry.institution(bank));
        let owner = number.map(|institution| institution.number.0);
        let all = books.into_iter().flat_map(|books| books.notes.mint.keysets());
        all.filter(move |(_, keyset)| Some(keyset.owner) == owner)
    }

    fn keyset_view(&self, number: KeysetNumber, keyset: &Keyset) -> Option<KeysetView> {
        let books = self.books.as_ref()?;
        let count = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
        Some(KeysetView {
            number,
            bank: books.registry.name(InstitutionNumber(keyset.owner))?.clone(),
            keys: keyset.keys,
            terms: keyset.terms,
            active: keyset.active,
            issued: books.amount(keyset.issued),
            redeemed: books.amount(keyset.redeemed),
            outputs: count(keyset.promised_outputs()),
            spent: count(keyset.spent_notes()),
        })
    }
}
