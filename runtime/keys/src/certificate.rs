//! X.509 certificates over keys that only the signer interface can use: one self-signed anchor per
//! authority, and leaves under it.

use crate::extensions::{Reached, add_reached, mdoc_signer, subject_key};
use crate::lint::{CertificateKind, LintError, lint, lint_revocations, mdoc_key_identifier};
use crate::random;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, DnValue, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, RevokedCertParams, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use std::sync::{Arc, Mutex, PoisonError};
use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};
use yufu_base::{PublicKey, Signer, SignerError, Timestamp};

/// A moment as the certificate library has it, whose type it does not name: in whole seconds.
macro_rules! moment {
    ($at:expr) => {{
        let since = std::time::Duration::from_secs($at.seconds());
        #[expect(
            clippy::arithmetic_side_effects,
            reason = "INVARIANT: dates of certificates are within the years that the calendar type holds"
        )]
        let moment = rcgen::date_time_ymd(1970, 1, 1) + since;
        moment
    }};
}

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A name cannot stand in a certificate, or the key did not sign.
    #[error("the certificate could not be made: {0}")]
    Refused(#[from] rcgen::Error),
    /// It would break a rule, and was not signed.
    #[error("the certificate was not signed: {0}")]
    Lint(LintError),
    /// The key did not sign.
    #[error(transparent)]
    Signer(SignerError),
}

/// What a leaf certificate says of its holder.
#[derive(Clone, Debug)]
pub struct LeafSubject {
    /// The organisation's name.
    pub organisation: String,
    /// What the key is for, as the common name.
    pub common_name: String,
    /// Host names it answers under.
    pub dns_names: Vec<String>,
    /// URIs that identify it (an issuer's identifier).
    pub uris: Vec<String>,
    /// Its public key.
    pub key: PublicKey,
}

/// An authority's self-signed certificate: an anchor in the trust list.
pub struct AuthorityCertificate<'a> {
    issuer: Issuer<'a, Remote<'a>>,
    hook: Arc<Hook>,
    der: Vec<u8>,
}

impl<'a> AuthorityCertificate<'a> {
    /// A self-signed certificate of an authority called `organisation`, for `signer`'s key. It may sign leaves.
    ///
    /// # Errors
    /// [`CertificateError`] if the key does not sign.
    pub fn self_signed(
        organisation: &str,
        signer: &'a dyn Signer,
        validity: Validity,
    ) -> Result<Self, CertificateError> {
        Self::self_signed_in(None, organisation, signer, validity)
    }

    /// The same of an authority of a country (ISO 3166-1 alpha-2), which those whom it certifies are of too.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn self_signed_in(
        country: Option<&str>,
        organisation: &str,
        signer: &'a dyn Signer,
        validity: Validity,
    ) -> Result<Self, CertificateError> {
        Self::signed_by_itself((country, organisation), None, signer, validity)
    }

    /// The same of an authority that certifies those who sign mdocs.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn self_signed_for_mdocs(
        (country, organisation): (Option<&str>, &str),
        reached: &Reached<'_>,
        signer: &'a dyn Signer,
        validity: Validity,
    ) -> Result<Self, CertificateError> {
        Self::signed_by_itself((country, organisation), Some(reached), signer, validity)
    }

    fn signed_by_itself(
        (country, organisation): (Option<&str>, &str),
        reached: Option<&Reached<'_>>,
        signer: &'a dyn Signer,
        validity: Validity,
    ) -> Result<Self, CertificateError> {
        let mut parameters = parameters(country, organisation, "anchor", validity)?;
        let kind = match reached {
            Some(_) => CertificateKind::MdocAnchor,
            None => CertificateKind::Anchor,
        };
        add_reached(&mut parameters, reached);
        if reached.is_some() {
            let id = mdoc_key_identifier(&signer.public_key());
            parameters.key_identifier_method = KeyIdMethod::PreSpecified(id);
        }
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let hook = Arc::new(Hook::default());
        let key = Remote { signer, public: signer.public_key(), hook: Arc::clone(&hook) };
        hook.expect(Expected::Certificate(kind, None));
        let made = parameters.self_signed(&key).map_err(|error| hook.why(error))?;
        let der = made.der().to_vec();
        Ok(Self { issuer: Issuer::new(parameters, key), hook, der })
    }

    /// The same authority again, from the certificate it made before.
    ///
    /// # Errors
    /// [`CertificateError`] if `der` is not a certificate.
    pub fn from_der(der: Vec<u8>, signer: &'a dyn Signer) -> Result<Self, CertificateError> {
        let hook = Arc::new(Hook::default());
        let key = Remote { signer, public: signer.public_key(), hook: Arc::clone(&hook) };
        let issuer = Issuer::from_ca_cert_der(&der.clone().into(), key)?;
        Ok(Self { issuer, hook, der })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Signs a leaf for `subject`; DER. One that has the names of hosts is of somebody who asks, and has to be right
    /// for that.
    ///
    /// # Errors
    /// [`CertificateError`] if it would break a rule, a name is not allowed or the key does not sign.
    pub fn issue(
        &self,
        subject: &LeafSubject,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        let kind = match subject.dns_names.is_empty() {
            true => CertificateKind::Signer,
            false => CertificateKind::Access,
        };
        self.issue_as(kind, subject, validity)
    }

    /// Signs a leaf of this kind for `subject`; DER. It is valid within the authority's own time only.
    ///
    /// # Errors
    /// [`CertificateError`] if it would break a rule, a name is not allowed or the key does not sign.
    pub fn issue_as(
        &self,
        kind: CertificateKind,
        subject: &LeafSubject,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        self.issue_reached(kind, subject, None, validity)
    }

    /// Signs the leaf of somebody who signs mdocs; DER.
    ///
    /// # Errors
    /// As [`AuthorityCertificate::issue_as`].
    pub fn issue_for_mdocs(
        &self,
        subject: &LeafSubject,
        reached: &Reached<'_>,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        self.issue_reached(CertificateKind::DocumentSigner, subject, Some(reached), validity)
    }

    fn issue_reached(
        &self,
        kind: CertificateKind,
        subject: &LeafSubject,
        reached: Option<&Reached<'_>>,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        let (country, own) = self.own()?;
        let within =
            Validity { from: validity.from.max(own.from), until: validity.until.min(own.until) };
        let (organisation, name) = (&subject.organisation, &subject.common_name);
        let mut parameters = parameters(country.as_deref(), organisation, name, within)?;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        for name in &subject.dns_names {
            parameters.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        for uri in &subject.uris {
            parameters.subject_alt_names.push(SanType::URI(uri.as_str().try_into()?));
        }
        parameters.use_authority_key_identifier_extension = true;
        parameters.custom_extensions.push(subject_key(&subject.key, reached.is_some()));
        add_reached(&mut parameters, reached);
        if kind == CertificateKind::DocumentSigner {
            parameters.custom_extensions.push(mdoc_signer());
        }
        self.hook.expect(Expected::Certificate(kind, Some(self.der.clone())));
        let signed = parameters.signed_by(&Public(subject.key), &self.issuer);
        Ok(signed.map_err(|error| self.hook.why(error))?.der().to_vec())
    }

    /// Signs the list of the certificates of this authority that count no more, by number, each with the moment since
    /// when; DER. The list's own number is to grow from one list to the next.
    ///
    /// # Errors
    /// [`CertificateError`] if it would break a rule, or the key does not sign.
    pub fn revocation_list(
        &self,
        revoked: &[(Vec<u8>, Timestamp)],
        number: u64,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        let revoked = revoked.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: moment!(*at),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: moment!(validity.from),
            next_update: moment!(validity.until),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::PreSpecified(self.key_identifier()?),
        };
        self.hook.expect(Expected::Revocations(self.der.clone()));
        let signed = list.signed_by(&self.issuer);
        Ok(signed.map_err(|error| self.hook.why(error))?.der().to_vec())
    }

    /// Whether a certificate was issued by this authority, for the key of this thumbprint.
    pub(crate) fn issued(&self, der: &[u8], key: &str) -> bool {
        let own = X509Certificate::from_der(&self.der);
        let leaf = X509Certificate::from_der(der);
        let (Ok((_, own)), Ok((_, leaf))) = (own, leaf) else { return false };
        let public = yufu_jose::unverified_key(der).map(yufu_jose::Jwk::from);
        let same = public.is_some_and(|public| public.thumbprint_base64url() == key);
        same && own.subject().as_raw() == leaf.issuer().as_raw()
    }

    fn key_identifier(&self) -> Result<Vec<u8>, CertificateError> {
        let unread = || rcgen::Error::CouldNotParseCertificate;
        let (_, own) = X509Certificate::from_der(&self.der).map_err(|_| unread())?;
        let found = own.extensions().iter().find_map(|one| match one.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        Ok(found.ok_or_else(unread)?)
    }

    /// The authority's country, if it has one, and from when to when it is valid.
    fn own(&self) -> Result<(Option<String>, Validity), CertificateError> {
        let unread = rcgen::Error::CouldNotParseCertificate;
        let (_, own) = X509Certificate::from_der(&self.der).map_err(|_| unread)?;
        let country = own.subject().iter_country().next();
        let country = country.and_then(|found| found.as_str().ok()).map(str::to_owned);
        let moment = |seconds: i64| Timestamp::from_seconds(u64::try_from(seconds).unwrap_or(0));
        let from = moment(own.validity().not_before.timestamp());
        let until = moment(own.validity().not_after.timestamp());
        Ok((country, Validity { from, until }))
    }
}

/// The number of a certificate: 126 unpredictable bits below one that is set, so that it is positive and has them all.
fn serial() -> Vec<u8> {
    let mut serial = random::<16>();
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    serial.to_vec()
}

fn parameters(
    country: Option<&str>,
    organisation: &str,
    common_name: &str,
    validity: Validity,
) -> Result<CertificateParams, CertificateError> {
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    if let Some(country) = country {
        name.push(DnType::CountryName, DnValue::PrintableString(country.try_into()?));
    }
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common_name);
    parameters.distinguished_name = name;
    parameters.serial_number = Some(serial().into());
    parameters.not_before = moment!(validity.from);
    parameters.not_after = moment!(validity.until);
    Ok(parameters)
}

/// What is to be signed next, and the certificate of whoever signs it, if that is not itself.
enum Expected {
    Certificate(CertificateKind, Option<Vec<u8>>),
    Revocations(Vec<u8>),
}

/// What must be signed next, and why the last thing was not: the library tells its caller neither.
#[derive(Default)]
struct Hook {
    expected: Mutex<Option<Expected>>,
    why: Mutex<Option<CertificateError>>,
}

impl Hook {
    fn expect(&self, next: Expected) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }

    fn refuse(&self, why: CertificateError) -> rcgen::Error {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        rcgen::Error::RemoteKeyError
    }

    fn why(&self, error: rcgen::Error) -> CertificateError {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.unwrap_or(CertificateError::Refused(error))
    }
}

/// A key behind the signer interface, as the certificate library wants it.
struct Remote<'a> {
    signer: &'a dyn Signer,
    public: PublicKey,
    hook: Arc<Hook>,
}

impl PublicKeyData for Remote<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Remote<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        // The one way to a signature: nothing is signed that was not looked at.
        let expected = self.hook.expected.lock().unwrap_or_else(PoisonError::into_inner).take();
        let looked = match expected.ok_or(rcgen::Error::RemoteKeyError)? {
            Expected::Certificate(kind, by) => lint(message, kind, by.as_deref()),
            Expected::Revocations(by) => lint_revocations(message, &by),
        };
        looked.map_err(|rule| self.hook.refuse(CertificateError::Lint(rule)))?;
        let signature = self.signer.sign(message);
        let signature = signature.map_err(|e| self.hook.refuse(CertificateError::Signer(e)))?;
        Ok(der_signature(&signature.0))
    }
}

/// A public key alone, to be certified.
struct Public(PublicKey);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// `r || s` as the DER sequence of two integers that X.509 carries (RFC 3279 section 2.2.3).
fn der_signature(fixed: &[u8; 64]) -> Vec<u8> {
    let (r, s) = fixed.split_at(32);
    let body = [der_integer(r), der_integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap_or(0)], body].concat()
}

fn der_integer(big_endian: &[u8]) -> Vec<u8> {
    let first = big_endian.iter().position(|b| *b != 0).unwrap_or(big_endian.len());
    let digits = big_endian.get(first..).unwrap_or_default();
    let padded = digits.first().is_none_or(|b| *b & 0x80 != 0);
    let mut content = if padded { vec![0] } else { Vec::new() };
    content.extend_from_slice(digits);
    [vec![0x02, u8::try_from(content.len()).unwrap_or(0)], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::{Chain, ChainError, SoftwareKey};

    fn validity() -> Validity {
        Validity {
            from: Timestamp::from_seconds(1_700_000_000),
            until: Timestamp::from_seconds(1_800_000_000),
        }
    }

    fn subject(key: PublicKey) -> LeafSubject {
        LeafSubject {
            organisation: "江城银行".to_owned(),
            common_name: "presentation requests".to_owned(),
            dns_names: vec!["bank.example".to_owned()],
            uris: vec!["https://bank.example/banks/one".to_owned()],
            key,
        }
    }

    #[test]
    fn a_leaf_verifies_under_its_anchor_and_no_other() {
        for seed in 0..20 {
            let authority = SoftwareKey::from_seed(&[seed; 32]).unwrap();
            let holder = SoftwareKey::from_seed(&[99; 32]).unwrap();
            let anchor =
                AuthorityCertificate::self_signed("Registrar", &authority, validity()).unwrap();
            let leaf = anchor.issue(&subject(holder.public_key()), validity()).unwrap();
            let chain = Chain::from_der(vec![leaf]).unwrap();
            let now = Timestamp::from_seconds(1_750_000_000);
            let read = chain.verify(&[anchor.der().to_vec()], now).unwrap();
            assert_eq!(read.public_key, holder.public_key());
            assert_eq!(read.dns_names, ["bank.example"]);
            assert_eq!(read.organisation.as_deref(), Some("江城银行"));

            let other = SoftwareKey::from_seed(&[200; 32]).unwrap();
            let other = AuthorityCertificate::self_signed("Registrar", &other, validity()).unwrap();
            assert!(chain.verify(&[other.der().to_vec()], now).is_err());
        }
    }

    #[test]
    fn a_leaf_expires() {
        let authority = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let anchor =
            AuthorityCertificate::self_signed("Registrar", &authority, validity()).unwrap();
        let leaf = anchor.issue(&subject(authority.public_key()), validity()).unwrap();
        let chain = Chain::from_der(vec![leaf]).unwrap();
        let late = Timestamp::from_seconds(1_800_000_001);
        assert!(matches!(chain.verify(&[anchor.der().to_vec()], late), Err(ChainError::Expired)));
    }

    #[test]
    fn an_authority_read_back_signs_the_same() {
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let first = AuthorityCertificate::self_signed("Registrar", &key, validity()).unwrap();
        let again = AuthorityCertificate::from_der(first.der().to_vec(), &key).unwrap();
        let leaf = again.issue(&subject(key.public_key()), validity()).unwrap();
        let now = Timestamp::from_seconds(1_750_000_000);
        assert!(Chain::from_der(vec![leaf]).unwrap().verify(&[first.der().to_vec()], now).is_ok());
    }

    #[test]
    fn der_integers_are_minimal_and_positive() {
        assert_eq!(der_integer(&[0, 0]), [2, 1, 0]);
        assert_eq!(der_integer(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(der_integer(&[0, 0x80]), [2, 2, 0, 0x80]);
    }
}
