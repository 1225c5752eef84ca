//! The wire format: borsh of one sample of each action. A log written today is read for ever,
//! so a changed snapshot needs a new machine version.

use super::support::*;
use crate::{Action, Direction, HoldingRules, HoldingTerms, Machine, SubLimits, Submission};
use yufu_base::{CommandId, Digest, StateMachine};

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
    for (label, action) in samples() {
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
    assert_eq!(Machine::VERSION, 1);
    insta::assert_snapshot!("state_hash", city.machine.state_hash().to_string());
}
