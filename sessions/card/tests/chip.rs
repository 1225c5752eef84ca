//! The card by itself: what it lets nobody read, and what ends a session.

#![expect(clippy::unwrap_used, reason = "a test")]

mod support;

use proptest::prelude::*;
use support::{Country, can, random, reading};
use yufu_card::{Chip, Protocols, Turn};
use yufu_emrtd::apdu::{Command, Response, Status};
use yufu_emrtd::file::{APPLICATION, File};

fn chip() -> Chip {
    Country::new(1).chip(Protocols::default())
}

fn ask(chip: &mut Chip, command: &Command) -> Response {
    let mut random = random(1);
    Response::parse(&chip.handle(&command.to_bytes(), &mut random).bytes).unwrap()
}

fn select() -> Command {
    Command::new(0xA4, (4, 0x0C), APPLICATION.to_vec())
}

fn read_binary(file: File) -> Command {
    Command::new(0xB0, (0x80 | file.short(), 0), Vec::new()).expecting(8)
}

#[test]
fn without_a_session_only_the_open_file_is_read() {
    let mut chip = chip();
    assert_eq!(ask(&mut chip, &read_binary(File::CardAccess)).status, Status::OK);
    for file in [File::Common, File::SecurityObject, File::Group(1), File::Group(2)] {
        assert_eq!(ask(&mut chip, &read_binary(file)).status, Status::NOT_FOUND);
    }
    assert_eq!(ask(&mut chip, &select()).status, Status::OK);
    for file in [File::Common, File::SecurityObject, File::Group(1), File::Group(2)] {
        assert_eq!(ask(&mut chip, &read_binary(file)).status, Status::SECURITY);
        let by_name = Command::new(0xA4, (2, 0x0C), file.identifier().to_vec());
        assert_eq!(ask(&mut chip, &by_name).status, Status::SECURITY);
    }
    let sign = Command::new(0x88, (0, 0), vec![7; 8]).expecting(256);
    assert_eq!(ask(&mut chip, &sign).status, Status::SECURITY);
    let prove = Command::new(0x22, (0x41, 0xA4), vec![0x80, 1, 0]);
    assert_eq!(ask(&mut chip, &prove).status, Status::SECURITY);
}

#[test]
fn other_applications_and_commands_are_not_there() {
    let mut chip = chip();
    let other = Command::new(0xA4, (4, 0x0C), vec![0xA0, 0, 0, 0, 3]);
    assert_eq!(ask(&mut chip, &other).status, Status::NOT_FOUND);
    let other = Command::new(0xCA, (0, 0), Vec::new()).expecting(256);
    assert_eq!(ask(&mut chip, &other).status, Status::INSTRUCTION);
    let other = Command { class: 0x80, ..select() };
    assert_eq!(ask(&mut chip, &other).status, Status::CLASS);
    let mut random = random(1);
    let cut_off = chip.handle(&[0, 0xA4, 4], &mut random);
    assert_eq!(cut_off.bytes, [0x67, 0x00]);
}

/// Opens the card and gives the reading that goes on, with its next command.
fn opened(chip: &mut Chip) -> (Vec<u8>, Box<yufu_card::Reading>) {
    let mut random = random(1);
    let mut turn = reading(can(), &Country::new(1).anchors(&[])).begin().unwrap();
    for _ in 0..8 {
        let Turn::Send(command, next) = turn else { unreachable!() };
        turn = next.handle(&chip.handle(&command, &mut random).bytes).unwrap();
    }
    let Turn::Send(command, next) = turn else { unreachable!() };
    (command, next)
}

#[test]
fn a_command_that_is_bare_changed_or_repeated_ends_the_session() {
    let mut random = random(50);
    for change in 0..3 {
        let mut chip = chip();
        let (command, _) = opened(&mut chip);
        let (sent, status) = match change {
            0 => (read_binary(File::Group(1)).to_bytes(), Status::MESSAGING_MISSING),
            1 => {
                let mut changed = command.clone();
                changed[6] ^= 1;
                (changed, Status::MESSAGING_WRONG)
            }
            _ => {
                let first = chip.handle(&command, &mut random);
                assert!(first.bytes.ends_with(&[0x90, 0x00]));
                (command.clone(), Status::MESSAGING_WRONG)
            }
        };
        let answer = Response::parse(&chip.handle(&sent, &mut random).bytes).unwrap();
        assert_eq!(answer, Response::bare(status), "{change}");
        let after = Response::parse(&chip.handle(&command, &mut random).bytes).unwrap();
        assert_eq!(after, Response::bare(Status::CLASS), "the session is over");
    }
}

#[test]
fn power_off_ends_the_session() {
    let mut chip = chip();
    let (command, _) = opened(&mut chip);
    chip.reset();
    let mut random = random(9);
    assert_eq!(chip.handle(&command, &mut random).bytes, [0x6E, 0x00]);
    assert_eq!(ask(&mut chip, &select()).status, Status::OK);
    assert_eq!(ask(&mut chip, &read_binary(File::Group(1))).status, Status::SECURITY);
}

#[test]
fn steps_of_opening_out_of_turn_are_refused() {
    let mut chip = chip();
    let general = |value: &[u8]| {
        let mut command = Command::new(0x86, (0, 0), value.to_vec()).expecting(256);
        command.class = 0x10;
        command
    };
    assert_eq!(ask(&mut chip, &general(&[0x7C, 0])).status, Status::CONDITIONS);
    assert_eq!(ask(&mut chip, &general(&[0x7C])).status, Status::DATA);
    let mutual = Command::new(0x82, (0, 0), vec![0; 40]).expecting(40);
    assert_eq!(ask(&mut chip, &mutual).status, Status::CONDITIONS);
    let challenge = Command::new(0x84, (0, 0), Vec::new()).expecting(8);
    assert_eq!(ask(&mut chip, &challenge).status, Status::CONDITIONS, "not yet selected");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_sent_nothing_personal_comes_out_without_a_session(
        commands in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..32), 1..20)
    ) {
        let mut chip = chip();
        let mut random = random(3);
        let name = "罗".as_bytes();
        for command in commands {
            let answer = chip.handle(&command, &mut random).bytes;
            prop_assert!(answer.len() >= 2);
            prop_assert!(!answer.windows(name.len()).any(|window| window == name));
        }
    }
}
