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

/// A merchant that may ask what `requests` say (TOML, each a table of its own), and keeps what it may for so many days.
pub fn merchant(id: &str, (zh, en): (&str, &str), retention_days: u32, requests: &str) -> String {
    let policy = match retention_days {
        0 => r#"{ zh = "不保存。", en = "Keeps nothing." }"#.to_owned(),
        days => format!(r#"{{ zh = "{days}天后删除。", en = "Erased after {days} days." }}"#),
    };
    format!(
        r#"
[[institutions]]
id = "{id}"
role = "merchant"
name = {{ zh = "{zh}", en = "{en}" }}
retention_days = {retention_days}
privacy_policy = {policy}
support = "desk@{id}.example"
[institutions.merchant]
category = 7832
bank = "bank-of-lianghu"
{requests}"#
    )
}

/// A copy of the sample country in `folder`, whose authority issues anonymous credentials, and two parties that want them.
pub fn anonymous_country(folder: &Path) -> PathBuf {
    let country = country_with(folder, include_str!("../zero_knowledge/parties.toml"));
    let file = country.join("institutions.toml");
    let mut text = fs::read_to_string(&file).unwrap();
    let at = text.find("[[institutions]]\nid = \"registrar\"").unwrap();
    text.insert_str(at, include_str!("../zero_knowledge/authority.toml"));
    fs::write(&file, text).unwrap();
    country
}

/// Numbers of the residents who are of age: whether they are does not tell them apart.
pub fn adults() -> Vec<String> {
    let residents = include_str!("../../../../profiles/china/residents.csv");
    let numbers = residents.lines().skip(1).filter_map(|line| line.split(',').next());
    let born = |number: &&str| number.get(6..10).and_then(|year| year.parse::<u16>().ok());
    numbers.filter(|number| born(number).unwrap() < 2000).map(str::to_owned).collect()
}
