//! All keysets of all banks.

use crate::exchange::Checked;
use crate::keyset::{Keyset, KeysetError, KeysetNumber, KeysetTerms};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{Digest, Timestamp};

/// The keysets and what is out of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Mint {
    keysets: BTreeMap<KeysetNumber, Keyset>,
    /// How many were ever registered.
    registered: u32,
}

/// A keyset that was over: what was still out of it is nobody's claim any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The keyset.
    pub keyset: KeysetNumber,
    /// The bank whose it was.
    pub owner: u32,
    /// What was out, in minor units.
    pub outstanding: u64,
}

impl Mint {
    /// Registers a keyset of a bank. `keys` is the digest of its id and public keys.
    ///
    /// # Errors
    /// [`KeysetError`]; nothing changes then.
    pub fn register(
        &mut self,
        owner: u32,
        keys: Digest,
        terms: KeysetTerms,
        now: Timestamp,
    ) -> Result<KeysetNumber, KeysetError> {
        self.registered = self.check_register(keys, terms, now)?;
        let number = KeysetNumber(self.registered.saturating_sub(1));
        self.keysets.insert(number, Keyset::new(owner, keys, terms));
        Ok(number)
    }

    /// Checks that a keyset may be registered; gives how many are then.
    ///
    /// # Errors
    /// [`KeysetError`].
    pub fn check_register(
        &self,
        keys: Digest,
        terms: KeysetTerms,
        now: Timestamp,
    ) -> Result<u32, KeysetError> {
        terms.check(now)?;
        if let Some((number, _)) = self.keyset_of(keys) {
            return Err(KeysetError::Registered(number));
        }
        self.registered.checked_add(1).ok_or(KeysetError::Full)
    }

    /// A keyset signs nothing any more; its notes are redeemed until it expires.
    ///
    /// # Errors
    /// [`KeysetError`]; nothing changes then.
    pub fn deactivate(&mut self, owner: u32, number: KeysetNumber) -> Result<(), KeysetError> {
        let keyset = self.keysets.get_mut(&number).ok_or(KeysetError::Unknown(number))?;
        if keyset.owner != owner {
            return Err(KeysetError::NotOwned(number));
        }
        if !keyset.active {
            return Err(KeysetError::Inactive(number));
        }
        keyset.active = false;
        Ok(())
    }

    /// Forgets a keyset that is over at `now`, with all its notes.
    ///
    /// # Errors
    /// [`KeysetError`]; nothing changes then.
    pub fn expire(
        &mut self,
        owner: u32,
        number: KeysetNumber,
        now: Timestamp,
    ) -> Result<Expired, KeysetError> {
        let keyset = self.keysets.get(&number).ok_or(KeysetError::Unknown(number))?;
        if keyset.owner != owner {
            return Err(KeysetError::NotOwned(number));
        }
        if keyset.terms.final_expiry > now {
            return Err(KeysetError::NotOver(number));
        }
        let outstanding = keyset.outstanding();
        self.keysets.remove(&number);
        Ok(Expired { keyset: number, owner, outstanding })
    }

    /// A keyset by its number.
    #[must_use]
    pub fn keyset(&self, number: KeysetNumber) -> Option<&Keyset> {
        self.keysets.get(&number)
    }

    /// All keysets that are not over, by their numbers.
    pub fn keysets(&self) -> impl Iterator<Item = (KeysetNumber, &Keyset)> {
        self.keysets.iter().map(|(number, keyset)| (*number, keyset))
    }

    /// The keyset with these keys.
    #[must_use]
    pub fn keyset_of(&self, keys: Digest) -> Option<(KeysetNumber, &Keyset)> {
        self.keysets().find(|(_, keyset)| keyset.keys == keys)
    }

    /// Whether a bank has keysets that are not forgotten.
    #[must_use]
    pub fn has_keysets(&self, owner: u32) -> bool {
        self.keysets.values().any(|keyset| keyset.owner == owner)
    }

    /// What is out in the notes of a bank, in minor units.
    #[must_use]
    pub fn outstanding(&self, owner: u32) -> u128 {
        let own = self.keysets.values().filter(|keyset| keyset.owner == owner);
        own.map(|keyset| u128::from(keyset.outstanding())).sum()
    }

    /// Does what was checked. To be called at once: what was checked against an earlier state may spend a note twice.
    pub fn commit(&mut self, checked: Checked<'_>) {
        let Checked { inputs, outputs, .. } = checked;
        for input in inputs {
            if let Some(keyset) = self.keysets.get_mut(&input.keyset) {
                keyset.spent.insert(&input.point);
                keyset.redeemed = keyset.redeemed.saturating_add(input.amount);
            }
        }
        for output in outputs {
            if let Some(keyset) = self.keysets.get_mut(&output.keyset) {
                keyset.promised.insert(output);
                keyset.issued = keyset.issued.saturating_add(output.amount);
            }
        }
    }
}
