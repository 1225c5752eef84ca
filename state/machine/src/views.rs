//! What may be asked of the state. Nothing here changes it.

mod abroad;
mod notes;

pub use abroad::{AbroadView, PeerView};
pub use notes::{KeysetView, Promise};

use crate::books::bank_number;
use crate::freezes::FreezeCounts;
use crate::limits;
use crate::machine::Machine;
use yufu_base::{AccountId, Amount, CommandId, Currency, InstitutionId, Timestamp};
use yufu_ledger::{Account, AccountKind, Hold, Standing, Supply};
use yufu_registry::{ClassId, Institution, InstitutionNumber, Limits, Policy};

/// A wallet as its bank sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletView {
    /// The bank that operates it.
    pub bank: InstitutionId,
    /// Its class.
    pub class: ClassId,
    /// Where it stands.
    pub standing: Standing,
    /// The wallet above it, if it is a sub-wallet.
    pub parent: Option<AccountId>,
    /// What it holds.
    pub balance: Amount,
    /// Of that, what is not promised to others by pending transfers.
    pub available: Amount,
    /// What pending transfers promise to it.
    pub promised: Amount,
    /// Whether a freeze is in force: nothing leaves it.
    pub frozen: bool,
    /// What was paid from it today, by the policy's calendar.
    pub spent_today: Amount,
    /// What was paid from it this year, by the policy's calendar.
    pub spent_this_year: Amount,
    /// The ordinary limits of its class.
    pub limits: Limits,
    /// The limits after stepping up, if its class has any.
    pub stepped_up: Option<Limits>,
    /// What may still be paid today without stepping up; `None` is any amount.
    pub remaining_today: Option<Amount>,
    /// What may still be paid this year without stepping up; `None` is any amount.
    pub remaining_this_year: Option<Amount>,
    /// How much more it may hold; `None` is any amount.
    pub remaining_balance: Option<Amount>,
}

/// How much the state holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Registered institutions, the central bank included.
    pub institutions: usize,
    /// Accounts of all kinds.
    pub accounts: usize,
    /// Command ids that are remembered.
    pub remembered_ids: usize,
    /// Transfers that are pending.
    pub holds: usize,
    /// Freezes that there were and are.
    pub freezes: FreezeCounts,
}

impl Machine {
    /// The currency of the ledger; `None` before genesis.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.books.as_ref().map(|books| books.currency)
    }

    /// The policy in force; `None` before genesis.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.books.as_ref().map(|books| books.policy())
    }

    /// An institution by its name.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> Option<&Institution> {
        self.books.as_ref()?.registry.institution(id)
    }

    /// All institutions, ordered by name.
    pub fn institutions(&self) -> impl Iterator<Item = (&InstitutionId, &Institution)> {
        self.books.iter().flat_map(|books| books.registry.institutions())
    }

    /// The balance of any account.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Option<Amount> {
        let books = self.books.as_ref()?;
        Some(books.amount(books.ledger.account(account)?.balance()))
    }

    /// The balance of one of a bank's own accounts; `None` for kinds a bank does not have.
    #[must_use]
    pub fn bank_balance(&self, bank: &InstitutionId, kind: AccountKind) -> Option<Amount> {
        let books = self.books.as_ref()?;
        let number = bank_number(books.registry.institution(bank)?.number);
        Some(books.amount(books.ledger.bank_account(number, kind)?.balance()))
    }

    /// Every account, ordered by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account<ClassId>)> {
        self.books.iter().flat_map(|books| books.ledger.accounts())
    }

    /// A wallet as of `now`.
    #[must_use]
    pub fn wallet(&self, account: AccountId, now: Timestamp) -> Option<WalletView> {
        let books = self.books.as_ref()?;
        let found = books.wallet(account).ok()?;
        let period = books.period(now);
        let today = found.wallet.spending.on_day(period);
        let this_year = found.wallet.spending.in_year(period);
        let limits = found.class.ordinary;
        let left = |limit: Option<u64>, spent| {
            limit.map(|limit: u64| books.amount(limit.saturating_sub(spent)))
        };
        Some(WalletView {
            bank: books.registry.name(InstitutionNumber(found.wallet.bank.0))?.clone(),
            class: found.wallet.class,
            standing: found.wallet.standing,
            parent: books.sub_wallets.get(account).map(|below| below.parent),
            balance: books.amount(found.balance),
            available: books.amount(books.ledger.available(found.slot)),
            promised: books.amount(found.wallet.held_in),
            frozen: found.wallet.frozen,
            spent_today: books.amount(today),
            spent_this_year: books.amount(this_year),
            limits,
            stepped_up: found.class.stepped_up,
            remaining_today: left(limits.per_day, today),
            remaining_this_year: left(limits.per_year, this_year),
            remaining_balance: limits::room(&limits, books.held_or_promised(&found))
                .map(|m| books.amount(m)),
        })
    }

    /// A transfer that is pending, by the command that made it.
    #[must_use]
    pub fn hold(&self, id: CommandId) -> Option<&Hold> {
        self.books.as_ref()?.ledger.hold(id)
    }

    /// What the wallets of each class at each bank hold together, in minor units.
    pub fn holdings(&self) -> impl Iterator<Item = (&InstitutionId, ClassId, u128)> {
        self.books.iter().flat_map(|books| {
            books.ledger.holdings().filter_map(|((bank, class), held)| {
                Some((books.registry.name(InstitutionNumber(bank.0))?, class, held))
            })
        })
    }

    /// All money by where it is, in minor units.
    #[must_use]
    pub fn supply(&self) -> Supply {
        let empty = Supply { balanced: true, ..Supply::default() };
        self.books.as_ref().map_or(empty, |books| books.ledger.supply())
    }

    /// How much the state holds.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.books.as_ref().map_or_else(Totals::default, |books| Totals {
            institutions: books.registry.institutions().count(),
            accounts: books.ledger.len(),
            remembered_ids: self.memory.len(),
            holds: books.ledger.holds().len(),
            freezes: books.freezes.counts(),
        })
    }
}
