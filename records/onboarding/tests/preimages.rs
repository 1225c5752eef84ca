//! What opened notes: kept once, told to whoever asks, forgotten with the keyset.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{Onboarding, Opened};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn records() -> Onboarding {
    let database = Database::in_memory().await.unwrap();
    let sealer =
        Sealer::open(Database::in_memory().await.unwrap(), &MasterKey::new([7; 32])).await.unwrap();
    Onboarding::open(database, Arc::new(sealer)).await.unwrap()
}

const fn opened(note: u8, preimage: u8, over: Timestamp) -> Opened {
    Opened { point: [note; 33], preimage: [preimage; 32], over }
}

#[tokio::test]
async fn what_opened_a_note_is_told_until_its_keyset_is_over_and_the_first_word_stays() {
    let records = records().await;
    let (soon, late) = (NOW.plus_seconds(60), NOW.plus_seconds(600));
    records.keep_preimages(&[]).await.unwrap();
    records.keep_preimages(&[opened(1, 11, soon), opened(2, 12, late)]).await.unwrap();
    // The same request once more, and another one with the same note.
    records.keep_preimages(&[opened(1, 99, late), opened(3, 13, late)]).await.unwrap();
    let all = [[1; 33], [2; 33], [3; 33], [4; 33]];
    let known = records.preimages(&all).await.unwrap();
    let told = |notes: &[(u8, u8)]| {
        notes.iter().map(|(note, shown)| ([*note; 33], [*shown; 32])).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(known, told(&[(1, 11), (2, 12), (3, 13)]));
    assert_eq!(records.preimages(&[]).await.unwrap(), BTreeMap::new());

    assert_eq!(records.forget_preimages(NOW).await.unwrap(), 0);
    assert_eq!(records.forget_preimages(soon).await.unwrap(), 1);
    assert_eq!(records.preimages(&all).await.unwrap(), told(&[(2, 12), (3, 13)]));
}
