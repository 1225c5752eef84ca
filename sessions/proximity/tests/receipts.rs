//! The reader's last word to the device: a receipt of what was shown, in the session that they had.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use support::*;
use yufu_mdoc::{SessionData, SessionStatus};
use yufu_proximity::{AwaitingReceipt, NoReceipt, ReaderIdentity, Shown};
use yufu_trust::{Localized, Receipt, ReceiptKind};

const AGE: &str = "age_equal_or_over.18";

/// Somebody was shown an age: the reader's side, the device's, and what the device noted.
fn shown(world: &World, seed: u8) -> (Shown, AwaitingReceipt, Receipt, String) {
    let device = device(seed);
    let (waiting, message) = world.ask(&device.qr(), &[AGE]);
    let asked = device.handle(&message, &world.offline()).unwrap();
    let conversation = asked.conversation();
    let (answer, own, awaiting) =
        asked.approve_for_receipt(&world.document(2), &key(2), NOW).unwrap();
    let shown = waiting.open(&answer, &world.trust, NOW).unwrap();
    (shown, awaiting, own, conversation)
}

fn thank(world: &World, shown: Shown) -> Vec<u8> {
    let who =
        ReaderIdentity { chain: &world.access.chain, signer: &world.access.key, registration: "" };
    let purpose = Localized::new("en", "Serve you a drink");
    shown.check_and_thank(&world.offline(), who, purpose).unwrap().1
}

#[test]
fn a_device_gets_the_readers_receipt_of_exactly_what_it_showed() {
    let world = World::new();
    let (shown, awaiting, own, conversation) = shown(&world, 1);
    let receipt = awaiting.take(&thank(&world, shown)).unwrap();
    let key = yufu_base::Signer::public_key(&world.access.key);
    let theirs = Receipt::verify(&receipt, &key, ReceiptKind::Accepted, &conversation).unwrap();
    assert_eq!((&theirs.party, &theirs.disclosed), (&own.party, &own.disclosed));
    assert_eq!(theirs.retained_until, None, "nothing is kept");
}

#[test]
fn a_receipt_of_another_conversation_or_by_another_key_is_not_kept() {
    let world = World::new();
    let (first, _, _, _) = shown(&world, 1);
    let (_, awaiting, _, _) = shown(&world, 3);
    let other = awaiting.take(&thank(&world, first));
    assert!(matches!(other, Err(NoReceipt::Session(_))), "{other:?}");
    let (shown, awaiting, _, _) = shown(&world, 1);
    let stranger = party();
    let who =
        ReaderIdentity { chain: &world.access.chain, signer: &stranger.key, registration: "" };
    let purpose = Localized::new("en", "Serve you a drink");
    let (_, message) = shown.check_and_thank(&world.offline(), who, purpose).unwrap();
    assert!(matches!(awaiting.take(&message), Err(NoReceipt::Receipt(_))));
}

#[test]
fn a_reader_of_another_house_gives_none() {
    let world = World::new();
    let (_, awaiting, _, _) = shown(&world, 1);
    let over = SessionData { data: None, status: Some(SessionStatus::Termination) }.encode();
    assert_eq!(awaiting.take(&over), Err(NoReceipt::Silent));
}
