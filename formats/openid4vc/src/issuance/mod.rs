//! OpenID4VCI 1.0: from the offer to the credential.

mod authorization;
mod credential;
mod dpop;
mod form;
mod grant;
mod key_attestation;
mod metadata;
mod offer;
mod pkce;
mod proof;
mod sector;
mod signed_metadata;
mod token;
mod wanted;

pub use authorization::{
    AnswerError, AuthorizationAnswer, AuthorizationDetail, DETAIL_TYPE, PushedRequest,
    PushedRequestError, PushedResponse, REQUEST_URI, read_answer, redirect_with,
};
pub use credential::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, CredentialRequestError,
    CredentialResponse, IssuedCredential, MAX_PROOFS, NonceResponse, Proofs,
};
pub use dpop::{
    DPOP_HEADER, DPOP_NONCE_HEADER, DpopError, DpopProof, DpopTarget, TOKEN_TYPE_DPOP, check_dpop,
    sign_dpop,
};
pub use grant::{GRANT_CODE, GRANT_REFRESH, Grant, GrantRequest, GrantResponse};
pub use key_attestation::{
    KeyAttestation, KeyAttestationError, MAX_ATTESTED_KEYS, STORAGE_BASIC, SignedKeyAttestation,
};
pub use metadata::{
    AUTH_METHOD, AuthorizationServerMetadata, BatchIssuance, ClaimDescription, CodeFlow,
    CredentialConfiguration, CredentialMetadata, Display, IssuerMetadata, KeyAttestationsRequired,
    MetadataError, ProofType, RequestEncryption, ResponseEncryption, SigningAlgorithm,
};
pub use offer::{
    AuthorizationCodeGrant, CredentialOffer, Grants, HAIP_SCHEME, InputMode, OFFER_SCHEME,
    OfferError, OfferLink, PreAuthorizedGrant, TxCodeDescription,
};
pub use pkce::{PKCE_S256, is_challenge, is_verifier, pkce_challenge};
pub use proof::{
    KeyProof, PROOF_TYPE, ProofError, check_proof, check_proof_of, sign_attested_proof, sign_proof,
};
pub use sector::{
    MAX_SECTORS, SECTOR_PROOF_TYPE, SectorProof, SectorProofs, check_sector_proof,
    sign_sector_proof,
};
pub use signed_metadata::{SIGNED_METADATA_MEDIA_TYPE, SignedMetadata, SignedMetadataError};
pub use token::{
    GRANT_PRE_AUTHORIZED, TokenErrorCode, TokenErrorResponse, TokenRequest, TokenRequestError,
    TokenResponse,
};
pub use wanted::{
    AnswerKey, DeferredRequest, NotificationErrorCode, NotificationErrorResponse,
    NotificationEvent, NotificationRequest, ProofsOf, Wanted, WantedRequest, WantedResponse,
};
