//! Secrets that say how they may be spent (NUT-10), told from those that say nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest secret that is looked at.
pub const MAX_SECRET: usize = 1024;

/// What a condition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Signatures by keys (NUT-11).
    #[serde(rename = "P2PK")]
    PayToKey,
    /// The preimage of a hash, and signatures (NUT-14).
    #[serde(rename = "HTLC")]
    HashLock,
}

/// A secret that carries a condition, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// What kind of condition.
    pub kind: Kind,
    /// What makes the secret unique.
    pub nonce: String,
    /// The key or hash of the condition.
    pub data: String,
    /// More of it: each a name and its values.
    pub tags: Vec<Vec<String>>,
}

/// Why a secret that begins as a condition is none. Nobody can spend it: what its payee read into it
/// may not be what a mint would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Longer than [`MAX_SECRET`].
    #[error("a secret has at most {MAX_SECRET} bytes")]
    TooLong,
    /// Not the JSON of NUT-10, or a member twice.
    #[error("the condition is not of the form of NUT-10: {0}")]
    Form(String),
    /// A tag without a name, or with an empty text.
    #[error("a tag of the condition is empty or has an empty text")]
    Tag,
}

#[derive(Serialize, Deserialize)]
struct Body {
    nonce: String,
    data: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Vec<String>>>,
}

impl Conditions {
    /// Whether a secret can be conditions at all: they are written as a list of JSON.
    pub(crate) fn may_be(secret: &str) -> bool {
        secret.trim_start().starts_with('[')
    }

    /// Reads a secret: `None` if whoever has it may spend it. That is also so for kinds of conditions
    /// that are not known here, as NUT-10 warns.
    ///
    /// # Errors
    /// [`SecretError`] if it is too long, or begins as a condition known here and is not one.
    pub fn parse(secret: &str) -> Result<Option<Self>, SecretError> {
        if secret.len() > MAX_SECRET {
            return Err(SecretError::TooLong);
        }
        if !Self::may_be(secret) {
            return Ok(None);
        }
        let Ok(Value::Array(items)) = serde_json::from_str(secret) else { return Ok(None) };
        let kind = items.first().cloned().map(serde_json::from_value::<Kind>);
        let Some(Ok(kind)) = kind else { return Ok(None) };
        if !items.get(1).is_some_and(Value::is_object) {
            return Err(SecretError::Form("its second item is no object".to_owned()));
        }
        let (_, body): (Kind, Body) = yufu_jose::parse_json(secret.as_bytes())
            .map_err(|e| SecretError::Form(e.to_string()))?;
        let tags = body.tags.unwrap_or_default();
        if tags.iter().any(|tag| tag.is_empty() || tag.iter().any(String::is_empty)) {
            return Err(SecretError::Tag);
        }
        Ok(Some(Self { kind, nonce: body.nonce, data: body.data, tags }))
    }

    /// The secret's text.
    ///
    /// # Errors
    /// [`SecretError::TooLong`] if no mint would take it, [`SecretError::Tag`] for empty texts.
    pub fn to_text(&self) -> Result<String, SecretError> {
        if self.tags.iter().any(|tag| tag.is_empty() || tag.iter().any(String::is_empty)) {
            return Err(SecretError::Tag);
        }
        let body = Body {
            nonce: self.nonce.clone(),
            data: self.data.clone(),
            tags: (!self.tags.is_empty()).then(|| self.tags.clone()),
        };
        let text = serde_json::to_string(&(self.kind, body))
            .map_err(|e| SecretError::Form(e.to_string()))?;
        if text.len() > MAX_SECRET { Err(SecretError::TooLong) } else { Ok(text) }
    }

    /// The values of a tag.
    pub(super) fn tag(&self, name: &str) -> Option<&[String]> {
        self.tags.iter().find_map(|tag| match tag.split_first() {
            Some((found, values)) if found == name => Some(values),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nut10_only_what_begins_as_a_known_condition_is_one() {
        for plain in ["", "ab", "[]", "[1]", "{}", "[\"P2PK\"", "[\"DLC\",{}]", "\"P2PK\""] {
            assert_eq!(Conditions::parse(plain), Ok(None), "{plain}");
        }
    }

    #[test]
    fn nut10_a_condition_with_members_missing_doubled_or_added_is_nobodys() {
        for bad in [
            r#"["P2PK"]"#,
            r#"["P2PK",["a","b"]]"#,
            r#"["P2PK",{"nonce":"a"}]"#,
            r#"["P2PK",{"nonce":"a","data":"b"},1]"#,
            r#"["P2PK",{"nonce":"a","data":"b","data":"c"}]"#,
            r#" ["HTLC",{"nonce":"a","data":"b","tags":[["locktime",5]]}]"#,
        ] {
            assert!(matches!(Conditions::parse(bad), Err(SecretError::Form(_))), "{bad}");
        }
    }

    #[test]
    fn nut10_empty_tags_and_empty_texts_are_refused() {
        for tags in ["[[]]", r#"[["locktime",""]]"#, r#"[[""]]"#] {
            let text = format!(r#"["P2PK",{{"nonce":"a","data":"b","tags":{tags}}}]"#);
            assert_eq!(Conditions::parse(&text), Err(SecretError::Tag));
        }
        let bare = r#"["P2PK",{"nonce":"a","data":"b","tags":[["pubkeys"]]}]"#;
        assert_eq!(Conditions::parse(bare).unwrap().unwrap().tag("pubkeys"), Some([].as_slice()));
    }

    #[test]
    fn a_secret_too_long_is_refused_and_not_written() {
        assert_eq!(Conditions::parse(&"a".repeat(MAX_SECRET + 1)), Err(SecretError::TooLong));
        let conditions = Conditions {
            kind: Kind::PayToKey,
            nonce: "n".repeat(MAX_SECRET),
            data: "d".to_owned(),
            tags: vec![],
        };
        assert_eq!(conditions.to_text(), Err(SecretError::TooLong));
    }
}
