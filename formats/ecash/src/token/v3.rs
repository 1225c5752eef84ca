//! Tokens of version 3: JSON, which older wallets still send.

use super::{Token, TokenError, TokenKeyset, TokenNote};
use crate::curve::{Point, ProofDleq};
use crate::encoding::from_hex;
use crate::keyset_id::KeysetIdError;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    token: Vec<WireMint>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    memo: Option<String>,
}

#[derive(Deserialize)]
struct WireMint {
    mint: String,
    proofs: Vec<WireProof>,
}

#[derive(Deserialize)]
struct WireProof {
    amount: u64,
    id: String,
    secret: String,
    #[serde(rename = "C")]
    signature: Point,
    #[serde(default)]
    witness: Option<String>,
    #[serde(default)]
    dleq: Option<ProofDleq>,
}

pub(super) fn read(json: &[u8]) -> Result<Token, TokenError> {
    let wire: Wire = yufu_jose::parse_json(json).map_err(|e| TokenError::Json(e.to_string()))?;
    let mut mints = wire.token.into_iter();
    let first = mints.next().ok_or(TokenError::Empty)?;
    let mut notes = Vec::new();
    for proof in first.proofs {
        notes.push(note(proof)?);
    }
    for other in mints {
        if other.mint != first.mint {
            return Err(TokenError::SeveralMints);
        }
        for proof in other.proofs {
            notes.push(note(proof)?);
        }
    }
    Ok(Token { mint: first.mint, unit: wire.unit, memo: wire.memo, notes })
}

fn note(proof: WireProof) -> Result<TokenNote, TokenError> {
    let id = from_hex(&proof.id).ok_or(KeysetIdError::Hex)?;
    Ok(TokenNote {
        amount: proof.amount,
        keyset: TokenKeyset::from_bytes(&id)?,
        secret: proof.secret,
        signature: proof.signature,
        witness: proof.witness,
        dleq: proof.dleq,
    })
}
