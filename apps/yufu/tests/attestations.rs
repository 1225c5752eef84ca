//! What banks and agencies attest of their own: which credentials there are, and what they say, is the profile's affair.
//! Issued in both formats of the same claims, shown to a shop, void when their ground is gone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use support::institutions::SHOP;
use support::visits::Street;
use support::{Caller, Data, JIANGCHENG, Resident, Server};
use yufu::wallet::{Holder, Wanted};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PENSIONS: &str = "pension-agency";
const SCHOOLS: &str = "education-bureau";
const SD_JWT: Wanted = Wanted { pseudonyms: true, mdoc: false };
const MDOC: Wanted = Wanted { pseudonyms: true, mdoc: true };

/// What the shop makes of a wallet's answer for a purpose; or with which words the wallet or the shop refused.
async fn asked(
    street: &Street,
    wallet: &mut Holder,
    purpose: &str,
) -> Result<(String, Value), String> {
    let begun = street.begin(SHOP, purpose).await;
    let link = begun["authorization_request"].as_str().unwrap();
    let id = begun["verification"].as_str().unwrap().to_owned();
    match wallet.present(link, &mut |_| true).await {
        Ok(_) => Ok((id.clone(), street.state(SHOP, &id).await["state"].clone())),
        Err(error) => Err(format!("{error:#}")),
    }
}

async fn refused(wallet: &mut Holder, issuer: &str, credential: &str) -> String {
    let refusal = wallet.get_attestation(issuer, credential, SD_JWT).await.unwrap_err();
    format!("{refusal:#}")
}

fn names(claims: &[String]) -> BTreeSet<&str> {
    claims.iter().map(String::as_str).collect()
}

/// How an issuer shows its credentials: the name of one by language.
async fn shown(caller: &Caller, issuer: &str, credential: &str) -> BTreeSet<(String, String)> {
    let path = format!("/.well-known/openid-credential-issuer/{issuer}");
    let metadata = caller.get(&path, None).await.done();
    let of = &metadata["credential_configurations_supported"][credential];
    let displays =
        of["credential_metadata"]["display"].as_array().or_else(|| of["display"].as_array());
    let pair = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (text("locale"), text("name"))
    };
    displays.unwrap().iter().map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_institution_attests_what_the_profile_says_in_both_formats_and_a_shop_takes_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    // Born in 1962.
    let mut she = Resident::identified(&caller, 1).await;
    she.open_account(&caller, 1_000).await;
    let wallet = &mut she.wallet;
    for (agency, programme) in [(PENSIONS, "basic-pension"), (SCHOOLS, "student-support")] {
        wallet.enrol(agency, programme, &mut |_| true).await.unwrap();
    }
    let of_bank = ["account_class", "bank", "customer_since", "family_name", "given_name"];
    let of_member = ["member_since", "programme"];
    let kinds: [(&str, &str, &[&str], &str); 3] = [
        (JIANGCHENG, "account-holder", &of_bank, "hire-on-account"),
        (PENSIONS, "pensioner", &of_member, "pensioner-price"),
        (SCHOOLS, "student", &of_member, "student-price"),
    ];
    for (issuer, credential, claims, purpose) in kinds {
        let got = wallet.get_attestation(issuer, credential, SD_JWT).await.unwrap();
        assert_eq!(names(&got.claims), claims.iter().copied().collect(), "{credential}");
        assert_eq!(asked(&street, wallet, purpose).await.unwrap().1, "yes", "{purpose}");
        // As an mdoc the same claims, below its namespace.
        let got = wallet.get_attestation(issuer, credential, MDOC).await.unwrap();
        assert_eq!(got.vct, format!("org.yufu.{credential}.cn.1"));
        assert_eq!(
            asked(&street, wallet, purpose).await.unwrap().1,
            "yes",
            "{purpose}: as an mdoc"
        );
    }
    wallet.get_attestation(JIANGCHENG, "account-standing", SD_JWT).await.unwrap();
    let (id, state) = asked(&street, wallet, "see-standing").await.unwrap();
    assert_eq!(state, "yes");
    let path = format!("/verifiers/{SHOP}/v1/desk/verifications/{id}/claims");
    let path = format!("{path}?purpose=hire&fields=standing");
    let claims = caller.get(&path, Some(&caller.desk(SHOP))).await.done();
    assert_eq!(claims, json!({"standing": "open"}));

    // The bank read her file for it, and she sees that.
    let looks = wallet.who_read_at_banks().await.unwrap().remove(0).accesses;
    let issuing = |one: &&yufu_api::looking::FileAccess| one.purpose.contains("account-holder");
    let look = looks.iter().find(issuing).unwrap();
    assert_eq!(look.fields, ["family_name", "given_name"]);

    let pair = |locale: &str, name: &str| (locale.to_owned(), name.to_owned());
    let of = format!("agencies/{PENSIONS}");
    let expected = BTreeSet::from([pair("zh", "养老金领取证明"), pair("en", "Pensioner")]);
    assert_eq!(shown(&caller, &of, "pensioner").await, expected);
    let of = format!("banks/{JIANGCHENG}");
    let expected = BTreeSet::from([pair("zh", "账户持有证明"), pair("en", "Account holder")]);
    assert_eq!(shown(&caller, &of, "account-holder").await, expected);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_attested_without_its_ground_and_what_was_is_void_once_that_is_gone() {
    let data = Data::new();
    let server = Server::start_with(&data, &["--status-seconds", "1"]);
    let street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let mut she = Resident::identified(&caller, 1).await;
    let account = she.open_account(&caller, 1_000).await;
    let wallet = &mut she.wallet;
    let said = refused(wallet, PENSIONS, "pensioner").await;
    assert!(said.contains("no account and no membership"), "{said}");
    wallet.enrol(PENSIONS, "basic-pension", &mut |_| true).await.unwrap();
    for (issuer, credential) in [
        (JIANGCHENG, "payment"),
        (JIANGCHENG, "pensioner"),
        (PENSIONS, "student"),
        (PENSIONS, "account-holder"),
        (PENSIONS, "nothing"),
    ] {
        let said = refused(wallet, issuer, credential).await;
        assert!(said.contains("request.not_found"), "{issuer} {credential}: {said}");
    }
    // Somebody else's pseudonym, or no key at all, gets no offer.
    let file = wallet.benefits().await.unwrap().remove(0).file;
    let path = format!(
        "/agencies/{PENSIONS}/v1/programmes/basic-pension/members/{}/credentials/pensioner",
        file.pseudonym
    );
    let refusal = caller.post(&path, None, &json!({})).await;
    refusal.refused("no key", 401, "request.unauthenticated");
    let token = account.token(&path);
    let refusal = caller.post(&path, Some(&token), &json!({})).await;
    refusal.refused("another key", 401, "request.unauthenticated");

    wallet.get_attestation(PENSIONS, "pensioner", SD_JWT).await.unwrap();
    wallet.leave_programme(PENSIONS, "basic-pension").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let said = asked(&street, wallet, "pensioner-price").await.unwrap_err();
    assert!(said.contains("credential.revoked"), "{said}");
    let said = refused(wallet, PENSIONS, "pensioner").await;
    assert!(said.contains("member.left"), "{said}");
    drop(server);
}
