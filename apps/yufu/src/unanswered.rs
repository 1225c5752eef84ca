//! Why somebody gave no answer that is of use, told to the person: who, what, and what to do next.

use crate::explaining::refusal;
use crate::words::text;
use yufu_api::http::ClientError;

/// What is said of a call that came to nothing; `whom` is the name of whoever was called, where it is known.
pub(crate) fn said(error: &ClientError, whom: Option<String>) -> String {
    match error {
        ClientError::Refused(problem) => refusal(problem),
        ClientError::Inside { url } => text!(
            "nothing was asked of {address}: it is inside this machine or its network, where nobody of this city is",
            address = url
        ),
        ClientError::Unreachable { url, cause, slow } => {
            let who = called(url, whom);
            if *slow {
                text!(
                    "{who} did not answer in time, and may have done what was asked: try again later",
                    who = who
                )
            } else {
                text!(
                    "{who} did not answer ({cause}): check the network and the address, then try again",
                    who = who,
                    cause = cause
                )
            }
        }
        ClientError::Unexpected { url, status, cause, retry_after, page } => {
            let said = unexpected(&called(url, whom), *status, *retry_after, *page);
            format!("{said}\n  {url} {status}: {}", cause.trim())
        }
    }
}

fn unexpected(who: &str, status: u16, retry_after: Option<u64>, page: bool) -> String {
    match (status, retry_after) {
        (408 | 425 | 429 | 502..=504, Some(seconds)) => text!(
            "{who} cannot answer now (status {status}): try again in {seconds} seconds",
            who = who,
            status = status,
            seconds = seconds
        ),
        (408 | 425 | 429 | 502..=504, None) => text!(
            "{who} cannot answer now (status {status}): try again in a few minutes",
            who = who,
            status = status
        ),
        (300..=399 | 511, _) => in_its_place(who, status),
        (200..=299, _) if page => in_its_place(who, status),
        (200..=299, _) => text!(
            "{who} gave an answer that this program does not understand: bring the program up to date, and tell them if that does not help",
            who = who
        ),
        (500..=599, _) => text!(
            "{who} failed (status {status}): try again later, and tell them if it stays so",
            who = who,
            status = status
        ),
        _ => text!(
            "{who} does not do what was asked there (status {status}): check the address that was given, and bring this program up to date if it is right",
            who = who,
            status = status
        ),
    }
}

/// What networks do that want people to log in first.
fn in_its_place(who: &str, status: u16) -> String {
    text!(
        "something else answered in place of {who} (status {status}): if this network wants you to log in first, do so in a browser, then try again",
        who = who,
        status = status
    )
}

/// Who was called: by name if it is known, and where.
fn called(url: &str, whom: Option<String>) -> String {
    let address = url::Url::parse(url).map(|url| url.origin().ascii_serialization());
    let address = address.unwrap_or_else(|_| url.to_owned());
    match whom {
        Some(name) => text!("{name} at {address}", name = name, address = address),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, retry_after: Option<u64>, page: bool) -> String {
        let error = ClientError::Unexpected {
            url: "https://bank.example/banks/b/mint/v1/swap".to_owned(),
            status,
            cause: " <p>no</p> ".to_owned(),
            retry_after,
            page,
        };
        said(&error, Some("The Bank".to_owned()))
    }

    #[test]
    fn each_answer_that_is_of_no_use_says_who_what_and_what_to_do_next() {
        let rows = [
            (503, Some(7), true, "cannot answer now (status 503): try again in 7 seconds"),
            (429, None, false, "cannot answer now (status 429): try again in a few minutes"),
            (500, None, false, "failed (status 500): try again later"),
            (302, None, true, "something else answered in place of The Bank at https://bank"),
            (200, None, true, "if this network wants you to log in first"),
            (200, None, false, "gave an answer that this program does not understand"),
            (404, None, true, "does not do what was asked there (status 404): check the address"),
        ];
        for (status, retry_after, page, expected) in rows {
            let told = told(status, retry_after, page);
            assert!(told.contains(expected), "{told}");
            assert!(told.contains("The Bank at https://bank.example"), "{told}");
            let precise =
                format!("\n  https://bank.example/banks/b/mint/v1/swap {status}: <p>no</p>");
            assert!(told.ends_with(&precise), "{told}");
        }
    }

    #[test]
    fn who_was_not_reached_is_told_from_who_was_too_slow() {
        let error = |slow| ClientError::Unreachable {
            url: "http://localhost:1/x?y".to_owned(),
            cause: "connection refused".to_owned(),
            slow,
        };
        let rows = [
            (false, "http://localhost:1 did not answer (connection refused): check the network"),
            (true, "http://localhost:1 did not answer in time, and may have done what was asked"),
        ];
        for (slow, expected) in rows {
            let told = said(&error(slow), None);
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
