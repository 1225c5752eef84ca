//! Keys in a PKCS#11 token (SoftHSM): issued from it, across restarts, with it taken away and put back, rotated, lost
//! and replaced as the operators' documents say.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::time::Duration;
use support::attested::{AttestedWallet, Changed, authenticated};
use support::institutions::{AUTHORITY, PROVIDER, SHOP};
use support::token::{CONF, SoftHsm, commands_of};
use support::visits::Street;
use support::{Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, carry, now, text};
use yufu::wallet::{Got, Wanted};
use yufu_base::CommandId;
use yufu_jose::{Chain, SoftwareKey};
use yufu_keys::random;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_wallet::HeldCredential;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PURPOSE: &str = "check-age";
/// An adult.
const ROW: usize = 1;
const PATIENCE: Duration = Duration::from_secs(30);

type Held = (HeldCredential, SoftwareKey);

/// A city whose keys are in a token. Its address stays across starts: credentials name it.
struct City {
    data: Data,
    hsm: SoftHsm,
    port: u16,
}

impl City {
    fn new() -> Self {
        let data = Data::new();
        let hsm = SoftHsm::new(&data);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { data, hsm, port }
    }

    fn start(&self) -> Server {
        let (conf, settings) = (self.hsm.conf(), self.hsm.settings());
        let more = ["--config", settings.to_str().unwrap()];
        Server::start_in(&self.data, self.port, &more, &[(CONF, conf.as_path())])
    }

    /// Stops a server, as an operator does.
    fn stop(&self, server: Server) {
        server.terminate();
        assert!(server.ended().success());
    }

    /// Runs `yufu keys` to a good end.
    fn keys(&self, arguments: &[&str]) -> String {
        let done = self.hsm.yufu(&[&["keys"], arguments].concat());
        assert!(done.status.success(), "{done:?}");
        text(&done.stdout)
    }

    /// Why `yufu keys` refuses.
    fn refused(&self, arguments: &[&str]) -> String {
        let done = self.hsm.yufu(&[&["keys"], arguments].concat());
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        text(&done.stderr)
    }

    /// The generations of a key of the authority's, by `yufu keys list --json`.
    fn generations(&self, key: &str) -> Vec<Value> {
        let all: Vec<Value> = serde_json::from_str(&self.keys(&["list", "--json"])).unwrap();
        let own = |one: &Value| one["institution"] == AUTHORITY && one["key"] == key;
        all.into_iter().filter(own).collect()
    }
}

fn number() -> String {
    let residents = include_str!("../../../profiles/china/residents.csv");
    let line = residents.lines().nth(ROW).unwrap();
    line.split(',').next().unwrap().to_owned()
}

/// The key that signed a credential.
fn signer(held: &HeldCredential) -> String {
    let header = held.credential.issued();
    let header = yufu_jose::decode_base64url(header.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let x5c: Vec<String> = serde_json::from_value(header["x5c"].clone()).unwrap();
    let chain = Chain::from_x5c(&x5c).unwrap();
    let key = yufu_jose::unverified_key(chain.unverified_leaf()).unwrap();
    yufu_jose::Jwk::from(key).thumbprint_base64url()
}

/// Shows a credential at the shop: `yes`, or the code of the refusal.
async fn shown(caller: &Caller, credential: &Held) -> String {
    let mut street = Street::of(caller).await;
    let begun = street.begin(SHOP, PURPOSE).await;
    let request = street.answer(begun["authorization_request"].as_str().unwrap(), credential).await;
    let answer = carry(caller, &request).await;
    let state = street.state(SHOP, begun["verification"].as_str().unwrap()).await;
    match answer.status {
        200 => state["state"].as_str().unwrap().to_owned(),
        _ => state["refusal"].as_str().unwrap().to_owned(),
    }
}

/// Asks until the answer is as wanted, which it is to be in time.
async fn until(caller: &Caller, path: &str, wanted: u16) -> Value {
    let mut waited = Duration::ZERO;
    loop {
        let answer = caller.get(path, None).await;
        if answer.status == wanted {
            return answer.body;
        }
        assert!(waited < PATIENCE, "{path}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        waited += Duration::from_millis(100);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_signs_both_formats_with_a_key_that_cannot_leave_its_token_across_starts() {
    let city = City::new();
    let server = city.start();
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let sd_jwts = street.batch(&number(), FORMAT_SD_JWT_VC).await;
    assert_eq!(street.batch(&number(), FORMAT_MSO_MDOC).await.len(), sd_jwts.len());
    assert_eq!(shown(&caller, &sd_jwts[0]).await, "yes");

    let told = city.hsm.private_keys();
    for key in ["credentials", "credential-anchor"] {
        assert!(told.contains(&format!("yufu/{AUTHORITY}/{key}")), "{told}");
        let folder = city.data.path().join(AUTHORITY).join("keys");
        assert!(!folder.join(format!("{key}.p8")).exists(), "{key} lies in a file too");
    }
    let count = told.matches("Private Key Object").count();
    assert_eq!(told.matches("sensitive, always sensitive, never extractable").count(), count);
    let in_file = city.data.path().join(AUTHORITY).join("keys/institution.p8");
    assert!(in_file.exists(), "what tells others of a lost token is not in it");

    city.stop(server);
    let server = city.start();
    let caller = server.caller();
    assert_eq!(shown(&caller, &sd_jwts[1]).await, "yes");
    let again = Street::of(&caller).await.sd_jwts(&number()).await;
    assert_eq!(signer(&again[0].0), signer(&sd_jwts[0].0), "the same key");
    assert_eq!(shown(&caller, &again[0]).await, "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_token_an_issuer_says_so_the_rest_goes_on_and_so_does_it_once_that_is_back() {
    let city = City::new();
    let server = city.start();
    let caller = server.caller();
    let (payer, shop) =
        (caller.business(JIANGCHENG, 500_000).await, caller.business(LIANGHU, 0).await);
    let resident = Resident::of(&caller, ROW);
    let mut wallet = AttestedWallet::of(&caller, "Jiangcheng Pay").await;
    let access = wallet.tokens(&resident, "pid").await.access;
    let request = wallet.request("pid", 2).await;
    until(&caller, "/readyz", 200).await;

    city.hsm.remove();
    let why = until(&caller, "/readyz", 503).await;
    assert_eq!(why["code"], "server.not_ready");
    let detail = why["detail"].as_str().unwrap();
    assert!(detail.starts_with("keys: key.") && detail.contains("A token is lost"), "{detail}");
    let asked = wallet.under("credential", &access, &request, Changed::default()).await.answer;
    let refused = asked.refused("without its token", 503, "key.token_absent");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("nothing was done") && !detail.contains("softhsm"), "{detail}");
    // The list that was signed before serves until it is old.
    let list = until(&caller, "/authority/status/1", 503).await;
    assert_eq!(list["code"], "key.token_absent", "nobody signs the list");
    let id = CommandId::at(now(), u128::from_be_bytes(random()));
    caller.pay(&payer, &payer.order(shop.id, 100, id)).await.unwrap().done();
    assert_eq!(caller.get("/central-bank/v1/supply", None).await.done()["balanced"], true);
    until(&caller, "/healthz", 200).await;

    city.hsm.put_back();
    until(&caller, "/readyz", 200).await;
    // The same token and the same proofs: nothing was used up.
    let asked = wallet.under("credential", &access, &request, Changed::default()).await.answer;
    assert_eq!(asked.done()["credentials"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_is_tried_once_in_all_starts_and_the_right_one_is_taken() {
    let city = City::new();
    let pin = city.hsm.settings().with_file_name("pin");
    let right = fs::read_to_string(&pin).unwrap();
    fs::write(&pin, "1111\n").unwrap();
    let check = || {
        let done = city.hsm.yufu(&["config", "check"]);
        (done.status.success(), text(&done.stdout))
    };
    // There is a folder to remember it in.
    fs::create_dir_all(city.data.path()).unwrap();
    let (good, told) = check();
    assert!(!good && told.contains("it refused the PIN"), "{told}");
    let (good, told) = check();
    assert!(!good && told.contains("was refused before, and is not tried again"), "{told}");
    assert!(!told.contains("1111"), "{told}");
    fs::write(&pin, right).unwrap();
    let (good, told) = check();
    assert!(good, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_signed_before_its_rotation_counts_until_it_is_retired() {
    let city = City::new();
    let server = city.start();
    let caller = server.caller();
    let before = Street::of(&caller).await.sd_jwts(&number()).await;
    let refused = city.refused(&["replace", AUTHORITY]);
    assert!(refused.contains("another server runs"), "{refused}");
    city.stop(server);

    city.keys(&["rotate", AUTHORITY, "credentials"]);
    city.keys(&["rotate", AUTHORITY, "credential-anchor"]);
    let states: Vec<Value> =
        city.generations("credentials").iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["former", "in_use"]);
    let server = city.start();
    let caller = server.caller();
    let after = Street::of(&caller).await.sd_jwts(&number()).await;
    assert_ne!(signer(&before[0].0), signer(&after[0].0));
    assert_eq!(shown(&caller, &before[0]).await, "yes", "issued before, under the former anchor");
    assert_eq!(shown(&caller, &after[0]).await, "yes");
    city.stop(server);

    let early = city.refused(&["retire", AUTHORITY, "credentials"]);
    assert!(early.contains("counts until") && early.contains("--compromised"), "{early}");
    let silent = city.refused(&["retire", AUTHORITY, "credentials", "--compromised", " "]);
    assert!(silent.contains("say why"), "{silent}");
    let unknown = city.refused(&["rotate", AUTHORITY, "institution"]);
    assert!(unknown.contains("credential-anchor, credentials"), "{unknown}");
    city.keys(&["retire", AUTHORITY, "credentials", "--compromised", "copied by a contractor"]);
    assert_eq!(city.generations("credentials")[0]["retired"]["why"], "copied by a contractor");
    let server = city.start();
    let caller = server.caller();
    assert_eq!(shown(&caller, &before[1]).await, "issuer.not_recognised");
    assert_eq!(shown(&caller, &after[1]).await, "yes");

    // The list goes on saying so, and what was withdrawn does not come back.
    city.stop(server);
    let server = city.start();
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let entry = street.trust.entries.iter().find(|one| one.identifier.ends_with("/authority"));
    let entry = entry.unwrap();
    assert_eq!((entry.certificates.len(), entry.withdrawn.len()), (2, 1));
    assert_eq!(entry.withdrawn[0], signer(&before[0].0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begun_before_the_keys_of_sessions_were_rotated_goes_on_until_they_are_retired() {
    let city = City::new();
    let server = city.start();
    let caller = server.caller();
    let resident = Resident::of(&caller, ROW);
    let mut wallet = AttestedWallet::of(&caller, "Jiangcheng Pay").await;
    let tokens = wallet.tokens(&resident, "pid").await;
    city.stop(server);
    city.keys(&["rotate", AUTHORITY, "sessions"]);
    city.keys(&["rotate", AUTHORITY, "requests"]);

    let refresh = [("grant_type", "refresh_token".to_owned()), ("refresh_token", tokens.refresh)];
    let refresh = refresh.into_iter().collect();
    let server = city.start();
    wallet.greet().await;
    let changed = Changed::default();
    let again = wallet.form("token", &refresh, changed).await.answer.done();
    assert!(again["access_token"].is_string(), "begun before, goes on");
    city.stop(server);

    city.keys(&["retire", AUTHORITY, "sessions", "--compromised", "left on a memory stick"]);
    let server = city.start();
    wallet.greet().await;
    let changed = Changed::default();
    let answer = wallet.form("token", &refresh, changed).await.answer;
    answer.oauth("sealed under a retired key", 400, "invalid_grant");
    drop(server);
}

/// Loses the token with everything in it, and follows the documents.
async fn lose_and_replace(compromised: bool) {
    let city = City::new();
    let server = city.start();
    let caller = server.caller();
    let mut resident = Resident::of(&caller, ROW);
    resident.wallet.of_provider(PROVIDER).unwrap();
    let made = authenticated(&caller, &resident, "pid").await;
    let (offer, digits) = (made["haip_offer"].as_str().unwrap(), &made["transaction_code"]);
    let got = resident.wallet.get_attested(offer, digits.as_str(), Wanted::default()).await;
    assert!(matches!(got.unwrap(), Got::Received(_)));
    let before = resident.credentials();
    city.hsm.destroy();
    until(&caller, "/readyz", 503).await;
    city.stop(server);

    let commands = commands_of("A token is lost");
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let voids = command.contains("--compromised");
        if command.contains("keys replace") && voids != compromised {
            continue;
        }
        let told = city.hsm.as_documented(&command);
        if command.contains("config check") {
            assert!(told.starts_with("good: "), "{told}");
        }
    }
    let server = city.start();
    let caller = server.caller();
    until(&caller, "/readyz", 200).await;
    let former = if compromised { "issuer.not_recognised" } else { "yes" };
    assert_eq!(shown(&caller, &before[0]).await, former);
    let renewed = resident.wallet.renew().await.unwrap();
    let fresh = renewed.iter().any(|got| matches!(got, Got::Received(one) if one.count == 10));
    assert_eq!(fresh, compromised, "{renewed:?}");
    let held = resident.credentials();
    let newest = held.last().unwrap();
    assert_eq!(signer(&newest.0) == signer(&before[0].0), !compromised);
    assert_eq!(shown(&caller, newest).await, "yes");
    let anew = Street::of(&caller).await.sd_jwts(&number()).await;
    assert_ne!(signer(&anew[0].0), signer(&before[0].0), "by the new key");
    assert_eq!(shown(&caller, &anew[0]).await, "yes");
    city.stop(server);
    let states: Vec<Value> =
        city.generations("credentials").iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [if compromised { "retired" } else { "former" }, "in_use"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_token_signed_counts_until_it_ends_and_the_new_one_takes_over() {
    lose_and_replace(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stolen_token_signed_is_void_and_wallets_renew_under_the_new_one() {
    lose_and_replace(true).await;
}
