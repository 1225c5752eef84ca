//! Signing in without an offer: the wallet began by itself, and its holder shows who she is, as far as the institution
//! has to know it. What she signs names this issuer and the pushed request: no other wallet's holder signs it, so
//! nobody gets a credential of somebody else by sending her a link.

use super::attesting::Attests;
use super::{Haip, Kind, digest, page};
use crate::http::{Language, Problem};
use crate::issuer::{Issuer, Shown};
use crate::relying_party::{Answered, Party, Returns};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_credentials::{CredentialsError, Marker, Once, SignIn, SignInState, SignedIn};
use yufu_issuer::credential_of;
use yufu_issuer::haip::Pushed;
use yufu_keys::random_text;
use yufu_openid4vc::presentation::{DirectPostResponse, SignIn as Signed, TransactionData};

/// How persons sign in at an institution.
pub struct SignInDesk {
    /// How it shows itself to wallets for it.
    pub party: Party,
    /// The registered purpose.
    pub purpose: String,
    /// The names of its queries, in the order of the registered credentials.
    pub queries: Vec<String>,
}

impl Issuer {
    /// Where the browser goes that brings a request without an offer: to a page that leads to the wallet, and on to
    /// the wallet's own address once somebody signed in.
    pub(super) async fn signing_in(
        &self,
        haip: &Haip,
        pushed: Pushed,
        request_uri: &str,
        language: Language,
    ) -> Result<Shown, Problem> {
        let now = self.clock.read().wall;
        let Some(desk) = &haip.sign_in else {
            let why = "nothing is offered: begin with the offer of an officer, or with your card";
            return haip.back(&pushed, "access_denied", why);
        };
        let known = self.records.sign_in_for(&digest(&[pushed.id()])).await?;
        let found = match known {
            Some(found) => found,
            None => self.begin_sign_in(haip, desk, &pushed, request_uri).await?,
        };
        match found.state {
            SignInState::Waits if now < found.expires_at => {
                let shown = page::signing_in(&found.link, language);
                Ok(Shown::SignIn { page: Box::new(shown), link: found.link })
            }
            SignInState::Waits => {
                let why = "nobody signed in in time: begin anew in the wallet";
                haip.back(&pushed, "access_denied", why)
            }
            SignInState::Declined => haip.back(&pushed, "access_denied", "the person declined"),
            SignInState::Shown(who) => self.coded(haip, pushed, who, now).await,
        }
    }

    async fn begin_sign_in(
        &self,
        haip: &Haip,
        desk: &SignInDesk,
        pushed: &Pushed,
        request_uri: &str,
    ) -> Result<SignIn, Problem> {
        let signed = TransactionData::SignIn(Signed {
            credential_ids: desk.queries.clone(),
            issuer: haip.identifier().to_string(),
            request: Signed::of(request_uri),
        });
        let queries: Vec<&str> = desk.queries.iter().map(String::as_str).collect();
        let now = self.clock.read().wall;
        // Whoever shows signs for this very request, and the code goes to whoever pushed it: nobody has to come back.
        let back = (Returns::Nobody, now);
        let started = desk.party.start(&desk.purpose, &queries, Some(signed), back)?;
        let new = SignIn {
            id: started.id,
            pushed: digest(&[pushed.id()]),
            wanted: credentials(pushed),
            session: started.session,
            link: started.link,
            expires_at: started.expires_at,
            state: SignInState::Waits,
        };
        Ok(self.records.begin_sign_in(new).await?)
    }

    /// A code for whoever signed in, once for a pushed request.
    async fn coded(
        &self,
        haip: &Haip,
        pushed: Pushed,
        who: SignedIn,
        now: Timestamp,
    ) -> Result<Shown, Problem> {
        let granted = |id: &&String| who.credentials.iter().any(|one| one == credential_of(id));
        let granted: Vec<String> =
            pushed.configuration_ids().iter().filter(granted).cloned().collect();
        let subject = who.person.to_string();
        let coded = pushed.clone().authorise(subject, &granted, random_text(), now);
        let coded = match coded {
            Ok(coded) => coded,
            Err(error) => return haip.back(&pushed, "access_denied", &error.to_string()),
        };
        match self.records.use_once(vec![leads_to_one_code(&pushed)], None, now).await {
            Ok(()) => {}
            Err(error @ CredentialsError::UsedBefore(_)) => {
                return Err(Problem::conflict("authorization.over", error));
            }
            Err(other) => return Err(other.into()),
        }
        let code = haip.seal(Kind::Code, &coded)?;
        haip.answer(&pushed, &[("code", &code)])
    }

    /// The signed presentation request of a sign-in.
    pub(super) async fn sign_in_request(&self, id: &str, body: &[u8]) -> Result<String, Problem> {
        let (haip, waiting) = (self.under_haip()?, self.waiting_sign_in(id).await?);
        let desk = haip.sign_in_desk()?;
        let now = self.clock.read().wall;
        let (signed, session) = desk.party.request_object(&waiting.session, body, now)?;
        self.records.store_sign_in(id, &session).await?;
        Ok(signed)
    }

    /// A sign-in that nobody answered yet.
    async fn waiting_sign_in(&self, id: &str) -> Result<SignIn, Problem> {
        let found = self.records.sign_in(id).await?;
        match found.state {
            SignInState::Waits => Ok(found),
            _ => Err(CredentialsError::AlreadyAnswered.into()),
        }
    }
}

impl Haip {
    fn sign_in_desk(&self) -> Result<&SignInDesk, Problem> {
        self.sign_in.as_ref().ok_or_else(|| Problem::not_found("sign-in here"))
    }
}

/// The wallet's answer to a sign-in: verified, and looked up who that is here.
pub(super) async fn told(
    institution: &impl Attests,
    id: &str,
    body: &[u8],
) -> Result<DirectPostResponse, Problem> {
    let issuer = institution.as_issuer()?;
    let (haip, waiting) = (issuer.under_haip()?, issuer.waiting_sign_in(id).await?);
    let (desk, now) = (haip.sign_in_desk()?, issuer.clock.read().wall);
    match desk.party.answered(&waiting.session, body, &haip.trust, now).await? {
        Answered::Declined => {
            issuer.records.answer_sign_in(id, None).await?;
            Ok(DirectPostResponse::default())
        }
        Answered::Held(_) => Err(Problem::internal("a sign-in waits for somebody to come back")),
        Answered::Verified(verified, response) => {
            issuer.must_stand(&verified).await?;
            let who = institution.signed_in(&waiting.wanted, &verified).await?;
            issuer.records.answer_sign_in(id, Some(&who)).await?;
            Ok(response)
        }
    }
}

/// That a credential is not given to whoever signs in.
pub(crate) fn not_by_sign_in(why: &str) -> Problem {
    Problem::refused("sign_in.not_for_this", why)
}

/// The credentials that a request wants, in whichever format.
fn credentials(pushed: &Pushed) -> Vec<String> {
    let ids = pushed.configuration_ids().iter().map(|id| credential_of(id).to_owned());
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

/// That a pushed request leads to one code.
pub(super) fn leads_to_one_code(pushed: &Pushed) -> Marker {
    Marker {
        what: Once::PushedRequest,
        id: digest(&[pushed.id()]),
        expires_at: pushed.expires_at(),
    }
}
