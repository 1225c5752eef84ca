//! Status list tokens as CWT (draft-ietf-oauth-status-list section 5.2): for those who read mdocs, and
//! nothing else.

use crate::status_list::{MAX_STATUS_TOKEN, StatusBits, StatusList};
use crate::{StatusListError, StatusListToken, TrustEntry, TrustList};
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Chain, ChainError, SignError};
use yufu_mdoc::cbor::{Fields, ShapeError, Value, decode_within};
use yufu_mdoc::cose::{Payload, Sign1};

/// The media type of a status list token as CWT, and its `typ`.
pub const STATUS_LIST_CWT_MEDIA_TYPE: &str = "application/statuslist+cwt";

const OF: &str = "status list";
/// The label of the type in the header (RFC 9596).
const TYP: i64 = 16;
/// The labels of the claims (RFC 8392, 4; section 14.1 of the draft).
const SUB: i64 = 2;
const EXP: i64 = 4;
const IAT: i64 = 6;
const STATUS_LIST: i64 = 65_533;
const TTL: i64 = 65_534;

impl StatusListToken {
    /// Signs the token as CWT, under the signer's chain.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign_cwt(&self, chain: &Chain, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        let list = Value::members([
            ("bits", Value::Unsigned(u8::from(self.list.bits()).into())),
            ("lst", Value::Bytes(self.list.compressed()?)),
        ]);
        let mut claims = vec![
            (SUB, Value::text(&self.uri)),
            (IAT, Value::Unsigned(self.issued_at.seconds())),
            (EXP, Value::Unsigned(self.expires_at.seconds())),
        ];
        claims.extend(self.ttl_seconds.map(|ttl| (TTL, Value::Unsigned(ttl))));
        claims.push((STATUS_LIST, list));
        let claims = claims.into_iter().map(|(label, value)| (Value::integer(label), value));
        let content = Value::Map(claims.collect()).encode();
        let typ = vec![(TYP, Value::text(STATUS_LIST_CWT_MEDIA_TYPE))];
        let signed = Sign1::sign_with(typ, Payload::Attached(&content), Some(chain), signer)?;
        Ok(signed.to_tagged().encode())
    }

    /// Verifies a token as CWT by the trust list: signed under a certificate of anyone in the role of
    /// `issuer`, and of the same country. `uri` is what the credential names.
    ///
    /// # Errors
    /// [`StatusListError`], the first rule broken.
    pub fn verify_cwt_trusted(
        bytes: &[u8],
        trust: &TrustList,
        issuer: &TrustEntry,
        uri: &str,
        now: Timestamp,
    ) -> Result<Self, StatusListError> {
        let signed = read(bytes)?;
        let chain = signed.chain().ok_or(ChainError::Empty)?;
        let party = trust.identify_like(issuer, chain, now)?;
        let token = claims(signed.verify(&party.leaf.public_key)?)?;
        token.check(uri, now)?;
        Ok(token)
    }
}

fn read(bytes: &[u8]) -> Result<Sign1, StatusListError> {
    let value = decode_within(bytes, MAX_STATUS_TOKEN)
        .map_err(|error| ShapeError::Cbor { of: OF, error })?;
    let signed = Sign1::from_value(value)?;
    if signed.protected_text(TYP).as_deref() == Some(STATUS_LIST_CWT_MEDIA_TYPE) {
        Ok(signed)
    } else {
        Err(ShapeError::Expected { of: OF, expected: "the type application/statuslist+cwt" }.into())
    }
}

fn claims(content: &[u8]) -> Result<StatusListToken, StatusListError> {
    const SHAPE: ShapeError = ShapeError::Expected {
        of: OF,
        expected: "a name, the time of its signing, and a list with its bits",
    };
    let value = decode_within(content, MAX_STATUS_TOKEN)
        .map_err(|error| ShapeError::Cbor { of: OF, error })?;
    let mut claims = Fields::new(OF, value)?;
    let uri = claims.labelled(SUB).and_then(Value::into_text).ok_or(SHAPE)?;
    let mut number = |label| match claims.labelled(label) {
        None => Ok(None),
        Some(Value::Unsigned(number)) => Ok(Some(number)),
        Some(_) => Err(SHAPE),
    };
    let issued_at = Timestamp::from_seconds(number(IAT)?.ok_or(SHAPE)?);
    let expires_at = Timestamp::from_seconds(number(EXP)?.ok_or(StatusListError::NoExpiry)?);
    let ttl_seconds = number(TTL)?;
    let mut list = Fields::new(OF, claims.labelled(STATUS_LIST).ok_or(SHAPE)?)?;
    let bits = list.required("bits")?.as_integer().and_then(|bits| u8::try_from(bits).ok());
    let bits = bits.and_then(|bits| StatusBits::try_from(bits).ok()).ok_or(SHAPE)?;
    let packed = list.required("lst")?.into_bytes().ok_or(SHAPE)?;
    let list = StatusList::from_compressed(bits, &packed)?;
    Ok(StatusListToken { uri, issued_at, expires_at, ttl_seconds, list })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GoodPaths, Localized, Role, Status};
    use yufu_fixtures::{Party, party};

    const URI: &str = "https://id.example/status/1";
    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn trusting(party: &Party) -> (TrustList, TrustEntry) {
        let anchors = std::slice::from_ref(&party.anchor);
        let name = Localized::new("en", "x");
        let entry = TrustEntry::new(name, Role::PidIssuer, "https://id.example", anchors);
        let list = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(86_400),
            entries: vec![entry.clone()],
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        (list, entry)
    }

    fn token(expires_at: Timestamp) -> StatusListToken {
        let mut list = StatusList::new(StatusBits::Two, 64).unwrap();
        list.set(5, Status::Invalid).unwrap();
        list.set(6, Status::Suspended).unwrap();
        let (uri, ttl_seconds) = (URI.to_owned(), Some(60));
        StatusListToken { uri, issued_at: NOW, expires_at, ttl_seconds, list }
    }

    #[test]
    fn what_is_signed_as_cwt_is_read_and_each_rule_is_refused_by_its_own_name_5_2() {
        let (signer, token) = (party(), token(NOW.plus_seconds(300)));
        let (trust, entry) = trusting(&signer);
        let bytes = token.sign_cwt(&signer.chain, &signer.key).unwrap();
        let read = |bytes: &[u8], uri: &str, now| {
            StatusListToken::verify_cwt_trusted(bytes, &trust, &entry, uri, now)
        };
        assert_eq!(read(&bytes, URI, NOW).as_ref(), Ok(&token));
        let other = read(&bytes, "https://id.example/status/2", NOW).unwrap_err();
        assert!(matches!(other, StatusListError::OtherList(_)));
        let late = read(&bytes, URI, NOW.plus_seconds(900)).unwrap_err();
        assert!(matches!(late, StatusListError::Time(_)));
        let trailing = read(&[bytes.clone(), vec![0]].concat(), URI, NOW).unwrap_err();
        assert!(matches!(trailing, StatusListError::Shape(ShapeError::Cbor { .. })));
        let stranger = party();
        let by = token.sign_cwt(&stranger.chain, &stranger.key).unwrap();
        assert!(matches!(read(&by, URI, NOW), Err(StatusListError::Signer(_))));
        let forged = token.sign_cwt(&signer.chain, &stranger.key).unwrap();
        assert!(matches!(read(&forged, URI, NOW), Err(StatusListError::Cwt(_))));
        let untyped = Sign1::sign(Payload::Attached(b"\xa0"), Some(&signer.chain), &signer.key);
        let untyped = untyped.unwrap().to_tagged().encode();
        assert!(matches!(read(&untyped, URI, NOW), Err(StatusListError::Shape(_))));
    }

    #[test]
    fn the_example_of_the_draft_reads_as_printed_5_2() {
        let digits = "d2845820a2012610781a6170706c69636174696f6e2f7374617475736c6973742b63\
            7774a1044231325850a502782168747470733a2f2f6578616d706c652e636f6d2f73\
            74617475736c697374732f31061a648c5bea041a8898dfea19fffe19a8c019fffda2\
            646269747301636c73744a78dadbb918000217015d584093fa4d01032b18c35e2fe1\
            101b77fd6cc9440022caa4694450c4e4e9feab4e99d1fa6d9772ce2bf3a12e0323de\
            d7c982c5e101a5e67f0cbc1e2b6f57ce99c279";
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = digits.as_bytes().chunks(2).map(byte).collect();
        let signed = read(&bytes).unwrap();
        let token = claims(signed.unverified_content().unwrap()).unwrap();
        assert_eq!(token.uri, "https://example.com/statuslists/1");
        assert_eq!(token.issued_at.seconds(), 1_686_920_170);
        assert_eq!(token.expires_at.seconds(), 2_291_720_170);
        assert_eq!(token.ttl_seconds, Some(43_200));
        let set: Vec<u64> =
            (0..16).filter(|index| token.list.get(*index) == Some(Status::Invalid)).collect();
        assert_eq!(set, [0, 3, 4, 5, 7, 8, 9, 13, 15]);
    }
}
