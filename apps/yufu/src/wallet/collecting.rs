//! Receipts that did not come with the answer: of what was shown to a page the wallet asks the party for them afterwards.

use super::history::{Entry, Event};
use super::holder::Holder;
use super::receipts::check;
use anyhow::Result;
use yufu_api::verifying::HolderReceipt;
use yufu_jose::Unverified;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::presentation::{REQUEST_TYPE, RequestObject};
use yufu_trust::request_digest;

impl Holder {
    /// Asks for every receipt that is lacking and can be asked for, where the signed request said that it is; how many
    /// came that hold. Who does not answer is asked the next time.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub async fn collect_receipts(&mut self) -> Result<usize> {
        let lacking = self.history().iter().enumerate();
        let lacking = lacking.filter_map(|(index, entry)| Some((index, lacking_at(entry)?)));
        let mut collected = 0_usize;
        for (index, (address, digest)) in lacking.collect::<Vec<_>>() {
            let Ok(address) = Endpoint::parse(&address) else { continue };
            let url = format!("{}?request={digest}", address.as_str());
            let answer = self.exchange_named("GET", &url, &[], Vec::new()).await.ok();
            let answer = answer.filter(|answer| answer.status == 200);
            let Some(answer) = answer.and_then(|answer| read(&answer.body)) else { continue };
            let anchors = self.receipt_anchors();
            let Some(entry) = self.file.contents.history.get_mut(index) else { continue };
            if take(entry, answer.receipt, &anchors) {
                collected = collected.saturating_add(1);
            }
        }
        if collected > 0 {
            self.file.save()?;
        }
        Ok(collected)
    }
}

fn read(body: &[u8]) -> Option<HolderReceipt> {
    serde_json::from_slice(body).ok()
}

/// Where the receipt of an entry is that has none, and the digest of its request.
fn lacking_at(entry: &Entry) -> Option<(String, String)> {
    let Event::Disclosed { signed_receipt: None, request, .. } = &entry.event else { return None };
    Some((receipt_address(request)?, request_digest(request)))
}

/// Where a signed request says that its receipt is.
pub(super) fn receipt_address(request: &str) -> Option<String> {
    let token = Unverified::parse(request).ok()?.expect_type(REQUEST_TYPE).ok()?;
    let object = RequestObject::from_json(token.unverified_payload()).ok()?;
    object.receipt_address().map(str::to_owned)
}

/// Keeps a receipt, if it proves what the entry says.
fn take(entry: &mut Entry, receipt: String, anchors: &[Vec<u8>]) -> bool {
    let mut with = entry.clone();
    if let Event::Disclosed { signed_receipt, .. } = &mut with.event {
        *signed_receipt = Some(receipt);
    }
    let holds = check(&with, anchors).is_ok();
    if holds {
        *entry = with;
    }
    holds
}
