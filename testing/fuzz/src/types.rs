//! Hostile bytes for what reads type metadata: documents, each after a line's end, of which each extends the next.

use crate::identity::issued_of;
use yufu_base::Signer as _;
use yufu_credential::{Integrity, IssuedCredential, ResolvedType, TypeChain, TypeMetadata};
use yufu_jose::{ClaimPath, Jwk, SoftwareKey};

/// Takes `bytes` for documents of a type: its own, then what that extends; and for integrity metadata.
///
/// # Panics
/// If a document that is read and written again is read as another, or integrity metadata are.
pub fn types(bytes: &[u8]) {
    if let Some(integrity) =
        std::str::from_utf8(bytes).ok().map(Integrity::parse).and_then(Result::ok)
    {
        assert_eq!(Integrity::parse(integrity.as_str()), Ok(integrity), "a digest is another");
    }
    let Some(resolved) = resolved(bytes) else { return };
    let path = ClaimPath::member("name");
    let shown = [resolved.name("zh-CN"), resolved.label(&path, "")];
    assert!(shown.into_iter().flatten().all(|text| !text.chars().any(char::is_control)));
    if let Some(credential) = credential(resolved.vct()) {
        drop(resolved.check(&credential));
    }
}

/// Whether `bytes` are documents that make a type.
#[must_use]
pub fn is_type(bytes: &[u8]) -> bool {
    resolved(bytes).is_some()
}

fn resolved(bytes: &[u8]) -> Option<ResolvedType> {
    let mut documents = bytes.split(|byte| *byte == b'\n').map(|line| {
        let read = TypeMetadata::parse(line).ok()?;
        let written = read.to_document().ok();
        let again = written.and_then(|text| TypeMetadata::parse(text.as_bytes()).ok());
        assert_eq!(again.as_ref(), Some(&read), "a document is another");
        Some(read)
    });
    let own = documents.next()??;
    let vct = own.vct.clone();
    let mut chain = TypeChain::new(own, &vct).ok()?;
    for base in documents {
        chain.extend(base?).ok()?;
    }
    chain.resolve().ok()
}

/// A credential of that type, with one claim in the open and one that can be withheld.
fn credential(vct: &str) -> Option<IssuedCredential> {
    let holder = SoftwareKey::from_seed(&[8; 32]).ok()?;
    let hidden = r#"["s","name","小鱼"]"#;
    let digest = yufu_jose::sha256(yufu_jose::encode_base64url(hidden).as_bytes());
    let claims = serde_json::json!({
        "vct": vct,
        "cnf": {"jwk": Jwk::from(holder.public_key())},
        "_sd": [yufu_jose::encode_base64url(digest)],
        "list": [1, {"a": 2}],
    });
    issued_of(format!("{claims}\n{hidden}").as_bytes())
}
