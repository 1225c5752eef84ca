//! Which notes to spend for an amount, and how many of which size to make.

use yufu_ecash::amount::{fee, split};

/// A note as far as choosing looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) amount: u64,
    pub(crate) fee_ppk: u64,
    /// Of a keyset that is on its way out: spent first.
    pub(crate) old: bool,
}

/// Notes chosen, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) places: Vec<usize>,
    pub(crate) sum: u64,
    pub(crate) fee: u64,
}

/// Notes of exactly `amount`. As each size divides the next, the greatest that fit find them if there are any.
pub(crate) fn exactly(notes: &[Candidate], amount: u64) -> Option<Vec<usize>> {
    let (places, rest) = fitting(notes, amount);
    (rest == 0).then_some(places)
}

/// Notes of at least `amount` and the fee of spending them.
pub(crate) fn covering(notes: &[Candidate], amount: u64) -> Option<Chosen> {
    let mut target = amount;
    // Each round adds a note or succeeds.
    for _ in 0..=notes.len() {
        let (mut places, rest) = fitting(notes, target);
        if rest > 0 {
            let others = (0..).zip(notes).filter(|(place, _)| !places.contains(place));
            let (least, _) = others.min_by_key(|(_, note)| note.amount)?;
            places.push(least);
        }
        let picked = || places.iter().filter_map(|place| notes.get(*place));
        let sum = picked().try_fold(0_u64, |sum, note| sum.checked_add(note.amount))?;
        let fee = fee(picked().map(|note| note.fee_ppk)).ok()?;
        let needed = amount.checked_add(fee)?;
        if sum >= needed {
            return Some(Chosen { places, sum, fee });
        }
        target = needed.max(target.saturating_add(1));
    }
    None
}

/// The greatest notes that fit into `amount` one after the other, old ones first, and what is left of it.
fn fitting(notes: &[Candidate], amount: u64) -> (Vec<usize>, u64) {
    let mut order: Vec<(usize, &Candidate)> = notes.iter().enumerate().collect();
    order.sort_by_key(|(_, note)| (!note.old, std::cmp::Reverse(note.amount)));
    let (mut places, mut rest) = (Vec::new(), amount);
    for (place, note) in order {
        if let Some(less) = rest.checked_sub(note.amount) {
            places.push(place);
            rest = less;
        }
    }
    (places, rest)
}

/// Sizes of notes that are worth `amount` after the fee of spending them all, and their sum.
pub(crate) fn worth_after_fee(amount: u64, fee_ppk: u64) -> Option<Vec<u64>> {
    for count in 1..=u64::from(u64::BITS) {
        let sum = amount.checked_add(fee(std::iter::once(fee_ppk.checked_mul(count)?)).ok()?)?;
        if let Some(sizes) = split_into(sum, usize::try_from(count).ok()?) {
            return Some(sizes);
        }
    }
    None
}

/// `amount` as exactly `count` powers of two, smallest first.
fn split_into(amount: u64, count: usize) -> Option<Vec<u64>> {
    let mut sizes = split(amount);
    if sizes.len() > count || u64::try_from(count).ok()? > amount {
        return None;
    }
    while sizes.len() < count {
        let greatest = sizes.pop()?;
        let half = greatest.checked_div(2)?;
        sizes.extend([half, half]);
        sizes.sort_unstable();
    }
    Some(sizes)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notes(exponents: &[u32], fee_ppk: u64) -> Vec<Candidate> {
        exponents.iter().map(|e| Candidate { amount: 1 << e, fee_ppk, old: e % 3 == 0 }).collect()
    }

    #[test]
    fn notes_of_a_keyset_on_its_way_out_are_spent_first() {
        let notes = [
            Candidate { amount: 4, fee_ppk: 0, old: false },
            Candidate { amount: 4, fee_ppk: 0, old: true },
        ];
        assert_eq!(exactly(&notes, 4), Some(vec![1]));
    }

    #[test]
    fn the_fee_of_the_notes_is_covered_too_or_nothing_is_chosen() {
        let four = notes(&[2, 2], 1000);
        let chosen = covering(&four, 4).unwrap();
        assert_eq!((chosen.sum, chosen.fee), (8, 2));
        assert_eq!(covering(&four, 7), None);
        assert_eq!(worth_after_fee(4, 1000).map(|sizes| sizes.iter().sum::<u64>()), Some(6));
        assert_eq!(worth_after_fee(7, 0), Some(vec![1, 2, 4]));
    }

    proptest! {
        #[test]
        fn whatever_can_be_paid_exactly_is_found(
            exponents in prop::collection::vec(0_u32..10, 1..12),
            chosen: u16,
        ) {
            // All new, or all old: across the two, the old ones go first even if that needs change.
            let notes: Vec<Candidate> = exponents
                .iter()
                .map(|e| Candidate { amount: 1 << e, fee_ppk: 0, old: false })
                .collect();
            let subset = notes.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1);
            let amount: u64 = subset.map(|(_, note)| note.amount).sum();
            let found = exactly(&notes, amount).unwrap();
            prop_assert_eq!(found.iter().map(|place| notes[*place].amount).sum::<u64>(), amount);
        }

        #[test]
        fn what_is_chosen_covers_amount_and_fee_and_fails_only_when_all_do_not(
            exponents in prop::collection::vec(0_u32..10, 1..12),
            fee_ppk in 0_u64..1200,
            amount in 1_u64..3000,
        ) {
            let notes = notes(&exponents, fee_ppk);
            match covering(&notes, amount) {
                Some(chosen) => prop_assert!(chosen.sum >= amount + chosen.fee),
                None => {
                    let all: u64 = notes.iter().map(|note| note.amount).sum();
                    let fee = fee(notes.iter().map(|note| note.fee_ppk)).unwrap();
                    // A note may cost more than it is worth: then fewer would do, and that is rare.
                    prop_assert!(fee_ppk > 0 || all < amount + fee);
                }
            }
        }

        #[test]
        fn outputs_are_worth_the_amount_after_their_fee(amount in 1_u64..1 << 40, ppk in 0_u64..3000) {
            if let Some(sizes) = worth_after_fee(amount, ppk) {
                let cost = fee(sizes.iter().map(|_| ppk)).unwrap();
                prop_assert_eq!(sizes.iter().sum::<u64>(), amount + cost);
                prop_assert!(sizes.iter().all(|size| size.is_power_of_two()));
            }
        }
    }
}
