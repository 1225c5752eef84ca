//! A verifier that somebody else wrote, in a process of its own, and a city whose registries admitted it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; each takes a part of it"
)]

use crate::support::country::{country_with, merchant};
use crate::support::{Caller, Data, Resident, Server};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use yufu::wallet::Wanted;

/// The party, as the registrar knows it.
pub(crate) const CINEMA: &str = "corner-cinema";
pub(crate) const VCT: &str = "urn:yufu:pid:cn:1";
pub(crate) const DOC_TYPE: &str = "org.yufu.pid.cn.1";
const REQUEST: &str = r#"[[institutions.requests]]
id = "let-in"
purpose = { zh = "入场", en = "Let you in" }
basis = { zh = "合同", en = "Contract" }
claims = ["age_equal_or_over.18", "birthdate"]
"#;

/// Their process.
pub(crate) struct TheirVerifier {
    process: Child,
    steps: ChildStdin,
    said: BufReader<ChildStdout>,
    /// Where it serves.
    pub(crate) url: String,
    /// Of the key that it enrols with (RFC 7638).
    pub(crate) fingerprint: String,
}

/// A request that it serves.
pub(crate) struct Begun {
    id: Value,
    pub(crate) link: String,
    pub(crate) client_id: String,
}

impl TheirVerifier {
    pub(crate) fn start() -> Self {
        let mut process = Command::new("node")
            .args(["--no-warnings", "verifier.mjs"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let steps = process.stdin.take().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let (url, fingerprint) = (String::new(), String::new());
        let mut started = Self { process, steps, said, url, fingerprint };
        let serves = started.heard();
        serves["url"].as_str().unwrap().clone_into(&mut started.url);
        serves["fingerprint"].as_str().unwrap().clone_into(&mut started.fingerprint);
        started
    }

    fn heard(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What it says to a step.
    pub(crate) fn step(&mut self, step: &Value) -> Value {
        writeln!(self.steps, "{step}").unwrap();
        self.heard()
    }

    /// Enrols at a city's registrar.
    pub(crate) fn enrol(&mut self, caller: &Caller) -> Value {
        let key = fs::read(caller.data().join("trust-list-key.json")).unwrap();
        let key: Value = serde_json::from_slice(&key).unwrap();
        self.step(&json!({
            "as": "enrol", "id": CINEMA, "registrar": format!("{}/registrar", caller.url),
            "trust_list": format!("{}/trust-list/v1/list", caller.url), "trust_key": key,
        }))
    }

    /// Begins to ask `query`; `more` says how else than in order.
    pub(crate) fn begin(&mut self, query: &Value, content: &str, more: Value) -> Begun {
        let mut step = json!({"as": "begin", "purpose": "let-in", "query": query});
        step["content"] = content.into();
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = self.step(&step);
        assert_eq!(begun["ok"], true, "{begun}");
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        Begun { id: begun["id"].clone(), link: text("link"), client_id: text("client_id") }
    }

    /// What came of it.
    pub(crate) fn result(&mut self, begun: &Begun) -> Value {
        self.step(&json!({"as": "result", "id": begun.id}))
    }

    /// How often a request was fetched and answered, and what came to the other address.
    pub(crate) fn counts(&mut self, begun: &Begun) -> [u64; 3] {
        let counts = self.step(&json!({"as": "heard", "id": begun.id}));
        ["fetched", "answered", "strayed"].map(|name| counts[name].as_u64().unwrap())
    }
}

impl Drop for TheirVerifier {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A city of all institutions but the cinema, which its registries admitted under their verifier's key.
pub(crate) fn city(verifier: &TheirVerifier) -> (Data, Server) {
    let data = Data::new();
    let cinema = merchant(CINEMA, ("街角影院", "Corner Cinema"), 30, REQUEST);
    let country = country_with(&data.beside(""), &cinema);
    let institutions = fs::read_to_string(country.join("institutions.toml")).unwrap();
    let lines: Vec<&str> = institutions.lines().collect();
    let named = lines.windows(2).filter(|pair| pair[0] == "[[institutions]]");
    let ids = named.filter_map(|pair| pair[1].split('"').nth(1));
    let here: Vec<&str> = ids.filter(|id| *id != CINEMA).collect();
    let admitted = format!("{CINEMA}={}", verifier.fingerprint);
    let server = Server::start_with(
        &data,
        &[
            "--profile",
            country.to_str().unwrap(),
            "--institutions",
            &here.join(","),
            "--admitted",
            &admitted,
        ],
    );
    (data, server)
}

/// A resident whose wallet lies on the disk, with the identity in both formats; its name there.
pub(crate) async fn identified(caller: &Caller, row: usize) -> (String, String) {
    let mut resident = Resident::identified(caller, row).await;
    let (offer, code) = resident.offer(caller).await;
    let mdoc = Wanted { pseudonyms: true, mdoc: true };
    resident.wallet.get_as(&offer, Some(&code), mdoc).await.unwrap();
    (resident.name, resident.number)
}

/// Asks for an age and a date of birth, in one of the formats.
pub(crate) fn query(mdoc: bool) -> Value {
    if mdoc {
        return json!({"credentials": [{
            "id": "pid-mdoc", "format": "mso_mdoc", "meta": {"doctype_value": DOC_TYPE},
            "claims": [
                {"path": [DOC_TYPE, "age_equal_or_over.18"], "intent_to_retain": false},
                {"path": [DOC_TYPE, "birthdate"], "intent_to_retain": false},
            ],
        }]});
    }
    json!({"credentials": [{
        "id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]},
        "claims": [{"path": ["age_equal_or_over", "18"]}, {"path": ["birthdate"]}],
    }]})
}
