//! How many signatures a second a token gives, beside a key in memory: SoftHSM, which has no hardware behind it, so that
//! what is measured is the way there and back. `cargo run -p yufu-keys --example token_rate`; `softhsm2-util` has to be there.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    reason = "an example that measures"
)]

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yufu_base::Signer;
use yufu_keys::{KeyStore, Token, TokenAddress};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOR: Duration = Duration::from_secs(3);

/// Signatures a second by so many threads.
fn rate(signer: &Arc<dyn Signer>, threads: usize) -> f64 {
    let begun = Instant::now();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0;
                    while begun.elapsed() < FOR {
                        signer.sign(b"a credential's header and payload").unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    counts.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("tokens")).unwrap();
    let conf = format!("directories.tokendir = {}\nlog.level = ERROR\n", at("tokens").display());
    fs::write(at("conf"), conf).unwrap();
    if std::env::var_os("TOKEN_FOLDER").is_none() {
        // The module reads it when it is loaded: this program runs once more with it.
        let again = Command::new(std::env::current_exe().unwrap())
            .env("SOFTHSM2_CONF", at("conf"))
            .env("TOKEN_FOLDER", folder.path())
            .status();
        std::process::exit(again.unwrap().code().unwrap_or(1));
    }
    let folder = std::path::PathBuf::from(std::env::var_os("TOKEN_FOLDER").unwrap());
    fs::write(folder.join("pin"), "98761234\n").unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "yufu", "--so-pin", "12345678"])
        .args(["--pin", "98761234"])
        .output();
    assert!(made.unwrap().status.success());
    let pin = folder.join("pin");
    let address =
        format!("pkcs11:token=yufu?module-path={MODULE}&pin-source=file:{}", pin.display());
    let address: TokenAddress = address.parse().unwrap();
    let token = Arc::new(Token::new(address, &folder.join("refused")));
    let store = KeyStore::open(&folder.join("keys")).unwrap();
    let software = store.signer("credentials").unwrap();
    let store = KeyStore::open(&folder.join("in-token")).unwrap().with_token(Some(token), "bench");
    let in_token = store.signer("credentials").unwrap();
    for threads in [1, 2] {
        let (software, in_token) = (rate(&software, threads), rate(&in_token, threads));
        println!(
            "{threads} threads: {software:.0} signatures/s in memory, {in_token:.0} in the token, ratio {:.1}",
            software / in_token
        );
    }
}
