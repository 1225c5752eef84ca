//! One of the two ledgers: its node over its log, and a replica that follows the durable log record
//! by record, against which everything is held.

use super::Which;
use crate::city::City;
use crate::node::{Node, Surroundings, is_hitch};
use crate::run::Simulator;
use crate::store::{Fate, Hitch, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{AccountId, CommandId, Currency, Digest, InstitutionId, Timestamp};
use yufu_engine::{Clock as _, ManualClock, Replay, Status};
use yufu_log::{Head, VerifiedRecords};
use yufu_machine::{
    Action, Authorisation, Correspondent, Direction, Machine, Outcome, PeerTerms, Peering, Rate,
    Resolution, Sending, Submission,
};

/// A wallet without limits, one that holds 1,000, and one that is closed.
pub(super) const WALLETS: [u128; 3] = [1, 2, 3];
/// What the first two begin with.
const BEGINS: u64 = 900;
/// Days to the end of every rate.
const LONG: u64 = 30 * 86_400;

pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) bank: &'static str,
    peer: &'static str,
    city: City,
    currency_there: Currency,
    pub(super) around: Surroundings,
    folder: tempfile::TempDir,
    node: Option<Node>,
    pub(super) replica: Replay<Machine>,
    /// What all wallets held when it began.
    pub(super) began: u128,
    /// Orders to pay to the other ledger, and how much, whatever became of them.
    pub(super) sends: BTreeMap<CommandId, u64>,
    /// What each number that came was seen to come to when it came, and how much it was.
    pub(super) arrived: BTreeMap<u64, (Resolution, u64)>,
    ids: u128,
    pub(super) crash_points: u64,
}

#[expect(
    clippy::unwrap_used,
    reason = "INVARIANT: names, currencies and terms are written in this file"
)]
impl Side {
    pub(super) fn open(simulator: &Simulator, which: Which, signs: bool) -> Result<Self, String> {
        let (name, bank, peer) = match which {
            Which::One => ("central-bank", "bank-a", "reserve-house"),
            Which::Other => ("reserve-house", "harbour-bank", "central-bank"),
        };
        let (here, there) = match which {
            Which::One => ("CNY", "XTS"),
            Which::Other => ("XTS", "CNY"),
        };
        let [currency, currency_there] = [here, there].map(|code| Currency::new(code).unwrap());
        let (store, clock) = (Store::default(), ManualClock::new(City::START));
        let runtime = Arc::clone(&simulator.runtime);
        let folder = tempfile::tempdir_in(&simulator.space).map_err(|error| error.to_string())?;
        let mut side = Self {
            name,
            bank,
            peer,
            city: City::of(signs, [name, bank, peer], currency),
            currency_there,
            around: Surroundings { store, clock, runtime },
            folder,
            node: None,
            replica: Replay::new(Machine::new()),
            began: u128::from(BEGINS).saturating_mul(2),
            sends: BTreeMap::new(),
            arrived: BTreeMap::new(),
            ids: 0,
            crash_points: 0,
        };
        side.restart()?;
        let opening = side.opening();
        let count = opening.len();
        let answers = side.node()?.submit(opening)?;
        let done = answers.as_ref().is_ok_and(|all| all.iter().all(|(_, one)| one.is_ok()));
        if done { Ok(side) } else { Err(format!("{count} commands open no ledger: {answers:?}")) }
    }

    fn opening(&mut self) -> Vec<Submission> {
        let (bank, amount) = (City::name(self.bank), |minor| self.city.amount(minor));
        let partner = if self.bank == "bank-a" { "harbour-bank" } else { "bank-a" };
        let rate = Rate { take: 1, give: 1, until: City::START.plus_seconds(LONG) };
        let one = Correspondent { there: City::name(partner), rate: Some(rate), ready: 2_000 };
        let key = self.city.key(self.name);
        let central = vec![
            Action::Genesis {
                currency: amount(0).currency(),
                central_bank: City::name(self.name),
                key,
                policy: City::policy(),
            },
            Action::ActivateVersion { version: 2 },
            Action::ActivateVersion { version: 3 },
            Action::RegisterBank { bank: bank.clone(), key: self.city.key(self.bank) },
            Action::CreateReserves { bank: bank.clone(), amount: amount(9_000) },
            Action::Issue { bank, amount: amount(9_000) },
            Action::RegisterPeer {
                peer: City::name(self.peer),
                key: self.city.key(self.peer),
                currency: self.currency_there,
                peering: Peering::new(Self::terms()).unwrap(),
            },
        ];
        let mut of_bank = vec![Action::CreditDeposits { amount: amount(4_000) }];
        for (place, wallet) in WALLETS.into_iter().enumerate() {
            let account = AccountId::new(wallet);
            let class = City::class(if place == 0 { "I" } else { "IV" });
            of_bank.push(Action::OpenWallet { account, class });
            let direction = Direction::DepositToDigital(account);
            of_bank.push(match place {
                2 => Action::CloseWallet { account },
                _ => Action::Exchange { direction, amount: amount(BEGINS) },
            });
        }
        of_bank.push(Action::Correspond { peer: City::name(self.peer), correspondent: Some(one) });
        let central = central.into_iter().map(|action| (self.name, action));
        let actions: Vec<_> =
            central.chain(of_bank.into_iter().map(|action| (self.bank, action))).collect();
        actions.into_iter().map(|(by, action)| self.signed(by, action)).collect()
    }

    fn terms() -> PeerTerms {
        let address = "https://ledger.example".to_owned();
        PeerTerms { address, open: true, most_unresolved: 6, most_days: 2 }
    }

    /// The other ledger is dealt with otherwise, or again as before.
    pub(super) fn set_peer(&self, open: bool) -> Action {
        let peering = Peering::new(PeerTerms { open, ..Self::terms() }).unwrap();
        Action::SetPeer { peer: City::name(self.peer), peering }
    }

    /// The bank is ready to give so much.
    pub(super) fn ready(&self, ready: u64) -> Action {
        let partner = if self.bank == "bank-a" { "harbour-bank" } else { "bank-a" };
        let rate = Rate { take: 1, give: 1, until: City::START.plus_seconds(LONG) };
        let one = Correspondent { there: City::name(partner), rate: Some(rate), ready };
        Action::Correspond { peer: City::name(self.peer), correspondent: Some(one) }
    }

    pub(super) fn sending(&self, payer: u128, payee: u128, minor: u64, seconds: u64) -> Action {
        let partner = City::name(self.bank);
        let sending = Sending {
            payer: AccountId::new(payer),
            peer: City::name(self.peer),
            payee: AccountId::new(payee),
            amount: self.city.amount(minor),
            foreign: yufu_base::Amount::new(self.currency_there, minor),
            correspondent: partner,
            expires: self.now().plus_seconds(seconds),
            order: Digest::ZERO,
            authorisation: Authorisation::Ordinary,
        };
        Action::SendAbroad { sending: Box::new(sending) }
    }

    /// An order under a fresh id.
    pub(super) fn signed(&mut self, by: &str, action: Action) -> Submission {
        self.ids = self.ids.saturating_add(1);
        // What the two ledgers' central banks say is told apart by who says it.
        let id = CommandId::at(self.now(), self.ids);
        self.city.signed(by, id, action)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.around.clock.read().wall
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.around.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) fn peer(&self) -> InstitutionId {
        City::name(self.peer)
    }

    pub(super) fn node(&self) -> Result<&Node, String> {
        self.node.as_ref().ok_or_else(|| "no node runs".to_owned())
    }

    /// Ends the node, if one runs, and starts another one; whether from a snapshot.
    pub(super) fn restart(&mut self) -> Result<bool, String> {
        if self.node.take().is_some() {
            self.crash_points = self.crash_points.saturating_add(1);
        }
        self.start()
    }

    /// Another node takes over from one that still runs.
    pub(super) fn fail_over(&mut self) -> Result<(), String> {
        let former = self.node.take();
        self.start()?;
        self.crash_points = self.crash_points.saturating_add(1);
        drop(former);
        Ok(())
    }

    fn start(&mut self) -> Result<bool, String> {
        let snapshots = yufu_engine::snapshots_in(self.folder.path());
        let from_snapshot = snapshots.is_ok_and(|files| !files.is_empty());
        for _ in 0..4 {
            match Node::start(&self.around, self.folder.path()) {
                Ok(node) => {
                    if matches!(node.status(), Status::ClockJumped(_)) {
                        node.confirm_clock();
                    }
                    self.node = Some(node);
                    return Ok(from_snapshot);
                }
                Err(error) if is_hitch(&error) => {}
                Err(error) => return Err(format!("a node does not start: {error}")),
            }
        }
        Err("a node does not start, though the log answers".to_owned())
    }

    /// Starts the node again if it stopped.
    pub(super) fn recover(&mut self) -> Result<(), String> {
        match self.node()?.status() {
            Status::Stopped(_) => self.restart().map(drop),
            Status::ClockJumped(_) => {
                self.node()?.confirm_clock();
                Ok(())
            }
            Status::Running | Status::Refusing(_) => Ok(()),
        }
    }

    /// No fault is planned any more, and a node runs.
    pub(super) fn calm(&mut self) -> Result<(), String> {
        self.around.store.calm();
        self.restart().map(drop)
    }

    /// Submits one command, of which the store does what `fate` says; what is known of its outcome.
    pub(super) fn submit(
        &mut self,
        command: Submission,
        fate: Fate,
    ) -> Result<Option<Outcome>, String> {
        if fate == Fate::Kept {
            // Reading back may fail too: then nobody knows.
            self.around.store.plan(Fate::KeptUnread);
        } else {
            self.around.store.plan(fate);
        }
        let answers = self.node()?.submit(vec![command])?;
        self.around.store.calm();
        self.recover()?;
        Ok(answers.ok().and_then(|all| all.into_iter().next()).map(|(_, outcome)| outcome))
    }

    pub(super) fn hinder(&self) {
        self.around.store.hinder(Hitch::SealLost);
    }

    /// Applies what is durable and was not, telling the replica after each record.
    pub(super) fn follow(
        &mut self,
        mut tell: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let log = self.around.store.open();
        let records: Vec<_> = VerifiedRecords::new(&log, self.replica.head()).collect();
        for record in records {
            let record = record.map_err(|error| error.to_string())?;
            self.replica.apply(&record).map_err(|error| error.to_string())?;
            tell(self)?;
        }
        Ok(())
    }

    pub(super) fn sent(&self) -> u64 {
        self.replica.machine().peers().first().map_or(0, |peer| peer.sent)
    }

    /// Whether the node that runs comes to what the replica came to.
    pub(super) fn agrees(&self) -> Result<bool, String> {
        use yufu_base::StateMachine as _;
        let state = self.node()?.state()?;
        let own: (Digest, Head) = (self.replica.machine().state_hash(), self.replica.head());
        Ok(state == Some(own))
    }
}
