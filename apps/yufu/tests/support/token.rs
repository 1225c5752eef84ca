//! A token of SoftHSM in a folder of its own, beside the state of a test, as an operator would set it up.

use super::{Data, text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where Debian has the module.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// Where SoftHSM finds its settings.
pub const CONF: &str = "SOFTHSM2_CONF";
/// The token's PIN.
pub const PIN: &str = "98761234";

/// SoftHSM with one token, and the settings of a server that has its keys there.
pub struct SoftHsm {
    folder: PathBuf,
    data: PathBuf,
}

impl SoftHsm {
    /// A token called `yufu`.
    pub fn new(data: &Data) -> Self {
        let folder = data.beside("etc");
        fs::create_dir_all(folder.join("tokens")).unwrap();
        let hsm = Self { folder, data: data.path() };
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            hsm.tokens().display()
        );
        fs::write(hsm.conf(), conf).unwrap();
        fs::write(hsm.folder.join("pin"), format!("{PIN}\n")).unwrap();
        let settings = format!("data = {:?}\nkeys = {:?}\n", hsm.data, hsm.address());
        fs::write(hsm.settings(), settings).unwrap();
        hsm.initialise("yufu");
        hsm
    }

    pub fn conf(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// The file with the server's settings.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("yufu.toml")
    }

    pub fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// The setting `keys`.
    pub fn address(&self) -> String {
        let pin = self.folder.join("pin");
        format!("pkcs11:token=yufu?module-path={MODULE}&pin-source=file:{}", pin.display())
    }

    pub fn initialise(&self, label: &str) {
        let mut made = self.tool("softhsm2-util");
        made.args([
            "--init-token",
            "--free",
            "--label",
            label,
            "--so-pin",
            "12345678",
            "--pin",
            PIN,
        ]);
        let made = made.output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    /// Takes the token away.
    pub fn remove(&self) {
        fs::rename(self.tokens(), self.folder.join("away")).unwrap();
        fs::create_dir(self.tokens()).unwrap();
    }

    /// Puts it back.
    pub fn put_back(&self) {
        fs::remove_dir_all(self.tokens()).unwrap();
        fs::rename(self.folder.join("away"), self.tokens()).unwrap();
    }

    /// Destroys it for good.
    pub fn destroy(&self) {
        fs::remove_dir_all(self.tokens()).unwrap();
        fs::create_dir(self.tokens()).unwrap();
    }

    /// What the token says of its private keys, asked by somebody else's program.
    pub fn private_keys(&self) -> String {
        let mut asked = self.tool("pkcs11-tool");
        asked.args(["--module", MODULE, "--token-label", "yufu", "--login", "--pin", PIN]);
        let told = asked.args(["--list-objects", "--type", "privkey"]).output().unwrap();
        assert!(told.status.success(), "{told:?}");
        text(&told.stdout)
    }

    /// A program that finds this SoftHSM.
    pub fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env(CONF, self.conf()).stdin(Stdio::null());
        command
    }

    /// Runs `yufu` with the server's settings.
    pub fn yufu(&self, arguments: &[&str]) -> Output {
        let mut command = super::yufu();
        command.env(CONF, self.conf()).args(arguments);
        command.args(["--config", self.settings().to_str().unwrap()]).output().unwrap()
    }

    /// Runs a command as the documents have it, with the paths of this test; what it printed.
    pub fn as_documented(&self, line: &str) -> String {
        let bin = self.folder.join("bin");
        if !bin.exists() {
            fs::create_dir(&bin).unwrap();
            std::os::unix::fs::symlink(crate::BINARY, bin.join("yufu")).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let line = line.replace("/etc/yufu", self.folder.to_str().unwrap());
        let mut command = self.tool("sh");
        command.args(["-ec", &line]).env("PATH", path).env("YUFU_LANG", "en");
        let done = command.output().unwrap();
        assert!(done.status.success(), "{line}: {done:?}");
        text(&done.stdout)
    }
}

/// The commands of a section of `docs/operations.md`, in order.
pub fn commands_of(section: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let all = fs::read_to_string(file).unwrap();
    let heading = format!("\n## {section}\n");
    let body = all.split(&heading).nth(1).unwrap_or_else(|| panic!("no section {section}"));
    let body = body.split("\n## ").next().unwrap();
    body.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}
