//! X.509 path validation, against chains built here: one row per rule.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_wrap,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SanType, SignatureAlgorithm,
};
use time::OffsetDateTime;
use yufu_base::Timestamp;
use yufu_jose::{Chain, ChainError, Leaf};

type Issuer = CertifiedIssuer<'static, KeyPair>;

const DAY: u64 = 86_400;

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn valid(mut params: CertificateParams, from: u64, to: u64) -> CertificateParams {
    let moment = |seconds: u64| OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
    (params.not_before, params.not_after) = (moment(from), moment(to));
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    valid(params, 0, 4_000_000_000)
}

fn authority(name: &str, by: Option<&Issuer>) -> Issuer {
    let params = authority_params(name);
    match by {
        Some(by) => CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), by).unwrap(),
        None => CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
    }
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(["verifier.example".to_owned()]).unwrap();
    let uri = "https://verifier.example/".try_into().unwrap();
    params.subject_alt_names.push(SanType::URI(uri));
    params.distinguished_name.push(DnType::OrganizationName, "江城宾馆");
    params.distinguished_name.push(DnType::CommonName, "verifier");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let seconds = now().seconds();
    valid(params, seconds - DAY, seconds + DAY)
}

fn issue(params: &CertificateParams, by: &Issuer) -> (Vec<u8>, KeyPair) {
    issue_with(params, by, &rcgen::PKCS_ECDSA_P256_SHA256)
}

fn issue_with(
    params: &CertificateParams,
    by: &Issuer,
    algorithm: &'static SignatureAlgorithm,
) -> (Vec<u8>, KeyPair) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    (params.signed_by(&key, by).unwrap().der().to_vec(), key)
}

fn verify(chain: Vec<Vec<u8>>, anchors: &[&Issuer]) -> Result<Leaf, ChainError> {
    let anchors: Vec<Vec<u8>> = anchors.iter().map(|ca| ca.der().to_vec()).collect();
    Chain::from_der(chain)?.verify(&anchors, now())
}

#[test]
fn the_key_of_a_certificate_is_read_if_it_is_of_p256_whoever_signed_it() {
    let root = authority("root", None);
    let (der, key) = issue(&leaf_params(), &root);
    let of = |der: &[u8]| yufu_jose::unverified_key(der).map(|key| key.as_bytes().to_vec());
    assert_eq!(of(&der), Some(key.public_key_raw().to_vec()));
    let ed25519 = issue_with(&leaf_params(), &root, &rcgen::PKCS_ED25519).0;
    let p384 = issue_with(&leaf_params(), &root, &rcgen::PKCS_ECDSA_P384_SHA384).0;
    let longer = [der.as_slice(), &[0]].concat();
    for other in [&ed25519, &p384, &longer, &der[..der.len() - 1].to_vec(), &Vec::new()] {
        assert_eq!(of(other), None);
    }
}

#[test]
fn a_chain_through_an_intermediate_names_its_leaf() {
    let root = authority("root", None);
    let middle = authority("middle", Some(&root));
    let (der, key) = issue(&leaf_params(), &middle);
    let leaf = verify(vec![der.clone(), middle.der().to_vec()], &[&root]).unwrap();
    assert_eq!(leaf.public_key.as_bytes().as_slice(), key.public_key_raw());
    assert_eq!(
        (leaf.der.as_slice(), leaf.dns_names),
        (der.as_slice(), vec!["verifier.example".to_owned()])
    );
    assert_eq!(leaf.uri_names, ["https://verifier.example/"]);
    assert_eq!(leaf.organisation.as_deref(), Some("江城宾馆"));
    assert_eq!(leaf.common_name.as_deref(), Some("verifier"));
    assert_eq!(leaf.not_after, now().plus_seconds(DAY));
}

#[test]
fn a_chain_that_carries_its_authority_is_refused_haip_1_0() {
    let root = authority("root", None);
    let middle = authority("middle", Some(&root));
    let (der, _) = issue(&leaf_params(), &middle);
    let (leaf, middle, root_der) = (der, middle.der().to_vec(), root.der().to_vec());
    assert!(verify(vec![leaf.clone(), middle.clone()], &[&root]).is_ok());
    let carried = verify(vec![leaf.clone(), middle.clone(), root_der.clone()], &[&root]);
    assert_eq!(carried, Err(ChainError::CarriesAnchor(2)));
    assert_eq!(verify(vec![root_der], &[&root]), Err(ChainError::CarriesAnchor(0)));
    // The same authority's key in a certificate made anew: it says no more, and another file is listed.
    let again = valid(authority_params("root"), 1, 4_000_000_000);
    let again = again.self_signed(root.key()).unwrap().der().to_vec();
    assert_ne!(again, root.der().to_vec());
    let carried = verify(vec![leaf.clone(), middle.clone(), again], &[&root]);
    assert_eq!(carried, Err(ChainError::CarriesAnchor(2)));
    // An authority that is nobody's anchor here is an intermediate like any other.
    let stranger = authority("stranger", None);
    assert!(verify(vec![leaf, middle, stranger.der().to_vec()], &[&root]).is_ok());
}

#[test]
fn x5c_reads_and_writes_the_same_chain() {
    let root = authority("root", None);
    let (der, _) = issue(&leaf_params(), &root);
    let chain = Chain::from_der(vec![der.clone()]).unwrap();
    assert_eq!(Chain::from_x5c(&chain.to_x5c()).unwrap(), chain);
    assert_eq!(chain.unverified_leaf(), der);
    let leaf = chain.verify(&[root.der().to_vec()], now()).unwrap();
    assert_eq!(leaf.sha256_base64url(), yufu_jose::encode_base64url(yufu_jose::sha256(&der)));
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let (root, stranger) = (authority("root", None), authority("root", None));
    let (good, _) = issue(&leaf_params(), &root);
    let seconds = now().seconds();
    let expired = valid(leaf_params(), seconds - 2 * DAY, seconds - DAY);
    let future = valid(leaf_params(), seconds + DAY, seconds + 2 * DAY);
    let mut encipher = leaf_params();
    encipher.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let middle = authority("middle", Some(&root));
    let rows = [
        (verify(vec![], &[&root]), ChainError::Empty),
        (verify(vec![good.clone(); 7], &[&root]), ChainError::TooLong(7)),
        (verify(vec![good.clone(), vec![0; 20_000]], &[&root]), ChainError::TooLarge(1)),
        (verify(vec![b"no certificate".to_vec()], &[&root]), ChainError::Malformed(0)),
        (verify(vec![[good.as_slice(), &[0]].concat()], &[&root]), ChainError::Malformed(0)),
        (verify(vec![good.clone()], &[]), ChainError::Untrusted),
        (verify(vec![issue(&expired, &root).0], &[&root]), ChainError::Expired),
        (verify(vec![issue(&future, &root).0], &[&root]), ChainError::NotYetValid),
        (verify(vec![issue(&encipher, &root).0], &[&root]), ChainError::KeyUsage),
        (
            verify(
                vec![issue_with(&leaf_params(), &root, &rcgen::PKCS_ECDSA_P384_SHA384).0],
                &[&root],
            ),
            ChainError::NotP256,
        ),
        (verify(vec![issue(&leaf_params(), &middle).0], &[&root]), ChainError::Untrusted),
    ];
    for (result, expected) in rows {
        assert_eq!(result, Err(expected));
    }
    let same_name = verify(vec![good.clone()], &[&stranger]).unwrap_err();
    assert!(matches!(same_name, ChainError::Untrusted | ChainError::Invalid(_)), "{same_name:?}");
    let authority_as_leaf = verify(vec![middle.der().to_vec()], &[&root]).unwrap_err();
    assert!(matches!(authority_as_leaf, ChainError::Invalid(_)), "{authority_as_leaf:?}");
    let anchors = [root.der().to_vec(), b"no anchor".to_vec()];
    let chain = Chain::from_der(vec![good]).unwrap();
    assert_eq!(chain.verify(&anchors, now()), Err(ChainError::Anchor(1)));
    assert_eq!(Chain::from_x5c(&["A-_=".to_owned()]), Err(ChainError::Base64(0)));
}
