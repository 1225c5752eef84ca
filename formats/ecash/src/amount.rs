//! Sums, splits and fees of notes: whole minor units of a keyset's unit, checked.

/// The sum of some notes does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sum is above what 64 bits hold: send fewer or smaller notes")]
pub struct SumOverflow;

/// The sum of amounts.
///
/// # Errors
/// [`SumOverflow`].
pub fn total(amounts: impl IntoIterator<Item = u64>) -> Result<u64, SumOverflow> {
    amounts.into_iter().try_fold(0_u64, u64::checked_add).ok_or(SumOverflow)
}

/// `amount` as the fewest powers of two, smallest first: the order of outputs that says least (NUT-03).
#[must_use]
pub fn split(amount: u64) -> Vec<u64> {
    (0..u64::BITS).map(|bit| 1_u64 << bit).filter(|power| amount & power != 0).collect()
}

/// `amount` as the fewest of the powers of two of which the greatest is `greatest`, smallest first;
/// `None` if `greatest` is no power of two, or more than `most` notes are needed.
#[must_use]
pub fn split_within(amount: u64, greatest: u64, most: usize) -> Option<Vec<u64>> {
    if !greatest.is_power_of_two() {
        return None;
    }
    let whole = amount.checked_div(greatest)?;
    let mut notes = split(amount.checked_rem(greatest)?);
    let count = usize::try_from(whole).ok()?;
    if notes.len().checked_add(count)? > most {
        return None;
    }
    notes.extend(std::iter::repeat_n(greatest, count));
    Some(notes)
}

/// The fee of spending inputs whose keysets ask these parts per thousand, rounded up (NUT-02).
///
/// # Errors
/// [`SumOverflow`].
pub fn fee(parts_per_thousand: impl IntoIterator<Item = u64>) -> Result<u64, SumOverflow> {
    Ok(total(parts_per_thousand)?.div_ceil(1000))
}

/// How many blank outputs can carry any change up to `reserve` (NUT-08).
#[must_use]
pub const fn blank_outputs(reserve: u64) -> u32 {
    match reserve {
        0 => 0,
        1 => 1,
        _ => u64::BITS.saturating_sub(reserve.saturating_sub(1).leading_zeros()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fee_is_rounded_up_over_all_inputs_nut02() {
        for (inputs, expected) in [(0, 0), (1, 1), (3, 1), (10, 1), (11, 2)] {
            assert_eq!(fee(vec![100; inputs]), Ok(expected));
        }
        assert_eq!(fee([u64::MAX, 1]), Err(SumOverflow));
    }

    #[test]
    fn blank_outputs_carry_any_change_nut08() {
        for (reserve, count) in
            [(0, 0), (1, 1), (2, 1), (3, 2), (1000, 10), (1024, 10), (1025, 11), (u64::MAX, 64)]
        {
            assert_eq!(blank_outputs(reserve), count, "{reserve}");
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_is_refused() {
        assert_eq!(total([u64::MAX, 1]), Err(SumOverflow));
        assert_eq!(total([1, 2]), Ok(3));
    }

    #[test]
    fn a_split_repeats_the_greatest_note_and_keeps_to_its_bound() {
        assert_eq!(split_within(21, 8, 5), Some(vec![1, 4, 8, 8]));
        assert_eq!(split_within(u64::MAX, 1, 1000), None);
        assert_eq!(split_within(1, 3, 5), None);
    }

    proptest! {
        #[test]
        fn a_split_sums_to_its_amount_and_ascends(amount: u64) {
            let notes = split(amount);
            prop_assert_eq!(total(notes.iter().copied()), Ok(amount));
            prop_assert!(notes.is_sorted());
        }
    }
}
