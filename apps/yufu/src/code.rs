//! A code that cameras read, drawn with blocks on a terminal: two modules above each other are one character.

use qrcodegen::{QrCode, QrCodeEcc};

/// The quiet zone around a code, in modules.
const QUIET: i32 = 2;

/// The drawing of a text; nothing if it is too long for a code.
pub(crate) fn drawn(text: &str) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else { return String::new() };
    let end = code.size().saturating_add(QUIET);
    let mut drawing = String::new();
    let rows = (-QUIET..end).step_by(2);
    for y in rows {
        for x in -QUIET..end {
            // Dark on the light of the zone, whatever the terminal's colours are.
            let (above, below) = (code.get_module(x, y), code.get_module(x, y.saturating_add(1)));
            drawing.push(match (above, below) {
                (true, true) => ' ',
                (true, false) => '\u{2584}',
                (false, true) => '\u{2580}',
                (false, false) => '\u{2588}',
            });
        }
        drawing.push('\n');
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_with_a_quiet_zone_and_what_is_too_long_is_none() {
        let drawing = drawn("mdoc:owBjMS4w");
        let lines: Vec<Vec<char>> = drawing.lines().map(|line| line.chars().collect()).collect();
        let width = lines.first().map(Vec::len);
        assert!(lines.iter().all(|line| Some(line.len()) == width), "{drawing}");
        assert_eq!(width.map(|width| width.div_ceil(2)), Some(lines.len()));
        assert!(lines.first().is_some_and(|line| line.iter().all(|drawn| *drawn == '\u{2588}')));
        assert_eq!(drawn(&"a".repeat(4_000)), "");
    }
}
