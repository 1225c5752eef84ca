//! X.509 certificates over keys that only the signer interface can use: one self-signed anchor per
//! authority, and leaves under it.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SignatureAlgorithm, SigningKey,
};
use yufu_base::{PublicKey, Signer, Timestamp};

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
        let mut parameters = parameters(organisation, "anchor", validity);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = Remote { signer, public: signer.public_key() };
        let der = parameters.self_signed(&key)?.der().to_vec();
        Ok(Self { issuer: Issuer::new(parameters, key), der })
    }

    /// The same authority again, from the certificate it made before.
    ///
    /// # Errors
    /// [`CertificateError`] if `der` is not a certificate.
    pub fn from_der(der: Vec<u8>, signer: &'a dyn Signer) -> Result<Self, CertificateError> {
        let key = Remote { signer, public: signer.public_key() };
        let issuer = Issuer::from_ca_cert_der(&der.clone().into(), key)?;
        Ok(Self { issuer, der })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Signs a leaf for `subject`; DER.
    ///
    /// # Errors
    /// [`CertificateError`] if a name is not allowed or the key does not sign.
    pub fn issue(
        &self,
        subject: &LeafSubject,
        validity: Validity,
    ) -> Result<Vec<u8>, CertificateError> {
        let mut parameters = parameters(&subject.organisation, &subject.common_name, validity);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        for name in &subject.dns_names {
            parameters.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        for uri in &subject.uris {
            parameters.subject_alt_names.push(SanType::URI(uri.as_str().try_into()?));
        }
        parameters.use_authority_key_identifier_extension = true;
        let key = Public(subject.key);
        Ok(parameters.signed_by(&key, &self.issuer)?.der().to_vec())
    }
}

fn parameters(organisation: &str, common_name: &str, validity: Validity) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common_name);
    parameters.distinguished_name = name;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let after = std::time::Duration::from_secs;
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "INVARIANT: dates of certificates are within the years that the calendar type holds"
    )]
    {
        parameters.not_before = epoch + after(validity.from.seconds());
        parameters.not_after = epoch + after(validity.until.seconds());
    }
    parameters
}

/// A key behind the signer interface, as the certificate library wants it.
struct Remote<'a> {
    signer: &'a dyn Signer,
    public: PublicKey,
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
        let signature = self.signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
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
