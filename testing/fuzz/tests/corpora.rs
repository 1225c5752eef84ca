//! Every input that ever found a new path, or a defect, is tried again.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use yufu_fuzz::{TARGETS, steps};
use yufu_openid4vc::dcql::DcqlQuery;
use yufu_openid4vc::issuance::{CredentialOffer, IssuerMetadata};
use yufu_openid4vc::presentation::RequestObject;
use yufu_trust::TrustList;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn no_input_of_a_corpus_breaks_what_must_hold() {
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 10, "the corpus of {name} has {} inputs", inputs.len());
        for (path, bytes) in inputs {
            let tried = std::panic::catch_unwind(|| target(&bytes));
            assert!(tried.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn the_corpora_reach_beyond_the_decoders() {
    let taken: usize = corpus("ledger").iter().map(|(_, bytes)| steps(bytes).len()).sum();
    assert!(taken >= 100, "only {taken} commands of the corpus are decoded");
    let decoded = corpus("command")
        .iter()
        .filter(|(_, bytes)| borsh::from_slice::<yufu_machine::Submission>(bytes).is_ok())
        .count();
    assert!(decoded >= 10, "only {decoded} commands are decoded");
    let read = |name: &str, reads: fn(&[u8]) -> bool| {
        corpus(name).iter().filter(|(_, bytes)| reads(bytes)).count()
    };
    let queries = read("presentation", |bytes| serde_json::from_slice::<DcqlQuery>(bytes).is_ok());
    let requests = read("presentation", |bytes| RequestObject::from_json(bytes).is_ok());
    let offers = read("issuance", |bytes| CredentialOffer::from_json(bytes).is_ok());
    let metadata =
        read("issuance", |bytes| serde_json::from_slice::<IssuerMetadata>(bytes).is_ok());
    let lists = read("trust", |bytes| serde_json::from_slice::<TrustList>(bytes).is_ok());
    let credentials = read("credential", yufu_fuzz::is_credential);
    let types = read("types", yufu_fuzz::is_type);
    let statuses = read("trust", yufu_fuzz::is_status_list);
    let counts = [queries, requests, offers, metadata, lists, credentials, types, statuses];
    assert!(counts.iter().all(|count| *count > 0), "of some kind nothing is read: {counts:?}");
}
