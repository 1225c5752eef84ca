//! What a bank, an agency, a hotel and a railway do alike with what they ask: the request goes out, the wallet answers,
//! whoever began comes back.

use super::{Answered, HeldAnswers, Party};
use crate::http::Problem;
use crate::trust::TrustSource;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_openid4vc::presentation::DirectPostResponse;
use yufu_verifier::Verified;

/// What an institution asks with.
pub(crate) struct Means<'a> {
    /// How it shows itself to wallets.
    pub(crate) party: Arc<Party>,
    /// Whom it trusts to issue what it is shown.
    pub(crate) trust: &'a TrustSource,
    /// Answers that wait for whoever began.
    pub(crate) held: &'a HeldAnswers,
    /// What time it is.
    pub(crate) now: Timestamp,
}

/// An institution that keeps in its records what it asked, and acts on the answer that counts.
pub(crate) trait Asker: Send + Sync {
    /// What it asked, as the records have it.
    type Waiting: Send + Sync;

    /// What it asks with.
    fn means(&self) -> Means<'_>;

    /// What it asked under this id. One that was answered waits no more: then this is refused.
    fn waiting(&self, id: &str) -> impl Future<Output = Result<Self::Waiting, Problem>> + Send;

    /// The verifier's session.
    fn session(waiting: &Self::Waiting) -> &str;

    /// Keeps the session as it is once the request was fetched.
    fn store_session(
        &self,
        id: &str,
        session: &str,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Acts on an answer that counts, once.
    fn act(
        &self,
        waiting: Self::Waiting,
        verified: Verified,
        response: &DirectPostResponse,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// The signed request, for what the wallet says of itself (`body`).
    fn request_object(
        &self,
        id: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<String, Problem>> + Send {
        async move {
            let waiting = self.waiting(id).await?;
            let Means { party, now, .. } = self.means();
            let (signed, session) = party.request_object(Self::session(&waiting), body, now)?;
            self.store_session(id, &session).await?;
            Ok(signed)
        }
    }

    /// The wallet's answer, acted on or kept until whoever began comes back; what the wallet is told.
    fn answered(
        &self,
        id: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<DirectPostResponse, Problem>> + Send {
        async move {
            let waiting = self.waiting(id).await?;
            let Means { party, trust, held, now } = self.means();
            match party.answered(Self::session(&waiting), body, trust, now).await? {
                Answered::Declined => Ok(DirectPostResponse::default()),
                Answered::Held(answer) => held.let_wait(answer, now).await,
                Answered::Verified(verified, response) => {
                    self.act(waiting, *verified, &response).await?;
                    Ok(response)
                }
            }
        }
    }

    /// Whoever began is back with the code: the answer that waits for it is acted on, and none waits any more.
    fn came_back(
        &self,
        id: &str,
        code: &str,
    ) -> impl Future<Output = Result<DirectPostResponse, Problem>> + Send {
        async move {
            let waiting = self.waiting(id).await?;
            let Means { trust, held, now, .. } = self.means();
            let (verified, response) = held.came_back((id, code), trust, now).await?;
            self.act(waiting, verified, &response).await?;
            held.over(id).await;
            Ok(DirectPostResponse { redirect_uri: None, ..response })
        }
    }
}
