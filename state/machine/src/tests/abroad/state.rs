//! The state with what is on its way: read back as it was, refused when torn, bounded.

use super::*;
use crate::Machine;
use yufu_base::Snapshot as _;

fn written(machine: &Machine) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.write_state(&mut bytes).unwrap();
    bytes
}

/// One settled, one delivered, one on its way.
fn under_way() -> Pair {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.sent(sending(DORA, 2, 3));
    }
    pair.resolve(1);
    pair.deliver(2).unwrap();
    pair
}

#[test]
fn a_state_with_money_in_flight_is_read_back_and_goes_on_alike() {
    let mut pair = under_way();
    let mut read = pair.clone();
    for city in [&mut read.here, &mut read.there] {
        let bytes = written(&city.machine);
        let hash = city.machine.state_hash();
        city.machine = Machine::read_state(&mut bytes.as_slice()).unwrap();
        assert_eq!(city.machine.state_hash(), hash);
    }
    for pair in [&mut pair, &mut read] {
        let closing = pair.here.submit("bank-a", Action::CloseWallet { account: ALICE });
        assert_eq!(closing, Err(Refusal::HasHolds(ALICE)));
        pair.here.done(THERE, settle(2, pair.came_to(2).unwrap()));
        pair.later(3_600);
        assert_eq!(pair.resolve(3).code(), "returned.expired");
        assert_eq!(pair.in_flight(), 0);
    }
    assert_eq!(read.here.machine.state_hash(), pair.here.machine.state_hash());
    assert_eq!(read.there.machine.state_hash(), pair.there.machine.state_hash());
}

#[test]
fn a_cut_or_altered_state_is_refused_or_another_one() {
    let pair = under_way();
    for machine in [&pair.here.machine, &pair.there.machine] {
        let (mut bytes, hash) = (written(machine), machine.state_hash());
        for cut in (0..bytes.len()).step_by(7) {
            assert!(Machine::read_state(&mut &bytes[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..bytes.len() {
            bytes[place] ^= 1;
            if let Ok(read) = Machine::read_state(&mut bytes.as_slice()) {
                assert_ne!(read.state_hash(), hash, "altered at {place}");
            }
            bytes[place] ^= 1;
        }
    }
}

#[test]
fn the_state_keeps_what_is_unresolved_and_no_more() {
    let mut pair = Pair::new();
    let mut sizes = Vec::new();
    for number in 1..=12 {
        // Beyond the memory of ids.
        pair.later(8 * 86_400);
        let until = latest(pair.here.now);
        let offer = correspond(THERE, BANK_THERE, Some(Rate { until, ..rate() }), 0);
        pair.here.done("bank-b", offer);
        let expires = pair.here.now.plus_seconds(60);
        pair.sent(Sending { expires, ..sending(STORE, 2, 3) });
        assert_eq!(pair.resolve(number), Resolution::Credited);
        sizes.push((written(&pair.here.machine).len(), written(&pair.there.machine).len()));
    }
    assert_eq!(sizes.get(1), sizes.last(), "{sizes:?}");
}

#[test]
fn version_2_knows_nothing_of_other_ledgers_and_its_state_has_no_place_for_them() {
    let mut city = City::current();
    let register = super::register(THERE, xts(0).currency());
    let refused = city.submit(CENTRAL_BANK, register.clone());
    assert_eq!(refused, Err(Refusal::NotInForce { in_force: 2, needed: 3 }));
    let before = written(&city.machine).len();
    city.done(CENTRAL_BANK, Action::ActivateVersion { version: 3 });
    assert!(written(&city.machine).len() > before);
    city.done(CENTRAL_BANK, register);
}
