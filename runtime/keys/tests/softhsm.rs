//! A real token (SoftHSM): what it holds, what it refuses, and what happens when it goes and comes back. Each test runs
//! once more in a process of its own, whose SoftHSM has a folder of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{Signer, SignerError, TokenFault};
use yufu_jose::verify;
use yufu_keys::{KeyStore, Token, TokenAddress, TokenError};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "98761234";
/// Names the folder to the process that the test runs in.
const FOLDER: &str = "YUFU_SOFTHSM_FOLDER";
/// Longer than a module rests before it is opened anew.
const REST: Duration = Duration::from_millis(1100);

/// SoftHSM in a folder, with a token called `yufu`.
struct SoftHsm(PathBuf);

/// Runs `body` in a process of its own.
fn apart(test: &str, body: impl FnOnce(&SoftHsm)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return body(&SoftHsm(PathBuf::from(folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let hsm = SoftHsm(folder.path().to_owned());
    fs::create_dir(hsm.tokens()).unwrap();
    let tokens = hsm.tokens();
    let conf = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    fs::write(hsm.0.join("conf"), conf).unwrap();
    hsm.write_pin(PIN);
    hsm.tool(
        "softhsm2-util",
        &["--init-token", "--free", "--label", "yufu", "--so-pin", "12345678", "--pin", PIN],
    );
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "--nocapture", test]).env(FOLDER, &hsm.0);
    let done = again.env("SOFTHSM2_CONF", hsm.0.join("conf")).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}{told}", String::from_utf8_lossy(&done.stdout));
}

impl SoftHsm {
    fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }

    fn write_pin(&self, pin: &str) {
        fs::write(self.0.join("pin"), format!("{pin}\n")).unwrap();
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).env("SOFTHSM2_CONF", self.0.join("conf")).stdin(Stdio::null());
        let done = command.output().unwrap();
        assert!(done.status.success(), "{program} {arguments:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn address(&self, label: &str, module: &str) -> TokenAddress {
        let pin = self.0.join("pin");
        let text =
            format!("pkcs11:token={label}?module-path={module}&pin-source={}", pin.display());
        text.parse().unwrap()
    }

    fn token_at(&self, label: &str, module: &str) -> Arc<Token> {
        Arc::new(Token::new(self.address(label, module), &self.0.join("refused")))
    }

    fn token(&self) -> Arc<Token> {
        self.token_at("yufu", MODULE)
    }

    fn store(&self, token: Option<Arc<Token>>) -> KeyStore {
        KeyStore::open(&self.0.join("keys")).unwrap().with_token(token, "authority")
    }

    /// Changes the token as SoftHSM keeps it in a file: `change` gets the value of an attribute of an object.
    fn alter(&self, object: &str, attribute: u64, change: impl Fn(&mut [u8])) {
        let folder = fs::read_dir(self.tokens()).unwrap().next().unwrap().unwrap().path();
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &PathBuf| path.to_str().unwrap().ends_with(object);
        for path in files.filter(named) {
            let mut bytes = fs::read(&path).unwrap();
            let (wanted, mut at) = (attribute.to_be_bytes(), 8);
            while at + 24 <= bytes.len() {
                let number =
                    |from: usize| u64::from_be_bytes(bytes[from..from + 8].try_into().unwrap());
                let (found, kind) = (bytes[at..at + 8] == wanted, number(at + 8));
                let (from, length) = match kind {
                    1 => (at + 16, 1),
                    2 => (at + 16, 8),
                    3 => (at + 24, usize::try_from(number(at + 16)).unwrap()),
                    _ => break,
                };
                if found {
                    change(&mut bytes[from..from + length]);
                }
                at = from + length;
            }
            fs::write(&path, bytes).unwrap();
        }
    }

    /// Has SoftHSM go without some of its mechanisms, from the next start of a process on.
    fn without(&self, mechanisms: &str) {
        let conf = self.0.join("conf");
        let text = fs::read_to_string(&conf).unwrap();
        // The first of the list is overlooked by SoftHSM 2.6.
        fs::write(conf, format!("{text}slots.mechanisms = -CKM_RSA_PKCS,{mechanisms}\n")).unwrap();
    }

    fn there(&self, name: &str) -> bool {
        self.0.join("keys").join(name).exists()
    }
}

fn fault(refused: Result<impl Sized, TokenError>) -> TokenFault {
    refused.err().unwrap().fault
}

fn not_signed(signer: &dyn Signer) -> TokenFault {
    match signer.sign(b"m").unwrap_err() {
        SignerError::Token { fault, why } => {
            assert!(why.contains("; "), "{why:?} does not say what to do next");
            fault
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_key_is_generated_in_the_token_signs_there_and_never_leaves_it() {
    apart("a_key_is_generated_in_the_token_signs_there_and_never_leaves_it", |hsm| {
        let token = hsm.token();
        let named = token.generate("yufu/authority/credentials").unwrap();
        assert!(token.keeps_inside(&named).unwrap());
        let key = token.key(&named);
        let signature = key.sign(b"noodles").unwrap();
        verify(&key.public_key(), b"noodles", &signature).unwrap();
        assert!(verify(&key.public_key(), b"bicycle", &signature).is_err());
        let module = ["--module", MODULE, "--token-label", "yufu", "--login", "--pin", PIN];
        let list = [&module[..], &["--list-objects", "--type", "privkey"]].concat();
        let told = hsm.tool("pkcs11-tool", &list);
        assert!(told.contains("yufu/authority/credentials"), "{told}");
        assert!(told.contains("sensitive, always sensitive, never extractable"), "{told}");
        token.destroy(&named).unwrap();
        token.destroy(&named).unwrap();
        assert_eq!(not_signed(&*key), TokenFault::KeyAbsent);
    });
}

#[test]
fn a_store_makes_in_the_token_what_belongs_there_and_finds_it_again() {
    apart("a_store_makes_in_the_token_what_belongs_there_and_finds_it_again", |hsm| {
        let store = hsm.store(Some(hsm.token()));
        let first = store.signer("credentials").unwrap().public_key();
        store.signer("institution").unwrap();
        assert!(hsm.there("credentials.p11") && !hsm.there("credentials.p8"));
        assert!(hsm.there("institution.p8") && !hsm.there("institution.p11"));
        let again = hsm.store(Some(hsm.token()));
        let signer = again.signer("credentials").unwrap();
        assert_eq!(signer.public_key(), first);
        verify(&first, b"m", &signer.sign(b"m").unwrap()).unwrap();
        let without = hsm.store(None).signer("credentials").err().unwrap();
        assert!(without.to_string().contains("setting keys"), "{without}");

        // Whoever makes a key at the same time gets the same one, and nothing is left over.
        let keys: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| store.signer("attestations").unwrap().public_key()))
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key == &keys[0]));
        let module = ["--module", MODULE, "--token-label", "yufu", "--login", "--pin", PIN];
        let list = [&module[..], &["--list-objects", "--type", "privkey"]].concat();
        assert_eq!(hsm.tool("pkcs11-tool", &list).matches("Private Key Object").count(), 2);
    });
}

#[test]
fn a_key_that_lay_in_a_file_stays_there_until_it_is_rotated_into_the_token() {
    apart("a_key_that_lay_in_a_file_stays_there_until_it_is_rotated_into_the_token", |hsm| {
        let first = hsm.store(None).signer("credentials").unwrap().public_key();
        let store = hsm.store(Some(hsm.token()));
        assert_eq!(store.signer("credentials").unwrap().public_key(), first);
        let now = yufu_base::Timestamp::from_seconds(1_790_000_000);
        store.rotate("credentials", yufu_keys::KeyUse::Signs, (now, now)).unwrap();
        let signer = store.signer("credentials").unwrap();
        assert_ne!(signer.public_key(), first);
        assert!(hsm.there("credentials-2.p11") && !hsm.there("credentials-2.p8"));
        verify(&signer.public_key(), b"m", &signer.sign(b"m").unwrap()).unwrap();
    });
}

#[test]
fn a_module_or_token_that_is_not_there_is_said_by_name() {
    apart("a_module_or_token_that_is_not_there_is_said_by_name", |hsm| {
        let nowhere = hsm.token_at("yufu", "/nowhere/module.so");
        assert_eq!(fault(nowhere.ready()), TokenFault::ModuleMissing);
        let other = hsm.token_at("another", MODULE);
        assert_eq!(fault(other.ready()), TokenFault::TokenAbsent);
        assert_eq!(fault(other.generate("x")), TokenFault::TokenAbsent);
        hsm.token().ready().unwrap();
    });
}

#[test]
fn a_wrong_pin_is_never_tried_twice() {
    apart("a_wrong_pin_is_never_tried_twice", |hsm| {
        hsm.write_pin("1111");
        let token = hsm.token();
        assert_eq!(fault(token.ready()), TokenFault::PinWrong);
        hsm.write_pin(PIN);
        assert_eq!(fault(token.ready()), TokenFault::PinWrong, "not in this process");
        hsm.write_pin("1111");
        let why = hsm.token().ready().unwrap_err().why;
        assert!(why.contains("was refused before, and is not tried again"), "{why}");
        assert!(!why.contains("1111"), "{why}");
        hsm.write_pin(PIN);
        hsm.token().ready().unwrap();
    });
}

#[test]
fn a_token_that_goes_is_said_to_be_gone_and_signs_once_it_is_back() {
    apart("a_token_that_goes_is_said_to_be_gone_and_signs_once_it_is_back", |hsm| {
        let store = hsm.store(Some(hsm.token()));
        let signer = store.signer("credentials").unwrap();
        signer.sign(b"m").unwrap();
        let away = hsm.0.join("away");
        fs::rename(hsm.tokens(), &away).unwrap();
        fs::create_dir(hsm.tokens()).unwrap();
        std::thread::sleep(REST);
        let gone = [TokenFault::TokenAbsent, TokenFault::KeyAbsent];
        assert!(gone.contains(&not_signed(&*signer)));
        assert!(signer.ready().is_err());
        assert_eq!(fault(store.token().unwrap().generate("x")), TokenFault::TokenAbsent);
        fs::remove_dir(hsm.tokens()).unwrap();
        fs::rename(&away, hsm.tokens()).unwrap();
        std::thread::sleep(REST);
        verify(&signer.public_key(), b"m", &signer.sign(b"m").unwrap()).unwrap();
        signer.ready().unwrap();
    });
}

#[test]
fn many_threads_sign_at_once_and_every_signature_holds() {
    apart("many_threads_sign_at_once_and_every_signature_holds", |hsm| {
        let signer = hsm.store(Some(hsm.token())).signer("credentials").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8_u8 {
                let signer = &signer;
                scope.spawn(move || {
                    for turn in 0..25_u8 {
                        let message = [thread, turn];
                        let signature = signer.sign(&message).unwrap();
                        verify(&signer.public_key(), &message, &signature).unwrap();
                    }
                });
            }
        });
    });
}

/// The one thread of an executor serves others while a token signs: with all of them waiting for it, they would never
/// come to an end.
#[test]
fn an_executor_goes_on_while_a_token_signs() {
    apart("an_executor_goes_on_while_a_token_signs", |hsm| {
        let signer = hsm.store(Some(hsm.token())).signer("credentials").unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let others = runtime.block_on(async {
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let signing = tokio::spawn(async move {
                // Handed over with this thread: it is at work as long as somebody signs.
                for _ in 0..2000_u32 {
                    signer.sign(b"m").unwrap();
                }
                told.close();
                let mut count = 0_u32;
                while told.try_recv().is_ok() {
                    count += 1;
                }
                count
            });
            let other = tokio::spawn(async move {
                while tell.send(()).is_ok() {
                    tokio::task::yield_now().await;
                }
            });
            let count = signing.await.unwrap();
            other.await.unwrap();
            count
        });
        assert!(others > 0, "the other task waited for the token");
    });
}

/// What SoftHSM keeps the flags of a token under, and one of them: that its PIN is locked (PKCS#11 v2.40, 3.2).
const TOKEN_FLAGS: u64 = 0x8000_534b;
const USER_PIN_LOCKED: u64 = 0x0004_0000;
/// The private value of a key.
const VALUE: u64 = 0x11;

#[test]
fn a_locked_token_says_so_before_a_pin_is_tried_and_signs_once_it_has_a_new_one() {
    apart("a_locked_token_says_so_before_a_pin_is_tried_and_signs_once_it_has_a_new_one", |hsm| {
        let named = hsm.token().generate("yufu/authority/credentials").unwrap();
        hsm.alter("token.object", TOKEN_FLAGS, |flags| {
            let locked = u64::from_be_bytes(flags.try_into().unwrap()) | USER_PIN_LOCKED;
            flags.copy_from_slice(&locked.to_be_bytes());
        });
        // Asked by a process that is not logged in yet.
        let told = hsm.asked_apart(&named);
        assert!(told.contains("TokenLocked"), "{told}");
        assert!(!hsm.0.join("refused").exists(), "no PIN was tried");
        let module = ["--module", MODULE, "--token-label", "yufu", "--login"];
        let officer = ["--login-type", "so", "--so-pin", "12345678", "--init-pin", "--pin", PIN];
        hsm.tool("pkcs11-tool", &[&module[..], &officer].concat());
        let told = hsm.asked_apart(&named);
        assert!(told.contains("signed"), "{told}");
    });
}

#[test]
fn a_session_that_is_lost_again_after_it_was_opened_anew_is_said_to_be_lost() {
    apart("a_session_that_is_lost_again_after_it_was_opened_anew_is_said_to_be_lost", |hsm| {
        let named = hsm.token().generate("yufu/authority/credentials").unwrap();
        // What the token keeps of the key is damaged: it fails at every attempt, for no reason that it names.
        hsm.alter(".object", VALUE, |value| value.iter_mut().for_each(|byte| *byte ^= 0x55));
        let told = hsm.asked_apart(&named);
        assert!(
            told.contains("SessionLost") && told.contains("opened anew and lost again"),
            "{told}"
        );
    });
}

#[test]
fn a_token_without_signatures_by_elliptic_curves_is_unfit() {
    apart("a_token_without_signatures_by_elliptic_curves_is_unfit", |hsm| {
        let named = hsm.token().generate("yufu/authority/credentials").unwrap();
        hsm.without("CKM_ECDSA");
        let told = hsm.asked_apart(&named);
        assert!(told.contains("Unfit") && told.contains("use another token"), "{told}");
    });
}

/// Names the key that [`asked`] signs with.
const KEY: &str = "YUFU_SOFTHSM_KEY";

impl SoftHsm {
    /// What becomes of a signature in a process that begins now.
    fn asked_apart(&self, named: &yufu_keys::TokenKeyName) -> String {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "--nocapture", "asked"]).env(FOLDER, &self.0);
        again.env(KEY, serde_json::to_string(named).unwrap());
        let done = again.env("SOFTHSM2_CONF", self.0.join("conf")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

/// Tells what becomes of a signature, for [`SoftHsm::asked_apart`]; by itself it has nothing to tell.
#[test]
fn asked() {
    let (Some(folder), Ok(named)) = (std::env::var_os(FOLDER), std::env::var(KEY)) else { return };
    let hsm = SoftHsm(PathBuf::from(folder));
    let key = hsm.token().key(&serde_json::from_str(&named).unwrap());
    match key.sign(b"m") {
        Ok(signature) => {
            verify(&key.public_key(), b"m", &signature).unwrap();
            println!("signed");
        }
        Err(SignerError::Token { fault, why }) => println!("{fault:?}: {why}"),
        Err(other) => panic!("{other}"),
    }
}
