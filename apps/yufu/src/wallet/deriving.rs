//! Credentials from a chip card: the wallet reads the card, shows its files to the authority, carries the authority's
//! challenge to the chip and the answer back. It understands neither.

use super::getting::{Received, Wanted};
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_api::authority::{CardLists, ChallengeIssued, ChipAnswer, Derived, PresentedFiles};
use yufu_card::{Access, CardData, ChipChallenge, Randomness, Reading, Transport, read_on, relay};
use yufu_emrtd::{Anchors, Certificate};
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_keys::random;
use yufu_profile::Role;

/// The data groups that the authority needs: who it is, and the chip's key. Not the portrait.
const SHOWN: [u8; 3] = [1, 11, 14];

/// The assurance of an identity.
const FULL: &str = "full";

/// What a card led to.
#[derive(Debug)]
pub struct FromCard {
    /// The credentials.
    pub received: Received,
    /// `full` if an officer compared the card's holder with its portrait, else `light`.
    pub assurance: String,
    /// What the card holds.
    pub card: CardData,
}

impl Holder {
    /// Gets credentials from a chip card and what opens it. The wallet verifies the card itself first, by the lists of
    /// the authority that the trust list names, and the authority by the trust list when it takes up the offer.
    ///
    /// # Errors
    /// If the card is not proven, to the wallet or to the authority, or nothing is issued.
    pub async fn derive(
        &mut self,
        card: &mut dyn Transport,
        access: Access,
        pseudonyms: bool,
    ) -> Result<FromCard> {
        self.trust().await?;
        let mut entries = self.directory().iter();
        let found = entries.find(|entry| entry.kind == Role::IdentityAuthority.word());
        let found = found.with_context(|| text!("the trust list names no identity authority"))?;
        let base = format!("{}/authority/v1/cards", found.url);
        let lists: CardLists = self.client.get(&format!("{base}/lists"), None).await?;
        let now = self.now();
        let authority = Certificate::read(&decode_base64url(&lists.authority)?)?;
        let mut anchors = Anchors::read(&decode_base64url(&lists.master_list)?, &authority, now)?;
        anchors.add_revocations(&decode_base64url(&lists.revocations)?)?;
        let randomness = Randomness::draw(random::<32>);
        let reading = Reading::new(access, Arc::new(anchors), now, randomness);
        let (data, open) = read_on(card, reading)?;

        let shown = SHOWN.iter().filter_map(|number| data.groups.get_key_value(number));
        let groups: BTreeMap<String, String> =
            shown.map(|(number, file)| (number.to_string(), encode_base64url(file))).collect();
        let security_object = encode_base64url(&data.security_object);
        let files = PresentedFiles { security_object, groups };
        let url = format!("{base}/derivations");
        let issued: ChallengeIssued = self.client.post(&url, None, &files).await?;
        let challenge = ChipChallenge {
            public: decode_base64url(&issued.public)?,
            command: decode_base64url(&issued.command)?,
        };
        let infos = data.groups.get(&14).map(Vec::as_slice).unwrap_or_default();
        let answer = ChipAnswer { answer: encode_base64url(relay(card, open, infos, &challenge)?) };
        let url = format!("{url}/{}", issued.derivation);
        let derived: Derived = self.client.post(&url, None, &answer).await?;
        let before = self.file.contents.credentials.len();
        let wanted = Wanted { pseudonyms, ..Wanted::default() };
        let links = (derived.offer.as_str(), derived.haip_offer.as_deref());
        let received = self.take_issued(links, wanted).await?;
        let assurance = derived.assurance;
        if assurance == FULL {
            self.forget_moved(before)?;
        }
        Ok(FromCard { received, assurance, card: data })
    }

    /// Forgets what the authority revoked when the identity moved here: of the first `before` credentials all that it issued,
    /// whatever their type and format.
    fn forget_moved(&mut self, before: usize) -> Result<()> {
        let credentials = &mut self.file.contents.credentials;
        let Some(newest) = credentials.last() else { return Ok(()) };
        let (authority, mut place) = (newest.held.issuer.clone(), 0_usize);
        credentials.retain(|stored| {
            let issuer = &stored.held.issuer;
            let same = (issuer.role, &issuer.identifier) == (authority.role, &authority.identifier);
            let old = place < before && same && issuer.country() == authority.country();
            place = place.saturating_add(1);
            !old
        });
        Ok(self.file.save()?)
    }
}
