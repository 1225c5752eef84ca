//! Each rule: a certificate that keeps all of them but one.
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SanType, date_time_ymd,
};

const AUTHORITY: &str = "https://issuer.example/authority";
const LIST: &str = "https://issuer.example/authority/crl/1";

/// Stands for the identifier of the key that is certified.
const OWN: [u8; 20] = [7; 20];

/// An authority, and its certificate.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn name(country: Option<&str>, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(country) = country {
        let country = DnValue::PrintableString(country.try_into().unwrap());
        name.push(DnType::CountryName, country);
    }
    name.push(DnType::CommonName, common);
    name
}

/// What an authority's certificate is to be.
fn anchor() -> CertificateParams {
    let mut wanted = CertificateParams::default();
    let serial = vec![0x41; 16];
    wanted.serial_number = Some(serial.into());
    wanted.distinguished_name = name(Some("XP"), "anchor");
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    wanted.not_before = date_time_ymd(2026, 1, 1);
    wanted.not_after = date_time_ymd(2036, 1, 1);
    wanted
}

fn authority() -> Authority {
    let (wanted, key) = (anchor(), key());
    let der = wanted.self_signed(&key).unwrap().der().to_vec();
    Authority { issuer: Issuer::new(wanted, key), der }
}

/// What the certificate of somebody who signs mdocs is to be.
fn signer() -> CertificateParams {
    let mut wanted = CertificateParams::default();
    let serial = vec![0x42; 16];
    wanted.serial_number = Some(serial.into());
    wanted.distinguished_name = name(Some("XP"), "credentials");
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.use_authority_key_identifier_extension = true;
    wanted.subject_alt_names = vec![SanType::URI("https://issuer.example".try_into().unwrap())];
    wanted.custom_extensions =
        vec![key_identifier_extension(&OWN), reached(&[(0x86, AUTHORITY)]), mdoc(true)];
    wanted.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![LIST.to_owned()] }];
    wanted.not_before = date_time_ymd(2026, 1, 1);
    wanted.not_after = date_time_ymd(2027, 1, 1);
    wanted
}

fn access() -> CertificateParams {
    let mut wanted = signer();
    wanted.custom_extensions.pop();
    wanted.subject_alt_names = vec![SanType::DnsName("bank.example".try_into().unwrap())];
    wanted
}

fn key_identifier_extension(id: &[u8; 20]) -> CustomExtension {
    let content = [&[0x04, 0x14][..], id].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 14], content)
}

/// How an authority is reached: names of these kinds.
fn reached(names: &[(u8, &str)]) -> CustomExtension {
    let name = |(kind, text): &(u8, &str)| {
        [&[*kind, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat()
    };
    let names = names.iter().map(name).collect::<Vec<_>>().concat();
    let content = [&[0x30, u8::try_from(names.len()).unwrap()][..], &names].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 18], content)
}

fn mdoc(critical: bool) -> CustomExtension {
    let content = [&[0x30, 0x09, 0x06, 0x07][..], &MDOC_SIGNER].concat();
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
    extension.set_criticality(critical);
    extension
}

fn tbs(der: &[u8]) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    certificate.tbs_certificate.as_ref().to_vec()
}

fn signed(wanted: &CertificateParams, by: &Authority) -> Vec<u8> {
    let (key, mut wanted) = (key(), wanted.clone());
    let own = key_identifier_extension(&OWN);
    for extension in wanted.custom_extensions.iter_mut().filter(|one| **one == own) {
        *extension = key_identifier_extension(&identifier(&key));
    }
    tbs(wanted.signed_by(&key, &by.issuer).unwrap().der())
}

/// The identifier that a key must have.
fn identifier(key: &KeyPair) -> [u8; 20] {
    let key = PublicKey::from_uncompressed(key.public_key_raw()).unwrap();
    mdoc_key_identifier(&key).try_into().unwrap()
}

/// Looks at a signer of mdocs that was changed in one point.
fn changed(change: impl FnOnce(&mut CertificateParams)) -> Result<(), LintError> {
    let (by, mut wanted) = (authority(), signer());
    change(&mut wanted);
    lint(&signed(&wanted, &by), CertificateKind::DocumentSigner, Some(&by.der))
}

/// Looks at an anchor that was changed in one point.
fn changed_anchor(change: impl FnOnce(&mut CertificateParams)) -> Result<(), LintError> {
    let mut wanted = anchor();
    change(&mut wanted);
    let der = wanted.self_signed(&key()).unwrap().der().to_vec();
    lint(&tbs(&der), CertificateKind::Anchor, None)
}

/// A certificate, its serial number replaced by other octets, which no library would write.
fn with_serial(octets: &[u8]) -> Result<(), LintError> {
    let by = authority();
    let tbs = signed(&signer(), &by);
    let old = [&[0x02, 0x10][..], &[0x42; 16]].concat();
    let at = tbs.windows(old.len()).position(|window| window == old).unwrap();
    let new = [&[0x02, u8::try_from(octets.len()).unwrap()], octets].concat();
    let inside = [&tbs[4..at], &new, &tbs[at + old.len()..]].concat();
    let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
    let tbs = [&[0x30, 0x82][..], &length, &inside].concat();
    lint(&tbs, CertificateKind::DocumentSigner, Some(&by.der))
}

#[test]
fn what_keeps_all_rules_is_signed() {
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed_anchor(|_| ()), Ok(()));
    let by = authority();
    assert_eq!(lint(&signed(&access(), &by), CertificateKind::Access, Some(&by.der)), Ok(()));
    let mut plain = access();
    plain.subject_alt_names.clear();
    assert_eq!(lint(&signed(&plain, &by), CertificateKind::Signer, Some(&by.der)), Ok(()));
    assert_eq!(with_serial(&[0x43; 16]), Ok(()));
}

#[test]
fn malformed_what_is_no_certificate_is_not_signed() {
    assert_eq!(lint(b"what", CertificateKind::Signer, None), Err(LintError::Malformed));
    let by = authority();
    let longer = [signed(&signer(), &by), vec![0]].concat();
    let looked = lint(&longer, CertificateKind::DocumentSigner, Some(&by.der));
    assert_eq!(looked, Err(LintError::Malformed));
}

#[test]
fn version_a_certificate_of_another_version_is_not_signed() {
    let by = authority();
    let mut tbs = signed(&signer(), &by);
    let at = tbs.windows(5).position(|w| w == [0xa0, 0x03, 0x02, 0x01, 0x02]).unwrap();
    tbs[at + 4] = 1;
    let looked = lint(&tbs, CertificateKind::DocumentSigner, Some(&by.der));
    assert_eq!(looked, Err(LintError::Version));
}

#[test]
fn serial_positive_a_number_is_positive() {
    assert_eq!(with_serial(&[0xc2; 16]), Err(LintError::SerialPositive));
    assert_eq!(with_serial(&[0]), Err(LintError::SerialPositive));
}

#[test]
fn serial_long_a_number_has_at_most_20_octets() {
    assert_eq!(with_serial(&[0x42; 20]), Ok(()));
    assert_eq!(with_serial(&[0x42; 21]), Err(LintError::SerialLong));
}

#[test]
fn serial_short_a_number_has_at_least_64_bits() {
    assert_eq!(with_serial(&[0x42; 8]), Err(LintError::SerialShort), "63 bits");
    assert_eq!(with_serial(&[0, 0x82, 1, 2, 3, 4, 5, 6, 7]), Ok(()), "64 bits");
}

#[test]
fn algorithm_only_keys_of_p256_are_certified() {
    let by = authority();
    let other = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let tbs = tbs(signer().signed_by(&other, &by.issuer).unwrap().der());
    let looked = lint(&tbs, CertificateKind::DocumentSigner, Some(&by.der));
    assert_eq!(looked, Err(LintError::Algorithm));
}

#[test]
fn subject_empty_a_subject_has_a_name() {
    let empty = changed(|wanted| wanted.distinguished_name = DistinguishedName::new());
    assert_eq!(empty, Err(LintError::SubjectEmpty));
    let blank = changed(|wanted| wanted.distinguished_name = name(None, " "));
    assert_eq!(blank, Err(LintError::SubjectEmpty));
    let mut country = name(Some("XP"), "credentials");
    country.remove(DnType::CommonName);
    let nameless = changed(|wanted| wanted.distinguished_name = country);
    assert_eq!(nameless, Err(LintError::SubjectEmpty), "who signs mdocs has a common name");
}

#[test]
fn issuer_name_the_issuer_is_whoever_signs() {
    let by = authority();
    let tbs = signed(&signer(), &by);
    let mut other = anchor();
    other.distinguished_name = name(Some("XP"), "another");
    let other = other.self_signed(&key()).unwrap().der().to_vec();
    let looked = lint(&tbs, CertificateKind::DocumentSigner, Some(&other));
    assert_eq!(looked, Err(LintError::IssuerName));
}

#[test]
fn self_signed_who_signs_credentials_is_certified_by_another() {
    let own = changed(|wanted| wanted.distinguished_name = name(Some("XP"), "anchor"));
    assert_eq!(own, Err(LintError::SelfSigned));
}

#[test]
fn validity_order_the_end_comes_after_the_beginning() {
    let backwards = changed(|wanted| wanted.not_before = date_time_ymd(2027, 1, 2));
    assert_eq!(backwards, Err(LintError::ValidityOrder));
}

#[test]
fn validity_nested_nobody_certifies_beyond_their_own_time() {
    let early = changed(|wanted| wanted.not_before = date_time_ymd(2025, 12, 31));
    assert_eq!(early, Err(LintError::ValidityNested));
    let late = changed(|wanted| {
        wanted.not_before = date_time_ymd(2035, 6, 1);
        wanted.not_after = date_time_ymd(2036, 1, 2);
    });
    assert_eq!(late, Err(LintError::ValidityNested));
}

#[test]
fn validity_long_signers_of_mdocs_457_days_and_authorities_20_years() {
    let day_457 = changed(|wanted| wanted.not_after = date_time_ymd(2027, 4, 3));
    assert_eq!(day_457, Ok(()));
    let day_458 = changed(|wanted| wanted.not_after = date_time_ymd(2027, 4, 4));
    assert_eq!(day_458, Err(LintError::ValidityLong));
    let old = changed_anchor(|wanted| wanted.not_after = date_time_ymd(2046, 2, 1));
    assert_eq!(old, Err(LintError::ValidityLong));
}

#[test]
fn extension_twice_each_extension_stands_once() {
    let twice = changed(|wanted| wanted.custom_extensions.push(key_identifier_extension(&[8; 20])));
    assert_eq!(twice, Err(LintError::ExtensionTwice));
}

#[test]
fn extension_unknown_none_is_critical_that_nobody_knows() {
    let extension = |critical| {
        let mut one = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99], vec![0x05, 0x00]);
        one.set_criticality(critical);
        one
    };
    let critical = changed(|wanted| wanted.custom_extensions.push(extension(true)));
    assert_eq!(critical, Err(LintError::ExtensionUnknown));
    assert_eq!(changed(|wanted| wanted.custom_extensions.push(extension(false))), Ok(()));
}

#[test]
fn basic_constraints_authorities_say_so_and_nobody_else() {
    let unbounded = IsCa::Ca(BasicConstraints::Unconstrained);
    let anchor = changed_anchor(|wanted| wanted.is_ca = unbounded);
    assert_eq!(anchor, Err(LintError::BasicConstraints));
    assert_eq!(changed_anchor(|w| w.is_ca = IsCa::NoCa), Err(LintError::BasicConstraints));
    let leaf = changed(|wanted| {
        wanted.custom_extensions.remove(0);
        wanted.is_ca = unbounded;
    });
    assert_eq!(leaf, Err(LintError::BasicConstraints));
}

#[test]
fn key_usage_each_does_what_it_is_for_and_nothing_else() {
    let more = changed(|wanted| wanted.key_usages.push(KeyUsagePurpose::KeyAgreement));
    assert_eq!(more, Err(LintError::KeyUsage));
    assert_eq!(changed(|wanted| wanted.key_usages.clear()), Err(LintError::KeyUsage));
    let signing = changed_anchor(|w| w.key_usages.push(KeyUsagePurpose::DigitalSignature));
    assert_eq!(signing, Err(LintError::KeyUsage));
}

#[test]
fn extended_key_usage_signers_of_mdocs_have_theirs_critically_and_alone() {
    let broken = Err(LintError::ExtendedKeyUsage);
    assert_eq!(changed(|wanted| drop(wanted.custom_extensions.pop())), broken);
    let other = changed(|wanted| {
        wanted.custom_extensions.pop();
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(other, broken);
    let mild = changed(|wanted| {
        wanted.custom_extensions.pop();
        wanted.custom_extensions.push(mdoc(false));
    });
    assert_eq!(mild, broken);
    let by = authority();
    let mut wanted = access();
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let looked = lint(&signed(&wanted, &by), CertificateKind::Access, Some(&by.der));
    assert_eq!(looked, broken);
}

#[test]
fn subject_key_the_own_key_has_an_identifier() {
    let without = changed(|wanted| drop(wanted.custom_extensions.remove(0)));
    assert_eq!(without, Err(LintError::SubjectKey));
}

#[test]
fn subject_key_digest_is_the_one_that_readers_of_mdocs_compute() {
    let other = changed(|wanted| wanted.custom_extensions[0] = key_identifier_extension(&[8; 20]));
    assert_eq!(other, Err(LintError::SubjectKeyDigest));
    // Others may have another one.
    let (by, mut plain) = (authority(), access());
    plain.custom_extensions[0] = key_identifier_extension(&[8; 20]);
    assert_eq!(lint(&signed(&plain, &by), CertificateKind::Access, Some(&by.der)), Ok(()));
}

#[test]
fn authority_key_the_signing_key_is_named() {
    let without = changed(|wanted| wanted.use_authority_key_identifier_extension = false);
    assert_eq!(without, Err(LintError::AuthorityKey));
    let tbs = signed(&signer(), &authority());
    let looked = lint(&tbs, CertificateKind::DocumentSigner, Some(&authority().der));
    assert_eq!(looked, Err(LintError::AuthorityKey), "another authority of the same name");
}

#[test]
fn country_a_signer_is_of_its_authoritys_country() {
    let other = changed(|wanted| wanted.distinguished_name = name(Some("XQ"), "credentials"));
    assert_eq!(other, Err(LintError::Country));
    let none = changed(|wanted| wanted.distinguished_name = name(None, "credentials"));
    assert_eq!(none, Err(LintError::Country));
    // Nor are both of no country.
    let mut nowhere = anchor();
    nowhere.distinguished_name = name(None, "anchor");
    let (key, mut wanted) = (key(), signer());
    let der = nowhere.self_signed(&key).unwrap().der().to_vec();
    let nowhere = Authority { issuer: Issuer::new(nowhere, key), der };
    wanted.distinguished_name = name(None, "credentials");
    let looked =
        lint(&signed(&wanted, &nowhere), CertificateKind::DocumentSigner, Some(&nowhere.der));
    assert_eq!(looked, Err(LintError::Country), "who signs mdocs has a country");
    let other = lint(&tbs(&nowhere.der), CertificateKind::Anchor, None);
    assert_eq!(other, Ok(()), "others need none");
    let small = changed_anchor(|wanted| wanted.distinguished_name = name(Some("xp"), "anchor"));
    assert_eq!(small, Err(LintError::Country));
}

#[test]
fn san_dns_who_asks_has_the_name_of_a_host() {
    let by = authority();
    let named = |names: &[&str]| {
        let mut wanted = access();
        let names = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        wanted.subject_alt_names = names.collect();
        lint(&signed(&wanted, &by), CertificateKind::Access, Some(&by.der))
    };
    assert_eq!(named(&["localhost", "a.bank-one.example"]), Ok(()));
    for bad in [&[][..], &["*.bank.example"], &["bank..example"], &["-bank.example"], &["a b"]] {
        assert_eq!(named(bad), Err(LintError::SanDns), "{bad:?}");
    }
}

#[test]
fn san_uri_who_signs_credentials_has_the_issuers_address() {
    let without = changed(|wanted| wanted.subject_alt_names.clear());
    assert_eq!(without, Err(LintError::SanUri));
}

#[test]
fn every_rule_says_its_name_first() {
    let rule = LintError::SerialShort.to_string();
    assert!(rule.starts_with("certificate.serial_short: "), "{rule}");
}

#[test]
fn issuer_alternative_name_says_by_address_or_mail_how_the_authority_is_reached() {
    let named = |names: &[(u8, &str)]| {
        let extension = reached(names);
        changed(|wanted| wanted.custom_extensions[1] = extension)
    };
    let mail = (0x81, "desk@issuer.example");
    for right in [&[(0x86, AUTHORITY)][..], &[mail], &[mail, (0x86, AUTHORITY)]] {
        assert_eq!(named(right), Ok(()));
    }
    for wrong in [&[(0x82, "issuer.example")][..], &[], &[(0x86, AUTHORITY), (0x82, "x.example")]] {
        assert_eq!(named(wrong), Err(LintError::IssuerAlternativeName), "{wrong:?}");
    }
    let lacking = changed(|wanted| drop(wanted.custom_extensions.remove(1)));
    assert_eq!(lacking, Err(LintError::IssuerAlternativeName));
    let critical = changed(|wanted| wanted.custom_extensions[1].set_criticality(true));
    assert_eq!(critical, Err(LintError::ExtensionUnknown));
}

#[test]
fn distribution_points_are_addresses_for_all_reasons() {
    let lacking = changed(|wanted| wanted.crl_distribution_points.clear());
    assert_eq!(lacking, Err(LintError::DistributionPoints));
    // A point with reasons, one of another issuer, one without an address, none: which the library would not write.
    let uri = [&[0x86, u8::try_from(LIST.len()).unwrap()][..], LIST.as_bytes()].concat();
    let tagged =
        |tag: u8, inner: &[u8]| [&[tag, u8::try_from(inner.len()).unwrap()][..], inner].concat();
    let point = tagged(0xa0, &tagged(0xa0, &uri));
    let reasons = [point.clone(), vec![0x81, 0x02, 0x01, 0x06]].concat();
    let other = [point.clone(), tagged(0xa2, &tagged(0x82, b"x.example"))].concat();
    let host = tagged(0xa0, &tagged(0xa0, &tagged(0x82, b"issuer.example")));
    let rows: [(&[u8], Result<(), LintError>); 4] = [
        (&point, Ok(())),
        (&reasons, Err(LintError::DistributionPoints)),
        (&other, Err(LintError::DistributionPoints)),
        (&host, Err(LintError::DistributionPoints)),
    ];
    for (point, expected) in rows {
        let content = tagged(0x30, &tagged(0x30, point));
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 31], content);
        let looked = changed(|wanted| {
            wanted.crl_distribution_points.clear();
            wanted.custom_extensions.push(extension);
        });
        assert_eq!(looked, expected, "{point:02x?}");
    }
}

#[test]
fn an_authority_of_mdocs_says_both_of_itself_and_others_need_not() {
    let of_mdocs = |change: fn(&mut CertificateParams)| {
        let mut wanted = anchor();
        wanted.custom_extensions = vec![reached(&[(0x86, AUTHORITY)])];
        wanted.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![LIST.to_owned()] }];
        let key = key();
        wanted.key_identifier_method = KeyIdMethod::PreSpecified(identifier(&key).to_vec());
        change(&mut wanted);
        let der = wanted.self_signed(&key).unwrap().der().to_vec();
        lint(&tbs(&der), CertificateKind::MdocAnchor, None)
    };
    assert_eq!(of_mdocs(|_| ()), Ok(()));
    let digest = of_mdocs(|wanted| wanted.key_identifier_method = KeyIdMethod::Sha256);
    assert_eq!(digest, Err(LintError::SubjectKeyDigest));
    let unnamed = of_mdocs(|wanted| wanted.custom_extensions.clear());
    assert_eq!(unnamed, Err(LintError::IssuerAlternativeName));
    let nowhere = of_mdocs(|wanted| wanted.crl_distribution_points.clear());
    assert_eq!(nowhere, Err(LintError::DistributionPoints));
}

/// The list of revoked certificates that an authority is about to sign, changed in one point.
fn list(change: impl FnOnce(&mut CertificateRevocationListParams)) -> (Vec<u8>, Vec<u8>) {
    let by = authority();
    let (_, own) = X509Certificate::from_der(&by.der).unwrap();
    let mut wanted = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 6, 1),
        next_update: date_time_ymd(2026, 6, 2),
        crl_number: 7.into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::PreSpecified(
            key_identifier(&own.tbs_certificate).unwrap().to_vec(),
        ),
    };
    change(&mut wanted);
    let signed = wanted.signed_by(&by.issuer).unwrap().der().to_vec();
    let (_, read) = x509_parser::parse_x509_crl(&signed).unwrap();
    (read.tbs_cert_list.as_ref().to_vec(), by.der)
}

#[test]
fn revocation_list_is_its_authoritys_with_a_number_and_nothing_that_readers_do_not_know() {
    let (tbs, by) = list(|_| ());
    assert_eq!(lint_revocations(&tbs, &by), Ok(()));
    assert_eq!(lint_revocations(b"what", &by), Err(LintError::Malformed));
    assert_eq!(lint_revocations(&[&tbs[..], &[0]].concat(), &by), Err(LintError::Malformed));
    // Another authority of the same name, then one of another name.
    assert_eq!(lint_revocations(&tbs, &authority().der), Err(LintError::AuthorityKey));
    let mut other = anchor();
    other.distinguished_name = name(Some("XP"), "another");
    let other = other.self_signed(&key()).unwrap().der().to_vec();
    assert_eq!(lint_revocations(&tbs, &other), Err(LintError::IssuerName));
    let (strange, by) = list(|wanted| {
        wanted.key_identifier_method = KeyIdMethod::PreSpecified(vec![9; 20]);
    });
    assert_eq!(lint_revocations(&strange, &by), Err(LintError::AuthorityKey));
    let (partial, by) = list(|wanted| {
        let distribution_point = CrlDistributionPoint { uris: vec![LIST.to_owned()] };
        wanted.issuing_distribution_point =
            Some(CrlIssuingDistributionPoint { distribution_point, scope: None });
    });
    assert_eq!(lint_revocations(&partial, &by), Err(LintError::RevocationList));
}
