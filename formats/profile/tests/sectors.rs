//! Sectors and their pseudonyms in a profile: who issues them, and that nobody may ask so that two
//! sectors, or a sector and the number, are joined.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

use yufu_profile::{Profile, ProfileErrors, Sources};

const PROFILE: &str = include_str!("../../../profiles/china/profile.toml");
const INSTITUTIONS: &str = include_str!("../../../profiles/china/institutions.toml");
const CITY: &str = include_str!("../../../profiles/china/city.toml");
const AGE: &str = "claims = [\"age_equal_or_over.16\"]";

fn read(profile: &str, institutions: &str) -> Result<Profile, ProfileErrors> {
    Profile::read(Sources {
        profile: ("profile.toml", profile),
        institutions: ("institutions.toml", institutions),
        city: ("city.toml", CITY),
    })
}

/// The shop of bicycles asks these claims instead.
fn asking(claims: &str) -> Result<Profile, ProfileErrors> {
    assert!(INSTITUTIONS.contains(AGE));
    read(PROFILE, &INSTITUTIONS.replacen(AGE, &format!("claims = {claims}"), 1))
}

#[test]
fn each_sector_has_a_pseudonym_in_the_identity_credential_and_an_epoch() {
    let china = read(PROFILE, INSTITUTIONS).unwrap();
    let sectors: Vec<&str> = china.sectors.iter().map(yufu_base::SectorId::as_str).collect();
    assert_eq!(sectors, ["pension", "education", "social-assistance", "anonymous-cash"]);
    assert_eq!(china.pseudonym_epoch.unwrap().days(), 30);
    let pid = china.credential("pid").unwrap();
    assert_eq!(pid.sectors().collect::<Vec<_>>(), china.sectors.iter().collect::<Vec<_>>());
    let mut labels = pid.claims.iter().filter(|claim| claim.source.sector().is_some());
    assert!(labels.all(|claim| claim.label.get("zh").ends_with("行业化名")));
}

#[test]
fn a_profile_without_sectors_needs_no_epoch() {
    let plain: String = PROFILE
        .lines()
        .filter(|line| {
            let of_sectors =
                ["sectors = ", "pseudonym_epoch_days", "  { path = \"sector_pseudonym"];
            !of_sectors.iter().any(|start| line.starts_with(start))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let without_agencies = INSTITUTIONS.split("[[institutions]]\nid = \"pension-agency\"").next();
    let read = read(&plain, without_agencies.unwrap()).unwrap();
    assert!(read.sectors.is_empty() && read.pseudonym_epoch.is_none());
}

#[test]
fn every_spoiled_sector_is_refused_in_its_place() {
    let rows = [
        ("\"education\", \"soc", "\"pension\", \"soc", "sector `pension` is given twice"),
        ("\"education\", \"soc", "\"Education\", \"soc", "sector \"Education\", expected 1 to 40"),
        (
            "\"education\", \"soc",
            "\"education\", \"health\", \"soc",
            "0 claims are the pseudonym of the sector `health`, expected exactly one",
        ),
        (
            "sector = \"education\"",
            "sector = \"health\"",
            "`health` is not among `sectors`, expected one of them",
        ),
        (
            "path = \"sector_pseudonym.education\"",
            "path = \"pseudonym.education\"",
            "the pseudonym of a sector at `pseudonym.education`, expected sector_pseudonym.education",
        ),
        ("pseudonym_epoch_days = 30", "pseudonym_epoch_days = 0", "`pseudonym_epoch_days` is 0"),
        ("pseudonym_epoch_days = 30", "", "`pseudonym_epoch_days` is missing"),
    ];
    for (before, after, expected) in rows {
        assert!(PROFILE.contains(before), "{before}");
        let errors = read(&PROFILE.replacen(before, after, 1), INSTITUTIONS).unwrap_err();
        assert!(errors.to_string().contains(expected), "{expected}: {errors}");
    }
}

#[test]
fn nobody_may_ask_for_two_sectors_or_for_a_sector_and_the_number() {
    assert!(asking("[\"sector_pseudonym.pension\", \"age_equal_or_over.60\"]").is_ok());
    let two = asking("[\"sector_pseudonym.pension\", \"sector_pseudonym.education\"]");
    let line = INSTITUTIONS.lines().position(|line| line == AGE).unwrap() + 1;
    let expected = format!(
        "institutions.toml:{line}:10: the request joins the sectors `pension` and `education`, \
         expected the pseudonym of one sector only"
    );
    assert_eq!(two.unwrap_err().to_string(), expected);
    let number = asking("[\"sector_pseudonym.pension\", \"personal_administrative_number\"]");
    let expected = format!(
        "institutions.toml:{line}:10: the request joins the sector `pension` with \
         `personal_administrative_number`, expected the pseudonym or the number, not both"
    );
    assert!(number.unwrap_err().to_string().contains(&expected));
    let whole = asking("[\"sector_pseudonym\"]").unwrap_err().to_string();
    assert!(whole.contains("claim `sector_pseudonym` is issued by nobody"), "{whole}");
}

#[test]
fn an_institution_asks_within_one_sector_whatever_the_request() {
    let second = "claims = [\"sector_pseudonym.pension\"]
[[institutions.requests]]
id = \"lend-books\"
purpose = { zh = \"借书\", en = \"Lend books\" }
basis = { zh = \"合同\", en = \"Contract\" }
claims = [\"sector_pseudonym.education\"]";
    let refused = read(PROFILE, &INSTITUTIONS.replacen(AGE, second, 1)).unwrap_err().to_string();
    let expected = "the institution asks in the sectors `education` and `pension`";
    assert!(refused.contains(expected), "{refused}");
}
