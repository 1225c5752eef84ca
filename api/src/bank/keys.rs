//! Which key commands an account: what it signs is taken, what a former one signs is refused by
//! that name. After a change, what was issued to the old key is revoked.

use super::Bank;
use super::accounts::wallet_key;
use crate::http::{Problem, bearer};
use axum::http::HeaderMap;
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_onboarding::{Account, KeyInForce, KeyWay};
use yufu_payment::RequestToken;

impl Bank {
    /// What `read` makes of something signed, if the account's key signed it.
    pub(super) async fn signed_for<T: Send, E: ToString>(
        &self,
        account: &Account,
        read: impl Fn(&PublicKey) -> Result<T, E> + Send + Sync,
    ) -> Result<T, Problem> {
        let refusal = match read(&wallet_key(account)?.key) {
            Ok(signed) => return Ok(signed),
            Err(error) => error.to_string(),
        };
        for (former, stopped) in self.records.former_keys(account.id).await? {
            let former: Jwk = serde_json::from_str(&former).map_err(Problem::internal)?;
            if read(&former.key).is_ok() {
                return Err(key_changed(stopped));
            }
        }
        Err(Problem::unauthenticated(refusal))
    }

    /// Whether whoever asks holds `key`: the bearer token is signed by it, for this address.
    pub(super) fn prove(&self, key: &Jwk, headers: &HeaderMap, path: &str) -> Result<(), Problem> {
        let missing = "send a request token signed by the new key as \"Authorization: Bearer ...\": it proves that you hold the key";
        let token = bearer(headers).ok_or_else(|| Problem::unauthenticated(missing))?;
        let here = (self.id.as_str(), "POST", path);
        RequestToken::verify(token, &key.key, here, self.now())
            .map_err(Problem::unauthenticated)?;
        Ok(())
    }

    /// Until when an account takes nothing above its ordinary limits, if its key was recovered of late.
    pub(super) async fn rests_until(
        &self,
        account: &Account,
    ) -> Result<Option<Timestamp>, Problem> {
        let key = self.records.key_in_force(account.id).await?;
        Ok(rest(&key, self.wallet_rules.key_rest_seconds, self.now()))
    }

    /// Revokes what was issued to keys that command their accounts no longer, where that is not
    /// known to be done. How many changes that were.
    ///
    /// # Errors
    /// If the records fail; what is left is done at the next call.
    pub async fn finish_key_changes(&self) -> Result<usize, Problem> {
        let unfinished = self.records.unfinished_key_changes().await?;
        for (change, account) in &unfinished {
            let subject = uuid::Uuid::from_u128(account.bits());
            self.issuer.records.withdraw(subject).await?;
            self.records.credentials_revoked(change, self.now()).await?;
        }
        Ok(unfinished.len())
    }
}

/// Until when a key rests, if it does at `now`.
fn rest(key: &KeyInForce, seconds: u64, now: Timestamp) -> Option<Timestamp> {
    let until = key.since.plus_seconds(seconds);
    (key.way == KeyWay::Recovered && now < until).then_some(until)
}

/// The key that signed stopped commanding the account.
fn key_changed(stopped: Timestamp) -> Problem {
    let detail = format!(
        "this key stopped commanding the account at {} s since the epoch: use the wallet that took the account over; if that was not you, recover the account with your identity, and tell the bank",
        stopped.seconds()
    );
    Problem::forbidden("account.key_changed", detail).with("since", stopped.seconds())
}

/// The refusal of what is above the ordinary limits while a recovered key rests.
pub(super) fn resting(until: Timestamp) -> Problem {
    let detail = format!(
        "the account's key was recovered of late: until {} s since the epoch the account keeps to its ordinary limits; pay less, or wait",
        until.seconds()
    );
    Problem::refused("account.key_rests", detail).with("until", until.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovered_key_rests_until_its_hours_are_over_and_no_longer() {
        let since = Timestamp::from_seconds(1_800_000_000);
        let key = |way| KeyInForce { since, way, provider: None };
        let (day, end) = (86_400, since.plus_seconds(86_400));
        let recovered = key(KeyWay::Recovered);
        assert_eq!(rest(&recovered, day, since), Some(end));
        assert_eq!(rest(&recovered, day, Timestamp::from_millis(end.millis() - 1)), Some(end));
        assert_eq!(rest(&recovered, day, end), None);
        assert_eq!(rest(&recovered, 0, since), None, "a profile without a rest");
        for way in [KeyWay::Opened, KeyWay::HandedOver] {
            assert_eq!(rest(&key(way), day, since), None);
        }
    }
}
