//! OpenID4VCI 1.0: from the offer to the credential.

mod credential;
mod metadata;
mod offer;
mod proof;
mod sector;
mod token;

pub use credential::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, CredentialRequestError,
    CredentialResponse, IssuedCredential, MAX_PROOFS, NonceResponse, Proofs,
};
pub use metadata::{
    AuthorizationServerMetadata, BatchIssuance, ClaimDescription, CredentialConfiguration,
    CredentialMetadata, Display, IssuerMetadata, MetadataError, ProofType, SigningAlgorithm,
};
pub use offer::{
    CredentialOffer, Grants, InputMode, OfferError, OfferLink, PreAuthorizedGrant,
    TxCodeDescription,
};
pub use proof::{KeyProof, PROOF_TYPE, ProofError, check_proof, sign_proof};
pub use sector::{
    MAX_SECTORS, SECTOR_PROOF_TYPE, SectorProof, SectorProofs, check_sector_proof,
    sign_sector_proof,
};
pub use token::{
    GRANT_PRE_AUTHORIZED, TokenErrorCode, TokenErrorResponse, TokenRequest, TokenRequestError,
    TokenResponse,
};
