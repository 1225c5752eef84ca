//! What has to hold between two ledgers, at every instant and at the end.

use super::side::Side;
use super::{Between, Which};
use std::collections::BTreeMap;
use yufu_machine::{Machine, Resolution, Transit};

/// What became of what left, by amount: on its way, settled, given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gone {
    in_flight: u128,
    settled: u128,
    given_back: u128,
}

impl Between {
    /// Follows both durable logs record by record, and checks at each.
    pub(super) fn hold(&mut self) -> Result<(), String> {
        let mut known: BTreeMap<bool, Vec<Transit>> = BTreeMap::new();
        for which in Which::BOTH {
            let peer = self.at(which).peer();
            let before = self.at(which).replica.machine().unresolved(&peer, usize::MAX);
            let transits = known.entry(which == Which::One).or_default();
            transits.extend(before);
            let mut seen = Vec::new();
            self.side(which).follow(|side| {
                let machine = side.replica.machine();
                seen.extend(machine.unresolved(&peer, usize::MAX));
                balanced(machine)
            })?;
            transits.extend(seen);
        }
        for which in Which::BOTH {
            let of_sender = known.get(&(which == Which::Other)).map(Vec::as_slice);
            self.arrivals(which, of_sender.unwrap_or_default())?;
        }
        for which in Which::BOTH {
            self.sums(which)?;
        }
        Ok(())
    }

    /// Notes what came for the first time; what came before says the same as then.
    fn arrivals(&mut self, which: Which, sent: &[Transit]) -> Result<(), String> {
        let mut fresh = Vec::new();
        let side = self.side(which);
        let peer = side.peer();
        for transit in sent {
            let Some(now) = side.replica.machine().received(&peer, transit) else { continue };
            let number = transit.number;
            match side.arrived.get(&number) {
                Some((then, _)) if *then != now => {
                    return Err(format!("number {number} came to {then:?} and now to {now:?}"));
                }
                Some(_) => {}
                None => {
                    side.arrived.insert(number, (now, transit.amount.minor()));
                    fresh.push(now);
                }
            }
        }
        let received = side.replica.machine().peers().first().map_or(0, |peer| peer.received);
        if u64::try_from(side.arrived.len()) != Ok(received) {
            return Err(format!("{received} came, and {} were seen", side.arrived.len()));
        }
        fresh.into_iter().for_each(|resolution| self.count_resolution(resolution));
        Ok(())
    }

    /// What left is on its way, settled or given back; each as it came to on the other side; and
    /// what wallets hold follows from that.
    fn sums(&self, which: Which) -> Result<(), String> {
        let (side, opposite) = (self.at(which), self.at(which.opposite()));
        let gone = gone(side, opposite)?;
        let machine = side.replica.machine();
        let Some(view) = machine.peers().pop() else { return Err("no peer".to_owned()) };
        if u128::from(view.in_flight.minor()) != gone.in_flight {
            return Err(format!("{:?} is in flight, and {gone:?} should be", view.in_flight));
        }
        let credited =
            side.arrived.values().filter(|(came_to, _)| *came_to == Resolution::Credited);
        let came = credited.fold(0_u128, |sum, (_, minor)| sum.saturating_add((*minor).into()));
        let left = gone.in_flight.saturating_add(gone.settled);
        let expected = side.began.saturating_add(came).checked_sub(left);
        let holds = machine.supply().wallets;
        if Some(holds) != expected {
            return Err(format!(
                "wallets of {} hold {holds}, and {expected:?} follows from what left and came",
                side.name
            ));
        }
        Ok(())
    }

    /// Nothing is on its way any more, and nodes and replicas agree.
    pub(super) fn resolved(&self) -> Result<(), String> {
        for which in Which::BOTH {
            let side = self.at(which);
            let view = side.replica.machine().peers().pop();
            if view.is_none_or(|view| view.settled_through != view.sent) {
                return Err(format!("something that left {} is not resolved", side.name));
            }
            if !side.agrees()? {
                return Err(format!("the node of {} is not where its log leads", side.name));
            }
        }
        Ok(())
    }

    /// The audit of both logs together, which shares no code with the machine, finds nothing.
    pub(super) fn audited(&self, signed: bool) -> Result<(), String> {
        let [one, other] = [&self.one, &self.other].map(|side| side.around.store.open());
        let report = yufu_audit::audit_between(&one, &other).map_err(|error| error.to_string())?;
        for report in [&report.one, &report.other] {
            let unsigned = |code: &str| !signed && code == "command.signature";
            if let Some(found) = report.findings.iter().find(|finding| !unsigned(finding.code)) {
                return Err(format!("the audit of one log finds: {found:?}"));
            }
        }
        for direction in [&report.there, &report.back] {
            if let Some(found) = direction.findings.first() {
                return Err(format!("the audit of both logs finds: {found:?}"));
            }
            if direction.in_flight != 0 {
                return Err(format!("the audit finds something on its way: {direction:?}"));
            }
        }
        Ok(())
    }
}

fn balanced(machine: &Machine) -> Result<(), String> {
    let supply = machine.supply();
    if supply.balanced { Ok(()) } else { Err(format!("a supply does not hold: {supply:?}")) }
}

/// Where all that left is; what is settled is so as it came to on the other side.
fn gone(side: &Side, opposite: &Side) -> Result<Gone, String> {
    let mut gone = Gone::default();
    for (id, minor) in &side.sends {
        // Without a view it was refused, or never got into the log.
        let Some(view) = side.replica.machine().abroad(*id) else { continue };
        let came_to = opposite.arrived.get(&view.number).map(|(came_to, _)| *came_to);
        let sum = match view.resolution {
            None => &mut gone.in_flight,
            Some(Resolution::Credited) => &mut gone.settled,
            Some(Resolution::Returned(_)) => &mut gone.given_back,
        };
        *sum = sum.saturating_add((*minor).into());
        if view.resolution.is_some() && view.resolution != came_to {
            return Err(format!(
                "number {} is settled as {:?} and came to {came_to:?}",
                view.number, view.resolution
            ));
        }
    }
    Ok(gone)
}
