//! Values to bytes: one encoding each.

use super::Value;

impl Value {
    /// The encoding. Members of maps stand in the order in which the map has them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Unsigned(number) => head(out, 0, *number),
            Self::Negative(number) => head(out, 1, *number),
            Self::Bytes(bytes) => {
                head(out, 2, length(bytes.len()));
                out.extend_from_slice(bytes);
            }
            Self::Text(text) => {
                head(out, 3, length(text.len()));
                out.extend_from_slice(text.as_bytes());
            }
            Self::Array(items) => {
                head(out, 4, length(items.len()));
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(members) => {
                head(out, 5, length(members.len()));
                for (key, value) in members {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Tag(tag, inner) => {
                head(out, 6, *tag);
                inner.write(out);
            }
            Self::Bool(false) => out.push(0xf4),
            Self::Bool(true) => out.push(0xf5),
            Self::Null => out.push(0xf6),
        }
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The major type with its argument, as short as it can be (RFC 8949, 4.2.1).
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let kind = major << 5;
    if let Ok(byte) = u8::try_from(argument) {
        if byte < 24 {
            out.push(kind | byte);
        } else {
            out.extend([kind | 24, byte]);
        }
    } else if let Ok(short) = u16::try_from(argument) {
        out.push(kind | 25);
        out.extend(short.to_be_bytes());
    } else if let Ok(word) = u32::try_from(argument) {
        out.push(kind | 26);
        out.extend(word.to_be_bytes());
    } else {
        out.push(kind | 27);
        out.extend(argument.to_be_bytes());
    }
}
