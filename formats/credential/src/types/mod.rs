//! Type metadata (draft-ietf-oauth-sd-jwt-vc-19, section 5): what a type of credential is called, what its claims are
//! called, and what every credential of it must hold. A document is read strictly, what it extends is put beneath it, and a
//! credential is held against the whole.

mod check;
mod extend;
mod integrity;
mod locale;
mod metadata;
mod read;

pub use check::TypeCheckError;
pub use extend::{ExtendError, MAX_CHAIN, ResolvedType, TypeChain};
pub use integrity::{Integrity, IntegrityError};
pub use locale::Locale;
pub use metadata::{
    ClaimDisplay, ClaimMetadata, Extends, MAX_TYPE_METADATA, Rendering, SelectiveDisclosure,
    TypeDisplay, TypeMetadata, TypeMetadataError,
};
pub use read::is_shown;
