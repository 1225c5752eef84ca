//! The wire format: borsh of one sample of each action. A log written today is read for ever,
//! so a changed snapshot needs a new machine version.

use super::support::*;
use crate::{
    Action, Authorisation, Chain, Correspondent, Deadlines, Direction, HoldingRules, HoldingTerms,
    Input, KeysetNumber, KeysetTerms, Melting, Minting, NoteRules, NoteTerms, Order, Orders,
    Output, Payees, PeerTerms, Peering, Point, Rate, Refusal, Resolution, ReturnReason, Sending,
    SubLimits, Submission, Swapping, Transit,
};
use std::collections::BTreeSet;
use yufu_base::{Amount, CommandId, Currency, Digest, StateMachine};

fn samples() -> Vec<(&'static str, Action)> {
    let bank = || name("bank-a");
    let amount = cny(1800);
    let rules = HoldingRules::new(HoldingTerms {
        aggregate_balance: [(class("IV"), 5)].into(),
        dormant_after_days: Some(7),
    })
    .unwrap();
    let exchange = |direction| Action::Exchange { direction, amount };
    vec![
        ("genesis", genesis()),
        ("register_bank", Action::RegisterBank { bank: bank(), key: key(1) }),
        ("replace_key", Action::ReplaceKey { institution: bank(), key: key(2) }),
        ("set_policy", Action::SetPolicy { policy: policy() }),
        ("create_reserves", Action::CreateReserves { bank: bank(), amount }),
        ("cancel_reserves", Action::CancelReserves { bank: bank(), amount }),
        ("issue", Action::Issue { bank: bank(), amount }),
        ("redeem", Action::Redeem { bank: bank(), amount }),
        ("supply_paper", Action::SupplyPaper { bank: bank(), amount }),
        ("return_paper", Action::ReturnPaper { bank: bank(), amount }),
        ("open_wallet", Action::OpenWallet { account: ALICE, class: class("IV") }),
        ("credit_deposits", Action::CreditDeposits { amount }),
        ("paper_to_digital", exchange(Direction::PaperToDigital(ALICE))),
        ("digital_to_paper", exchange(Direction::DigitalToPaper(ALICE))),
        ("deposit_to_digital", exchange(Direction::DepositToDigital(ALICE))),
        ("digital_to_deposit", exchange(Direction::DigitalToDeposit(ALICE))),
        ("paper_to_deposit", exchange(Direction::PaperToDeposit)),
        ("deposit_to_paper", exchange(Direction::DepositToPaper)),
        ("pay", pay(ALICE, CAROL, 1800)),
        ("pay_stepped_up", stepped_up(ALICE, CAROL, 1800)),
        ("set_holding_rules", Action::SetHoldingRules { rules }),
        ("set_class", Action::SetClass { account: ALICE, class: class("III") }),
        ("close_wallet", Action::CloseWallet { account: ALICE }),
        ("flag_dormant", Action::FlagDormant { account: ALICE }),
        ("reactivate", Action::Reactivate { account: ALICE, evidence: Digest::of(b"shown") }),
        (
            "open_sub_wallet",
            Action::OpenSubWallet {
                account: BOB,
                parent: ALICE,
                payee: SHOP,
                limits: SubLimits { per_payment: 1, per_day: 2, balance: 3 },
                order: Digest::of(b"order"),
            },
        ),
        (
            "fund_sub_wallet",
            Action::FundSubWallet { account: BOB, amount, order: Digest::of(b"order") },
        ),
    ]
}

/// What version 2 added.
fn samples_of_version_2() -> Vec<(&'static str, Action)> {
    let (amount, order) = (cny(1800), Digest::of(b"order"));
    let (authorisation, expires) = (Authorisation::Ordinary, START.plus_seconds(60));
    let (payer, payee, of) = (ALICE, CAROL, CommandId::at(START, 3));
    let linked = Order { id: CommandId::at(START, 8), action: pay(ALICE, CAROL, 1) };
    let chain = Action::Chain { orders: Chain::new(vec![linked.clone()]).unwrap() };
    let chained = Order { id: CommandId::at(START, 9), action: chain.clone() };
    let deadlines = Deadlines::new(deadlines()).unwrap();
    vec![
        ("activate_version", Action::ActivateVersion { version: 2 }),
        ("register_authority", Action::RegisterAuthority { authority: name("court"), key: key(1) }),
        ("set_deadlines", Action::SetDeadlines { deadlines: Some(deadlines) }),
        ("each", Action::Each { orders: Orders::new(vec![linked, chained]).unwrap() }),
        ("chain", chain),
        (
            "pay_available",
            Action::PayAvailable { payer, payee, most: amount, close: true, order, authorisation },
        ),
        (
            "hold_payment",
            Action::HoldPayment { payer, payee, amount, expires, order, authorisation },
        ),
        ("post_hold", Action::PostHold { hold: of, amount }),
        ("release_hold", Action::ReleaseHold { hold: of }),
        ("refund", Action::Refund { of, amount, order }),
        ("dispute_payment", Action::DisputePayment { of, amount, expires, evidence: order }),
        ("correct", Action::Correct { of, amount, reason: order }),
        (
            "order_freeze",
            Action::OrderFreeze { account: ALICE, legal_reference: order, until: expires },
        ),
        ("confirm_freeze", Action::ConfirmFreeze { freeze: of }),
        ("lift_freeze", Action::LiftFreeze { freeze: of }),
    ]
}

/// What version 3 added.
fn samples_of_version_3() -> Vec<(&'static str, Action)> {
    let currency = Currency::new("XTS").unwrap();
    let (peer, order, expires) = (name("reserve-house"), Digest::of(b"order"), START);
    let peering = Peering::new(PeerTerms {
        address: "https://ledger.example".to_owned(),
        open: true,
        most_unresolved: 7,
        most_days: 2,
    })
    .unwrap();
    let rate = Some(Rate { take: 2, give: 3, until: START });
    let correspondent = Some(Correspondent { there: name("harbour-bank"), rate, ready: 5 });
    let foreign = Amount::new(currency, 2700);
    let sending = Sending {
        payer: ALICE,
        peer: peer.clone(),
        payee: CAROL,
        amount: cny(1800),
        foreign,
        correspondent: name("bank-b"),
        expires,
        order,
        authorisation: Authorisation::Ordinary,
    };
    let transit = Transit {
        number: 4,
        payee: CAROL,
        amount: foreign,
        from: name("bank-b"),
        to: name("harbour-bank"),
        expires,
        order,
    };
    let settle = |resolution| {
        let ledger = name(CENTRAL_BANK);
        Action::SettleTransit { ledger, number: 4, resolution }
    };
    let (ledger, key) = (peer.clone(), key(1));
    vec![
        (
            "register_peer",
            Action::RegisterPeer { peer: peer.clone(), key, currency, peering: peering.clone() },
        ),
        ("set_peer", Action::SetPeer { peer: peer.clone(), peering }),
        ("correspond", Action::Correspond { peer, correspondent }),
        ("send_abroad", Action::SendAbroad { sending: Box::new(sending) }),
        (
            "receive_from_abroad",
            Action::ReceiveFromAbroad { ledger, transit: Box::new(transit), settled: 3 },
        ),
        ("settle_transit", settle(Resolution::Credited)),
        ("settle_transit_returned", settle(Resolution::Returned(ReturnReason::PayeeFull))),
    ]
}

/// What version 4 added.
fn samples_of_version_4() -> Vec<(&'static str, Action)> {
    let keyset = KeysetNumber(3);
    let terms = KeysetTerms {
        denominations: 16,
        input_fee_ppk: 100,
        final_expiry: START,
        payees: Payees::Registered,
    };
    let rules = NoteRules::new(NoteTerms {
        per_withdrawal: Some(1),
        per_day: Some(2),
        per_year: Some(3),
        per_redemption: None,
        payees: [class("I")].into(),
        least_promised: 100,
    })
    .unwrap();
    let inputs = vec![Input { keyset, amount: 4, point: Point([2; 33]) }];
    let outputs = vec![Output { keyset, amount: 2, blinded: Point([3; 33]) }];
    let (order, authorisation) = (Digest::of(b"order"), Authorisation::Ordinary);
    let minting = Minting { payer: ALICE, outputs: outputs.clone(), order, authorisation };
    let swapping = Swapping { inputs: inputs.clone(), outputs: outputs.clone() };
    let melting = Melting { inputs, payee: SHOP, change: outputs, quote: order };
    vec![
        ("set_note_rules", Action::SetNoteRules { rules: Some(rules) }),
        ("register_keyset", Action::RegisterKeyset { keys: order, terms }),
        ("deactivate_keyset", Action::DeactivateKeyset { keyset }),
        ("expire_keyset", Action::ExpireKeyset { keyset }),
        ("mint_notes", Action::MintNotes { minting: Box::new(minting) }),
        ("swap_notes", Action::SwapNotes { swapping: Box::new(swapping) }),
        ("melt_notes", Action::MeltNotes { melting: Box::new(melting) }),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_wire_format_of_commands_does_not_drift() {
    let lines: Vec<String> = samples()
        .into_iter()
        .map(|(label, action)| format!("{label} {}", hex(&borsh::to_vec(&action).unwrap())))
        .collect();
    insta::assert_snapshot!("actions", lines.join("\n"));
    let whole = submission("bank-a", CommandId::at(START, 7), pay(ALICE, CAROL, 1800));
    insta::assert_snapshot!("submission", hex(&borsh::to_vec(&whole).unwrap()));
    let signed = Submission::signing_bytes(&whole.institution, &whole.order);
    insta::assert_snapshot!("signing_bytes", hex(&signed));
}

#[test]
fn a_command_decodes_to_what_was_encoded() {
    for (label, action) in samples()
        .into_iter()
        .chain(samples_of_version_2())
        .chain(samples_of_version_3())
        .chain(samples_of_version_4())
    {
        let command = submission("bank-a", CommandId::at(START, 7), action);
        let bytes = borsh::to_vec(&command).unwrap();
        assert_eq!(borsh::from_slice::<Submission>(&bytes).unwrap(), command, "{label}");
    }
}

#[test]
fn the_state_hash_of_version_1_does_not_drift() {
    let mut city = City::furnished();
    city.submit("bank-a", pay(ALICE, BOB, 450)).unwrap_err();
    city.done("bank-a", pay(ALICE, CAROL, 18));
    assert_eq!(city.machine.version(), 1);
    insta::assert_snapshot!("state_hash", city.machine.state_hash().to_string());
}

#[test]
fn the_wire_format_of_version_2_does_not_drift() {
    let lines: Vec<String> = samples_of_version_2()
        .into_iter()
        .map(|(label, action)| format!("{label} {}", hex(&borsh::to_vec(&action).unwrap())))
        .collect();
    insta::assert_snapshot!("actions_of_version_2", lines.join("\n"));
    for (label, action) in samples_of_version_2() {
        let since = if label == "activate_version" { 1 } else { 2 };
        assert_eq!(action.since(), since, "{label}");
    }
    assert!(samples().iter().all(|(_, action)| action.since() == 1));
}

#[test]
fn the_wire_format_of_version_3_does_not_drift() {
    let lines: Vec<String> = samples_of_version_3()
        .into_iter()
        .map(|(label, action)| format!("{label} {}", hex(&borsh::to_vec(&action).unwrap())))
        .collect();
    insta::assert_snapshot!("actions_of_version_3", lines.join("\n"));
    assert!(samples_of_version_3().iter().all(|(_, action)| action.since() == 3));
}

#[test]
fn the_wire_format_of_version_4_does_not_drift() {
    let lines: Vec<String> = samples_of_version_4()
        .into_iter()
        .map(|(label, action)| format!("{label} {}", hex(&borsh::to_vec(&action).unwrap())))
        .collect();
    insta::assert_snapshot!("actions_of_version_4", lines.join("\n"));
    assert!(samples_of_version_4().iter().all(|(_, action)| action.since() == 4));
    // No action makes the others larger, of which a list has thousands.
    assert_eq!(size_of::<Action>(), 160);
}

#[test]
fn each_reason_of_a_return_has_its_number_and_code() {
    let codes: BTreeSet<&str> = ReturnReason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), ReturnReason::ALL.len());
    for (place, reason) in (0_u8..).zip(ReturnReason::ALL) {
        assert_eq!(borsh::to_vec(&reason).unwrap(), [place]);
    }
}

#[test]
fn the_outcome_of_a_list_reads_back_as_it_was() {
    let mut city = City::current();
    let orders = [pay(ALICE, SHOP, 1), pay(ALICE, SHOP, 999)];
    let outcome = city.each("bank-a", orders);
    let bytes = borsh::to_vec(&outcome).unwrap();
    let each = outcome.as_ref().unwrap().each.as_deref().unwrap();
    assert!(each[0].is_ok());
    assert!(matches!(each[1], Err(Refusal::InsufficientFunds { .. })));
    assert_eq!(borsh::from_slice::<crate::Outcome>(&bytes).unwrap(), outcome);
}
