//! A portrait that is drawn, not taken: a face of plain shapes whose colours and proportions follow from a seed. The
//! sample city's residents have no photographs, and nobody's is used.

use super::PersonaliseError;
use jpeg_encoder::{ColorType, Encoder};
use yufu_emrtd::Portrait;

const WIDTH: u16 = 240;
const HEIGHT: u16 = 320;
const QUALITY: u8 = 80;

type Colour = [u8; 3];

/// An ellipse: centre, radii, colour.
struct Shape {
    centre: (i64, i64),
    radii: (i64, i64),
    colour: Colour,
}

/// The portrait that follows from a seed.
///
/// # Errors
/// [`PersonaliseError::Portrait`]: does not happen.
pub fn portrait(seed: &[u8; 32]) -> Result<Portrait, PersonaliseError> {
    let shapes = face(seed);
    let mut dots = Vec::with_capacity(
        usize::from(WIDTH).saturating_mul(usize::from(HEIGHT)).saturating_mul(3),
    );
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            dots.extend(colour_at(&shapes, i64::from(x), i64::from(y)));
        }
    }
    let mut image = Vec::new();
    Encoder::new(&mut image, QUALITY)
        .encode(&dots, WIDTH, HEIGHT, ColorType::Rgb)
        .map_err(|_| PersonaliseError::Portrait)?;
    Ok(Portrait { size: (WIDTH, HEIGHT), image })
}

/// Shoulders, hair, neck, face, eyes, mouth: what lies behind first.
fn face(seed: &[u8; 32]) -> Vec<Shape> {
    let mut numbers = seed.iter().copied().cycle();
    let mut number = |below: u8| {
        let drawn = numbers.next().unwrap_or(0);
        i64::from(drawn.checked_rem(below).unwrap_or(0))
    };
    let shade = number(5);
    let skin = mixed([236, 200, 170], [150, 100, 70], shade);
    let dark = mixed(skin, [90, 50, 40], 2);
    let hair = mixed([20, 18, 16], [120, 110, 105], number(5));
    let cloth = mixed([40, 60, 110], [150, 70, 60], number(5));
    let (wide, high) = (58_i64.saturating_add(number(12)), 76_i64.saturating_add(number(12)));
    let apart = 22_i64.saturating_add(number(8));
    let smile = 4_i64.saturating_add(number(6));
    let eyes = 150_i64.saturating_add(number(10));
    let shape = |x: i64, y: i64, across: i64, down: i64, colour: Colour| Shape {
        centre: (x, y),
        radii: (across, down),
        colour,
    };
    let (left, right) = (120_i64.saturating_sub(apart), 120_i64.saturating_add(apart));
    vec![
        shape(120, 330, 112, 84, cloth),
        shape(120, 138, wide.saturating_add(14), high.saturating_add(12), hair),
        shape(120, 240, 28, 46, dark),
        shape(120, 160, wide, high, skin),
        shape(120, 84, wide, 26, hair),
        shape(left, eyes, 9, 5, [250, 250, 250]),
        shape(right, eyes, 9, 5, [250, 250, 250]),
        shape(left, eyes, 4, 4, [30, 20, 15]),
        shape(right, eyes, 4, 4, [30, 20, 15]),
        shape(120, 178, 6, 12, dark),
        shape(120, 208, 20, smile, [160, 70, 70]),
    ]
}

/// A colour `fifths` of the way from one to another.
fn mixed(from: Colour, to: Colour, fifths: i64) -> Colour {
    let mut mixed = from;
    for ((mixed, from), to) in mixed.iter_mut().zip(from).zip(to) {
        let way = i64::from(to).saturating_sub(i64::from(from)).saturating_mul(fifths);
        let value = i64::from(from).saturating_add(way.checked_div(5).unwrap_or(0));
        *mixed = u8::try_from(value).unwrap_or(*mixed);
    }
    mixed
}

fn colour_at(shapes: &[Shape], x: i64, y: i64) -> Colour {
    let within = |shape: &&Shape| {
        let (across, down) = shape.radii;
        let dx = x.saturating_sub(shape.centre.0).saturating_mul(down);
        let dy = y.saturating_sub(shape.centre.1).saturating_mul(across);
        let edge = across.saturating_mul(down);
        let square = |number: i64| number.saturating_mul(number);
        square(dx).saturating_add(square(dy)) <= square(edge)
    };
    shapes.iter().rev().find(within).map_or([225, 230, 235], |shape| shape.colour)
}
