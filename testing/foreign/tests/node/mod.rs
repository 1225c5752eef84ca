//! Runs the scripts that hand ours to other people's libraries, under Node.js.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// What `script` answers to `input`.
pub(crate) fn run(script: &str, input: &Value) -> Value {
    let mut node = Command::new("node")
        .arg(script)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js runs: `cargo xtask test` installs it");
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .expect("the script answers in JSON: `cargo xtask test` installs its packages")
}
