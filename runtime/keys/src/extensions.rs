//! Extensions that the certificate library has no field for, or does not make critical, as DER.

use crate::lint::{MDOC_SIGNER, mdoc_key_identifier};
use rcgen::{CertificateParams, CrlDistributionPoint, CustomExtension};
use yufu_base::PublicKey;

const SUBJECT_KEY_IDENTIFIER: [u64; 4] = [2, 5, 29, 14];
const EXTENDED_KEY_USAGE: [u64; 4] = [2, 5, 29, 37];
const ISSUER_ALTERNATIVE_NAME: [u64; 4] = [2, 5, 29, 18];
/// How many octets of a digest identify a key.
const KEY_IDENTIFIER: usize = 20;

/// Where an authority of mdocs is reached, and its list of revoked certificates is fetched (ISO/IEC 18013-5, Annex B).
#[derive(Clone, Copy, Debug)]
pub struct Reached<'a> {
    /// The authority: the address of the issuer.
    pub authority: &'a str,
    /// The list.
    pub revocations: &'a str,
}

/// The identifier of a key: the first octets of its digest (RFC 7093, 2); of one that ISO/IEC 18013-5 is about, the one
/// digest that its tables B.1 and B.3 allow. It tells keys apart, and proves nothing.
pub(crate) fn subject_key(key: &PublicKey, of_mdocs: bool) -> CustomExtension {
    let digest = match of_mdocs {
        true => mdoc_key_identifier(key),
        false => yufu_jose::sha256(key.as_bytes()).to_vec(),
    };
    let id = digest.get(..KEY_IDENTIFIER).unwrap_or_default();
    let content = [&[0x04, 0x14], id].concat();
    CustomExtension::from_oid_content(&SUBJECT_KEY_IDENTIFIER, content)
}

/// That the key signs mdocs, and nothing else (ISO/IEC 18013-5, table B.3).
pub(crate) fn mdoc_signer() -> CustomExtension {
    let content = [&[0x30, 0x09, 0x06, 0x07][..], &MDOC_SIGNER].concat();
    let mut extension = CustomExtension::from_oid_content(&EXTENDED_KEY_USAGE, content);
    extension.set_criticality(true);
    extension
}

/// Says how the authority is reached, and where its list of revoked certificates is (tables B.1 and B.3).
pub(crate) fn add_reached(parameters: &mut CertificateParams, reached: Option<&Reached<'_>>) {
    let Some(reached) = reached else { return };
    // GeneralNames with one uniformResourceIdentifier, [6].
    let name = der(0x30, &der(0x86, reached.authority.as_bytes()));
    let name = CustomExtension::from_oid_content(&ISSUER_ALTERNATIVE_NAME, name);
    parameters.custom_extensions.push(name);
    let uris = vec![reached.revocations.to_owned()];
    parameters.crl_distribution_points.push(CrlDistributionPoint { uris });
}

/// A value in DER, of less than 64 KiB.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = match length {
        [0, short] if short < 0x80 => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}
