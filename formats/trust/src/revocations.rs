//! A list of revoked certificates (RFC 5280, section 5), and who was found not to be on it: a signer whose credentials are
//! shown a thousand times a second is looked up once.

use crate::{GoodPaths, TrustEntry};
use std::slice;
use yufu_base::Timestamp;
use yufu_jose::{Chain, ChainError, next_revocations};

/// A fetched list of revoked certificates. What was found by it goes with it.
#[derive(Debug)]
pub struct Revocations {
    der: Vec<u8>,
    /// From when it says nothing any more; `None` if it does not say, or cannot be read.
    over: Option<Timestamp>,
    good: GoodPaths,
}

impl Revocations {
    /// A list (DER), as it came: whether it is one, and whose, is found out where it is used.
    #[must_use]
    pub fn new(der: Vec<u8>) -> Self {
        let over = next_revocations(&der);
        Self { der, over, good: GoodPaths::default() }
    }

    /// That a chain leads to the authorities of `signer` at `now`, and that none of it is on this list, which is theirs.
    ///
    /// # Errors
    /// [`ChainError::Revoked`], [`ChainError::RevocationUnknown`], or another rule that is broken.
    pub fn check(
        &self,
        signer: &TrustEntry,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<(), ChainError> {
        let verify =
            || chain.verify_unrevoked(&signer.authorities()?, slice::from_ref(&self.der), now);
        let found = if self.over.is_some_and(|over| now < over) {
            self.good.leaf(&signer.certificates, chain, now, verify)
        } else {
            verify()
        };
        found.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Localized, Role};
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
        IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    };
    use time::{Duration, OffsetDateTime};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const HOUR: u64 = 3_600;

    struct Authority {
        issuer: CertifiedIssuer<'static, KeyPair>,
        entry: TrustEntry,
    }

    impl Authority {
        fn new() -> Self {
            let mut wanted = CertificateParams::default();
            wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let pair = KeyPair::generate().unwrap();
            let issuer = CertifiedIssuer::self_signed(wanted, pair).unwrap();
            let name = Localized::new("en", "x");
            let anchors = [issuer.der().to_vec()];
            let entry = TrustEntry::new(name, Role::PidIssuer, "https://id.example", &anchors);
            Self { issuer, entry }
        }

        fn chain(&self, number: u64) -> Chain {
            let mut wanted = CertificateParams::new(["signer.example".to_owned()]).unwrap();
            wanted.serial_number = Some(SerialNumber::from(number));
            let leaf = wanted.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap();
            Chain::from_der(vec![leaf.der().to_vec()]).unwrap()
        }

        /// A list that is good for an hour, with one certificate on it.
        fn list(&self, revoked: u64) -> Revocations {
            let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
            let revoked = RevokedCertParams {
                serial_number: SerialNumber::from(revoked),
                revocation_time: now,
                reason_code: None,
                invalidity_date: None,
            };
            let list = CertificateRevocationListParams {
                this_update: now,
                next_update: now.saturating_add(Duration::hours(1)),
                crl_number: SerialNumber::from(1),
                issuing_distribution_point: None,
                revoked_certs: vec![revoked],
                key_identifier_method: KeyIdMethod::Sha256,
            };
            Revocations::new(list.signed_by(&self.issuer).unwrap().der().to_vec())
        }
    }

    #[test]
    fn whoever_is_on_the_list_is_refused_however_often_others_were_found_not_to_be() {
        let authority = Authority::new();
        let (first, second) = (authority.chain(1), authority.chain(2));
        let list = authority.list(2);
        for _ in 0..2 {
            assert_eq!(list.check(&authority.entry, &first, NOW), Ok(()));
            let refused = list.check(&authority.entry, &second, NOW);
            assert_eq!(refused, Err(ChainError::Revoked));
        }
    }

    #[test]
    fn what_was_found_holds_no_longer_than_the_list_and_for_its_authority_alone() {
        let (authority, other) = (Authority::new(), Authority::new());
        let (chain, list) = (authority.chain(1), authority.list(2));
        assert_eq!(list.check(&authority.entry, &chain, NOW), Ok(()));
        let last = NOW.plus_seconds(HOUR - 1);
        assert_eq!(list.check(&authority.entry, &chain, last), Ok(()));
        for over in [NOW.plus_seconds(HOUR), NOW.plus_seconds(HOUR + 1)] {
            let refused = list.check(&authority.entry, &chain, over);
            assert_eq!(refused, Err(ChainError::RevocationUnknown), "{over:?}");
        }
        assert!(list.check(&other.entry, &chain, NOW).is_err());
        assert!(other.list(2).check(&authority.entry, &chain, NOW).is_err());
        let refused = Revocations::new(b"no list".to_vec()).check(&authority.entry, &chain, NOW);
        assert_eq!(refused, Err(ChainError::RevocationUnknown));
    }
}
