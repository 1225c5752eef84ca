//! The state of an open ledger, and what the steps share: who submits, and finding what an
//! order names.

use crate::freezes::Freezes;
use crate::links::Links;
use crate::notes::Notes;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::sub_wallets::SubWallets;
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{AccountId, Amount, Currency, InstitutionId, PublicKey, Timestamp};
use yufu_ledger::{
    BankNumber, ChartError, Ledger, Period, PostingError, Standing, Wallet, WalletSlot,
};
use yufu_registry::{
    ClassId, InstitutionNumber, Policy, Registry, RegistryError, Role, WalletClass,
};

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Books {
    pub(crate) currency: Currency,
    pub(crate) registry: Registry,
    pub(crate) ledger: Ledger<ClassId>,
    pub(crate) sub_wallets: SubWallets,
    /// Written apart: the first version of the state has none.
    #[borsh(skip)]
    pub(crate) freezes: Freezes,
    /// Written apart: the first two versions of the state have none.
    #[borsh(skip)]
    pub(crate) links: Links,
    /// Written apart: the first three versions of the state have none.
    #[borsh(skip)]
    pub(crate) notes: Notes,
}

/// An established submitter, and the time its command was stamped with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submitter {
    pub(crate) number: InstitutionNumber,
    pub(crate) role: Role,
    pub(crate) now: Timestamp,
}

/// A wallet an order names, with what the policy says of its class.
pub(crate) struct Found<'a> {
    pub(crate) id: AccountId,
    pub(crate) slot: WalletSlot,
    /// All it holds, what is promised to others included.
    pub(crate) balance: u64,
    pub(crate) wallet: &'a Wallet<ClassId>,
    pub(crate) class: &'a WalletClass,
}

impl Submitter {
    pub(crate) fn must_be(&self, needed: Role) -> Result<(), Refusal> {
        if self.role == needed { Ok(()) } else { Err(Refusal::NotPermitted { needed }) }
    }

    pub(crate) const fn bank(&self) -> BankNumber {
        bank_number(self.number)
    }

    pub(crate) const fn done(&self, balance: Option<Amount>) -> Done {
        Done::one(self.now, balance)
    }
}

impl Books {
    /// The submitter, if it is registered and signed with its current key.
    pub(crate) fn establish(
        &self,
        institution: &InstitutionId,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Submitter, Refusal> {
        let registered = self
            .registry
            .institution(institution)
            .ok_or_else(|| Refusal::SubmitterUnknown(institution.clone()))?;
        if registered.key != *key {
            return Err(Refusal::KeyNotCurrent(institution.clone()));
        }
        Ok(Submitter { number: registered.number, role: registered.role, now })
    }

    pub(crate) fn policy(&self) -> &Policy {
        self.registry.policy()
    }

    pub(crate) fn period(&self, now: Timestamp) -> Period {
        Period { day: self.policy().day_index(now), year: self.policy().year(now) }
    }

    pub(crate) fn named_bank(&self, id: &InstitutionId) -> Result<BankNumber, Refusal> {
        let institution =
            self.registry.institution(id).ok_or_else(|| Refusal::InstitutionUnknown(id.clone()))?;
        match institution.role {
            Role::Bank => Ok(bank_number(institution.number)),
            Role::CentralBank | Role::Authority | Role::Peer => Err(Refusal::NotABank(id.clone())),
        }
    }

    pub(crate) fn wallet(&self, id: AccountId) -> Result<Found<'_>, Refusal> {
        let (slot, balance, wallet) = self.ledger.wallet(id).ok_or(Refusal::AccountUnknown(id))?;
        // A policy keeps every class there ever was, so a wallet's class is always found.
        let class = self.policy().class(wallet.class).ok_or(Refusal::ClassUnknown(wallet.class))?;
        Ok(Found { id, slot, balance, wallet, class })
    }

    /// The wallet above one, if it lies below another.
    pub(crate) fn above(&self, id: AccountId) -> Result<Option<Found<'_>>, Refusal> {
        self.sub_wallets.get(id).map(|below| self.wallet(below.parent)).transpose()
    }

    /// A wallet that was found before.
    pub(crate) fn wallet_at(&self, slot: WalletSlot) -> Result<Found<'_>, Refusal> {
        self.wallet(self.ledger.id_of(slot))
    }

    /// A wallet that the submitter operates and that is not closed.
    pub(crate) fn own_wallet(&self, by: Submitter, id: AccountId) -> Result<Found<'_>, Refusal> {
        let wallet = self.wallet(id)?;
        wallet.must_be_operated_by(by.bank())?;
        wallet.must_be_open()?;
        Ok(wallet)
    }

    /// The minor units of an amount that is something, in the ledger's currency.
    pub(crate) fn minor(&self, amount: Amount) -> Result<u64, Refusal> {
        if amount.is_zero() {
            return Err(Refusal::AmountZero);
        }
        if amount.currency() != self.currency {
            return Err(Refusal::CurrencyDiffers {
                ledger: self.currency,
                given: amount.currency(),
            });
        }
        Ok(amount.minor())
    }

    pub(crate) const fn amount(&self, minor: u64) -> Amount {
        Amount::new(self.currency, minor)
    }
}

impl Found<'_> {
    pub(crate) fn must_be_operated_by(&self, bank: BankNumber) -> Result<(), Refusal> {
        if self.wallet.bank == bank { Ok(()) } else { Err(Refusal::OtherBank(self.id)) }
    }

    pub(crate) fn must_be_open(&self) -> Result<(), Refusal> {
        match self.wallet.standing {
            Standing::Open | Standing::Dormant => Ok(()),
            Standing::Closed => Err(Refusal::AccountClosed(self.id)),
        }
    }

    /// Nothing leaves a wallet that is frozen.
    pub(crate) fn must_not_be_frozen(&self) -> Result<(), Refusal> {
        if self.wallet.frozen { Err(Refusal::AccountFrozen(self.id)) } else { Ok(()) }
    }

    /// Nothing is pending that would come in or go out.
    pub(crate) fn must_not_have_holds(&self) -> Result<(), Refusal> {
        let pending = self.wallet.held_in > 0 || self.wallet.held_out > 0;
        if pending { Err(Refusal::HasHolds(self.id)) } else { Ok(()) }
    }

    pub(crate) fn must_be_awake(&self) -> Result<(), Refusal> {
        match self.wallet.standing {
            Standing::Open | Standing::Closed => Ok(()),
            Standing::Dormant => Err(Refusal::AccountDormant(self.id)),
        }
    }
}

/// The ledger knows banks by the numbers the registry gives.
pub(crate) const fn bank_number(number: InstitutionNumber) -> BankNumber {
    BankNumber(number.0)
}

impl From<PostingError> for Refusal {
    fn from(error: PostingError) -> Self {
        match error {
            PostingError::InsufficientFunds { account, available, requested } => {
                Self::InsufficientFunds { account, available, requested }
            }
            PostingError::OutOfRange(account) => Self::OutOfRange(account),
        }
    }
}

impl From<ChartError> for Refusal {
    fn from(error: ChartError) -> Self {
        match error {
            ChartError::AccountExists(id) => Self::AccountExists(id),
            ChartError::BankUnknown => Self::NotPermitted { needed: Role::Bank },
            ChartError::Full => Self::Full,
        }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Registered(id) => Self::InstitutionRegistered(id),
            RegistryError::Unknown(id) => Self::InstitutionUnknown(id),
            RegistryError::Full => Self::Full,
        }
    }
}
