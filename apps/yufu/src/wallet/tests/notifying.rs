//! A batch that does not hold is not kept, and whoever issued it is told.

use super::city::TestCity;
use crate::wallet::getting::Wanted;
use crate::wallet::haip::entropy;
use serde_json::json;
use yufu_api::authority::Revoked;
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_trust::Role;
use yufu_wallet::issuance::SectorKeys;
use yufu_wallet::issuance::haip::{Begun, Keys, Outcome, begin};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_does_not_hold_is_not_kept_and_is_void_at_its_issuer_11() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    wallet.of_provider("jiangcheng-pay").unwrap();
    let offer = city.offer_identity(0).await;
    let trust = wallet.trust().await.unwrap();
    let Begun::Value(fetching, request) = begin(&offer.haip_offer.unwrap(), &trust).unwrap() else {
        panic!("the offer is in the link")
    };
    let begun = (*fetching, request);
    let (authorising, party) = wallet.push(begun, Wanted::default(), &trust).await.unwrap();
    let form = authorising.form(Some(&offer.transaction_code)).unwrap();
    let address = wallet.agreed(form).await.unwrap();
    let mut exchanging = authorising.answered(&address).unwrap().unwrap();
    let mut granted = wallet.take(&mut exchanging, &party).await.unwrap();
    let nonce = wallet.send(granted.nonce().unwrap()).await.unwrap();
    let nonce = granted.learn(&nonce).unwrap();
    let keys: Vec<SoftwareKey> =
        (0..3).map(|_| SoftwareKey::from_seed(&random()).unwrap()).collect();
    let attestation = wallet.attestation_of_keys(&keys, &nonce).await.unwrap();
    let credentials: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let asked = Keys {
        credentials: &credentials,
        attestation: &attestation,
        sectors: &SectorKeys::new(),
        dpop: &party.dpop,
    };
    let (requesting, request) = granted.ask(&nonce, asked, &entropy(), wallet.now()).unwrap();
    let response = wallet.send(request).await.unwrap();

    // By the list of the moment the issuer's signer is nobody: nothing of it is kept.
    let mut strange = trust.clone();
    strange.entries.retain(|entry| entry.role != Role::PidIssuer);
    let outcome = requesting.handle(&response, &strange, wallet.now()).unwrap();
    assert!(matches!(outcome, Outcome::Unfit(_)), "{outcome:?}");
    let refused = wallet.keep_outcome(&requesting, outcome, keys, &party).await.unwrap_err();
    assert!(refused.to_string().starts_with("credential 0"), "{refused}");
    assert_eq!(wallet.credentials_left(), 0);
    let path = "/authority/v1/officer/revocations";
    let body = json!({"resident_number": city.number(0), "reason": "to see what still stands"});
    let left: Revoked = city.desk("identity-authority", path, &body).await;
    assert_eq!(left.revoked, 0, "the batch was void before");
}
