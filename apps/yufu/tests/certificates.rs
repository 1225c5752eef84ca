//! The certificates of those who sign mdocs, and the lists of revoked ones: served where the certificate says, signed by who
//! certified it, and looked at by whoever verifies (ISO/IEC 18013-5, Annex B).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::fs;
use std::path::PathBuf;
use support::institutions::SHOP;
use support::visits::Street;
use support::{Caller, Data, Resident, Server, now};
use yufu::wallet::{Holder, Wanted};
use yufu_jose::{Chain, ChainError};
use yufu_keys::{KeyStore, KeyUse};
use yufu_trust::Role;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const MDOC: Wanted = Wanted { pseudonyms: false, mdoc: true };

/// A resident with an identity as mdocs.
async fn resident(caller: &Caller) -> Holder {
    let mut she = Resident::of(caller, 1);
    let (offer, code) = she.offer(caller).await;
    she.wallet.get_as(&offer, Some(&code), MDOC).await.unwrap();
    she.wallet
}

/// How a shop takes what she shows: nothing, or with which words it refused.
async fn shown(street: &Street, wallet: &mut Holder) -> Result<(), String> {
    let asked = street.begin(SHOP, "check-age").await;
    let link = asked["authorization_request"].as_str().unwrap();
    let shown = wallet.present(link, &mut |_| true).await;
    shown.map(|_| ()).map_err(|error| format!("{error:#}"))
}

fn keys(data: &Data) -> PathBuf {
    data.path().join("identity-authority").join("keys")
}

/// The certificate of the authority's signer, which names a list.
fn signer(data: &Data) -> Chain {
    let files = fs::read_dir(keys(data)).unwrap().map(|entry| entry.unwrap().path());
    let leaves = files.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("leaf-") && name.ends_with(".der")
    });
    let mut chains = leaves.map(|path| Chain::from_der(vec![fs::read(path).unwrap()]).unwrap());
    chains.find(|chain| !chain.distribution_points().is_empty()).unwrap()
}

/// The list at an address, as it is served.
async fn list(caller: &Caller, at: &str) -> Vec<u8> {
    let (status, kind, list) = caller.client.exchange("GET", at, &[], Vec::new()).await.unwrap();
    assert_eq!((status, kind.as_str()), (200, "application/pkix-crl"));
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn each_issuer_serves_the_list_that_its_signers_certificates_name() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let signer = signer(&data);
    let at = format!("{}/authority/crl/1", caller.url);
    assert_eq!(signer.distribution_points(), std::slice::from_ref(&at));
    let entry = street.trust.entries.iter().find(|one| one.role == Role::PidIssuer).unwrap();
    let authorities = entry.authorities().unwrap();
    let verified = signer.verify_unrevoked(&authorities, &[list(&caller, &at).await], now());
    assert_eq!(verified.unwrap().uri_names, [format!("{}/authority", caller.url)]);
    // Another issuer's list says nothing of it.
    let banks = format!("{}/banks/bank-of-jiangcheng/crl/1", caller.url);
    let unknown = signer.verify_unrevoked(&authorities, &[list(&caller, &banks).await], now());
    assert_eq!(unknown, Err(ChainError::RevocationUnknown));
    for other in ["parties/jingguang-railway", "agencies/pension-agency"] {
        list(&caller, &format!("{}/{other}/crl/1", caller.url)).await;
    }
    for nowhere in ["/authority/crl/2", "/authority/crl/x", "/banks/nowhere/crl/1"] {
        caller.get(nowhere, None).await.refused(nowhere, 404, "request.not_found");
    }
    let mut wallet = resident(&caller).await;
    shown(&street, &mut wallet).await.unwrap();
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revoked_certificate_signed_is_refused() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let mut wallet = resident(&caller).await;
    // Withdrawn on disk: the running server says so on its list at once, and on the trust list within a second or so. Which
    // of them the shop learns it from is a matter of time.
    let store = KeyStore::open(&keys(&data)).unwrap();
    let until = now().plus_seconds(86_400);
    store.rotate("credentials", KeyUse::Signs, (now(), until)).unwrap();
    store.retire("credentials", 1, Some("stolen"), now()).unwrap();
    let said = shown(&street, &mut wallet).await.unwrap_err();
    let told = ["issuer.certificate_revoked", "withdrew the key that signed"];
    assert!(told.iter().any(|one| said.contains(one)), "{said}");
    let entry = street.trust.entries.iter().find(|one| one.role == Role::PidIssuer).unwrap();
    let (signer, at) = (signer(&data), format!("{}/authority/crl/1", caller.url));
    let lists = [list(&caller, &at).await];
    let revoked = signer.verify_unrevoked(&entry.authorities().unwrap(), &lists, now());
    assert_eq!(revoked, Err(ChainError::Revoked));
    drop(server);
}
