//! One row per rule of a number, and every single mistyped character caught.

use super::*;
use crate::section::read_toml;
use proptest::prelude::*;

const CHINA: &str = include_str!("../../../../profiles/china/profile.toml");

fn scheme(toml: &str) -> NumberScheme {
    read_toml("test", toml, &[], read_scheme).unwrap()
}

fn china() -> NumberScheme {
    let start = CHINA.find("[resident_number]").unwrap();
    let end = CHINA.find("# Civil time").unwrap();
    let table = CHINA.get(start..end).unwrap().replace("[resident_number]\n", "");
    scheme(&table.replace("[resident_number.check]", "[check]"))
}

#[test]
fn every_rule_refuses_in_its_order() {
    let china = china();
    let a_digit = || "a digit".to_owned();
    let length = |found| NumberError::Length { found, expected: 18 };
    let character = |position, expected: String| NumberError::Character { position, expected };
    let check = |found: &str, expected: &str| NumberError::CheckCharacter {
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    let rows = [
        ("", length(0)),
        ("11010519491231002", length(17)),
        ("11010519491231002X ", length(19)),
        ("1101051949123100２X", character(17, a_digit())),
        ("A1010519491231002X", character(1, a_digit())),
        ("11010519491231002x", character(18, "one of 10X98765432".to_owned())),
        ("99010519491231002X", NumberError::Region),
        ("11010519490231002X", NumberError::BirthDate),
        ("11010519491331002X", NumberError::BirthDate),
        ("110105194912310023", check("3", "X")),
    ];
    for (text, expected) in rows {
        assert_eq!(china.parse(text), Err(expected), "{text}");
    }
    let found = china.parse("110105194912310023").unwrap_err();
    assert_eq!(found.to_string(), "check character is 3, expected X: a character is mistyped");
}

#[test]
fn the_standards_examples_say_who_they_name() {
    let china = china();
    let number = china.parse("11010519491231002X").unwrap();
    let facts = china.facts(&number);
    assert_eq!(facts.region.as_deref(), Some("110105"));
    assert_eq!(facts.birth_date, Some(jiff::civil::date(1949, 12, 31)));
    assert_eq!(facts.sex, Some(Sex::Female));
    let other = china.parse("440524188001010014").unwrap();
    assert_eq!(china.facts(&other).sex, Some(Sex::Male));
    assert_eq!(format!("{number:?}"), "ResidentNumber(hidden)");
}

#[test]
fn another_country_is_another_table() {
    let sweden = scheme(
        r#"standard = "personnummer"
        region_prefixes = []
        fields = [{ kind = "plain", length = 9, alphabet = "0123456789" }, { kind = "check" }]
        check = { kind = "luhn" }"#,
    );
    assert!(sweden.parse("8112189876").is_ok());
    assert!(sweden.parse("8112189875").is_err());
    let spain = scheme(
        r#"standard = "DNI"
        region_prefixes = []
        fields = [{ kind = "plain", length = 8, alphabet = "0123456789" }, { kind = "check" }]
        [check]
        kind = "weighted-modulus"
        weights = [14, 6, 19, 18, 11, 8, 10, 1]
        alphabet = "TRWAGMYFPDXBNJZSQVHLCKE""#,
    );
    assert_eq!(spain.complete("12345678").unwrap().as_str(), "12345678Z");
    let plain = scheme(
        r#"standard = "none"
        region_prefixes = []
        fields = [{ kind = "plain", length = 2, alphabet = "AB" }]
        check = { kind = "none" }"#,
    );
    assert!(plain.parse("BA").is_ok() && plain.parse("BC").is_err());
}

#[test]
fn a_layout_that_does_not_hold_is_refused() {
    let fields = r#"fields = [{ kind = "plain", length = 2, alphabet = "01" }"#;
    let rows = [
        (r#"] , check = { kind = "luhn" }"#, "0 check fields, expected"),
        (r#", { kind = "check" }] , check = { kind = "none" }"#, "1 check fields, expected"),
        (
            r#", { kind = "check" }] , check = { kind = "weighted-modulus", weights = [1], alphabet = "01" }"#,
            "1 weights, expected 2 weights",
        ),
        (
            r#", { kind = "sequence", length = 0 }] , check = { kind = "none" }"#,
            "too many characters",
        ),
        (
            r#", { kind = "iris" }] , check = { kind = "none" }"#,
            "`kind` is \"iris\", expected one of",
        ),
    ];
    for (rest, expected) in rows {
        let rest = rest.replace("] , ", "]\n");
        let toml = format!("standard = \"x\"\nregion_prefixes = []\n{fields}{rest}");
        let errors = read_toml("t", &toml, &[], read_scheme).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    }
}

proptest! {
    #[test]
    fn every_single_mistyped_character_is_caught(
        region in 110_000u32..160_000, days in 0i64..40_000, sequence in 1u32..1000,
        at in 0usize..18, other in 0usize..11,
    ) {
        use jiff::ToSpan;
        let china = china();
        let born = jiff::civil::date(1900, 1, 1).saturating_add(days.days()).strftime("%Y%m%d");
        let number = china.complete(&format!("{region}{born}{sequence:03}")).unwrap();
        prop_assert!(china.parse(number.as_str()).is_ok());
        let mut typed: Vec<char> = number.as_str().chars().collect();
        let character = "0123456789X".chars().nth(other).unwrap();
        let same = typed[at] == character;
        typed[at] = character;
        let typed: String = typed.into_iter().collect();
        prop_assert_eq!(china.parse(&typed).is_ok(), same);
    }

    #[test]
    fn two_neighbours_swapped_are_caught(sequence in 1u32..1000, at in 0usize..17) {
        let china = china();
        let number = china.complete(&format!("42010619900307{sequence:03}")).unwrap();
        let mut typed: Vec<char> = number.as_str().chars().collect();
        typed.swap(at, at.saturating_add(1));
        let typed: String = typed.into_iter().collect();
        prop_assert_eq!(china.parse(&typed).is_ok(), typed == number.as_str());
    }

    #[test]
    fn no_text_panics(text in ".{0,20}") {
        let _ = china().parse(&text);
    }
}
