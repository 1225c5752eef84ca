//! What the type of a credential says (SD-JWT VC, section 5): fetched when the credential comes, at its issuer and nowhere
//! else, and kept with it. Whoever fetched it when a credential is shown would tell the issuer so.

use crate::{Credential, HeldCredential};
use yufu_credential::{
    ExtendError, Integrity, ResolvedType, TypeChain, TypeCheckError, TypeMetadata,
    TypeMetadataError,
};
use yufu_jose::ClaimPath;
use yufu_openid4vc::issuance::IssuerMetadata;
use yufu_openid4vc::{Endpoint, HttpError, HttpRequest, HttpResponse};

/// Waits for a document of a type: its own, or one that it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchingType {
    issuer: Endpoint,
    /// Where the issuer has documents by their digest, if it says so.
    published: Option<Endpoint>,
    /// What the document is to be of.
    vct: String,
    integrity: Integrity,
    url: Endpoint,
    /// Those that came, and their texts: the type's own first.
    chain: Option<TypeChain>,
    documents: Vec<String>,
}

/// What a document leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeStep {
    /// It extends another, which is to be fetched.
    Extends(Box<FetchingType>),
    /// All is there.
    Known(Box<KnownType>),
    /// It extends what this issuer does not vouch for, or has elsewhere: nothing is made of it.
    Elsewhere,
}

/// A type whose documents are there and hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownType {
    documents: Vec<String>,
    kind: ResolvedType,
}

/// Why a credential is not kept for what its type says. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// A document that the credential names did not come.
    #[error(
        "what the credential's type says did not come from its issuer ({0}): get it again later"
    )]
    Unavailable(#[from] HttpError),
    /// A document is not the one that was named.
    #[error(
        "the document of the type {0} is not the one that the credential names: do not use it, and report the issuer"
    )]
    Altered(String),
    /// A document breaks a rule.
    #[error("the document of the credential's type cannot be used ({0}): report the issuer")]
    Malformed(#[from] TypeMetadataError),
    /// Documents do not make a type.
    #[error("the documents of the credential's type do not fit together ({0}): report the issuer")]
    Extension(#[from] ExtendError),
    /// The credential is not what its type says.
    #[error(
        "credential {index} is not what its type says ({error}): do not use it, and report the issuer"
    )]
    Unlike {
        /// Which one, from 0.
        index: usize,
        /// Why not.
        error: TypeCheckError,
    },
}

impl TypeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "type.unavailable",
            Self::Altered(_) => "type.altered",
            Self::Malformed(_) => "type.malformed",
            Self::Extension(_) => "type.extension",
            Self::Unlike { .. } => "type.unlike",
        }
    }
}

impl FetchingType {
    /// What is to be fetched for a batch that came from an issuer with these metadata. Nothing if its credentials pin no
    /// document, as those of issuers that publish none, and mdocs; nor if this issuer does not have it: then credentials
    /// are shown by the names in them.
    pub(super) fn begin(metadata: &IssuerMetadata, held: &[HeldCredential]) -> Option<Self> {
        // Those of a batch say the same, this included.
        let Credential::SdJwt(credential) = &held.first()?.credential else { return None };
        let credential = credential.credential();
        let integrity = credential.type_integrity.clone()?;
        let issuer = &metadata.credential_issuer;
        let published = metadata.type_metadata_endpoint.clone();
        let (vct, chain) = (credential.vct.clone(), None);
        let url = address(issuer, published.as_ref(), &vct, &integrity)?;
        let (issuer, documents) = (issuer.clone(), Vec::new());
        Some(Self { issuer, published, vct, integrity, url, chain, documents })
    }

    /// What the document may be called that is to be fetched: whoever has it under such a name need not fetch it.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.integrity.names()
    }

    /// The request for it. It says nothing of who asks.
    #[must_use]
    pub fn request(&self) -> HttpRequest {
        HttpRequest::get(self.url.clone(), "application/json")
    }

    /// Takes the document.
    ///
    /// # Errors
    /// [`TypeError`], the first rule that is broken.
    pub fn handle(self, response: &HttpResponse) -> Result<TypeStep, TypeError> {
        let text = response.text("application/json")?;
        let Self { issuer, published, vct, integrity, chain, mut documents, .. } = self;
        if !integrity.is_of(text.as_bytes()) {
            return Err(TypeError::Altered(vct));
        }
        let document = TypeMetadata::parse(text.as_bytes())?;
        let chain = match chain {
            None => TypeChain::new(document, &vct)?,
            Some(mut chain) => {
                chain.extend(document)?;
                chain
            }
        };
        documents.push(text.to_owned());
        let Some(base) = chain.lacks() else {
            let kind = chain.resolve()?;
            return Ok(TypeStep::Known(Box::new(KnownType { documents, kind })));
        };
        let (vct, integrity) = (base.vct.clone(), base.integrity.clone());
        let url = integrity
            .as_ref()
            .and_then(|integrity| address(&issuer, published.as_ref(), &vct, integrity));
        let (Some(integrity), Some(url)) = (integrity, url) else { return Ok(TypeStep::Elsewhere) };
        let chain = Some(chain);
        let next = Self { issuer, published, vct, integrity, url, chain, documents };
        Ok(TypeStep::Extends(Box::new(next)))
    }
}

/// Where the issuer has a document: at the type's own address if that is at the issuer, else where it publishes documents
/// by their digest.
fn address(
    issuer: &Endpoint,
    published: Option<&Endpoint>,
    vct: &str,
    integrity: &Integrity,
) -> Option<Endpoint> {
    let own = Endpoint::parse(vct).ok().filter(|url| url.origin() == issuer.origin());
    let by_digest = || published.and_then(|place| place.join(&integrity.name()).ok());
    own.or_else(by_digest)
}

impl KnownType {
    /// Reads a type from documents that were kept: its own first.
    ///
    /// # Errors
    /// [`TypeError`], the first rule that is broken.
    pub fn read(documents: &[String]) -> Result<Self, TypeError> {
        let read = |document: &String| TypeMetadata::parse(document.as_bytes());
        let own = documents.first().map_or_else(|| TypeMetadata::parse(b""), read)?;
        let vct = own.vct.clone();
        let mut chain = TypeChain::new(own, &vct)?;
        for document in documents.iter().skip(1) {
            chain.extend(read(document)?)?;
        }
        Ok(Self { documents: documents.to_vec(), kind: chain.resolve()? })
    }

    /// Its documents, to be kept: its own first.
    #[must_use]
    pub fn documents(&self) -> &[String] {
        &self.documents
    }

    /// What its own document is called.
    #[must_use]
    pub fn name(&self) -> String {
        let own = self.documents.first().map(String::as_bytes).unwrap_or_default();
        Integrity::of(own).name()
    }

    /// Holds a batch against the type.
    ///
    /// # Errors
    /// [`TypeError::Unlike`].
    pub fn check(&self, held: &[HeldCredential]) -> Result<(), TypeError> {
        let sd_jwts = held.iter().enumerate();
        for (index, one) in sd_jwts {
            if let Some(credential) = one.credential.as_sd_jwt() {
                let checked = self.kind.check(credential);
                checked.map_err(|error| TypeError::Unlike { index, error })?;
            }
        }
        Ok(())
    }

    /// The type.
    #[must_use]
    pub fn vct(&self) -> &str {
        self.kind.vct()
    }

    /// What its credentials are called by somebody who reads `language`, if it says so.
    #[must_use]
    pub fn called(&self, language: &str) -> Option<&str> {
        self.kind.name(language)
    }

    /// What a claim is called by somebody who reads `language`, if it says so.
    #[must_use]
    pub fn claim(&self, path: &ClaimPath, language: &str) -> Option<&str> {
        self.kind.label(path, language)
    }
}
