//! A second country, made to differ from the first wherever a country can: nothing of the first is in
//! the code.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};
use yufu_base::Timestamp;
use yufu_profile::{
    Column, Evidence, NumberError, Profile, Resident, Sources, city, load_dir, load_residents,
    write_residents,
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles").join(name)
}

fn profile(name: &str) -> Profile {
    load_dir(&folder(name)).unwrap()
}

fn as_of() -> jiff::civil::Date {
    jiff::civil::date(2026, 1, 1)
}

#[test]
fn plain_differs_from_china_wherever_a_country_can() {
    let (china, plain) = (profile("china"), profile("plain"));
    assert_ne!(china.country, plain.country);
    assert_ne!(china.languages, plain.languages);
    assert_ne!(china.majority, plain.majority);
    assert_ne!(china.code_digits, plain.code_digits);
    assert_ne!(china.currency.code, plain.currency.code);
    assert_ne!(china.currency.decimals, plain.currency.decimals);
    assert_ne!(china.resident_number.length(), plain.resident_number.length());
    assert_ne!(china.utc_offsets, plain.utc_offsets);
    assert_ne!(china.id_retention_days, plain.id_retention_days);
    assert_ne!(china.dormant_after_days, plain.dormant_after_days);
    assert_ne!(china.identity().unwrap().id, plain.identity().unwrap().id);
    for class in &plain.wallet_classes {
        assert!(china.wallet_class(&class.name).is_none(), "{}", class.name);
    }
    for institution in plain.institutions.keys() {
        assert!(!china.institutions.contains_key(institution), "{institution}");
    }
    let types = |of: &Profile| of.credentials.iter().map(|c| c.vct.clone()).collect::<Vec<_>>();
    assert!(types(&plain).iter().all(|vct| !types(&china).contains(vct)));
    // Names are shown in another order, and the sex is not said.
    let paths = |of: &Profile| {
        let claims = &of.identity().unwrap().claims;
        claims.iter().map(|claim| claim.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&china)[..2], ["family_name", "given_name"]);
    assert_eq!(paths(&plain)[..2], ["given_name", "family_name"]);
    assert!(!paths(&plain).contains(&"sex".to_owned()));
}

#[test]
fn each_country_asks_the_others_card_for_claims_that_it_has() {
    let (china, plain) = (profile("china"), profile("plain"));
    for (one, other) in [(&china, &plain), (&plain, &china)] {
        let foreign = &one.foreign_credentials[0];
        assert_eq!(foreign.country, other.country);
        let identity = other.identity().unwrap();
        assert_eq!(foreign.vct, identity.vct);
        let issued = |path: &yufu_profile::ClaimPath| {
            identity.claims.iter().any(|claim| claim.path == *path)
        };
        let requests = one.institutions.values().flat_map(|institution| &institution.requests);
        let open: Vec<_> = requests.filter(|request| request.foreign).collect();
        assert!(open.len() >= 3, "banks and the hotel take foreigners");
        assert!(open.iter().all(|request| request.claims.iter().all(issued)));
    }
}

#[test]
fn the_committed_residents_of_plain_are_what_seed_42_generates() {
    let plain = profile("plain");
    let residents = city::generate(&plain, 42, 300, as_of()).unwrap();
    let committed = fs::read_to_string(folder("plain").join("residents.csv")).unwrap();
    assert!(write_residents(&residents) == committed, "regenerate with `cargo xtask city`");
    assert_eq!(load_residents(&folder("plain"), &plain, as_of()).unwrap(), residents);
    let share = |test: &dyn Fn(&Resident) -> bool| residents.iter().filter(|r| test(r)).count();
    assert!(share(&|r| r.given_name.contains(' ')) > 30, "some bear two names");
    assert!(share(&|r| r.is_over(plain.majority, as_of())) > 200);
}

#[test]
fn a_number_of_plain_says_where_and_nothing_else() {
    let scheme = profile("plain").resident_number;
    // N and A read as 23 and 10, and so on: what stands before the check digits, times a hundred.
    let letters = [23, 10, 7, 20, 2, 22, 9].map(|value: u64| value.to_string()).concat();
    let value = letters.parse::<u64>().unwrap() * 100;
    let check = 98 - value % 97;
    let number = scheme.complete("NA7K2M9").unwrap();
    assert_eq!(number.as_str(), format!("NA7K2M9{check:02}"));
    let facts = scheme.facts(&number);
    assert_eq!(facts.region.as_deref(), Some("NA"));
    assert!(facts.birth_date.is_none() && facts.sex.is_none());
    let refused = |text: String| scheme.parse(&text).unwrap_err();
    // A wrong check digit, two neighbours exchanged, and a character mistyped are found.
    for mistyped in [
        format!("NA7K2M9{:02}", check % 97 + 1),
        format!("NAK72M9{check:02}"),
        format!("NA7K2N9{check:02}"),
    ] {
        let error = scheme.parse(&mistyped).unwrap_err();
        assert!(matches!(error, NumberError::CheckCharacter { .. }), "{mistyped}: {error}");
    }
    for (position, before) in [(2, "N17K2M9"), (1, "nA7K2M9"), (3, "NA0K2M9")] {
        let error = refused(format!("{before}{check:02}"));
        assert!(
            matches!(error, NumberError::Character { position: at, .. } if at == position),
            "{before}: {error}"
        );
    }
    assert!(matches!(refused("NA7K2M91X".into()), NumberError::Character { position: 9, .. }));
    assert!(matches!(refused(format!("QA7K2M9{check:02}")), NumberError::Region));
    assert!(matches!(refused("NA7K2M9".into()), NumberError::Length { found: 7, expected: 9 }));
}

#[test]
fn plains_clocks_are_set_by_half_hours_and_forward_in_summer() {
    let offsets = profile("plain").utc_offsets;
    for (moment, minutes) in [
        ("1970-01-01T00:00:00Z", 90),
        ("2026-01-01T00:00:00Z", 90),
        ("2026-04-01T00:29:59Z", 90),
        ("2026-04-01T00:30:00Z", 150),
        ("2026-10-01T00:29:59Z", 150),
        ("2026-10-01T00:30:00Z", 90),
    ] {
        let at: jiff::Timestamp = moment.parse().unwrap();
        let at = Timestamp::from_millis(at.as_millisecond().try_into().unwrap());
        assert_eq!(offsets.minutes_at(at), minutes, "{moment}");
    }
}

/// A text without what it says in English.
fn without_english(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(", en = \"") {
        kept.push_str(before);
        rest = after.split_once('"').unwrap().1;
    }
    kept + rest
}

#[test]
fn a_country_need_not_speak_english() {
    let [profile, institutions, city] = ["profile.toml", "institutions.toml", "city.toml"]
        .map(|name| without_english(&fs::read_to_string(folder("china").join(name)).unwrap()));
    let profile = profile.replace("languages = [\"zh\", \"en\"]", "languages = [\"zh\"]");
    let read = Profile::read(Sources {
        profile: ("profile.toml", &profile),
        institutions: ("institutions.toml", &institutions),
        city: ("city.toml", &city),
    })
    .unwrap();
    assert_eq!(read.name.en(), "中国");
    assert_eq!(read.name.iter().collect::<Vec<_>>(), [("zh", "中国")]);
}

#[test]
fn a_credential_and_a_class_are_found_by_what_they_are_and_not_by_name() {
    let plain = profile("plain");
    let identity = plain.identity().unwrap();
    let number = identity.claim_from(Column::ResidentNumber).unwrap();
    assert_eq!(number.to_string(), "personal_administrative_number");
    assert_eq!(plain.class_by(Evidence::Identity).unwrap().name, "daily");
    assert_eq!(profile("china").class_by(Evidence::Identity).unwrap().name, "III");
}
