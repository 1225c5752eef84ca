//! That a PIN was refused is remembered across starts, so that it is not tried until the token locks itself. What is
//! kept is a salted digest, in a file that its owner alone can read.

use std::path::{Path, PathBuf};
use yufu_base::Digest;

/// Where it is remembered.
pub(super) struct RefusedPin {
    file: PathBuf,
}

impl RefusedPin {
    pub(super) fn at(file: &Path) -> Self {
        Self { file: file.to_owned() }
    }

    /// Whether this very PIN was refused last.
    pub(super) fn remembers(&self, pin: &str) -> bool {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let parts = text.trim_end().split_once(' ');
        parts.is_some_and(|(salt, digest)| digest == digested(salt, pin))
    }

    pub(super) fn remember(&self, pin: &str) {
        let salt = crate::random_text();
        let line = format!("{salt} {}\n", digested(&salt, pin));
        // Where it cannot be kept, the next start tries the PIN once more.
        let _ = crate::store::write_private(&self.file, line.as_bytes());
    }
}

/// Slow enough that whoever reads the file does not have the PIN at once.
fn digested(salt: &str, pin: &str) -> String {
    let mut digest = Digest::of(format!("{salt}\0{pin}").as_bytes());
    for _ in 0..100_000 {
        digest = Digest::of(&digest.0);
    }
    digest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_pin_is_remembered_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refused");
        let refused = RefusedPin::at(&file);
        assert!(!refused.remembers("1234"));
        refused.remember("1234");
        assert!(RefusedPin::at(&file).remembers("1234"));
        assert!(!refused.remembers("1235"));
        assert!(!std::fs::read_to_string(&file).unwrap().contains("1234"));
        let bytes: [u8; 4] = crate::random();
        assert!(!refused.remembers(&format!("{bytes:?}")));
    }
}
