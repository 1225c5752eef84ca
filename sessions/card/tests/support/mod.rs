//! A country with its authority and document signer, a resident's card, a reader.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::sync::Arc;
use yufu_base::{Signer, Timestamp};
use yufu_card::{
    Access, Card, CardData, CardError, CardSecrets, Chip, Contents, DocumentSigner, Holder,
    InProcess, Protocols, Randomness, Reading, personalise, portrait, read,
};
use yufu_emrtd::mrz::Sex;
use yufu_emrtd::{
    Anchors, Authority, Certificate, SignerName, SignerPurpose, Validity, write_master_list,
};
use yufu_jose::SoftwareKey;
use zeroize::Zeroizing;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
pub(crate) const YEAR: u64 = 365 * 86_400;
pub(crate) const CAN: &str = "480213";

pub(crate) fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

/// A country: an authority, a document signer with the number 1, a signer of master lists.
pub(crate) struct Country {
    pub(crate) key: SoftwareKey,
    pub(crate) document_key: SoftwareKey,
    /// From when to when the document signer is certified, in years before and after now.
    pub(crate) signer_years: (u64, u64),
}

impl Country {
    pub(crate) fn new(seed: u8) -> Self {
        Self { key: key(seed), document_key: key(seed + 1), signer_years: (1, 11) }
    }

    fn name(common: &str) -> SignerName {
        SignerName {
            country: "UT".to_owned(),
            organisation: "Utopia".to_owned(),
            common: common.to_owned(),
        }
    }

    fn years(from: u64, until: u64) -> Validity {
        Validity { from: NOW.minus_seconds(from * YEAR), until: NOW.plus_seconds(until * YEAR) }
    }

    pub(crate) fn authority(&self) -> Authority<'_> {
        Authority::self_signed(&Self::name("CSCA Utopia"), &self.key, Self::years(1, 12)).unwrap()
    }

    pub(crate) fn signer(&self) -> Certificate {
        let (from, until) = self.signer_years;
        let validity = if until == 0 {
            Validity { until: NOW.minus_seconds(1), ..Self::years(from, 0) }
        } else {
            Self::years(from, until)
        };
        let key = self.document_key.public_key();
        self.authority()
            .certify(&Self::name("DS Utopia 1"), &key, &[1], validity, SignerPurpose::Documents)
            .unwrap()
    }

    /// What a reader that trusts this country believes.
    pub(crate) fn anchors(&self, revoked: &[(Vec<u8>, Timestamp)]) -> Arc<Anchors> {
        let authority = self.authority();
        let list_key = key(77);
        let signer = authority
            .certify(
                &Self::name("MLS"),
                &list_key.public_key(),
                &[2],
                Self::years(1, 12),
                SignerPurpose::MasterLists,
            )
            .unwrap();
        let list = std::slice::from_ref(authority.certificate());
        let list = write_master_list(list, &signer, &list_key, NOW).unwrap();
        let mut anchors = Anchors::read(&list, authority.certificate(), NOW).unwrap();
        let revocations = authority.revocation_list(1, Self::years(0, 12), revoked).unwrap();
        anchors.add_revocations(&revocations).unwrap();
        Arc::new(anchors)
    }

    pub(crate) fn contents(&self, holder: &Holder, protocols: Protocols) -> Contents {
        let secrets =
            CardSecrets { chip: Zeroizing::new([21; 32]), signing: Zeroizing::new([22; 32]) };
        let signer = self.signer();
        let signer = DocumentSigner { certificate: &signer, key: &self.document_key };
        let portrait = portrait(&[5; 32]).unwrap();
        personalise(holder, &card(), protocols, &secrets, &portrait, signer, NOW).unwrap()
    }

    pub(crate) fn chip(&self, protocols: Protocols) -> Chip {
        Chip::new(self.contents(&holder(), protocols))
    }
}

pub(crate) fn card() -> Card {
    Card {
        issuer: "UTO".to_owned(),
        number: "E00000017".to_owned(),
        can: CAN.to_owned(),
        expiry: "2036-09-20".to_owned(),
    }
}

pub(crate) fn holder() -> Holder {
    Holder {
        number: "420104196209208811".to_owned(),
        family_name: "罗".to_owned(),
        given_name: "龙轩".to_owned(),
        sex: Sex::Male,
        birth_date: "1962-09-20".to_owned(),
        nationality: "UTO".to_owned(),
        address: vec!["湖北省".to_owned(), "武汉市硚口区".to_owned(), "利济北路217号".to_owned()],
    }
}

/// A source of bytes that differ from draw to draw.
pub(crate) fn random(mut seed: u8) -> impl FnMut() -> [u8; 32] {
    move || {
        seed = seed.wrapping_add(1);
        [seed; 32]
    }
}

pub(crate) fn reading(access: Access, anchors: &Arc<Anchors>) -> Reading {
    Reading::new(access, Arc::clone(anchors), NOW, Randomness::draw(random(100)))
}

/// Reads a card in the same process.
pub(crate) fn read_card(
    chip: &mut Chip,
    access: Access,
    anchors: &Arc<Anchors>,
) -> Result<CardData, CardError> {
    let mut random = random(1);
    read(&mut InProcess::new(chip, &mut random), reading(access, anchors))
}

pub(crate) fn can() -> Access {
    Access::can(CAN).unwrap()
}
