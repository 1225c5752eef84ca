//! An error, told to the person who sees it: what is wrong, what to do next, in their language.

use crate::card;
use crate::wallet::{PurseFault, WalletFault};
use crate::words::{colon, language, text};
use anyhow::Error;
use yufu_api::http::{ClientError, Language, ProblemBody};
use yufu_card::CardError;

/// The error with its causes, in one paragraph; a refusal by a server also in its own precise words.
pub(crate) fn explain(error: &Error) -> String {
    let links: Vec<String> = error.chain().map(link).collect();
    links.join(&colon())
}

fn link(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(fault) = error.downcast_ref::<WalletFault>() {
        return fault.said();
    }
    if let Some(error) = error.downcast_ref::<CardError>() {
        return card::said(error);
    }
    if let Some(fault) = error.downcast_ref::<PurseFault>() {
        return fault.said();
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(problem)) => refusal(problem),
        Some(ClientError::Unreachable { url, cause }) => {
            text!("{url} did not answer: {cause}", url = url, cause = cause)
        }
        Some(ClientError::Inside { url }) => text!(
            "nothing was asked of {address}: it is inside this machine or its network, where nobody of this city is",
            address = url
        ),
        Some(ClientError::Unexpected { url, status, cause }) => text!(
            "{url} answered {status} with something unexpected: {cause}",
            url = url,
            status = status,
            cause = cause
        ),
        None => error.to_string(),
    }
}

/// What a server said to people, and under it its code and detail.
pub(crate) fn refusal(problem: &ProblemBody) -> String {
    let precise = format!("{}: {}", problem.code, problem.detail);
    let space = if language() == Language::En { " " } else { "" };
    let said = [&problem.title, &problem.remedy].into_iter().flatten();
    let said = said.map(String::as_str).collect::<Vec<_>>().join(space);
    if said.is_empty() { precise } else { format!("{said}\n  {precise}") }
}
