//! The documents of the sample countries: as they stand, and each of them by the rules by which wallets read it.

use super::*;
use std::path::Path;
use yufu_credential::TypeChain;
use yufu_database::Database;
use yufu_profile::{Profile, load_dir};

fn profile(country: &str) -> Profile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles").join(country);
    load_dir(&folder).unwrap()
}

fn document(country: &str, id: &str) -> String {
    let profile = profile(country);
    let kind = profile.credentials.iter().find(|kind| kind.id == id).unwrap();
    type_metadata(kind).unwrap().to_document().unwrap()
}

/// As it is served, but for a line for each claim; and its digest.
fn shown(document: &str) -> String {
    let lines = document.replace("{\"path\"", "\n{\"path\"");
    format!("{}\n{lines}", Integrity::of(document.as_bytes()))
}

#[test]
fn the_documents_of_the_identity_and_the_ticket_are_fixed_to_the_byte() {
    insta::assert_snapshot!("identity", shown(&document("china", "pid")));
    insta::assert_snapshot!("ticket", shown(&document("china", "ticket")));
}

#[tokio::test]
async fn another_profile_publishes_beside_what_was_published_before() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("records")).await.unwrap();
    let records = Credentials::open(database).await.unwrap();
    let mut kinds = profile("china").credentials;
    let now = Timestamp::from_seconds(1_790_000_000);
    let first = Types::publish(&kinds, &records, now).await.unwrap();
    let same = Types::publish(&kinds, &records, now.plus_seconds(1)).await.unwrap();
    assert_eq!(same.integrity("pid"), first.integrity("pid"), "at every start the same");
    let ticket = kinds.iter().find(|kind| kind.id == "ticket").unwrap().name.clone();
    kinds.iter_mut().find(|kind| kind.id == "pid").unwrap().name = ticket;
    let second = Types::publish(&kinds, &records, now.plus_seconds(2)).await.unwrap();
    assert_ne!(second.integrity("pid"), first.integrity("pid"));
    assert_eq!(second.integrity("age"), first.integrity("age"));
    for types in [first, second] {
        for integrity in types.pinned.values() {
            let document = records.type_document(&integrity.name()).await.unwrap();
            assert!(integrity.is_of(document.as_bytes()));
        }
    }
}

#[test]
fn every_credential_of_both_countries_has_a_document_that_says_what_the_profile_says() {
    for country in ["china", "plain"] {
        let profile = profile(country);
        assert!(profile.credentials.len() > 3);
        for kind in &profile.credentials {
            let text = document(country, &kind.id);
            assert_eq!(text, document(country, &kind.id), "the same to the byte");
            let read = TypeMetadata::parse(text.as_bytes()).unwrap();
            let made = TypeChain::new(read, &kind.vct).unwrap().resolve().unwrap();
            for (language, name) in kind.name.iter() {
                assert_eq!(made.name(language), Some(name));
            }
            assert_eq!(made.claims().len(), kind.claims.len());
            for (said, claim) in made.claims().iter().zip(&kind.claims) {
                assert_eq!(said.path.to_string(), claim.path.to_string());
                assert_eq!(said.sd, Some(SelectiveDisclosure::Always));
                let brought = claim.source.sector().is_some();
                assert_eq!(said.mandatory, (!brought).then_some(true), "{}", claim.path);
                for (language, label) in claim.label.iter() {
                    assert_eq!(made.label(&said.path, language), Some(label));
                }
            }
        }
    }
}
