//! The identity authority: knows the population, has an officer authenticate a person, and issues
//! the identity credential over OpenID4VCI. It is not told where a credential is shown.

#[cfg(feature = "zero-knowledge")]
mod anonymous;
mod attested;
mod cards;
mod checks;
mod claims;
mod deaths;
mod erasing;
mod freezing;
mod guardianship;
mod handover;
mod issuance;
mod look;
mod metadata;
mod officer;
mod pseudonyms;
mod status;

pub use crate::issuer::IssuedOffer;
#[cfg(feature = "zero-knowledge")]
pub use anonymous::{Anonymous, AnonymousProof, Proven};
pub use cards::{
    CardBlock, CardCheck, CardChecked, CardLists, Cards, ChallengeIssued, ChipAnswer, Derivations,
    Derived, DocumentSignerEntry, DocumentSigners, IssuedCard, NewCard, PresentedFiles,
    SignerRevocation,
};
pub use checks::{CheckDecision, CheckedClaims, WaitingCheck};
pub use deaths::Death;
pub use erasing::{Erased, Erasure, ErasureAsked};
pub use freezing::{IdentityFreeze, IdentityFrozen};
pub use guardianship::{GuardianshipEnd, NewGuardianship, RecordedGuardianship};
pub use look::{Look, Looks, OwnLook};
pub use metadata::issuer_profile;
pub use officer::{AccessEntry, Authentication, NumberOnly, Revocation, Revoked};
pub use pseudonyms::{PseudonymReplacement, PseudonymsReplaced};

use crate::http::{OperatorToken, Problem};
use crate::issuer::{Issuer, described_haip, well_known_haip};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{InstitutionId, Timestamp};
use yufu_engine::Clock;
use yufu_population::{Population, PopulationError};
use yufu_profile::{NumberScheme, PseudonymEpoch, UtcOffsets};

/// The identity authority, and what it works with.
pub struct Authority {
    /// Its name.
    pub id: InstitutionId,
    /// Itself as an issuer.
    pub issuer: Issuer,
    /// The country's resident numbers.
    pub numbers: NumberScheme,
    /// The country's civil time: a person's age changes at its midnight.
    pub offsets: UtcOffsets,
    /// From which age on nobody has a guardian, and one may be a guardian.
    pub majority: u8,
    /// How many digits a transaction code has.
    pub code_digits: u8,
    /// How often a person's pseudonyms can be replaced; exactly if the country has sectors.
    pub pseudonym_epoch: Option<PseudonymEpoch>,
    /// The population register.
    pub population: Population,
    /// Chip cards, if the country issues them.
    pub cards: Option<Cards>,
    /// Itself as a relying party, for a person's look at who read her record.
    pub own_look: OwnLook,
    /// Itself as the issuer of anonymous credentials, if it is registered to ask for what that takes.
    #[cfg(feature = "zero-knowledge")]
    pub anonymous: Option<Anonymous>,
    /// The token of its officers.
    pub operator: OperatorToken,
    /// The token of the officers who confirm what another one asked for: another one.
    pub approver: OperatorToken,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

pub(crate) fn described() -> OpenApiRouter<Arc<Authority>> {
    let router = OpenApiRouter::new();
    #[cfg(feature = "zero-knowledge")]
    let router = router.merge(anonymous::described());
    router
        .routes(routes!(officer::authenticate))
        .routes(routes!(officer::accesses))
        .routes(routes!(officer::revoke))
        .routes(routes!(guardianship::record))
        .routes(routes!(guardianship::end))
        .routes(routes!(cards::issuing::issue))
        .routes(routes!(cards::issuing::check))
        .routes(routes!(cards::issuing::block))
        .routes(routes!(cards::lists::lists))
        .routes(routes!(cards::signers::signers))
        .routes(routes!(cards::signers::revoke))
        .routes(routes!(cards::deriving::begin))
        .routes(routes!(cards::deriving::answer))
        .routes(routes!(deaths::record))
        .routes(routes!(deaths::withdraw))
        .routes(routes!(pseudonyms::replace))
        .routes(routes!(erasing::ask))
        .routes(routes!(erasing::asked))
        .routes(routes!(erasing::confirm))
        .routes(routes!(freezing::leave))
        .routes(routes!(freezing::freeze))
        .routes(routes!(freezing::freeze_at_counter))
        .routes(routes!(freezing::lift_at_counter))
        .routes(routes!(look::begin))
        .routes(routes!(look::request))
        .routes(routes!(look::respond))
        .routes(routes!(look::fetch))
        .routes(routes!(issuance::token))
        .routes(routes!(issuance::nonce))
        .routes(routes!(issuance::credential))
        .routes(routes!(checks::list))
        .routes(routes!(checks::look, checks::decide))
        .routes(routes!(status::list))
        .routes(routes!(status::all))
        .routes(routes!(status::revocations))
        .merge(described_haip())
}

/// Documents at well-known addresses, whose paths the issuer's identifier determines.
pub(crate) fn well_known() -> Router<Arc<Authority>> {
    Router::new()
        .route("/.well-known/openid-credential-issuer/authority", get(metadata::issuer))
        .route(
            "/.well-known/oauth-authorization-server/authority",
            get(metadata::authorization_server),
        )
        .route("/.well-known/jwt-vc-issuer/authority", get(metadata::keys))
        .merge(well_known_haip())
}

impl Authority {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }
}

impl From<PopulationError> for Problem {
    fn from(error: PopulationError) -> Self {
        match error {
            PopulationError::NotFound => Self::not_found("person in the register"),
            PopulationError::NoGuardianship => Self::not_found("guardianship in force"),
            PopulationError::NoErasure => Self::not_found("erasure asked for"),
            PopulationError::SameOfficer(_) => Self::forbidden("erasure.same_officer", error),
            PopulationError::ErasureLapsed => Self::new(StatusCode::GONE, "erasure.lapsed", error),
            PopulationError::ErasureDone => Self::conflict("erasure.done", error),
            PopulationError::Access(access) => Self::malformed(access),
            PopulationError::Deceased => Self::refused("resident.deceased", error),
            other => Self::internal(other),
        }
    }
}
