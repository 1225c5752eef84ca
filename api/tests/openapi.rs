//! The description of the API is checked in, and is what the handlers say.

use std::fs;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

#[test]
fn the_checked_in_description_is_what_the_handlers_say() {
    let mut now = yufu_api::description().to_pretty_json().unwrap();
    now.push('\n');
    if std::env::var_os("YUFU_REGENERATE").is_some() {
        fs::write(FILE, &now).unwrap();
    }
    let checked_in = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        now == checked_in,
        "docs/openapi.json differs from the handlers: run `cargo xtask openapi` and commit the difference"
    );
}

#[test]
fn every_operation_says_what_it_is_for_and_how_it_refuses() {
    let description = yufu_api::description();
    let operations = description.paths.paths.iter().flat_map(|(path, item)| {
        [&item.get, &item.post].into_iter().flatten().map(move |operation| (path, operation))
    });
    let mut count = 0;
    for (path, operation) in operations {
        count += 1;
        assert!(operation.summary.as_ref().is_some_and(|s| !s.is_empty()), "{path} has no summary");
        assert!(!operation.responses.responses.is_empty(), "{path} has no responses");
    }
    assert!(count > 20, "{count} operations");
}
