//! `yufu verify --near`: a reader at a terminal asks a device near by and verifies what it shows (ISO 18013-5). Its papers
//! and whom to trust come from the party's service, its key from the party's folder; between reader and device is no server,
//! and nothing is kept.

use crate::command_line;
use crate::words::text;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::http::{Client, Language, may_lead_inside};
use yufu_api::trust::{SeenLists, SharedPin};
use yufu_api::verifying::says_no_no;
use yufu_base::{Signer, Timestamp};
use yufu_engine::{Clock as _, SystemClock};
use yufu_jose::{Chain, Jwk};
use yufu_keys::{KeyStore, KeyUse, Token, TokenAddress, random};
use yufu_mdoc::DeviceEngagement;
use yufu_nearby::{Channel, Tcp};
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_proximity::{Offline, ReaderIdentity, Seen, Wanted, ask as ask_device};
use yufu_trust::{Localized, RegistrationCertificate, Role, TrustList, TrustPin};
use yufu_verify::{ReaderPapers, Verify};

/// How long after its signature a status list is relied on, in seconds.
const MOST_SECONDS: u64 = 3600;

/// The key of a party's access certificate.
const ACCESS: &str = "access";
/// Remembers, beside the key, that a token refused a PIN.
const REFUSED_PIN: &str = ".refused-pin";

/// A reader with its papers and its key.
struct Reader {
    chain: Chain,
    signer: Arc<dyn Signer>,
    registration: String,
    trust: TrustList,
    /// Where the trust list is.
    home: String,
    client: Client,
}

pub(crate) async fn ask(
    options: &command_line::Verify,
    verify: &Verify,
    code: &str,
) -> Result<ExitCode> {
    let reader = Reader::of(options, &verify.reader(&options.purpose).await?).await?;
    let seen = reader.read(code, Duration::from_secs(options.wait)).await?;
    let yes = seen.claims.values().all(says_no_no);
    let named = options.claims.iter().filter_map(|name| seen.claims.get_key_value(name));
    let named: Map<String, Value> =
        named.map(|(name, value)| (name.clone(), value.clone())).collect();
    if options.json {
        println!("{}", json!({"result": if yes { "yes" } else { "no" }, "claims": named}));
    } else {
        let said = if yes {
            text!("Yes: verified, and all that was asked holds.")
        } else {
            text!("No: verified, and something that was asked does not hold.")
        };
        println!("{said}");
        for (name, value) in &named {
            println!("  {name} = {value}");
        }
    }
    Ok(if yes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Reader {
    async fn of(options: &command_line::Verify, papers: &ReaderPapers) -> Result<Self> {
        let client = Client::new()?;
        let chain = Chain::from_x5c(&papers.access)?;
        let key: Jwk = serde_json::from_value(papers.trust_list_key.clone())?;
        let list = client.get_text(&papers.trust_list).await?;
        let folder = options.token.parent().with_context(|| {
            text!("the token of the desk is to be named with the folder in which it lies")
        })?;
        let address = options.keys.as_deref().map(str::parse::<TokenAddress>).transpose()?;
        let token = address.map(|one| Arc::new(Token::new(one, &folder.join(REFUSED_PIN))));
        let keys = KeyStore::open(folder)?.with_token(token, "");
        // None older than this reader saw before: what lies beside the keys is its own memory, not the service's.
        let pin = SharedPin::new(TrustPin::given(key.key));
        let trust = SeenLists::new(keys.clone()).verify(&list, &pin, now())?;
        let certified = trust.identify(Role::AccessCa, &chain, now())?.leaf.public_key;
        // The one in use, or one before it, if the papers are of before it turned.
        let mut own = keys.former_signers(ACCESS, now())?;
        if keys.has(ACCESS, keys.ring(ACCESS)?.current(), KeyUse::Signs)? {
            own.push(keys.signer(ACCESS)?);
        }
        let signer = own.into_iter().find(|one| one.public_key() == certified);
        let signer = signer.with_context(|| {
            text!(
                "the key in {folder} is not the one that the reader's certificate is for: name the token in the party's own folder",
                folder = folder.display()
            )
        })?;
        signer.ready()?;
        let (registration, home) = (papers.registration.clone(), papers.trust_list.clone());
        Ok(Self { chain, signer, registration, trust, home, client })
    }

    /// Asks the device that shows the code, and verifies its answer to the end.
    async fn read(&self, code: &str, within: Duration) -> Result<Seen> {
        let engagement = DeviceEngagement::from_qr(code.trim())?;
        let mut ways = engagement.methods.iter();
        let Some((host, port)) = ways.find_map(yufu_mdoc::RetrievalMethod::tcp_address) else {
            bail!(text!("the device of this code can be reached by no way that this reader has"))
        };
        let who = ReaderIdentity {
            chain: &self.chain,
            signer: &*self.signer,
            registration: &self.registration,
        };
        let (wanted, purpose) = self.wanted()?;
        let (waiting, message) = ask_device(code.trim(), wanted, who, &random())?;
        let mut channel = Tcp::connect(&host, port).await?;
        channel.send(&message).await?;
        eprintln!("{}", text!("Asked: the person decides on the device."));
        let answer = channel.receive(within).await?;
        let shown = waiting.open(&answer, &self.trust, now())?;
        let mut lists = BTreeMap::new();
        if let Some(uri) = shown.status_uri() {
            // The whole list: its issuer does not learn which entry is looked at.
            lists.insert(uri.to_owned(), self.listed(uri).await?);
        }
        let (trust, now) = (&self.trust, now());
        let known = Offline { trust, lists: &lists, max_age_seconds: MOST_SECONDS, now };
        let (seen, receipt) = shown.check_and_thank(&known, who, purpose)?;
        // Whether the device waits for it is its affair.
        let _ = channel.send(&receipt).await;
        Ok(seen)
    }

    /// The status list at an address that a document names.
    async fn listed(&self, uri: &str) -> Result<String> {
        let own = self.trust.entries.iter().filter(|entry| entry.origin.is_none());
        let listed = own.map(|entry| entry.identifier.as_str());
        if may_lead_inside(uri, &self.home, listed) {
            return Ok(self.client.get_text(uri).await?);
        }
        Ok(Client::outside(Language::default())?.get_text(uri).await?)
    }

    /// All that the registration allows to be asked of an mdoc, and what for. Nothing of it is kept here.
    fn wanted(&self) -> Result<(Wanted, Localized)> {
        let (certificate, _) =
            RegistrationCertificate::verify(&self.registration, &self.trust, now())?;
        let purpose = certificate.purpose;
        let mut registered = certificate.credentials.into_iter();
        let mdoc = registered.find(|one| one.format == FORMAT_MSO_MDOC);
        let mdoc = mdoc.with_context(|| {
            text!(
                "this purpose is not registered for an mdoc: devices near by show no other document"
            )
        })?;
        let wanted = Wanted {
            doc_type: mdoc.meta.doctype_value.unwrap_or_default(),
            elements: mdoc.claims.into_iter().map(|claim| claim.path).collect(),
            keep: false,
            role: Role::PidIssuer,
        };
        Ok((wanted, purpose))
    }
}

fn now() -> Timestamp {
    SystemClock::new().read().wall
}
