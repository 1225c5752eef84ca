//! A payout instruction: where the holder of a pseudonym wants a programme's payments, signed with
//! the very key that the pseudonym stands for.

use crate::order::OrderError;
use serde::{Deserialize, Serialize};
use yufu_base::{AccountId, InstitutionId, PublicKey, Signer, Timestamp};
use yufu_jose::{Header, JwsError, SignError, Unverified};

const TYPE: &str = "yufu-payout+jwt";
/// How long an instruction may be used, and how far the two clocks may differ, in seconds.
const WINDOW: u64 = 300;

/// Where somebody wants to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutInstruction {
    /// The agency that is to pay.
    pub agency: InstitutionId,
    /// Its programme.
    pub programme: String,
    /// The bank that keeps the account.
    pub bank: InstitutionId,
    /// The account.
    pub account: AccountId,
    /// When it was signed, in whole seconds: a later one replaces it.
    pub signed_at: Timestamp,
}

/// Why an instruction is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// Not such an instruction, or not signed by the pseudonym's key.
    #[error("the payout instruction: {0}")]
    Jws(#[from] JwsError),
    /// A member is not what it should be.
    #[error(transparent)]
    Member(OrderError),
    /// Meant for another agency or programme.
    #[error(
        "the payout instruction is for {found}, this is {expected}: sign one for this programme"
    )]
    Misdirected {
        /// Agency and programme named.
        found: String,
        /// Those asked.
        expected: String,
    },
    /// Too old, or from the future.
    #[error(
        "the payout instruction was signed at {0} s since the epoch, more than five minutes from now: check the clock, sign a new one"
    )]
    Stale(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    aud: String,
    programme: String,
    bank: String,
    account: String,
    #[serde(with = "yufu_jose::numeric_date")]
    iat: Timestamp,
}

impl PayoutInstruction {
    /// Signs the instruction with the sector key: a compact JWS of type `yufu-payout+jwt`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            aud: self.agency.to_string(),
            programme: self.programme.clone(),
            bank: self.bank.to_string(),
            account: self.account.to_string(),
            iat: self.signed_at,
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE), &json, key)
    }

    /// The instruction in `text`, once it is known to be signed by `key`, for `programme` of
    /// `agency`, and at about `now`.
    ///
    /// # Errors
    /// [`PayoutError`], the first rule broken.
    pub fn verify(
        text: &str,
        key: &PublicKey,
        (agency, programme): (&str, &str),
        now: Timestamp,
    ) -> Result<Self, PayoutError> {
        let verified = Unverified::parse_bounded(text, 2048)?.expect_type(TYPE)?.verify(key)?;
        let wire: Wire = verified.claims()?;
        if (wire.aud.as_str(), wire.programme.as_str()) != (agency, programme) {
            return Err(PayoutError::Misdirected {
                found: format!("{} {}", wire.aud, wire.programme),
                expected: format!("{agency} {programme}"),
            });
        }
        if now.seconds().abs_diff(wire.iat.seconds()) > WINDOW {
            return Err(PayoutError::Stale(wire.iat.seconds()));
        }
        let wrong =
            |member, cause: String| PayoutError::Member(OrderError::Member { member, cause });
        Ok(Self {
            agency: wire.aud.parse().map_err(|e| wrong("aud", format!("{e}")))?,
            programme: wire.programme,
            bank: wire.bank.parse().map_err(|e| wrong("bank", format!("{e}")))?,
            account: wire.account.parse().map_err(|e| wrong("account", format!("{e}")))?,
            signed_at: wire.iat,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_jose::SoftwareKey;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn instruction() -> PayoutInstruction {
        PayoutInstruction {
            agency: "pension-agency".parse().unwrap(),
            programme: "basic-pension".to_owned(),
            bank: "bank-of-lianghu".parse().unwrap(),
            account: AccountId::new(7),
            signed_at: now(),
        }
    }

    #[test]
    fn an_instruction_holds_for_one_key_one_programme_and_five_minutes() {
        let text = instruction().sign(&key(1)).unwrap();
        let verify =
            |seed, to, at| PayoutInstruction::verify(&text, &key(seed).public_key(), to, at);
        let ours = ("pension-agency", "basic-pension");
        for at in [now().minus_seconds(300), now(), now().plus_seconds(300)] {
            assert_eq!(verify(1, ours, at).unwrap(), instruction());
        }
        let late = now().plus_seconds(301);
        let elsewhere = ("school", "basic-pension");
        let signature = PayoutError::Jws(JwsError::Signature);
        assert_eq!(verify(2, elsewhere, late), Err(signature));
        for to in [elsewhere, ("pension-agency", "meals")] {
            assert!(matches!(verify(1, to, late), Err(PayoutError::Misdirected { .. })));
        }
        for at in [late, now().minus_seconds(301)] {
            assert!(matches!(verify(1, ours, at), Err(PayoutError::Stale(_))));
        }
        let order = yufu_jose::sign(&Header::typed("yufu-request+jwt"), b"{}", &key(1)).unwrap();
        let other = PayoutInstruction::verify(&order, &key(1).public_key(), ours, now());
        assert!(matches!(other, Err(PayoutError::Jws(JwsError::Type { .. }))));
    }

    #[test]
    fn an_account_that_is_none_is_refused() {
        let json = format!(
            r#"{{"aud":"pension-agency","programme":"basic-pension","bank":"b","account":"x","iat":{}}}"#,
            now().seconds()
        );
        let text = yufu_jose::sign(&Header::typed(TYPE), json.as_bytes(), &key(1)).unwrap();
        let ours = ("pension-agency", "basic-pension");
        let read = PayoutInstruction::verify(&text, &key(1).public_key(), ours, now());
        assert!(read.unwrap_err().to_string().contains("account"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let ours = ("pension-agency", "basic-pension");
            let _ = PayoutInstruction::verify(&text, &key(1).public_key(), ours, now());
        }
    }
}
