//! An error, told to the person who sees it: what is wrong, what to do next, in their language.

use crate::card;
use crate::unanswered;
use crate::wallet::{PurseFault, WalletFault, not_issued_said, type_error_said};
use crate::words::{colon, plain, sentences};
use anyhow::Error;
use yufu_api::http::{ClientError, ProblemBody};
use yufu_card::CardError;
use yufu_wallet::issuance::TypeError;

/// How much of an error is said, in characters: more than this program has to say itself, and no more than is read.
const LONGEST: usize = 4_000;

/// The error with its causes, in one paragraph; a refusal by a server also in its own precise words.
pub(crate) fn explain(error: &Error) -> String {
    explain_naming(error, |_| None)
}

/// The same, with the names of those who are at the addresses in it.
pub(crate) fn explain_naming(error: &Error, whom: impl Fn(&str) -> Option<String>) -> String {
    let links: Vec<String> = error.chain().map(|error| link(error, &whom)).collect();
    let mut said = plain(&links.join(&colon()));
    if let Some((end, _)) = said.char_indices().nth(LONGEST) {
        said.truncate(end);
        said.push('…');
    }
    said
}

fn link(
    error: &(dyn std::error::Error + 'static),
    whom: &impl Fn(&str) -> Option<String>,
) -> String {
    if let Some(fault) = error.downcast_ref::<WalletFault>() {
        return fault.said();
    }
    if let Some(error) = error.downcast_ref::<CardError>() {
        return card::said(error);
    }
    if let Some(fault) = error.downcast_ref::<PurseFault>() {
        return fault.said();
    }
    if let Some(error) = error.downcast_ref::<TypeError>() {
        return type_error_said(error);
    }
    if let Some(said) = not_issued_said(error) {
        return said;
    }
    let Some(error) = error.downcast_ref::<ClientError>() else { return error.to_string() };
    let whom = match error {
        ClientError::Refused(_) | ClientError::Inside { .. } => None,
        ClientError::Unreachable { url, .. } | ClientError::Unexpected { url, .. } => whom(url),
    };
    unanswered::said(error, whom)
}

/// What a server said to people, and under it its code and detail.
pub(crate) fn refusal(problem: &ProblemBody) -> String {
    let precise = format!("{}: {}", problem.code, problem.detail);
    match worded(problem) {
        Some(said) => format!("{said}\n  {precise}"),
        None => precise,
    }
}

/// What a server said to people; its detail, if it has no words for them.
pub(crate) fn for_people(problem: &ProblemBody) -> String {
    worded(problem).unwrap_or_else(|| problem.detail.clone())
}

fn worded(problem: &ProblemBody) -> Option<String> {
    match (&problem.title, &problem.remedy) {
        (Some(title), Some(remedy)) => Some(sentences(title, remedy)),
        (title, remedy) => title.as_ref().or(remedy.as_ref()).cloned(),
    }
}
