//! The metadata of what an issuer issues (SD-JWT VC, section 5), from the profile: one document for all credentials of a type,
//! under its digest for ever and under the type for as long as it is the newest. Whoever asks says nothing of a person.

use super::Issuer;
use crate::http::Problem;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_credential::{
    ClaimDisplay, ClaimMetadata, Integrity, Locale, SelectiveDisclosure, TypeDisplay, TypeMetadata,
    TypeMetadataError,
};
use yufu_credentials::{Credentials, CredentialsError};
use yufu_jose::ClaimPath;
use yufu_profile::{Claim, CredentialType, Text};

/// Of a document under its digest, which is never another.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Of the newest document of a type.
const FOR_AN_HOUR: &str = "public, max-age=3600";

/// By what the metadata of each type are known that an issuer issues now.
#[derive(Debug, Default)]
pub struct Types {
    /// By the id of the credential in the profile.
    pinned: BTreeMap<String, Integrity>,
    /// By the type.
    newest: BTreeMap<String, String>,
}

/// Why types are not published.
#[derive(Debug, thiserror::Error)]
pub enum TypesError {
    /// What the profile says cannot be a document.
    #[error("the metadata of {vct}: {why}: correct its names in the profile")]
    Document {
        /// Of which type.
        vct: String,
        /// Why not.
        why: TypeMetadataError,
    },
    /// A document is not kept.
    #[error(transparent)]
    Records(#[from] CredentialsError),
}

impl Types {
    /// Publishes the metadata of these credentials: from now on, and for ever, each is found under its digest.
    ///
    /// # Errors
    /// [`TypesError`].
    pub async fn publish(
        kinds: &[CredentialType],
        records: &Credentials,
        now: Timestamp,
    ) -> Result<Self, TypesError> {
        let mut types = Self::default();
        for kind in kinds {
            let document = type_metadata(kind).and_then(|metadata| metadata.to_document());
            let document =
                document.map_err(|why| TypesError::Document { vct: kind.vct.clone(), why })?;
            let integrity = Integrity::of(document.as_bytes());
            let name = integrity.name();
            records.keep_type((name.clone(), kind.vct.clone(), document), now).await?;
            types.newest.insert(kind.vct.clone(), name);
            types.pinned.insert(kind.id.clone(), integrity);
        }
        Ok(types)
    }

    /// By what the metadata of a credential's type are known.
    pub(super) fn integrity(&self, credential: &str) -> Option<Integrity> {
        self.pinned.get(credential).cloned()
    }
}

impl Issuer {
    /// The metadata of a type, as they are served: by their digest, or the newest of a type.
    pub(crate) async fn type_response(&self, name: &str) -> Result<Response, Problem> {
        let (name, cached) = match self.types.newest.get(name) {
            Some(newest) => (newest.as_str(), FOR_AN_HOUR),
            None => (name, FOR_EVER),
        };
        let document = self.records.type_document(name).await?;
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, cached),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        ];
        Ok((headers, document).into_response())
    }
}

/// What a profile says of a credential, as metadata of its type. Every claim can be withheld; all but the pseudonyms, which
/// the holder brings, are in every credential.
///
/// # Errors
/// [`TypeMetadataError`], if a name in the profile is in a language without a tag, or a path is none.
pub fn type_metadata(kind: &CredentialType) -> Result<TypeMetadata, TypeMetadataError> {
    let display = named(&kind.name, "display", |locale, name| TypeDisplay {
        locale,
        name,
        description: None,
        rendering: None,
    })?;
    let claims: Result<Vec<_>, _> = kind.claims.iter().map(claim).collect();
    Ok(TypeMetadata {
        vct: kind.vct.clone(),
        name: Some(kind.name.en().to_owned()),
        description: None,
        extends: None,
        display: Some(display),
        claims: claims?,
    })
}

fn claim(claim: &Claim) -> Result<ClaimMetadata, TypeMetadataError> {
    let at = claim.path.to_string();
    let path = ClaimPath::members(claim.path.segments().iter().map(String::as_str));
    let path = path.map_err(|_| TypeMetadataError::Path { at: at.clone() })?;
    let display = named(&claim.label, &at, |locale, label| ClaimDisplay {
        locale,
        label,
        description: None,
    })?;
    Ok(ClaimMetadata {
        path,
        display: Some(display),
        mandatory: claim.source.sector().is_none().then_some(true),
        sd: Some(SelectiveDisclosure::Always),
        svg_id: None,
    })
}

/// A text of the profile, language by language.
fn named<T>(
    text: &Text,
    at: &str,
    made: impl Fn(Locale, String) -> T,
) -> Result<Vec<T>, TypeMetadataError> {
    let entry = |(language, text): (&str, &str)| {
        let wrong = || TypeMetadataError::Locale { at: at.to_owned(), locale: language.to_owned() };
        Ok(made(Locale::parse(language).ok_or_else(wrong)?, text.to_owned()))
    };
    text.iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
