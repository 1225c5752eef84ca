//! `yufu wallet anonymous` as a person types it: got, shown, renewed, and what refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use support::country::anonymous_country;
use support::terminal::Terminal;
use support::visits::Street;
use support::{Data, Resident, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const FORUM: &str = "lakeside-forum";
const CLUB: &str = "riverside-club";

/// The link of a verification that was started, and its id.
async fn begun(street: &Street, party: &str, purpose: &str) -> (String, String) {
    let begun = street.begin(party, purpose).await;
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    (text("authorization_request"), text("verification"))
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_one_is_got_and_shown_and_the_second_account_is_refused() {
    let data = Data::new();
    let country = anonymous_country(&data.beside(""));
    let server = Server::start_with(&data, &["--profile", country.to_str().unwrap()]);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let she = Resident::of(&caller, 1);
    let (offer, code) = she.offer(&caller).await;
    let name = she.name.clone();
    drop(she);
    let mei = Terminal::of(&caller, &name);
    // Nothing to show, and nothing to get one with.
    let (link, _) = begun(&street, FORUM, "account").await;
    mei.refused(&["anonymous", "show", &link], "anonymous");
    mei.refused(&["anonymous", "get"], "credential");
    mei.says(&["get", &offer, "--code", &code]);

    let said = mei.says(&["anonymous", "get"]);
    assert!(said.contains("age_equal_or_over.18: true"), "{said}");
    assert!(!said.contains("family_name") && !said.contains("birthdate"), "{said}");
    let (link, id) = begun(&street, FORUM, "account").await;
    let said = mei.says(&["anonymous", "show", &link]);
    assert!(said.contains("age_equal_or_over.18"), "{said}");
    assert_eq!(street.state(FORUM, &id).await["state"], "yes");
    let (link, _) = begun(&street, FORUM, "account").await;
    mei.refused(&["anonymous", "show", &link], "account.known");
    // Renewed, and in another process each time: one person at the forum, another one at the club.
    mei.says(&["anonymous", "get"]);
    let (link, _) = begun(&street, FORUM, "account").await;
    mei.refused(&["anonymous", "show", &link], "account.known");
    let (link, id) = begun(&street, CLUB, "account").await;
    mei.says(&["anonymous", "show", &link]);
    assert_eq!(street.state(CLUB, &id).await["state"], "yes");
    // What wants a name is not answered under none, nor the other way.
    let (link, id) = begun(&street, CLUB, "account").await;
    mei.refused(&["present", &link], "verification.pseudonym_wanted");
    let state = street.state(CLUB, &id).await;
    assert_eq!(state["state"], "waiting", "it may still be answered as it wants to be");
    assert_eq!(state["refusal"], "verification.pseudonym_wanted");
    mei.refused(&["anonymous", "show", "openid4vp://?nothing"], "");
    drop(server);
}
