//! The pseudonyms of one person at two parties are as far from each other as those of two people. Equal ones there are
//! none; and bit by bit, of people whose secrets are fixed here, so that it comes out the same each time, they agree as
//! often. It is a look at the obvious: why more does not help either is said in ADR 0037.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "test code: to fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use support::*;
use yufu_anonymous::*;
use yufu_jose::decode_base64url;

const PEOPLE: u16 = 100;

#[test]
fn what_two_parties_know_a_person_by_agrees_no_more_than_what_they_know_two_people_by() {
    let held = World::new().person(2).held;
    let at = |seed: u16, party: &str| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&seed.to_be_bytes());
        // The pseudonym is of the secret and the party; whose credential it is shown with is all the same to it.
        let secret = HolderSecret::derive(&bytes).unwrap();
        let shown = held.show(&secret, &BTreeSet::new(), &Context::of_party(party), &bound("n"));
        decode_base64url(shown.unwrap().pseudonym().to_string()).unwrap()
    };
    let known = |party: &str| (0..PEOPLE).map(|seed| at(seed, party)).collect::<Vec<_>>();
    let (cinema, club) = (known("cinema"), known("club"));
    let all: BTreeSet<&Vec<u8>> = cinema.iter().chain(&club).collect();
    assert_eq!(all.len(), 2 * usize::from(PEOPLE), "two are equal");

    let agreeing = |one: &[u8], other: &[u8]| -> u32 {
        one.iter().zip(other).map(|(one, other)| (one ^ other).count_zeros()).sum()
    };
    let (mut above, mut of) = (0.0, 0.0);
    for (person, one) in cinema.iter().enumerate() {
        let own = agreeing(one, &club[person]);
        for (_, other) in club.iter().enumerate().filter(|(place, _)| *place != person) {
            let others = agreeing(one, other);
            above += f64::from(u8::from(own > others)) + f64::from(u8::from(own == others)) / 2.0;
            of += 1.0;
        }
    }
    let area: f64 = above / of;
    eprintln!("AUC {area:.3}");
    // Of so many people, chance strays as far as this.
    assert!((area - 0.5).abs() < 0.09, "{area}");
}
