//! Steps that were begun in this wallet: what it shows for them counts once it comes back with the code that its answer got
//! (OpenID4VP 1.0, 13.3). A wallet that was led to somebody else's step gets the code too, and brings it nowhere.

use super::holder::{Decide, Holder};
use super::showing::Shown;
use anyhow::Result;
use serde_json::Value;
use url::Url;
use yufu_api::relying_party::ComingBack;
use yufu_openid4vc::presentation::PresentationLink;

/// The parameter that the code is in.
const RESPONSE_CODE: &str = "response_code";
/// How the address of a request ends, and the one where whoever began comes back.
const ENDS: [&str; 2] = ["/request", "/return"];

impl Holder {
    /// As [`Holder::present`], for a step that was begun in this wallet.
    ///
    /// # Errors
    /// As [`Holder::present`]; and whatever the other side refuses once it knows who came back.
    pub async fn present_begun(&mut self, link: &str, decide: Decide<'_>) -> Result<Shown> {
        let (shown, agreed) = self.present_agreed(link, decide).await?;
        self.bring_back(link, &shown).await?;
        self.note_presented(&agreed)?;
        Ok(shown)
    }

    /// Brings the code of an answer to where the request at `link` was begun, if it is to be brought there.
    pub(super) async fn bring_back(&self, link: &str, shown: &Shown) -> Result<()> {
        let asked = PresentationLink::parse(link)?;
        let Some((address, code)) = back(asked.request_uri.as_str(), shown.redirect.as_deref())
        else {
            return Ok(());
        };
        let _: Value =
            self.client.post(&address, None, &ComingBack { response_code: code }).await?;
        Ok(())
    }
}

/// The address to come back to and the code to bring there; none if the code is for another place than that of the request.
fn back(request: &str, redirect: Option<&str>) -> Option<(String, String)> {
    let [asked, back] = ENDS;
    let own = format!("{}{back}", request.strip_suffix(asked)?);
    let mut to = Url::parse(redirect?).ok()?;
    let mut pairs = to.query_pairs();
    let code = pairs.find(|(name, _)| name == RESPONSE_CODE).map(|(_, code)| code.into_owned())?;
    to.set_query(None);
    (to.as_str() == own).then_some((own, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_goes_to_where_the_request_came_from_and_nowhere_else() {
        let request = "https://bank.example/openid4vp/7/request";
        let own = "https://bank.example/openid4vp/7/return";
        let found = back(request, Some(&format!("{own}?response_code=c")));
        assert_eq!(found, Some((own.to_owned(), "c".to_owned())));
        for redirect in [
            "https://evil.example/openid4vp/7/return?response_code=c",
            "https://bank.example/openid4vp/8/return?response_code=c",
            "https://bank.example/openid4vp/7/return",
            "https://shop.example/done?response_code=c",
            "none",
        ] {
            assert_eq!(back(request, Some(redirect)), None, "{redirect}");
        }
        assert_eq!(back(request, None), None);
    }
}
