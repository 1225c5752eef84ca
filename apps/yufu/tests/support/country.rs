//! The sample country with more institutions in it.

use std::fs;
use std::path::{Path, PathBuf};

/// A copy of the sample country in `folder`, with `more` at the end of its institutions.
pub fn country_with(folder: &Path, more: &str) -> PathBuf {
    let country = folder.join("country");
    fs::create_dir_all(&country).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
    for file in ["profile.toml", "institutions.toml", "city.toml", "residents.csv"] {
        let mut text = fs::read_to_string(sample.join(file)).unwrap();
        if file == "institutions.toml" {
            // Before the programmes, which follow the institutions.
            let at = text.find("[[programmes]]").unwrap();
            text.insert_str(at, &format!("{more}\n\n"));
        }
        fs::write(country.join(file), text).unwrap();
    }
    country
}
