//! Getting credentials over OpenID4VCI.

use super::holder::Holder;
use anyhow::Result;
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_wallet::issuance::{Scanned, SectorKeys, scan};

/// The most credentials that are asked for at once.
pub(super) const MOST: u16 = 10;

/// How credentials are to be had of an offer that leaves a choice.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// With the holder's pseudonyms.
    pub pseudonyms: bool,
    /// As ISO mdocs, where they are offered.
    pub mdoc: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { pseudonyms: true, mdoc: false }
    }
}

/// What was received.
#[derive(Debug)]
pub struct Received {
    /// From whom.
    pub issuer: String,
    /// Of which type.
    pub vct: String,
    /// How many, each for one use.
    pub count: usize,
    /// The claims that each of them holds, by name.
    pub claims: Vec<String>,
}

impl Holder {
    /// Takes up an offer with the code that the officer gave: a batch of credentials, each bound to
    /// a fresh key and verified before it is kept.
    ///
    /// # Errors
    /// Whatever the issuer refused, or the wallet refused of the issuer.
    pub async fn get(&mut self, offer: &str, code: Option<&str>) -> Result<Received> {
        self.get_as(offer, code, Wanted::default()).await
    }

    /// As [`Holder::get`], without the holder's pseudonyms: for somebody whose new wallet has
    /// others than the authority registered, until they are replaced.
    ///
    /// # Errors
    /// As [`Holder::get`].
    pub async fn get_without_pseudonyms(
        &mut self,
        offer: &str,
        code: Option<&str>,
    ) -> Result<Received> {
        self.get_as(offer, code, Wanted { pseudonyms: false, ..Wanted::default() }).await
    }

    /// As [`Holder::get`], of that kind.
    ///
    /// # Errors
    /// As [`Holder::get`].
    pub async fn get_as(
        &mut self,
        offer: &str,
        code: Option<&str>,
        wanted: Wanted,
    ) -> Result<Received> {
        let trust = self.trust().await?;
        let (fetching, request) = match scan(offer, &trust)? {
            Scanned::Value(fetching, request) => (*fetching, request),
            Scanned::Reference(fetching, request) => {
                fetching.handle(&self.send(request).await?, &trust)?
            }
        };
        let format = if wanted.mdoc { FORMAT_MSO_MDOC } else { FORMAT_SD_JWT_VC };
        let (fetching, request) = fetching.handle_preferring(&self.send(request).await?, format)?;
        let ready = fetching.handle(&self.send(request).await?)?;
        let issuer = ready.issuer_name().get(&self.language).to_owned();
        let (exchanging, request) = ready.accept(code)?;
        let (nonce, request) = exchanging.handle(&self.send(request).await?)?;
        self.leave_at_issuer(nonce.issuer().as_str(), nonce.access_token()).await?;
        let mut keys = Vec::new();
        for _ in 0..nonce.batch_size().min(MOST) {
            keys.push(SoftwareKey::from_seed(&random())?);
        }
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        let taken = if wanted.pseudonyms { nonce.sectors() } else { Vec::new() };
        let own = self.sector_keys(taken)?;
        let sectors: SectorKeys<'_> =
            own.iter().map(|(sector, key)| (sector.clone(), key as &dyn Signer)).collect();
        let response = self.send(request).await?;
        let (requesting, request) =
            nonce.handle_with_sectors(&response, &signers, &sectors, self.now())?;
        let held = requesting.handle(&self.send(request).await?, &trust, self.now())?;
        self.learn_type(requesting.type_of(&held), &held).await?;
        self.learn_names(requesting.described(&held), &held);
        self.keep_batch(issuer, held, &keys)
    }
}

/// The names of the claims about the person, without the credential's own.
pub(super) fn names(claims: &serde_json::Map<String, serde_json::Value>) -> Vec<String> {
    const OWN: [&str; 7] = ["iss", "iat", "exp", "cnf", "vct", "vct#integrity", "status"];
    claims.keys().filter(|name| !OWN.contains(&name.as_str())).cloned().collect()
}
