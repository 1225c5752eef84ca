//! Two terminals side by side: a wallet shows a code, a reader reads it, asks and verifies; what is refused on either side.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Output, Stdio};
use support::institutions::SHOP;
use support::{Caller, Data, Resident, Server, text, yufu};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A wallet at a terminal that waits for a reader, and the code that it shows.
struct Shows {
    wallet: Child,
    out: BufReader<std::process::ChildStdout>,
    code: String,
}

impl Shows {
    fn of(caller: &Caller, name: &str, agrees: bool) -> Self {
        let data = caller.data().to_str().unwrap();
        let mut command = yufu();
        command.args(["wallet", "--data", data, "--url", &caller.url, "--as", name, "near"]);
        command.args(["--wait", "60"]).args(agrees.then_some("--yes"));
        command.env("YUFU_WALLET_PASSPHRASE", "yufu-demo");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut wallet = command.spawn().unwrap();
        let mut out = BufReader::new(wallet.stdout.take().unwrap());
        let mut drawn = 0;
        let code = loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "{}", Self::told(&mut wallet));
            if let Some(at) = line.find("mdoc:") {
                break line[at..].trim().to_owned();
            }
            drawn += usize::from(line.contains('\u{2588}'));
        };
        assert!(drawn > 15, "the code is drawn, for a camera");
        Self { wallet, out, code }
    }

    fn told(wallet: &mut Child) -> String {
        let mut said = String::new();
        wallet.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// Whether it showed something, and all that it said.
    fn ended(mut self) -> (bool, String) {
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        said.push_str(&Self::told(&mut self.wallet));
        (self.wallet.wait().unwrap().success(), said)
    }
}

/// A reader at a terminal that reads a code.
fn reads(caller: &Caller, token: &std::path::Path, code: &str) -> Output {
    reads_with(yufu(), caller, token, code)
}

fn reads_with(
    mut command: std::process::Command,
    caller: &Caller,
    token: &std::path::Path,
    code: &str,
) -> Output {
    let at = format!("{}/verifiers/{SHOP}", caller.url);
    command.args(["verify", "check-age", "--at", &at, "--near", code, "--json"]);
    command.args(["--wait", "30", "--claims", "age_equal_or_over", "--why", "bicycle"]);
    command.arg("--token").arg(token);
    command.output().unwrap()
}

async fn with_mdoc(caller: &Caller, row: usize) -> String {
    let resident = Resident::of(caller, row);
    let (offer, code) = resident.offer(caller).await;
    let name = resident.name.clone();
    drop(resident);
    let terminal = support::terminal::Terminal::of(caller, &name);
    terminal.says(&["get", &offer, "--code", &code, "--mdoc"]);
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_the_code_of_a_wallet_near_by_and_both_say_what_was_shown() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let name = with_mdoc(&caller, 1).await;
    let token = data.path().join(SHOP).join("keys").join("desk.token");
    let terminal = support::terminal::Terminal::of(&caller, &name);

    let shows = Shows::of(&caller, &name, true);
    let read = reads(&caller, &token, &shows.code);
    let said = text(&read.stdout);
    assert!(read.status.success(), "{said}{}", text(&read.stderr));
    let said: serde_json::Value = serde_json::from_str(said.trim()).unwrap();
    let expected =
        serde_json::json!({"result": "yes", "claims": {"age_equal_or_over": {"16": true}}});
    assert_eq!(said, expected);
    let (shown, told) = shows.ended();
    assert!(
        shown && told.contains("Donghu Bicycles") && told.contains("16 or older = yes"),
        "{told}"
    );
    let history = terminal.says(&["history"]);
    assert!(history.contains("Donghu Bicycles"), "{history}");
    // The reader's receipt came by the same channel, and holds offline.
    let receipts = terminal.says(&["receipts"]);
    assert!(receipts.contains("1 of 1 receipts hold."), "{receipts}");

    // Somebody who does not agree shows nothing, and the reader learns only that.
    let shows = Shows::of(&caller, &name, false);
    let read = reads(&caller, &token, &shows.code);
    assert!(!read.status.success() && text(&read.stderr).contains("shows nothing"), "{read:?}");
    let (shown, told) = shows.ended();
    assert!(!shown && told.contains("nothing was shown"), "{told}");

    // A code is good for the first that comes, and gone with its device.
    let shows = Shows::of(&caller, &name, true);
    let code = shows.code.clone();
    assert!(reads(&caller, &token, &code).status.success());
    assert!(shows.ended().0);
    let again = reads(&caller, &token, &code);
    assert!(!again.status.success(), "{again:?}");

    // A reader whose key is not the certified one does not ask at all.
    let elsewhere = data.beside("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::copy(&token, elsewhere.join("desk.token")).unwrap();
    let shows = Shows::of(&caller, &name, true);
    let stranger = reads(&caller, &elsewhere.join("desk.token"), &shows.code);
    assert!(text(&stranger.stderr).contains("is not the one"), "{stranger:?}");
    let mut waiting = shows.wallet;
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_signs_with_a_key_in_a_token_also_after_it_turned_and_says_which_it_needs() {
    let data = Data::new();
    let hsm = support::token::SoftHsm::new(&data);
    let (conf, settings) = (hsm.conf(), hsm.settings());
    let more = ["--config", settings.to_str().unwrap()];
    let environment = [(support::token::CONF, conf.as_path())];
    let server = Server::start_in(&data, 0, &more, &environment);
    let caller = server.caller();
    let name = with_mdoc(&caller, 1).await;
    let keys = data.path().join(SHOP).join("keys");
    let token = keys.join("desk.token");
    assert!(keys.join("access.p11").exists() && !keys.join("access.p8").exists());
    let read = |code: &str| {
        let mut command = hsm.tool(BINARY);
        command.env("YUFU_LANG", "en").env("YUFU_KEYS", hsm.address());
        reads_with(command, &caller, &token, code)
    };
    let shows = Shows::of(&caller, &name, true);
    let done = read(&shows.code);
    assert!(done.status.success(), "{done:?}");
    assert!(shows.ended().0);

    let turned = hsm.yufu(&["keys", "rotate", SHOP, "access"]);
    assert!(turned.status.success(), "{turned:?}");
    let mut waited = 0;
    while !text(&hsm.yufu(&["keys", "list"]).stdout).contains("former") {
        assert!(waited < 100, "it does not turn");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        waited += 1;
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let shows = Shows::of(&caller, &name, true);
    let done = read(&shows.code);
    assert!(done.status.success(), "{done:?}");
    assert!(shows.ended().0);

    // Without the token's address it says what is lacking.
    let shows = Shows::of(&caller, &name, true);
    let refused = reads(&caller, &token, &shows.code);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("is in a token"), "{refused:?}");
    let mut waiting = shows.wallet;
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    drop(server);
}
