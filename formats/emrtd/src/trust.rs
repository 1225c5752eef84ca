//! Whom cards may come from: the authorities of a signed master list, and their lists of revoked signers.

use crate::authority::IssueError;
use crate::certificate::{Certificate, CertificateError, Signed};
use crate::oid;
use crate::signed_data::{self, SignedDataError};
use crate::tlv::{self, Reader, TlvError};
use der::Decode as _;
use x509_cert::crl::CertificateList;
use yufu_base::{Signer, Timestamp};

/// Authorities that a master list may have: some six hundred are in use in the world.
const MAX_AUTHORITIES: usize = 2000;
/// Revoked signers that a list may have.
const MAX_REVOKED: usize = 65_536;
/// The longest revocation list that is read.
const MAX_LIST: usize = 4 << 20;

/// Why a master list or a revocation list is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The master list is malformed, or its signature is wrong.
    #[error("the master list: {0}")]
    MasterList(#[from] SignedDataError),
    /// Its signer is not one that the publisher certified for master lists.
    #[error("the signer of the master list: {0}")]
    Signer(CertificateError),
    /// The revocation list is malformed.
    #[error("a revocation list is malformed")]
    RevocationList,
    /// The revocation list is not signed by an authority of the master list.
    #[error("a revocation list is not signed by an authority of the master list")]
    RevocationSigner,
}

impl From<TlvError> for TrustError {
    fn from(_: TlvError) -> Self {
        Self::MasterList(SignedDataError::Malformed)
    }
}

/// The authorities of a master list, and what they revoked.
#[derive(Clone, Debug)]
pub struct Anchors {
    authorities: Vec<Certificate>,
    lists: Vec<RevocationList>,
}

/// What an authority revoked.
#[derive(Clone, Debug)]
struct RevocationList {
    authority: Vec<u8>,
    from: Timestamp,
    until: Timestamp,
    revoked: Vec<(Vec<u8>, Timestamp)>,
}

/// What a revocation list says of a signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not revoked.
    Good,
    /// It is revoked, since then.
    Revoked(Timestamp),
    /// There is no list of its authority that is valid now.
    Unknown,
}

/// Makes a master list of these authorities.
///
/// # Errors
/// [`IssueError`] if the key does not sign.
pub fn write_master_list(
    authorities: &[Certificate],
    certificate: &Certificate,
    signer: &dyn Signer,
    at: Timestamp,
) -> Result<Vec<u8>, IssueError> {
    let mut certificates: Vec<&[u8]> = authorities.iter().map(Certificate::der).collect();
    certificates.sort_unstable();
    let set = tlv::object(0x31, &certificates.concat());
    let content = tlv::constructed(0x30, &[&tlv::integer(&[0]), &set]);
    signed_data::sign(oid::MASTER_LIST, &content, certificate, signer, at)
}

impl Anchors {
    /// The authorities of a master list whose signer `publisher` certified. Certificates in it that cannot be read
    /// here are left out, as most countries sign with algorithms that are not needed.
    ///
    /// # Errors
    /// [`TrustError`] if the list is not what the publisher's signer signed.
    pub fn read(
        master_list: &[u8],
        publisher: &Certificate,
        at: Timestamp,
    ) -> Result<Self, TrustError> {
        let signed = signed_data::open(oid::MASTER_LIST, master_list)?;
        let signer = &signed.signer;
        signer.check_signed_by(publisher).map_err(TrustError::Signer)?;
        signer.check_signer().map_err(TrustError::Signer)?;
        if !signer.is_for(oid::MASTER_LIST_SIGNER) {
            return Err(TrustError::Signer(CertificateError::Usage));
        }
        signer.check_time(at).map_err(TrustError::Signer)?;
        publisher.check_time(at).map_err(TrustError::Signer)?;
        let mut content = Reader::new(tlv::only(&signed.content, 0x30)?);
        content.take(0x02)?;
        let mut set = Reader::new(content.take(0x31)?);
        content.end()?;
        let mut authorities = Vec::new();
        while let Some(entry) = set.read()? {
            if authorities.len() >= MAX_AUTHORITIES {
                return Err(TrustError::MasterList(SignedDataError::Malformed));
            }
            let read = Certificate::read(entry.whole).ok();
            authorities.extend(read.filter(|read| read.check_authority().is_ok()));
        }
        Ok(Self { authorities, lists: Vec::new() })
    }

    /// Takes up a revocation list, and gives the moment from which it counts. Of several by one authority the newest
    /// counts.
    ///
    /// # Errors
    /// [`TrustError`] if it is malformed or not signed by one of the authorities.
    pub fn add_revocations(&mut self, list: &[u8]) -> Result<Timestamp, TrustError> {
        if list.len() > MAX_LIST {
            return Err(TrustError::RevocationList);
        }
        let malformed = |_| TrustError::RevocationList;
        let read = CertificateList::from_der(list).map_err(|_| TrustError::RevocationList)?;
        let Signed { signed, body, algorithm, signature } =
            Signed::read(list).map_err(malformed)?;
        let mut body = Reader::new(body);
        let mut issuer = || {
            body.optional(0x02)?;
            body.take(0x30)?;
            body.take_whole(0x30)
        };
        let issuer = issuer().map_err(|_| TrustError::RevocationList)?.whole;
        let signs = |authority: &&Certificate| {
            authority.subject() == issuer
                && authority.check_lists().is_ok()
                && authority.key().verify(algorithm, signed, signature).is_ok()
        };
        self.authorities.iter().find(signs).ok_or(TrustError::RevocationSigner)?;
        let list = read.tbs_cert_list;
        let moment = |time: x509_cert::time::Time| {
            Timestamp::from_seconds(time.to_unix_duration().as_secs())
        };
        let revoked = list.revoked_certificates.unwrap_or_default();
        if revoked.len() > MAX_REVOKED {
            return Err(TrustError::RevocationList);
        }
        let revoked = revoked
            .iter()
            .map(|one| (one.serial_number.as_bytes().to_vec(), moment(one.revocation_date)))
            .collect();
        let until = list.next_update.ok_or(TrustError::RevocationList)?;
        let from = moment(list.this_update);
        self.lists.push(RevocationList {
            authority: issuer.to_vec(),
            from,
            until: moment(until),
            revoked,
        });
        self.lists.sort_by_key(|list| std::cmp::Reverse(list.from));
        Ok(from)
    }

    /// The authorities.
    #[must_use]
    pub fn authorities(&self) -> &[Certificate] {
        &self.authorities
    }

    /// The authority that signed a certificate.
    #[must_use]
    pub fn authority_of(&self, signer: &Certificate) -> Option<&Certificate> {
        self.authorities.iter().find(|authority| signer.check_signed_by(authority).is_ok())
    }

    /// What the newest list of its authority says of a signer at a moment.
    #[must_use]
    pub fn standing(&self, signer: &Certificate, at: Timestamp) -> Standing {
        let of_authority =
            |list: &&RevocationList| list.authority == signer.issuer() && list.from <= at;
        let Some(list) = self.lists.iter().find(of_authority).filter(|list| at <= list.until)
        else {
            return Standing::Unknown;
        };
        let revoked = list.revoked.iter().find(|(serial, _)| serial == signer.serial());
        revoked.map_or(Standing::Good, |(_, since)| Standing::Revoked(*since))
    }
}
