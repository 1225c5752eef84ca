//! The profile of China says what it should, and every way to spoil it is refused in place.

use super::*;
use crate::credential::ClaimValue;
use crate::institution::Role;
use crate::wallet_class::{Evidence, Limits};
use yufu_base::Timestamp;

const PROFILE: &str = include_str!("../../../../profiles/china/profile.toml");
const INSTITUTIONS: &str = include_str!("../../../../profiles/china/institutions.toml");
const CITY: &str = include_str!("../../../../profiles/china/city.toml");
const RESIDENTS: &str = include_str!("../../../../profiles/china/residents.csv");

fn read_texts(profile: &str, institutions: &str, city: &str) -> Result<Profile, ProfileErrors> {
    Profile::read(Sources {
        profile: ("profile.toml", profile),
        institutions: ("institutions.toml", institutions),
        city: ("city.toml", city),
    })
}

fn china() -> Profile {
    read_texts(PROFILE, INSTITUTIONS, CITY).unwrap()
}

fn today() -> Date {
    jiff::civil::date(2026, 1, 1)
}

#[test]
fn wallet_classes_have_the_published_limits() {
    let china = china();
    let yuan = |yuan: u64| Some(Amount::new(china.currency.code, yuan * 100));
    let limits = |balance, per_payment, per_day, per_year| Limits {
        balance,
        per_payment,
        per_day,
        per_year,
    };
    let rows = [
        (
            "IV",
            Evidence::PhoneOrToken,
            limits(yuan(10_000), yuan(2_000), yuan(5_000), yuan(50_000)),
        ),
        ("III", Evidence::Identity, limits(yuan(20_000), yuan(5_000), yuan(10_000), None)),
        (
            "II",
            Evidence::IdentityAndAccount,
            limits(yuan(500_000), yuan(50_000), yuan(100_000), None),
        ),
        ("I", Evidence::InPerson, limits(None, None, None, None)),
    ];
    assert_eq!(china.wallet_classes.len(), rows.len());
    for (class, (name, evidence, limits)) in china.wallet_classes.iter().zip(rows) {
        assert_eq!((class.name.as_str(), class.opening.evidence), (name, evidence));
        assert_eq!(class.limits, limits, "{name}");
    }
    let lifted = china.wallet_class("III").unwrap().stepped_up.unwrap();
    assert_eq!((lifted.per_payment, lifted.per_day), (yuan(50_000), yuan(100_000)));
    assert_eq!(china.wallet_class("IV").unwrap().stepped_up, None);
}

#[test]
fn where_wallets_are_opened_and_when_they_rest_is_read() {
    let china = china();
    assert!(china.account_opening.remote() && china.account_opening.in_person());
    assert!(!AccountOpening::Remote.in_person() && !AccountOpening::InPerson.remote());
    assert_eq!(china.dormant_after_days, Some(1825));
    assert_eq!((china.account_age, china.majority), (16, 18));
    let never = PROFILE.replace("dormant_after_days = 1825", "dormant_after_days = \"never\"");
    let read = Profile::read(Sources {
        profile: ("p", &never),
        institutions: ("i", INSTITUTIONS),
        city: ("c", CITY),
    });
    assert_eq!(read.unwrap().dormant_after_days, None);
}

#[test]
fn a_deadline_is_a_day_to_a_year_and_a_country_without_any_lets_nothing_be_pending() {
    let read = |profile: &str| {
        Profile::read(Sources {
            profile: ("p", profile),
            institutions: ("i", INSTITUTIONS),
            city: ("c", CITY),
        })
    };
    assert_eq!(china().deadlines.unwrap().freeze_days, 180);
    for days in ["0", "367"] {
        let wrong = PROFILE.replace("hold_days = 30 ", &format!("hold_days = {days} "));
        let said = read(&wrong).unwrap_err().to_string();
        assert!(said.contains("1 to 366 days"), "{said}");
    }
    let (head, tail) = PROFILE.split_once("[deadlines]").unwrap();
    let (_, rest) = tail.split_once("[currency]").unwrap();
    assert_eq!(read(&format!("{head}[currency]{rest}")).unwrap().deadlines, None);
}

#[test]
fn every_role_is_filled_and_every_bank_has_money() {
    let china = china();
    for (role, count) in [
        (Role::IdentityAuthority, 1),
        (Role::Registrar, 1),
        (Role::TrustListOperator, 1),
        (Role::CentralBank, 1),
        (Role::CommercialBank, 2),
        (Role::Merchant, 1),
        (Role::Hotel, 1),
        (Role::Railway, 1),
        (Role::WalletProvider, 2),
        (Role::OpenidProvider, 1),
    ] {
        assert_eq!(china.institutions_of(role).count(), count, "{role:?}");
    }
    assert!(china.institutions_of(Role::CommercialBank).all(|bank| bank.opening_money.is_some()));
}

/// Summer time as in the IANA database: the second before and the second of each change.
#[test]
fn summer_time_held_from_1986_to_1991() {
    let offsets = china().utc_offsets;
    let rows = [
        ("1970-01-01T00:00:00Z", 480),
        ("1986-05-03T17:59:59Z", 480),
        ("1986-05-03T18:00:00Z", 540),
        ("1986-09-13T16:59:59Z", 540),
        ("1986-09-13T17:00:00Z", 480),
        ("1988-04-16T18:00:00Z", 540),
        ("1991-09-14T16:59:59Z", 540),
        ("1991-09-14T17:00:00Z", 480),
        ("2026-07-01T00:00:00Z", 480),
    ];
    for (text, minutes) in rows {
        let at: jiff::Timestamp = text.parse().unwrap();
        let at = Timestamp::from_millis(at.as_millisecond().try_into().unwrap());
        assert_eq!(offsets.minutes_at(at), minutes, "{text}");
    }
    assert_eq!(offsets.entries().len(), 13);
}

#[test]
fn a_day_begins_at_the_countrys_midnight() {
    let offsets = china().utc_offsets;
    let day = |text: &str| {
        let at: jiff::Timestamp = text.parse().unwrap();
        let at = Timestamp::from_millis(at.as_millisecond().try_into().unwrap());
        offsets.date_at(at).unwrap().to_string()
    };
    assert_eq!(day("2026-11-30T15:59:59.999Z"), "2026-11-30");
    assert_eq!(day("2026-11-30T16:00:00Z"), "2026-12-01");
}

/// What is replaced by what, and what the error must say.
type Spoiled = (&'static str, &'static str, &'static str);

const SPOILED_PROFILE: &[Spoiled] = &[
    ("country = \"CN\"", "country = \"China\"", "`country` is \"China\", expected an ISO 3166-1"),
    ("\"CNY\"", "\"Yuan\"", "unknown currency \"Yuan\", expected an ISO 4217 code"),
    ("decimals = 2", "decimals = 9", "too many `decimals`"),
    ("account_age = 16", "account_age = 19", "`account_age` is 19, expected at most"),
    ("balance = 10_000_00", "balance = -1", "`balance` is -1, out of range"),
    ("balance = 10_000_00", "balance = 1.5", "`balance` is a float"),
    ("balance = 10_000_00\n", "", "`balance` is missing"),
    ("per_year = \"none\"", "per_year = \"unlimited\"", "expected one of none"),
    ("name = \"III\"", "name = \"IV\"", "`name` \"IV\" is given twice"),
    (
        "per_payment = 50_000_00\nper_day = 100_000_00\n\n",
        "per_payment = 1\nper_day = 2\n\n",
        "`stepped_up` lowers a limit",
    ),
    (
        "evidence = \"identity\"",
        "evidence = \"phone-or-token\"",
        "`evidence` does not fit `claims`",
    ),
    ("claims = []", "claims = [\"shoe_size\"]", "claim `shoe_size` is issued by nobody"),
    ("path = \"sex\"", "path = \"family_name\"", "claim `family_name` is given twice"),
    ("id = \"payment\"", "id = \"pid-mdoc\"", "an id that does not end in -mdoc"),
    (
        "column = \"sex\"",
        "column = \"height\"",
        "`column` is \"height\", expected one of resident_number",
    ),
    ("id = \"pid\"", "id = \"pid\"\ncolour = \"red\"", "`colour` is unknown, expected only"),
    ("from = 1970-01-01T00:00:00Z", "from = 1971-01-01T00:00:00Z", "`from` is out of order"),
    ("offset = \"+09:00\"", "offset = \"9\"", "`offset` is \"9\", expected an offset"),
    ("id_retention_days = 7", "id_retention_days = 7 7", "not TOML"),
    (
        "account_opening = \"both\"",
        "account_opening = \"nowhere\"",
        "`account_opening` is \"nowhere\", expected one of remote, in_person, both",
    ),
    ("dormant_after_days = 1825", "dormant_after_days = 0", "`dormant_after_days` is 0"),
    ("dormant_after_days = 1825", "dormant_after_days = \"soon\"", "expected one of never"),
    ("languages = [\"zh\", \"en\"]", "languages = [\"zh\", \"zh\"]", "`languages` holds \"zh\""),
    ("languages = [\"zh\", \"en\"]", "languages = [\"Chinese\"]", "`languages` holds \"Chinese\""),
    ("languages = [\"zh\", \"en\"]", "languages = []", "`languages` is empty"),
    ("languages = [\"zh\", \"en\"]", "languages = [\"zh\", \"fr\"]", "`fr` is missing"),
    ("languages = [\"zh\", \"en\"]", "languages = [\"zh\"]", "`en` is unknown, expected only zh"),
    ("issuer = \"CHN\"", "issuer = \"CN\"", "`issuer` is \"CN\", expected three letters"),
    (
        "light = \"age\"",
        "light = \"pid\"",
        "`light` of `cards` is \"pid\", expected a credential of",
    ),
    ("valid_years = 10", "valid_years = 21", "`valid_years` is 21, expected 1 to 20 years"),
    ("code_digits = 6", "code_digits = 3", "`code_digits` is 3, expected 4 to 10"),
    (
        "foreign_identity = \"allow\"",
        "foreign_identity = \"maybe\"",
        "expected one of allow, refuse",
    ),
    (
        "payees = [\"I\"]",
        "payees_alone = true\npayees = []",
        "with `payees_alone` nobody could redeem a note",
    ),
    ("payees = [\"I\"]", "payees = [\"Z\"]", "no wallet class is called \"Z\""),
    ("country = \"XP\"", "country = \"CN\"", "`country` is the profile's own"),
    ("country = \"XP\"", "country = \"Plain\"", "`country` is \"Plain\""),
    (
        "column = \"resident_number\"",
        "column = \"street\"",
        "`credentials` hold no identity credential",
    ),
];

const SPOILED_INSTITUTIONS: &[Spoiled] = &[
    (
        "id = \"bank-of-lianghu\"",
        "id = \"bank-of-jiangcheng\"",
        "institution `bank-of-jiangcheng` is given twice",
    ),
    ("id = \"registrar\"", "id = \"The Registrar\"", "`id` is \"The Registrar\""),
    (
        "role = \"registrar\"",
        "role = \"central-bank\"",
        "2 institutions are central-bank, expected exactly one",
    ),
    ("bank = \"bank-of-lianghu\"", "bank = \"registrar\"", "`bank` is `registrar`"),
    (
        "claims = [\"age_equal_or_over.16\"]",
        "claims = [\"age_equal_or_over.17\"]",
        "issued by nobody",
    ),
    (
        "credentials = [\"pid\", \"payment\"]",
        "credentials = [\"pid\", \"library-card\"]",
        "credential `library-card` is issued by nobody",
    ),
    (
        "credentials = [\"pid\", \"payment\"]",
        "credentials = [\"pid\", \"pid\"]",
        "credential `pid` is given twice",
    ),
    (
        "claims = [\"ticket\"]",
        "claims = [\"family_name\"]",
        "claim `family_name` is issued by nobody",
    ),
    ("id = \"confirm-payment\"", "id = \"open-account\"", "`id` \"open-account\" is given twice"),
    (
        "support = \"help@registrar.example\"",
        "support = \"registrar\"",
        "expected an e-mail address",
    ),
    (
        "onboards_through = [\"jiangcheng-pay\"]",
        "onboards_through = [\"registrar\"]",
        "`onboards_through` names `registrar`, expected the id of a wallet provider given above",
    ),
    (
        "[\"jiangcheng-pay\", \"chutian-wallet\"]",
        "[\"jiangcheng-pay\", \"jiangcheng-pay\"]",
        "wallet provider `jiangcheng-pay` is given twice",
    ),
    ("role = \"merchant\"\n", "role = \"merchant\"\nonboards_through = []\n", "`onboards_through`"),
    ("reserve = 8_000_000_000_00\n", "", "`reserve` is missing"),
    ("en = \"Central Bank\"", "en = \" \"", "`en` is empty"),
    ("foreign = true", "foreign = \"yes\"", "`foreign` is a string, expected true or false"),
    (
        "result_only = true",
        "result_only = true\nevidence = true",
        "`check-age` keeps a result only, and evidence",
    ),
    (
        "claims = [\"personal_administrative_number\"]",
        "claims = [\"personal_administrative_number\"]\nevidence = true",
        "`who-read` keeps evidence for no time, expected `retention_days` of at least 1",
    ),
];

const SPOILED_CITY: &[Spoiled] = &[
    ("code = \"420103\"", "code = \"420102\"", "`code` \"420102\" is given twice"),
    ("code = \"420103\"", "code = \"990103\"", "expected 6 digits that begin with a region prefix"),
    ("weight = 65", "weight = 0", "`weight` is 0"),
    ("from = 5, to = 9", "from = 6, to = 9", "ages 6 to 9, expected from 5"),
    ("given_joiner = \"\"", "given_joiner = 0", "`given_joiner` is a integer"),
    (
        "single_given_percent = 18",
        "single_given_percent = 101",
        "`single_given_percent` is over 100",
    ),
    ("given_female = \"丽芳", "given_female = \"丽丽", "`given_female` repeats a part"),
    ("price_unit = 1_00", "price_unit = 0", "`price_unit` is 0"),
    ("trains = [\"G532\", \"G540\"]", "trains = [\"G532\"]", "`trains` are not two"),
];

#[test]
fn every_spoiled_file_is_refused_in_its_place() {
    let files = [
        ("profile.toml", SPOILED_PROFILE),
        ("institutions.toml", SPOILED_INSTITUTIONS),
        ("city.toml", SPOILED_CITY),
    ];
    for (file, rows) in files {
        for (before, after, expected) in rows {
            let [profile, institutions, city] = [
                ("profile.toml", PROFILE),
                ("institutions.toml", INSTITUTIONS),
                ("city.toml", CITY),
            ]
            .map(|(name, text)| {
                assert!(name != file || text.contains(before), "{before:?} is not in {file}");
                if name == file { text.replacen(before, after, 1) } else { text.to_owned() }
            });
            let errors = read_texts(&profile, &institutions, &city).unwrap_err();
            let found = errors.errors().iter().find(|error| error.to_string().contains(expected));
            assert!(found.is_some_and(|error| error.file == file), "{expected}: {errors}");
        }
    }
}

#[test]
fn an_error_points_at_the_line_and_column_of_the_value() {
    let line = PROFILE.lines().position(|l| l.starts_with("decimals")).unwrap();
    let spoiled = PROFILE.replace("decimals = 2", "decimals = \"two\"");
    let errors = read_texts(&spoiled, INSTITUTIONS, CITY).unwrap_err();
    let expected = format!(
        "profile.toml:{}:12: `decimals` is a string, expected a whole number, not negative",
        line + 1
    );
    assert_eq!(errors.errors()[0].to_string(), expected);
}

#[test]
fn all_errors_of_the_files_are_told_at_once() {
    let institutions = INSTITUTIONS
        .replace("help@registrar.example", "registrar")
        .replace("category = 5940", "category = -1")
        .replace("retention_days = 30", "retention = 30");
    let city = CITY.replace("weight = 65", "weight = 0");
    let errors = read_texts(PROFILE, &institutions, &city).unwrap_err();
    assert_eq!(errors.errors().len(), 5, "{errors}");
}

/// One value of the second resident replaced, and the error with line and column.
#[test]
fn every_spoiled_resident_is_refused_in_its_place() {
    let profile = china();
    let row = "420104196512048822,张,娟莉,F,1965-12-04,420104,湖北省,武汉市硚口区,利济北路,217号14栋2401室,1,spouse";
    assert_eq!(RESIDENTS.lines().nth(2), Some(row));
    let rows = [
        (
            "420104196512048822,",
            "420104196512048823,",
            1,
            "check character is 3, expected 2 (GB 11643-1999)",
        ),
        ("420104196512048822,", "420104196209208811,", 1, "the number stands in line 2 already"),
        (",张,", ",,", 20, "family_name is empty"),
        (",张,", ",张 ,", 20, "has stray space"),
        (",F,", ",M,", 25, "sex is another, expected the sex that the resident number's sequence"),
        (",F,", ",女,", 25, "expected F or M"),
        (",1965-12-04,", ",1965-12-05,", 27, "birth_date is another"),
        (",1965-12-04,", ",1965-02-30,", 27, "no such day"),
        (",420104,", ",420105,", 38, "address_code is another"),
        (",217号", ",218号", 45, "the address is another"),
        (",1,spouse", ",one,spouse", 74, "no whole number"),
        (",1,spouse", ",1,head", 76, "a second head"),
        (",1,spouse", ",1,uncle", 76, "expected head, spouse, child or parent"),
        (",1,spouse", ",1", 1, "11 fields, expected 12"),
        (",1,spouse", ",1,spo\"use", 79, "a stray quote"),
    ];
    for (before, after, column, expected) in rows {
        let spoiled = RESIDENTS.replacen(row, &row.replacen(before, after, 1), 1);
        let errors = profile.read_residents("r.csv", &spoiled, today()).unwrap_err();
        let found = errors.errors().iter().any(|error| {
            (error.line, error.column) == (3, column) && error.to_string().contains(expected)
        });
        assert!(found, "{expected} in column {column}: {errors}");
    }
}

#[test]
fn the_header_and_the_future_and_a_headless_household_are_refused() {
    let profile = china();
    let refused =
        |text: &str, today| profile.read_residents("r.csv", text, today).unwrap_err().to_string();
    let header = RESIDENTS.replacen("family_name", "surname", 1);
    assert!(refused(&header, today()).starts_with("r.csv:1:1: the header is another, expected"));
    assert!(refused("", today()).contains("the header is another"));
    let blank = RESIDENTS.replacen("spouse\n", "spouse\n\n", 1);
    assert!(refused(&blank, today()).contains("r.csv:4:1: 1 fields, expected 12"));
    let past = refused(RESIDENTS, jiff::civil::date(1990, 1, 1));
    assert!(past.contains("birth_date lies ahead, expected a day up to 1990-01-01"));
    assert!(past.contains("more: correct these first"));
    let headless: String = RESIDENTS
        .lines()
        .enumerate()
        .filter(|(i, _)| *i != 1)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    assert!(refused(&headless, today()).contains("r.csv:2:1: household 1 has no head"));
}

#[test]
fn errors_never_show_a_number() {
    let spoiled = RESIDENTS.replacen("420104196512048822", "420104196512048823", 1);
    let errors = china().read_residents("r.csv", &spoiled, today()).unwrap_err();
    assert!(!errors.to_string().contains("4201041965"));
}

#[test]
fn a_missing_folder_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = load_dir(folder.path()).unwrap_err().to_string();
    assert!(error.contains("profile.toml:1:1: cannot be read"), "{error}");
}

#[test]
fn an_issuer_reads_the_needed_columns_and_gets_every_claim() {
    let china = china();
    let pid = china.credential("pid").unwrap();
    assert!(!pid.columns().contains(&crate::Column::HouseholdId));
    let residents = china.read_residents("r.csv", RESIDENTS, today()).unwrap();
    let values: BTreeMap<_, _> =
        pid.columns().into_iter().map(|column| (column, residents[1].value(column))).collect();
    let value = |column| values.get(&column).map(String::as_str);
    let claims: BTreeMap<String, ClaimValue> = pid
        .values(value, |_| None, today())
        .unwrap()
        .into_iter()
        .map(|(path, value)| (path.to_string(), value))
        .collect();
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    for (path, expected) in [
        ("family_name", text("张")),
        ("birthdate", text("1965-12-04")),
        ("sex", ClaimValue::Number(2)),
        ("address.locality", text("武汉市硚口区")),
        ("age_equal_or_over.60", ClaimValue::Flag(true)),
        ("issuing_country", text("CN")),
    ] {
        assert!(claims.get(path) == Some(&expected), "{path}");
    }
    let young = jiff::civil::date(2025, 12, 3);
    let still_59 = pid.values(value, |_| None, young).unwrap();
    assert!(still_59.iter().any(|(path, value)| {
        path.to_string() == "age_equal_or_over.60" && *value == ClaimValue::Flag(false)
    }));
    assert!(pid.values(|_| None, |_| None, today()).is_none());
}
