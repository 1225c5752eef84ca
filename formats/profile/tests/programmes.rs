//! Programmes: read from the profile, and every way to spoil one is refused in its place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use yufu_profile::{Profile, ProfileErrors, Role, Sources};

const PROFILE: &str = include_str!("../../../profiles/china/profile.toml");
const INSTITUTIONS: &str = include_str!("../../../profiles/china/institutions.toml");
const CITY: &str = include_str!("../../../profiles/china/city.toml");

fn read(institutions: &str) -> Result<Profile, ProfileErrors> {
    read_both(PROFILE, institutions)
}

fn read_both(profile: &str, institutions: &str) -> Result<Profile, ProfileErrors> {
    Profile::read(Sources {
        profile: ("profile.toml", profile),
        institutions: ("institutions.toml", institutions),
        city: ("city.toml", CITY),
    })
}

#[test]
fn the_basic_pension_needs_an_age_and_nothing_else_of_a_member() {
    let china = read(INSTITUTIONS).unwrap();
    let pension = china.programmes.iter().find(|one| one.id == "basic-pension").unwrap();
    assert_eq!((pension.id.as_str(), pension.monthly.minor()), ("basic-pension", 16_300));
    assert_eq!(pension.pseudonym_claim(), "sector_pseudonym.pension");
    assert_eq!(pension.needs.to_string(), "age_equal_or_over.60");
    // Given, and by default.
    assert!(china.programmes.iter().all(|programme| programme.payout_rest_days == 7));
    let agency = china.institutions.get(&pension.agency).unwrap();
    assert_eq!(agency.role, Role::Agency);
    assert!(agency.merchant.is_some(), "an agency pays from an account at a bank");
}

#[test]
fn a_profile_without_programmes_is_a_profile() {
    let without = INSTITUTIONS.split("[[programmes]]").next().unwrap();
    assert!(read(without).unwrap().programmes.is_empty());
}

#[test]
fn every_spoiled_programme_is_refused_in_its_place() {
    let rows = [
        ("id = \"basic-pension\"", "id = \"Basic Pension\"", "`id` is \"Basic Pension\""),
        ("agency = \"pension-agency\"", "agency = \"registrar\"", "`agency` is `registrar`"),
        ("agency = \"pension-agency\"", "agency = \"nobody\"", "`agency` is `nobody`"),
        ("request = \"enrol-pension\"", "request = \"enrol\"", "`request` is \"enrol\""),
        ("sector = \"pension\"", "sector = \"education\"", "expected one for"),
        ("needs = \"age_equal_or_over.60\"", "needs = \"age_equal_or_over.18\"", "and no more"),
        (
            "needs = \"age_equal_or_over.60\"",
            "needs = \"family_name\"",
            "a claim that is true or false",
        ),
        (
            "\"sector_pseudonym.pension\", \"age_equal_or_over.60\"]",
            "\"sector_pseudonym.pension\", \"age_equal_or_over.60\", \"family_name\"]",
            "asks for age_equal_or_over.60 and family_name",
        ),
        ("monthly = 163_00", "monthly = 0", "`monthly` is 0, expected 1 or more"),
        ("monthly = 163_00", "monthly = -1", "`monthly` is -1, out of range"),
        ("monthly = 163_00", "monthly = 143.00", "`monthly` is a float"),
        ("proof_of_life_days = 365", "proof_of_life_days = 0", "`proof_of_life_days` is 0"),
        ("proof_of_life_days = 365", "yearly = 365", "`proof_of_life_days` is missing"),
        ("proof_of_life_days = 365", "proof_of_life_days = 365\nx = 1", "`x` is unknown"),
        ("payout_rest_days = 7", "payout_rest_days = 0", "`payout_rest_days` is 0"),
    ];
    for (before, after, expected) in rows {
        assert!(INSTITUTIONS.contains(before), "{before:?} is not there");
        let errors = read(&INSTITUTIONS.replacen(before, after, 1)).unwrap_err();
        assert!(errors.to_string().contains(expected), "{expected}: {errors}");
    }
    let (_, programme) = INSTITUTIONS.split_once("[[programmes]]").unwrap();
    let twice = format!("{INSTITUTIONS}\n[[programmes]]{programme}");
    let errors = read(&twice).unwrap_err().to_string();
    assert!(errors.contains("programme `basic-pension` is given twice"), "{errors}");
    let no_bank = INSTITUTIONS.replace("category = 9399", "kind = 9399");
    assert!(read(&no_bank).unwrap_err().to_string().contains("`category` is missing"));
}

#[test]
fn an_agency_attests_of_a_programme_that_there_is_and_nobody_else_of_any() {
    let china = read(INSTITUTIONS).unwrap();
    let of = |id: &str| china.credentials.iter().find(|kind| kind.id == id).unwrap();
    assert_eq!(of("pensioner").programme.as_deref(), Some("basic-pension"));
    assert_eq!(of("pensioner").records().collect::<Vec<_>>(), ["programme", "since"]);
    assert_eq!(of("account-holder").programme, None);
    let rows = [
        ("programme = \"basic-pension\"\n", "", "`programme` of a credential"),
        ("programme = \"basic-pension\"", "programme = \"basic\"", "about the programme `basic`"),
        (
            "issuer = \"commercial-bank\"\nvalidity_days = 7",
            "issuer = \"commercial-bank\"\nprogramme = \"basic-pension\"\nvalidity_days = 7",
            "exactly what `issuer = \"agency\"` has",
        ),
    ];
    for (before, after, expected) in rows {
        assert!(PROFILE.contains(before), "{before:?} is not there");
        let errors = read_both(&PROFILE.replacen(before, after, 1), INSTITUTIONS).unwrap_err();
        assert!(errors.to_string().contains(expected), "{expected}: {errors}");
    }
}
