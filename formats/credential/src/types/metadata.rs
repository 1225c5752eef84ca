//! A type metadata document: what it can say, how it is written, and by which rules it is read.

use super::integrity::{Integrity, IntegrityError};
use super::locale::Locale;
use super::read;
use serde::Serialize;
use yufu_jose::{ClaimPath, JsonError};

/// The longest document that is read, in bytes.
pub const MAX_TYPE_METADATA: usize = 256 * 1024;
/// How deeply a document may nest.
pub(super) const MAX_DEPTH: usize = 16;
/// How many claims one document may describe.
pub(super) const MAX_CLAIMS: usize = 256;
/// In how many languages one thing may be named.
pub(super) const MAX_LOCALES: usize = 64;
/// The longest name or label, in characters.
pub(super) const MAX_NAME: usize = 200;
/// The longest description, in characters.
pub(super) const MAX_DESCRIPTION: usize = 2000;
/// The longest identifier of a type, in bytes.
pub(super) const MAX_VCT: usize = 2048;

/// A type metadata document. Logos, images and SVG templates are not read: nothing is fetched to show a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeMetadata {
    /// The type that it describes.
    pub vct: String,
    /// What developers call the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What developers say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type that it extends.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Extends>,
    /// What people are shown, language by language; nothing where that of the extended type holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<TypeDisplay>>,
    /// The claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimMetadata>,
}

/// A type that another one extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extends {
    /// Which.
    #[serde(rename = "extends")]
    pub vct: String,
    /// By what its document is known.
    #[serde(rename = "extends#integrity", skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
}

/// What people are shown of a type, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeDisplay {
    /// The language.
    pub locale: Locale,
    /// The type's name.
    pub name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendering: Option<Rendering>,
}

/// How a credential looks: of the method `simple`, its colours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Methods")]
pub struct Rendering {
    /// Behind the text: `#12107c`.
    pub background_color: Option<String>,
    /// Of the text.
    pub text_color: Option<String>,
}

#[derive(Serialize)]
struct Methods {
    simple: Simple,
}

#[derive(Serialize)]
struct Simple {
    #[serde(skip_serializing_if = "Option::is_none")]
    background_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_color: Option<String>,
}

impl From<Rendering> for Methods {
    fn from(Rendering { background_color, text_color }: Rendering) -> Self {
        Self { simple: Simple { background_color, text_color } }
    }
}

/// What a type says of a claim, or of several that one path selects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimMetadata {
    /// Which.
    pub path: ClaimPath,
    /// What people are shown, language by language; nothing where that of the extended type holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<ClaimDisplay>>,
    /// Whether every credential of the type holds it; if nothing is said, it need not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandatory: Option<bool>,
    /// Whether it can be withheld; if nothing is said, it may be either way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<SelectiveDisclosure>,
    /// What it is called in SVG templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub svg_id: Option<String>,
}

/// What people are shown of a claim, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimDisplay {
    /// The language.
    pub locale: Locale,
    /// The claim's name.
    pub label: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Whether the holder can withhold a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SelectiveDisclosure {
    /// Always: the issuer must make it so.
    Always,
    /// Either way.
    Allowed,
    /// Never: it stands in the open.
    Never,
}

/// Why a document is refused. Size and JSON are checked first, then the members in the order in which
/// [`TypeMetadata`] has them. Members that the specification does not know are passed over, as it wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeMetadataError {
    /// Longer than is read.
    #[error("a document of {0} bytes: at most {MAX_TYPE_METADATA} are read")]
    TooLong(usize),
    /// Not a JSON object that names each member once.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Nested too deeply.
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A required member is not there.
    #[error("{at}: `{member}` is missing")]
    Missing {
        /// Where.
        at: String,
        /// Which.
        member: &'static str,
    },
    /// A member is of another kind of JSON.
    #[error("{at}: `{member}` is not {expected}")]
    Kind {
        /// Where.
        at: String,
        /// Which.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A text that cannot be shown: empty, too long, or with characters that are none or turn others around.
    #[error("{at}: `{member}` is empty, too long, or holds characters that are not to be shown")]
    Text {
        /// Where.
        at: String,
        /// Which.
        member: &'static str,
    },
    /// The identifier of a type is none.
    #[error("{0:?} names no type: expected a URI, or another text without spaces")]
    Vct(String),
    /// Integrity metadata of nothing.
    #[error("`extends#integrity` without `extends`")]
    IntegrityAlone,
    /// The base is pinned by what cannot be verified.
    #[error("`extends#integrity`: {0}")]
    Integrity(#[from] IntegrityError),
    /// More of something than is read.
    #[error("{at}: more than {most} entries")]
    TooMany {
        /// Where.
        at: String,
        /// How many are read.
        most: usize,
    },
    /// Not a language tag.
    #[error("{at}: {locale:?} is no language tag")]
    Locale {
        /// Where.
        at: String,
        /// What stands there.
        locale: String,
    },
    /// Two entries for one language.
    #[error("{at}: two entries for the language {locale}")]
    LocaleTwice {
        /// Where.
        at: String,
        /// Which.
        locale: Locale,
    },
    /// Not a colour.
    #[error("{at}: {colour:?} is no colour: expected # and three or six hexadecimal digits")]
    Colour {
        /// Where.
        at: String,
        /// What stands there.
        colour: String,
    },
    /// Not the path of a claim.
    #[error("{at}: `path` is not 1 to 32 names, nulls and indices, the first a name")]
    Path {
        /// Where.
        at: String,
    },
    /// Two entries for one path.
    #[error("two entries for the claim {0}")]
    PathTwice(ClaimPath),
    /// Neither `always` nor `allowed` nor `never`.
    #[error("{at}: `sd` is {sd:?}, expected always, allowed or never")]
    Sd {
        /// Where.
        at: String,
        /// What stands there.
        sd: String,
    },
    /// Not a name for templates.
    #[error(
        "{at}: {id:?} is no `svg_id`: expected letters, digits and underscores, no digit first"
    )]
    SvgId {
        /// Where.
        at: String,
        /// What stands there.
        id: String,
    },
    /// One name for two claims.
    #[error("the `svg_id` {0} is given twice")]
    SvgIdTwice(String),
    /// It could not be written.
    #[error("the document could not be written: {0}")]
    Unwritable(String),
}

impl TypeMetadata {
    /// Reads a document.
    ///
    /// # Errors
    /// [`TypeMetadataError`], the first rule broken.
    pub fn parse(document: &[u8]) -> Result<Self, TypeMetadataError> {
        read::document(document)
    }

    /// The document, the same to the byte whenever and wherever it is written.
    ///
    /// # Errors
    /// [`TypeMetadataError`]: by the rules by which it would be read.
    pub fn to_document(&self) -> Result<String, TypeMetadataError> {
        let text = serde_json::to_string(self)
            .map_err(|error| TypeMetadataError::Unwritable(error.to_string()))?;
        Self::parse(text.as_bytes())?;
        Ok(text)
    }
}
