//! A resident's card is read in this process.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(unused_imports, reason = "each test file uses some of it")]

use std::sync::Arc;
use yufu_card::{Access, CardData, CardError, Chip, InProcess, Randomness, Reading, read};
use yufu_emrtd::Anchors;
pub(crate) use yufu_fixtures::cards::{
    CAN, CardCountry as Country, NOW, YEAR, card, holder, years,
};

/// A source of bytes that differ from draw to draw.
pub(crate) fn random(mut seed: u8) -> impl FnMut() -> [u8; 32] {
    move || {
        seed = seed.wrapping_add(1);
        [seed; 32]
    }
}

pub(crate) fn reading(access: Access, anchors: &Arc<Anchors>) -> Reading {
    Reading::new(access, Arc::clone(anchors), NOW, Randomness::draw(random(100)))
}

/// Reads a card in the same process.
pub(crate) fn read_card(
    chip: &mut Chip,
    access: Access,
    anchors: &Arc<Anchors>,
) -> Result<CardData, CardError> {
    let mut random = random(1);
    read(&mut InProcess::new(chip, &mut random), reading(access, anchors))
}

pub(crate) fn can() -> Access {
    Access::can(CAN).unwrap()
}
