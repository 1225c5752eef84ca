//! `cargo fuzz run types --fuzz-dir testing/fuzz --features libfuzzer`: see the crate's README.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| yufu_fuzz::types(bytes));
