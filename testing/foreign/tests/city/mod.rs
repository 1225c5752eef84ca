//! A running city with a bank's mint, for wallets that other people wrote.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::support::notes::MintOf;
use crate::support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, run};
use serde_json::Value;
use yufu_ecash::SecretScalar;
use yufu_keys::random;

/// What the account that pays for withdrawals has.
pub(crate) const FUNDS: u64 = 1_000_000;

/// A bank's mint, an account there that pays for withdrawals, and one at another bank that is paid.
pub(crate) struct City {
    data: Data,
    server: Server,
    pub(crate) caller: Caller,
    pub(crate) payer: Account,
    pub(crate) shop: Account,
    pub(crate) mint: MintOf,
}

impl City {
    pub(crate) async fn start() -> Self {
        let data = Data::new();
        let server = Server::start(&data);
        let caller = server.caller();
        let payer = caller.business(JIANGCHENG, FUNDS).await;
        let shop = caller.business(LIANGHU, 0).await;
        let mint = MintOf::at(&caller, JIANGCHENG).await;
        Self { data, server, caller, payer, shop, mint }
    }

    /// Where wallets speak to the mint.
    pub(crate) fn address(&self) -> String {
        format!("{}/banks/{}/mint", self.caller.url, self.mint.bank)
    }

    /// Has the account pay for a quote.
    pub(crate) async fn fund(&self, quote: &Value) {
        self.mint.fund(&self.caller, &self.payer, quote).await.done();
    }

    /// Ends it; what is out of the mint's keysets, as the audit says.
    pub(crate) fn audited(self) -> u64 {
        self.server.kill();
        let audited = run(&["audit", "--json", "--data", self.data.path().to_str().unwrap()]);
        assert!(audited.status.success(), "{audited:?}");
        let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
        let keysets = report["keysets"].as_array().unwrap().iter();
        keysets.map(|k| k["outstanding"].as_str().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// A key of the protocol, as wallets give it: the secret and the point.
pub(crate) fn key() -> (String, String) {
    let secret: [u8; 32] = random();
    let point = SecretScalar::from_bytes(&secret).unwrap().to_point();
    (crate::support::notes::hex(&secret), point.to_hex())
}
