//! How requests ask: by law for a resident's number, under a name of the party's choice, otherwise than for everything at
//! once; and what is certified of where somebody lives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use yufu_profile::{
    AskedValue, ClaimSource, ClaimValue, ClientName, Column, Profile, ProfileErrors, Request,
    Sources,
};

const PROFILE: &str = include_str!("../../../profiles/china/profile.toml");
const INSTITUTIONS: &str = include_str!("../../../profiles/china/institutions.toml");
const CITY: &str = include_str!("../../../profiles/china/city.toml");
/// What the shop of bicycles asks for one of its purposes.
const AGE: &str = "claims = [\"age_equal_or_over.16\"]";
const SHOP: &str = "id = \"donghu-bicycles\"\n";

fn read(profile: &str, institutions: &str) -> Result<Profile, ProfileErrors> {
    Profile::read(Sources {
        profile: ("profile.toml", profile),
        institutions: ("institutions.toml", institutions),
        city: ("city.toml", CITY),
    })
}

fn request(profile: &Profile, id: &str) -> Request {
    let shop = &profile.institutions[&"donghu-bicycles".parse().unwrap()];
    shop.requests.iter().find(|request| request.id == id).unwrap().clone()
}

/// The shop asks so, for the purpose of an age.
fn asking(lines: &str) -> Result<Request, String> {
    assert!(INSTITUTIONS.contains(AGE));
    let read = read(PROFILE, &INSTITUTIONS.replacen(AGE, lines, 1));
    read.map(|profile| request(&profile, "check-age")).map_err(|errors| errors.to_string())
}

#[test]
fn a_number_is_asked_for_by_law_alone() {
    let number = "claims = [\"personal_administrative_number\"]";
    let refused = asking(number).unwrap_err();
    assert!(refused.contains("asks for `personal_administrative_number`, and no law demands it"));
    assert!(asking(&format!("by_law = true\n{number}")).unwrap().by_law);
    let wards =
        "credentials = [\"guardianship\"]\nclaims = [\"ward.personal_administrative_number\"]";
    assert!(asking(wards).unwrap_err().contains("no law demands it"), "whoever's it is");
}

#[test]
fn a_wallet_knows_the_number_by_the_name_of_its_claim() {
    let path = "path = \"personal_administrative_number\"";
    let other = PROFILE.replacen(path, "path = \"citizen\"", 1);
    assert_ne!(other, PROFILE);
    let refused = read(&other, INSTITUTIONS).unwrap_err().to_string();
    assert!(refused.contains("the resident number at `citizen`"), "{refused}");
}

#[test]
fn a_party_is_known_by_a_hash_unless_it_chooses_its_name() {
    let name = |lines: &str| {
        let institutions = INSTITUTIONS.replacen(SHOP, &format!("{SHOP}{lines}"), 1);
        let profile = read(PROFILE, &institutions).map_err(|errors| errors.to_string())?;
        Ok::<_, String>(profile.institutions[&"donghu-bicycles".parse().unwrap()].client_name)
    };
    assert_eq!(name("").unwrap(), ClientName::Hash);
    assert_eq!(name("client_id = \"x509_san_dns\"\n").unwrap(), ClientName::Dns);
    let refused = name("client_id = \"redirect_uri\"\n").unwrap_err();
    assert!(refused.contains("one of x509_hash, x509_san_dns"), "{refused}");
}

#[test]
fn a_query_is_read_in_the_profiles_own_names() {
    let profile = read(PROFILE, INSTITUTIONS).unwrap();
    let query = request(&profile, "reduced-price").query.unwrap();
    let ids: Vec<&str> = query.credentials.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["pensioner", "student", "pid"]);
    let pensioner = &query.credentials[0].claims;
    assert_eq!((pensioner.len(), pensioner[0].path.to_string().as_str()), (1, "programme"));
    assert_eq!(pensioner[0].values, [AskedValue::Text("basic-pension".to_owned())]);
    assert_eq!(query.credentials[2].claims[0].values, [AskedValue::Flag(true)]);
    assert!(query.credentials[2].trusted_authorities && !query.credentials[0].trusted_authorities);
    assert_eq!(query.sets[0].options.len(), 3);
    assert!(query.sets[0].required);
    assert!(request(&profile, "check-age").query.is_none());

    let whole = asking(
        "credentials = [\"ticket\", \"pid\"]
claims = [\"train\", \"class\", \"birthdate\", \"age_equal_or_over.18\"]
ask = [
  { credential = \"ticket\", claims = [\"train\"], multiple = true },
  { credential = \"pid\", id = \"of-age\", claim_sets = [[\"age_equal_or_over.18\"], [\"birthdate\"]] },
]
sets = [{ options = [[\"of-age\"]] }, { options = [[\"ticket\"]], optional = true }]",
    );
    let query = whole.unwrap().query.unwrap();
    assert!(query.credentials[0].multiple && query.credentials[0].claims.len() == 1);
    assert_eq!(query.credentials[1].claim_sets.len(), 2);
    assert!(!query.sets[1].required);
}

#[test]
fn a_query_stays_within_what_its_request_may_ask_and_names_nothing_that_is_not_there() {
    let query = |ask: &str| asking(&format!("{AGE}\nask = [{ask}]")).unwrap_err();
    for (ask, said) in [
        ("{ credential = \"ticket\" }", "`ask` names the credential `ticket`"),
        ("{ credential = \"pid\", claims = [\"sex\"] }", "a claim that is not asked of this"),
        (
            "{ credential = \"pid\", values = [{ claim = \"sex\", one_of = [1] }] }",
            "values of `sex`",
        ),
        (
            "{ credential = \"pid\", values = [{ claim = \"age_equal_or_over.16\", one_of = [] }] }",
            "0 values of `age_equal_or_over.16`",
        ),
        ("{ credential = \"pid\", claim_sets = [[]] }", "an alternative among claims that is none"),
        ("{ credential = \"pid\" }, { credential = \"pid\" }", "`pid` is asked twice"),
        ("{ credential = \"pid\", id = \"pid-mdoc\" }", "`ask` is called \"pid-mdoc\""),
        ("{ credential = \"pid\", id = \"a b\" }", "`ask` is called \"a b\""),
        ("{ credential = \"pid\", often = true }", "`often` is unknown"),
    ] {
        let refused = query(ask);
        assert!(refused.contains(said), "{ask}: {refused}");
    }
    let sets = |sets: &str| {
        asking(&format!("{AGE}\nask = [{{ credential = \"pid\" }}]\nsets = [{sets}]")).unwrap_err()
    };
    assert!(sets("{ options = [[\"ticket\"]] }").contains("an option that is none"));
    assert!(sets("{ options = [] }").contains("0 options"));
    let unasked = "credentials = [\"pid\", \"ticket\"]\n".to_owned() + AGE;
    let unasked = asking(&format!("{unasked}\nask = [{{ credential = \"pid\" }}]")).unwrap_err();
    assert!(unasked.contains("`ask` does not ask for the credential `ticket`"), "{unasked}");
    // A bank acts on what it asks: all of it.
    let claims = "claims = [\"personal_administrative_number\"]";
    let bank =
        INSTITUTIONS.replacen(claims, &format!("{claims}\nask = [{{ credential = \"pid\" }}]"), 2);
    let refused = read(PROFILE, &bank).unwrap_err().to_string();
    assert!(refused.contains("has `ask`, and is of a"), "{refused}");
}

#[test]
fn where_somebody_lives_is_certified_as_a_yes_or_no_of_one_place() {
    let profile = read(PROFILE, INSTITUTIONS).unwrap();
    let pid = profile.credential("pid").unwrap();
    let claim = pid.claims.iter().find(|claim| claim.path.to_string() == "resident_of.wuhan");
    let claim = claim.unwrap();
    assert_eq!(claim.source, ClaimSource::ResidentOf(Column::Locality, "武汉市".to_owned()));
    assert_eq!(claim.source.column(), Some(Column::Locality), "nothing else is read for it");
    let says = |locality: &'static str| {
        let value = |column| match column {
            Column::Locality => Some(locality),
            Column::BirthDate => Some("1990-01-01"),
            Column::Sex => Some("F"),
            _ => Some("x"),
        };
        let day = "2026-11-26".parse().unwrap();
        let values = pid.values(value, |_| None, day).unwrap();
        let (_, value) = values.into_iter().find(|(path, _)| *path == claim.path).unwrap();
        value
    };
    assert!(says("武汉市硚口区") == ClaimValue::Flag(true));
    assert!(says("黄石市下陆区") == ClaimValue::Flag(false));
    let nowhere = PROFILE.replacen("resident_of = \"武汉市\"", "resident_of = \"\"", 1);
    assert!(
        read(&nowhere, INSTITUTIONS).unwrap_err().to_string().contains("`resident_of` is empty")
    );
    let street = "column = \"street\", resident_of = \"武汉市\"";
    let street = PROFILE.replacen("column = \"locality\", resident_of = \"武汉市\"", street, 1);
    let refused = read(&street, INSTITUTIONS).unwrap_err().to_string();
    assert!(refused.contains("one of region, locality"), "{refused}");
}
