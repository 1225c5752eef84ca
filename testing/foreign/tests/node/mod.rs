//! Runs the programs that hand ours to other people's libraries: scripts under Node.js, and others.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// What `script` answers to `input`.
pub(crate) fn run(script: &str, input: &Value) -> Value {
    // Node.js 20 has sockets, and has to be told that it may use them.
    program(Command::new("node").args(["--experimental-websocket", "--no-warnings", script]), input)
}

/// What a program answers that reads and writes JSON.
pub(crate) fn program(command: &mut Command, input: &Value) -> Value {
    let mut program = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs: `cargo xtask test` installs it");
    program.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .expect("the program answers in JSON: `cargo xtask test` installs what it needs")
}
