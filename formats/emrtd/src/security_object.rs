//! EF.SOD: the digests of a card's data groups, signed by a document signer; and passive authentication, which proves
//! that a card's data are those that its country wrote (ICAO 9303-11, 5.1).

use crate::authority::IssueError;
use crate::certificate::{Certificate, CertificateError};
use crate::crypto::sha256;
use crate::file::File;
use crate::oid;
use crate::signed_data::{self, SignedDataError};
use crate::tlv::{self, Reader, TlvError};
use crate::trust::{Anchors, Standing};
use std::collections::BTreeMap;
use yufu_base::{Signer, Timestamp};

/// Why a card's data are not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassiveError {
    /// The file is malformed or its signature does not hold.
    #[error("the card's security object: {0}")]
    SecurityObject(#[from] SignedDataError),
    /// The signer's certificate was signed by no authority of the master list.
    #[error("no authority of the master list certified the signer of this card")]
    UnknownSigner,
    /// The signer's certificate may not be used for cards.
    #[error("the signer of this card may not sign cards")]
    SignerUsage,
    /// The signer's certificate is not valid now.
    #[error("the signer's certificate: {0}")]
    SignerTime(CertificateError),
    /// The authority's certificate is not valid now.
    #[error("the authority's certificate: {0}")]
    AuthorityTime(CertificateError),
    /// The signer was revoked.
    #[error("the signer of this card was revoked")]
    SignerRevoked,
    /// There is no current revocation list of the authority.
    #[error("there is no current list of the signers that this card's authority revoked")]
    NoRevocationList,
    /// A data group is not the one that was signed.
    #[error("data group {0} is not the one that was signed")]
    Changed(u8),
    /// A data group was not signed at all.
    #[error("data group {0} was not signed")]
    NotSigned(u8),
}

impl From<TlvError> for PassiveError {
    fn from(_: TlvError) -> Self {
        Self::SecurityObject(SignedDataError::Malformed)
    }
}

/// What a trusted document signer attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    algorithm: Vec<u8>,
    digests: BTreeMap<u8, Vec<u8>>,
    signer: Certificate,
}

/// Makes the file from the data groups.
///
/// # Errors
/// [`IssueError`] if the key does not sign.
pub fn write(
    groups: &BTreeMap<u8, Vec<u8>>,
    certificate: &Certificate,
    signer: &dyn Signer,
    at: Timestamp,
) -> Result<Vec<u8>, IssueError> {
    let digests: Vec<Vec<u8>> = groups
        .iter()
        .map(|(number, file)| {
            let digest = tlv::object(0x04, &sha256(&[file]));
            tlv::constructed(0x30, &[&tlv::integer(&[*number]), &digest])
        })
        .collect();
    let parts = [
        tlv::integer(&[0]),
        tlv::object(0x30, &oid::object(oid::SHA256)),
        tlv::object(0x30, &digests.concat()),
    ];
    let content = tlv::object(0x30, &parts.concat());
    let signed = signed_data::sign(oid::SECURITY_OBJECT, &content, certificate, signer, at)?;
    Ok(tlv::object(File::SecurityObject.tag(), &signed))
}

impl Attested {
    /// Verifies the file up to an authority of the master list, at a moment.
    ///
    /// # Errors
    /// [`PassiveError`], the first rule that is broken.
    pub fn verify(file: &[u8], anchors: &Anchors, at: Timestamp) -> Result<Self, PassiveError> {
        let signed = tlv::only(file, File::SecurityObject.tag())?;
        let signed = signed_data::open(oid::SECURITY_OBJECT, signed)?;
        let signer = signed.signer;
        let authority = anchors.authority_of(&signer).ok_or(PassiveError::UnknownSigner)?;
        signer.check_signer().map_err(|_| PassiveError::SignerUsage)?;
        if signer.is_for(oid::MASTER_LIST_SIGNER) {
            return Err(PassiveError::SignerUsage);
        }
        authority.check_time(at).map_err(PassiveError::AuthorityTime)?;
        signer.check_time(at).map_err(PassiveError::SignerTime)?;
        match anchors.standing(&signer, at) {
            Standing::Good => {}
            Standing::Revoked(_) => return Err(PassiveError::SignerRevoked),
            Standing::Unknown => return Err(PassiveError::NoRevocationList),
        }
        let (algorithm, digests) = read(&signed.content)?;
        Ok(Self { algorithm, digests, signer })
    }

    /// Whether a data group is the one that was signed.
    ///
    /// # Errors
    /// [`PassiveError::Changed`], [`PassiveError::NotSigned`].
    pub fn check(&self, number: u8, file: &[u8]) -> Result<(), PassiveError> {
        let digest = self.digests.get(&number).ok_or(PassiveError::NotSigned(number))?;
        let found = signed_data::hash(&self.algorithm, file)?;
        if found == *digest { Ok(()) } else { Err(PassiveError::Changed(number)) }
    }

    /// The numbers of the data groups that were signed.
    pub fn groups(&self) -> impl Iterator<Item = u8> {
        self.digests.keys().copied()
    }

    /// Who signed.
    #[must_use]
    pub const fn signer(&self) -> &Certificate {
        &self.signer
    }
}

/// An algorithm, and the digests by the numbers of their groups.
type Digests = (Vec<u8>, BTreeMap<u8, Vec<u8>>);

fn read(content: &[u8]) -> Result<Digests, TlvError> {
    let mut content = Reader::new(tlv::only(content, 0x30)?);
    content.take(0x02)?;
    let algorithm = Reader::new(content.take(0x30)?).take(0x06)?.to_vec();
    let mut list = Reader::new(content.take(0x30)?);
    let mut digests = BTreeMap::new();
    while list.peek()? != 0 {
        let mut entry = Reader::new(list.take(0x30)?);
        let [number @ 1..=16] = entry.take(0x02)? else { return Err(TlvError::Value(0x02)) };
        let digest = entry.take(0x04)?.to_vec();
        entry.end()?;
        if digests.insert(*number, digest).is_some() {
            return Err(TlvError::Value(0x02));
        }
    }
    Ok((algorithm, digests))
}
