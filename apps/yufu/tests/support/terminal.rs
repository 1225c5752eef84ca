//! The wallet's commands as a person types them, each in a process of its own.

use super::{Account, Caller, JIANGCHENG, Resident, fen, text, yufu};
use std::process::Output;

const PASSPHRASE: &str = "yufu-demo";

/// A person at a terminal.
pub struct Terminal<'a> {
    pub caller: &'a Caller,
    pub name: String,
    /// What stands in its environment beside the passphrase.
    pub environment: Vec<(&'static str, String)>,
}

impl<'a> Terminal<'a> {
    pub fn of(caller: &'a Caller, name: &str) -> Self {
        Self { caller, name: name.to_owned(), environment: Vec::new() }
    }

    pub fn type_in(&self, arguments: &[&str]) -> Output {
        let data = self.caller.data().to_str().unwrap();
        let mut command = yufu();
        command.args(["wallet", "--data", data, "--url", &self.caller.url, "--as", &self.name]);
        command.args(arguments).arg("--yes").env("YUFU_WALLET_PASSPHRASE", PASSPHRASE);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// What is said to a command that succeeds, without the hints beside it.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.type_in(arguments);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
        text(&output.stdout).trim().to_owned()
    }

    #[track_caller]
    pub fn refused(&self, arguments: &[&str], why: &str) {
        let output = self.type_in(arguments);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {why:?} is not in {said}");
    }
}

/// The word in what was said that is an account's id.
pub fn account_in(said: &str) -> String {
    let id = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
    said.split([' ', '.', ';', '\n']).find(id).unwrap_or_else(|| panic!("no id: {said}")).to_owned()
}

/// The code that was sent last.
pub async fn code(caller: &Caller) -> String {
    let path = format!("/banks/{JIANGCHENG}/v1/desk/messages?purpose=test");
    let messages = caller.get(&path, Some(&caller.desk(JIANGCHENG))).await.done();
    let last = messages.as_array().unwrap().last().unwrap();
    last["text"].as_str().unwrap().split(':').next().unwrap().to_owned()
}

/// A resident's wallet on the disk, with an identity and an account of class III with 600 in it.
pub async fn resident(caller: &Caller, row: usize) -> (String, String) {
    let mut resident = Resident::identified(caller, row).await;
    let account: Account = resident.open_account(caller, fen(600)).await;
    (resident.name, account.id.to_string())
}
