//! Issuance to attested wallets in a profile.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

use yufu_profile::{Profile, ProfileErrors, Sources};

const PROFILE: &str = include_str!("../../../profiles/china/profile.toml");
const INSTITUTIONS: &str = include_str!("../../../profiles/china/institutions.toml");
const CITY: &str = include_str!("../../../profiles/china/city.toml");

fn read(profile: &str) -> Result<Profile, ProfileErrors> {
    Profile::read(Sources {
        profile: ("profile.toml", profile),
        institutions: ("institutions.toml", INSTITUTIONS),
        city: ("city.toml", CITY),
    })
}

#[test]
fn the_sample_country_issues_to_attested_wallets_and_has_an_officer_look_at_residence() {
    let haip = read(PROFILE).unwrap().haip.unwrap();
    assert_eq!(haip.key_storage.last().map(String::as_str), Some("iso_18045_basic"));
    assert_eq!(haip.checked, ["residence"]);
}

#[test]
fn every_spoiled_rule_is_refused_in_its_place() {
    for (good, bad, said) in [
        ("\"iso_18045_basic\"]", "\"in-a-drawer\"]", "`key_storage` names \"in-a-drawer\""),
        ("checked = [\"residence\"]", "checked = [\"payment\"]", "`checked` of `haip` names"),
        ("refresh_days = 180", "refresh_days = 400", "`refresh_days` is 400"),
        ("refresh_days = 180", "refresh_day = 180", "refresh_day"),
    ] {
        assert!(PROFILE.contains(good), "{good}");
        let refused = read(&PROFILE.replacen(good, bad, 1)).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
}
