//! The city a run begins with: institutions with their keys, a policy with tight limits, money in
//! every form, wallets of three classes, a sub-wallet, and the newest version of the rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Signature, Signer,
    Timestamp,
};
use yufu_jose::SoftwareKey;
use yufu_machine::{
    Action, ClassId, Correspondent, DeadlineTerms, Deadlines, Direction, HoldingRules,
    HoldingTerms, Limits, NoteRules, Order, PeerTerms, Peering, Policy, PolicyTerms, Rate,
    SubLimits, Submission, UtcOffset, WalletClass,
};

/// Two banks, each with three wallets; the last of the second is a shop without limits.
pub(crate) const WALLETS: [(u128, usize); 6] = [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)];
const SHOP: AccountId = AccountId::new(6);
/// Below the first wallet, for the shop.
pub(crate) const BELOW: AccountId = AccountId::new(7);

/// Who takes part, with their keys, and what there is to begin with.
#[derive(Clone, Debug)]
pub struct City {
    keys: Arc<BTreeMap<InstitutionId, SoftwareKey>>,
    currency: Currency,
    /// Whether commands are truly signed; if not, their signatures are none.
    signs: bool,
}

#[expect(
    clippy::unwrap_used,
    reason = "INVARIANT: names, keys and policies of the city are written in this file"
)]
impl City {
    /// The central bank.
    pub const CENTRAL_BANK: &str = "central-bank";
    /// The banks.
    pub const BANKS: [&str; 2] = ["bank-a", "bank-b"];
    /// Those that may order freezes.
    pub const AUTHORITIES: [&str; 2] = ["court", "prosecutor"];
    /// Another ledger.
    pub const PEER: &str = "reserve-house";
    /// 2026-12-31 12:00 UTC: a year ends soon.
    pub const START: Timestamp = Timestamp::from_seconds(1_798_718_400);

    /// The city; signing costs more time than all else.
    #[must_use]
    pub fn new(signs: bool) -> Self {
        let names = [Self::CENTRAL_BANK, Self::PEER, "stranger"];
        let names = names.into_iter().chain(Self::BANKS).chain(Self::AUTHORITIES);
        Self::of(signs, names, Currency::new("CNY").unwrap())
    }

    /// Another one: of these institutions, with another currency.
    pub(crate) fn of(
        signs: bool,
        names: impl IntoIterator<Item = &'static str>,
        currency: Currency,
    ) -> Self {
        let keys = names.into_iter().map(|name| {
            let mut seed = [1; 32];
            for (byte, of) in seed.iter_mut().zip(name.bytes()) {
                *byte = of;
            }
            (Self::name(name), SoftwareKey::from_seed(&seed).unwrap())
        });
        Self { keys: Arc::new(keys.collect()), currency, signs }
    }

    /// An institution by its name.
    #[must_use]
    pub fn name(text: &str) -> InstitutionId {
        text.parse().unwrap()
    }

    /// So many minor units.
    #[must_use]
    pub const fn amount(&self, minor: u64) -> Amount {
        Amount::new(self.currency, minor)
    }

    /// A command as `by` signs it.
    #[must_use]
    pub fn signed(&self, by: &str, id: CommandId, action: Action) -> Submission {
        let (institution, order) = (Self::name(by), Order { id, action });
        let key = self.keys.get(&institution).unwrap();
        let signature = if self.signs {
            key.sign(&Submission::signing_bytes(&institution, &order)).unwrap()
        } else {
            Signature([0; 64])
        };
        Submission { institution, key: key.public_key(), order, signature }
    }

    /// The commands that a run begins with.
    #[must_use]
    pub fn opening(&self) -> Vec<Submission> {
        let actions = (1..).zip(self.founding().into_iter().chain(self.furnishing()));
        let id = |number| CommandId::at(Self::START, number);
        actions.map(|(number, (by, action))| self.signed(by, id(number), action)).collect()
    }

    /// The public key of an institution.
    pub(crate) fn key(&self, name: &str) -> PublicKey {
        self.keys.get(&Self::name(name)).unwrap().public_key()
    }

    fn founding(&self) -> Vec<(&'static str, Action)> {
        let key = |name: &str| self.key(name);
        let central_bank = Self::name(Self::CENTRAL_BANK);
        let genesis = Action::Genesis {
            currency: self.currency,
            central_bank,
            key: key(Self::CENTRAL_BANK),
            policy: Self::policy(),
        };
        let mut actions = vec![genesis];
        for name in Self::BANKS {
            let (bank, amount) = (Self::name(name), self.amount(20_000));
            actions.extend([
                Action::RegisterBank { bank: bank.clone(), key: key(name) },
                Action::CreateReserves { bank: bank.clone(), amount: self.amount(90_000) },
                Action::Issue { bank: bank.clone(), amount },
                Action::SupplyPaper { bank, amount },
            ]);
        }
        actions.extend([2, 3, 4].map(|version| Action::ActivateVersion { version }));
        actions.push(Action::RegisterPeer {
            peer: Self::name(Self::PEER),
            key: key(Self::PEER),
            currency: Self::currency_there(),
            peering: Peering::new(Self::peering()).unwrap(),
        });
        actions.push(Action::SetDeadlines { deadlines: Some(Self::deadlines()) });
        actions.push(Action::SetHoldingRules { rules: Self::rules(3_500) });
        let rules = Some(NoteRules::new(Self::note_rules()).unwrap());
        actions.push(Action::SetNoteRules { rules });
        for name in Self::AUTHORITIES {
            let authority = Self::name(name);
            actions.push(Action::RegisterAuthority { authority, key: key(name) });
        }
        actions.into_iter().map(|action| (Self::CENTRAL_BANK, action)).collect()
    }

    fn furnishing(&self) -> Vec<(&'static str, Action)> {
        let mut actions = Self::keysets();
        for by in Self::BANKS {
            let direction = Direction::DepositToPaper;
            actions.push((by, Action::CreditDeposits { amount: self.amount(20_000) }));
            actions.push((by, Action::Exchange { direction, amount: self.amount(5_000) }));
            let rate = Rate { take: 1, give: 1, until: Self::START.plus_seconds(40 * 86_400) };
            let one = Correspondent { there: Self::name("there"), rate: Some(rate), ready: 1_200 };
            let (peer, correspondent) = (Self::name(Self::PEER), Some(one));
            actions.push((by, Action::Correspond { peer, correspondent }));
        }
        for (account, bank) in WALLETS {
            let account = AccountId::new(account);
            let class = if account == SHOP { "I" } else { "IV" };
            let by = Self::BANKS.get(bank).unwrap();
            actions.push((by, Action::OpenWallet { account, class: Self::class(class) }));
            let direction = Direction::DepositToDigital(account);
            actions.push((by, Action::Exchange { direction, amount: self.amount(700) }));
        }
        let limits = SubLimits { per_payment: 60, per_day: 150, balance: 300 };
        let (account, parent, payee, order) = (BELOW, AccountId::new(1), SHOP, Digest::ZERO);
        let open = Action::OpenSubWallet { account, parent, payee, limits, order };
        actions.push(("bank-a", open));
        let fund = Action::FundSubWallet { account, amount: self.amount(200), order };
        actions.push(("bank-a", fund));
        actions
    }

    /// The class of a name.
    #[must_use]
    pub fn class(name: &str) -> ClassId {
        ClassId::new(name).unwrap()
    }

    /// Ids are remembered for two days.
    pub(crate) fn policy() -> Policy {
        let limits = |single, day, year, balance| Limits {
            per_payment: Some(single),
            per_day: Some(day),
            per_year: Some(year),
            balance: Some(balance),
        };
        let class = |ordinary, stepped_up| WalletClass { ordinary, stepped_up };
        let four = class(limits(150, 260, 400, 1000), Some(limits(250, 300, 450, 1000)));
        let three = class(limits(300, 500, 1500, 1500), None);
        let one = class(Limits::default(), None);
        let named = [("IV", four), ("III", three), ("I", one)];
        let offsets = [(0, 28_800), (Self::START.plus_seconds(40 * 86_400).seconds(), 32_400)];
        Policy::new(PolicyTerms {
            classes: named.map(|(name, class)| (Self::class(name), class)).into(),
            offsets: offsets
                .map(|(from, seconds_east)| UtcOffset {
                    from: Timestamp::from_seconds(from),
                    seconds_east,
                })
                .into(),
            id_retention_seconds: 2 * 86_400,
            id_future_tolerance_seconds: 60,
        })
        .unwrap()
    }

    /// How the other ledger is dealt with.
    pub(crate) fn peering() -> PeerTerms {
        let address = "https://ledger.example".to_owned();
        PeerTerms { address, open: true, most_unresolved: 3, most_days: 2 }
    }

    /// Deals with it otherwise.
    pub(crate) fn set_peer(terms: PeerTerms) -> Action {
        Action::SetPeer { peer: Self::name(Self::PEER), peering: Peering::new(terms).unwrap() }
    }

    /// What the other ledger holds.
    pub(crate) fn currency_there() -> Currency {
        Currency::new("XTS").unwrap()
    }

    /// Days for holds, disputes, confirmations and freezes.
    pub(crate) fn deadlines() -> Deadlines {
        Deadlines::new(DeadlineTerms {
            hold_days: 3,
            dispute_days: 5,
            freeze_confirm_days: 1,
            freeze_days: 6,
        })
        .unwrap()
    }

    /// So much for all wallets of class IV at a bank; wallets rest after ten days.
    pub(crate) fn rules(cap: u64) -> HoldingRules {
        let aggregate_balance = [(Self::class("IV"), cap)].into();
        HoldingRules::new(HoldingTerms { aggregate_balance, dormant_after_days: Some(10) }).unwrap()
    }
}
