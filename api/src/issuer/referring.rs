//! Offers that a link only refers to (OpenID4VCI 1.0, section 4.1.3): short enough for a code on paper, and whoever sees
//! the link after the wallet fetched its offer has nothing. The offer lies in the records sealed under a key that only
//! the link holds.

use super::{IssuedOffer, Issuer};
use crate::http::Problem;
use serde::Deserialize;
use utoipa::IntoParams;
use yufu_base::{Digest, Timestamp};
use yufu_issuer::secret_id;
use yufu_jose::SealingKey;
use yufu_keys::{random, random_text};
use yufu_openid4vc::issuance::{CredentialOffer, HAIP_SCHEME, OFFER_SCHEME, OfferLink};

/// The longest that an offer can be fetched, in seconds: a screen is looked at, or a sheet is taken home.
const REFERRED_SECONDS: u64 = 600;
/// What is sealed.
const KIND: &str = "offer";

/// Whether links are to refer to their offers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Referring {
    /// Whether the links are to refer to the offer, which is then fetched once and within ten minutes.
    #[serde(default)]
    pub(crate) by_reference: bool,
}

impl Issuer {
    /// The offer as it is asked for: with links that hold it, or that refer to it.
    pub(crate) async fn as_asked(
        &self,
        made: IssuedOffer,
        wish: &Referring,
    ) -> Result<IssuedOffer, Problem> {
        if !wish.by_reference {
            return Ok(made);
        }
        let until = self.clock.read().wall.plus_seconds(REFERRED_SECONDS);
        let until = until.min(Timestamp::from_seconds(made.expires));
        let offer = self.refer(&made.offer, OFFER_SCHEME, until).await?;
        let haip_offer = match &made.haip_offer {
            Some(link) => Some(self.refer(link, HAIP_SCHEME, until).await?),
            None => None,
        };
        Ok(IssuedOffer { offer, haip_offer, expires: until.seconds(), ..made })
    }

    async fn refer(&self, link: &str, scheme: &str, until: Timestamp) -> Result<String, Problem> {
        let link = OfferLink::parse(link).map_err(Problem::internal)?;
        let OfferLink::Value(offer) = link else {
            return Err(Problem::internal("an offer that was just made is not in its link"));
        };
        let secret = random_text();
        let sealed = key(&secret)?.seal(KIND, &offer, random()).map_err(Problem::internal)?;
        self.records.keep_offer((secret_id(&secret), sealed), until).await?;
        let issuer = &self.metadata.credential_issuer;
        let url = issuer.join(&format!("offers/{secret}")).map_err(Problem::internal)?;
        OfferLink::Reference(url).to_link_of(scheme).map_err(Problem::internal)
    }

    /// The offer that a link refers to, once.
    pub(crate) async fn referred(&self, secret: &str) -> Result<CredentialOffer, Problem> {
        let now = self.clock.read().wall;
        let sealed = self.records.take_offer(&secret_id(secret), now).await?;
        key(secret)?.open(KIND, &sealed).map_err(Problem::internal)
    }
}

fn key(secret: &str) -> Result<SealingKey, Problem> {
    let bytes = Digest::derive("yufu referred offer v1", secret.as_bytes()).0;
    SealingKey::new(&bytes).map_err(Problem::internal)
}
