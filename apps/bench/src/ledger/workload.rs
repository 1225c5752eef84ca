//! A country of wallets at two banks, and payments between them: who pays whom is drawn by a Zipf
//! law, so that a few wallets take part in many.

use anyhow::{Context, Result};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, Signer, Stamp, StateMachine,
    Timestamp,
};
use yufu_engine::Handle;
use yufu_jose::SoftwareKey;
use yufu_log::Seq;
use yufu_machine::{
    Action, Authorisation, ClassId, Direction, Limits, Machine, Order, Orders, Policy, PolicyTerms,
    Submission, UtcOffset, WalletClass,
};

/// Orders under one signature.
pub(crate) const LIST: usize = 2_000;
/// What ids are remembered for: a day.
const RETENTION_SECONDS: u64 = 86_400;
/// Each wallet begins with ten million in minor units.
const HELD: u64 = 1_000_000_000;
const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Two banks, and the wallets they operate by turns.
pub(crate) struct Country {
    currency: Currency,
    class: ClassId,
    central_bank: InstitutionId,
    banks: [InstitutionId; 2],
    pub(crate) key: SoftwareKey,
    wallets: usize,
    random: u64,
    /// Its clock.
    pub(crate) now: Timestamp,
}

impl Country {
    pub(crate) fn new(wallets: usize) -> Result<Self> {
        Ok(Self {
            currency: Currency::new("XTS")?,
            class: ClassId::new("named")?,
            central_bank: "central-bank".parse()?,
            banks: ["first-bank".parse()?, "second-bank".parse()?],
            key: SoftwareKey::from_seed(&[7; 32])?,
            wallets,
            random: 42,
            now: START,
        })
    }

    /// Draws other numbers than a country that begins alike.
    pub(crate) fn reseed(&mut self, seed: usize) {
        self.random = self.random.wrapping_add(seed as u64);
    }

    /// The machine with every wallet open and filled.
    pub(crate) fn opened(&mut self) -> Result<Machine> {
        let mut machine = Machine::new();
        for submission in self.beginning()? {
            let outcome = machine.apply(Stamp { at: self.now }, &submission);
            outcome.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        }
        for first in (0..self.wallets).step_by(LIST) {
            let last = first.saturating_add(LIST).min(self.wallets);
            // What was opened yesterday is not remembered: its ids are no part of the books.
            self.now = self.now.plus_seconds(RETENTION_SECONDS / 10);
            for (bank, numbers) in self.by_bank(first..last) {
                let opened = self.list(bank, &numbers, Self::open)?;
                let filled = self.list(bank, &numbers, Self::fill)?;
                for submission in [opened, filled] {
                    submission.prepare();
                    let outcome = machine.apply(Stamp { at: self.now }, &submission);
                    let done = outcome.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
                    let each = done.each.unwrap_or_default();
                    anyhow::ensure!(each.iter().all(Result::is_ok), "a wallet was not opened");
                }
            }
        }
        Ok(machine)
    }

    /// What opens the ledger, its banks and their vaults.
    pub(crate) fn beginning(&mut self) -> Result<Vec<Submission>> {
        let wide = Limits {
            per_payment: Some(100_000),
            per_day: Some(u64::MAX / 4),
            per_year: Some(u64::MAX / 4),
            balance: Some(u64::MAX / 4),
        };
        let class = WalletClass { ordinary: wide, stepped_up: None };
        let policy = Policy::new(PolicyTerms {
            classes: [(self.class, class)].into(),
            offsets: vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 28_800 }],
            id_retention_seconds: RETENTION_SECONDS,
            id_future_tolerance_seconds: 60,
        })?;
        let key = self.key.public_key();
        let (currency, central_bank) = (self.currency, self.central_bank.clone());
        let mut actions = vec![
            (central_bank.clone(), Action::Genesis { currency, central_bank, key, policy }),
            (self.central_bank.clone(), Action::ActivateVersion { version: 2 }),
        ];
        let stock = u64::try_from(self.wallets)?.checked_mul(HELD).context("too many wallets")?;
        let amount = Amount::new(currency, stock);
        for bank in self.banks.clone() {
            let by = || self.central_bank.clone();
            actions.push((by(), Action::RegisterBank { bank: bank.clone(), key }));
            actions.push((by(), Action::CreateReserves { bank: bank.clone(), amount }));
            actions.push((by(), Action::Issue { bank: bank.clone(), amount }));
            actions.push((bank, Action::CreditDeposits { amount }));
        }
        actions.into_iter().map(|(by, action)| self.signed(by, action)).collect()
    }

    /// What opens and fills the wallets, list by list.
    pub(crate) fn furnishing(&mut self) -> Result<Vec<Submission>> {
        self.furnishing_of(0..self.wallets)
    }

    /// What opens and fills some of the wallets.
    pub(crate) fn furnishing_of(
        &mut self,
        numbers: std::ops::Range<usize>,
    ) -> Result<Vec<Submission>> {
        let mut lists = Vec::new();
        for first in numbers.clone().step_by(LIST) {
            let last = first.saturating_add(LIST).min(numbers.end);
            for (bank, numbers) in self.by_bank(first..last) {
                lists.push(self.list(bank, &numbers, Self::open)?);
                lists.push(self.list(bank, &numbers, Self::fill)?);
            }
        }
        Ok(lists)
    }

    /// `count` payments, those of each bank's wallets in a list of its own.
    pub(crate) fn payments(&mut self, count: usize) -> Result<Vec<Submission>> {
        let pairs: Vec<(usize, usize)> = (0..count).map(|_| self.pair()).collect();
        let mut lists = Vec::new();
        for (bank, parity) in self.banks.clone().into_iter().zip([0, 1]) {
            let own: Vec<_> = pairs.iter().filter(|(payer, _)| payer % 2 == parity).collect();
            if own.is_empty() {
                continue;
            }
            let orders = own.into_iter().map(|pair| self.payment(*pair)).collect();
            lists.push(self.signed(bank, Action::Each { orders: Orders::new(orders)? })?);
        }
        Ok(lists)
    }

    /// One payment, as an order of the payer's bank.
    pub(crate) fn payment(&mut self, (payer, payee): (usize, usize)) -> Order {
        let action = Action::Pay {
            payer: account(payer),
            payee: account(payee),
            amount: Amount::new(self.currency, (self.next() % 500).saturating_add(1)),
            order: Digest([7; 32]),
            authorisation: Authorisation::Ordinary,
        };
        Order { id: self.id(), action }
    }

    /// Two different wallets by a Zipf law with exponent 1: rank r is drawn with a probability
    /// that goes as 1/r.
    pub(crate) fn pair(&mut self) -> (usize, usize) {
        loop {
            let (payer, payee) = (self.zipf(), self.zipf());
            if payer != payee {
                return (payer, payee);
            }
        }
    }

    fn zipf(&mut self) -> usize {
        let uniform = crate::stopwatch::number((self.next() % (1 << 24)) as usize) / 16_777_216.0;
        let wallets = crate::stopwatch::number(self.wallets);
        let rank = (wallets.ln() * uniform).exp();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank lies between 1 and the number of wallets"
        )]
        let rank = rank as usize;
        // Ranks are spread over the wallets, so that the frequent ones do not lie side by side.
        let spread = rank.wrapping_mul(7_368_787);
        spread.checked_rem(self.wallets).unwrap_or(0)
    }

    fn by_bank(&self, numbers: std::ops::Range<usize>) -> Vec<(usize, Vec<usize>)> {
        let of = |parity| numbers.clone().filter(|number| number % 2 == parity).collect();
        let both: [(usize, Vec<usize>); 2] = [(0, of(0)), (1, of(1))];
        both.into_iter().filter(|(_, of)| !of.is_empty()).collect()
    }

    fn list(
        &mut self,
        bank: usize,
        numbers: &[usize],
        action: impl Fn(&Self, usize) -> Action,
    ) -> Result<Submission> {
        let orders = numbers
            .iter()
            .map(|number| Order { id: self.id(), action: action(self, *number) })
            .collect();
        self.signed_by(bank, Action::Each { orders: Orders::new(orders)? })
    }

    /// An order of one of the two banks.
    pub(crate) fn signed_by(&mut self, bank: usize, action: Action) -> Result<Submission> {
        let bank = self.banks.get(bank).context("there are two banks")?.clone();
        self.signed(bank, action)
    }

    fn open(&self, number: usize) -> Action {
        Action::OpenWallet { account: account(number), class: self.class }
    }

    fn fill(&self, number: usize) -> Action {
        let direction = Direction::DepositToDigital(account(number));
        Action::Exchange { direction, amount: Amount::new(self.currency, HELD) }
    }

    fn signed(&mut self, institution: InstitutionId, action: Action) -> Result<Submission> {
        let order = Order { id: self.id(), action };
        let signature = self.key.sign(&Submission::signing_bytes(&institution, &order))?;
        Ok(Submission { institution, key: self.key.public_key(), order, signature })
    }

    fn id(&mut self) -> CommandId {
        let random = (u128::from(self.next()) << 64) | u128::from(self.next());
        CommandId::at(self.now, random)
    }

    /// The next number without pattern (SplitMix64).
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The id of a wallet, as a bank draws one: without pattern.
pub(crate) fn account(number: usize) -> AccountId {
    let number = number as u128;
    let mixed = (number ^ 0x5bd1_e995).wrapping_mul(0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb);
    AccountId::new(mixed ^ (mixed >> 67))
}

/// Submits commands together; each of their orders has to be done. The last record they are in.
pub(crate) async fn submit(handle: &Handle<Machine>, commands: Vec<Submission>) -> Result<Seq> {
    commands.iter().for_each(Submission::prepare);
    let orders = |command: &Submission| match &command.order.action {
        Action::Each { orders } => orders.as_slice().len(),
        _ => 0,
    };
    let orders: Vec<usize> = commands.iter().map(orders).collect();
    let applied = handle.submit_all(commands).await?;
    for (one, orders) in applied.iter().zip(orders) {
        let done = one.outcome.as_ref().map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        let each = done.each.as_deref().unwrap_or_default();
        anyhow::ensure!(each.len() == orders, "a list comes to as many outcomes as it has orders");
        if let Some(refusal) = each.iter().find_map(|outcome| outcome.as_ref().err()) {
            anyhow::bail!("an order was refused: {refusal}");
        }
    }
    Ok(applied.last().context("nothing was submitted")?.seq)
}

/// Whether the institution signed it.
pub(crate) fn verified(submission: &Submission) -> bool {
    let Submission { institution, key, order, signature } = submission;
    let bytes = Submission::signing_bytes(institution, order);
    yufu_jose::verify(key, &bytes, signature).is_ok()
}
