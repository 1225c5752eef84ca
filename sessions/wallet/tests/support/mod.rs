//! A small world: a trust list, an issuer and a verifier that answer HTTP in memory.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{Signer, Timestamp};
use yufu_credential::StatusReference;
pub use yufu_fixtures::{Party, key, members, party};
use yufu_issuer::{
    CredentialProfile, IssuerProfile, IssuerSession, Offer, OfferEntropy, OfferTerms, Template,
};
use yufu_jose::{ClaimPath, Header, SoftwareKey};
use yufu_openid4vc::issuance::{CredentialRequest, OfferLink, TokenRequest};
use yufu_openid4vc::presentation::REQUEST_MEDIA_TYPE;
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse};
use yufu_trust::{
    GoodPaths, Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate, Role, Status, StatusBits, StatusList, StatusListToken, TrustEntry,
    TrustList,
};
use yufu_verifier::{Question, RequestEntropy, Requested, Verified, Verifier};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{
    CredentialProblem, CredentialsError, RequestingCredentials, Scanned, scan,
};
use yufu_wallet::presentation::{CheckingStatus, RequestRefused, Reviewed, StatusLists, open};

pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_123);
pub const DAY: u64 = 86_400;
pub const PID: &str = "urn:yufu:pid:1";
/// The type of the identity as an mdoc.
pub const MDOC: &str = "urn:yufu:pid:1:mdoc";
pub const PAY: &str = "urn:yufu:payment:1";
pub const STATUS: &str = "https://id.example/status/1";
/// Where the registrar says what it revoked, and the place of the verifier's registration there.
pub const REVOKED: &str = "https://reg.example/registrar/status/1";
pub const PLACE: u64 = 33;

pub fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url).unwrap()
}

pub fn path(value: Value) -> ClaimPath {
    serde_json::from_value(value).unwrap()
}

pub struct World {
    pub trust: TrustList,
    pub authority: Party,
    pub bank: Party,
    pub registrar: Party,
    pub access: Party,
}

impl World {
    pub fn new() -> Self {
        let (authority, bank, registrar, access) = (party(), party(), party(), party());
        let entry = |zh: &str, en: &str, role, url: &str, party: &Party| {
            let name = Localized::new("zh", zh).with("en", en);
            TrustEntry::new(name, role, url, std::slice::from_ref(&party.anchor))
        };
        let entries = vec![
            entry("身份局", "Identity", Role::PidIssuer, "https://id.example", &authority)
                .issuing([PID, MDOC]),
            entry("江城银行", "Bank", Role::BankIssuer, "https://bank.example", &bank)
                .issuing([PAY]),
            entry("登记处", "Registrar", Role::Registrar, "https://reg.example", &registrar),
            entry("接入", "Access", Role::AccessCa, "https://ca.example", &access),
        ];
        let trust = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(30 * DAY),
            entries,
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        Self { trust, authority, bank, registrar, access }
    }

    pub fn client_id(&self) -> String {
        let hash = yufu_jose::sha256(self.access.chain.unverified_leaf());
        format!("x509_hash:{}", yufu_jose::encode_base64url(hash))
    }

    pub fn certificate(&self) -> RegistrationCertificate {
        let credential = |vct: &str, claims: &[Value]| RegisteredCredential {
            format: "dc+sd-jwt".into(),
            meta: RegisteredMeta::sd_jwt_vc(vec![vct.into()]),
            claims: claims.iter().map(|p| RegisteredClaim { path: path(p.clone()) }).collect(),
        };
        RegistrationCertificate {
            sub: "hotel-1".into(),
            name: Localized::new("zh", "江城宾馆").with("en", "Jiangcheng Hotel"),
            client_id: self.client_id(),
            origins: vec!["https://hotel.example".into()],
            purpose: Localized::new("zh", "办理入住").with("en", "Check-in"),
            basis: None,
            credentials: vec![
                credential(PID, &[json!(["family_name"]), json!(["address", "locality"])]),
                credential(PAY, &[json!(["account"])]),
            ],
            privacy_policy: "https://hotel.example/privacy".into(),
            support_uri: "https://hotel.example/support".into(),
            report_uri: "https://reg.example/report".into(),
            intended_use_id: "checkin".into(),
            retention_days: 30,
            evidence: false,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(90 * DAY),
            status: Some(StatusReference { uri: REVOKED.into(), index: PLACE }),
        }
    }

    /// As [`World::certificate`], and for two elements of the identity as an mdoc.
    pub fn certificate_for_mdoc(&self) -> RegistrationCertificate {
        let claims = [json!([MDOC, "family_name"]), json!([MDOC, "address.locality"])];
        let mut certificate = self.certificate();
        certificate.credentials.push(RegisteredCredential {
            format: "mso_mdoc".into(),
            meta: RegisteredMeta::mdoc(MDOC.into()),
            claims: claims.into_iter().map(|p| RegisteredClaim { path: path(p) }).collect(),
        });
        certificate
    }

    /// The registrar's list, in which nothing is revoked.
    pub fn registrations(&self) -> StatusListToken {
        StatusListToken {
            uri: REVOKED.into(),
            issued_at: NOW,
            expires_at: NOW.plus_seconds(300),
            ttl_seconds: Some(60),
            list: StatusList::new(StatusBits::Two, 64).unwrap(),
        }
    }

    /// The registrar's list as it answers, signed by `by`.
    pub fn listed(token: &StatusListToken, by: &Party) -> HttpResponse {
        let signed = token.sign(Header::default().with_chain(&by.chain), &by.key).unwrap();
        HttpResponse {
            status: 200,
            content_type: Some("application/statuslist+jwt".into()),
            body: signed.into_bytes(),
            headers: BTreeMap::new(),
        }
    }

    /// Looks the registration up, as a wallet without a list at hand.
    pub fn check(
        &self,
        step: CheckingStatus,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Reviewed, RequestRefused> {
        let mut lists = StatusLists::default();
        let http = step.request(&lists, now).unwrap();
        assert_eq!((http.url.as_str(), http.body.len()), (REVOKED, 0), "the whole list");
        let response = Self::listed(&self.registrations(), &self.registrar);
        step.handle(Some(&response), &mut lists, trust, now)
    }

    /// Fetches and reviews the request at `link` of `server`.
    pub fn review(
        &self,
        server: &mut VerifierServer<'_>,
        link: &str,
    ) -> Result<Reviewed, RequestRefused> {
        let (step, http) = open(link, &[5; 16]).unwrap();
        let step = step.handle(&server.answer(&http), &self.trust, &BTreeSet::new(), NOW)?;
        self.check(step, &self.trust, NOW)
    }

    pub fn registration(&self, certificate: &RegistrationCertificate) -> String {
        certificate.sign(&self.registrar.key, &self.registrar.chain).unwrap()
    }

    pub fn verifier(&self) -> Verifier {
        self.verifier_of(&self.certificate())
    }

    /// The verifier, registered so.
    pub fn verifier_of(&self, certificate: &RegistrationCertificate) -> Verifier {
        let registration = self.registration(certificate);
        let base = endpoint("https://hotel.example/ask");
        Verifier::new(self.access.chain.clone(), base, registration, &self.trust, NOW).unwrap()
    }

    /// A status list whose entries `revoked` are invalid.
    pub fn status_lists(&self, revoked: &[u64]) -> BTreeMap<String, String> {
        let mut list = StatusList::new(StatusBits::One, 64).unwrap();
        for index in revoked {
            list.set(*index, Status::Invalid).unwrap();
        }
        let token = StatusListToken {
            uri: STATUS.into(),
            issued_at: NOW,
            expires_at: NOW.plus_seconds(DAY),
            ttl_seconds: None,
            list,
        };
        let header = Header::default().with_chain(&self.authority.chain);
        BTreeMap::from([(STATUS.into(), token.sign(header, &self.authority.key).unwrap())])
    }

    /// Issues `seeds.len()` identity credentials to the keys of `seeds`.
    pub fn pids(&self, seeds: &[u8]) -> Vec<HeldCredential> {
        let claims = json!({"family_name": "李", "given_name": "华",
            "address": {"locality": "武汉", "street": "珞喻路"}});
        let server = IssuerServer::new("https://id.example", PID, claims, &self.authority);
        self.obtain(server, seeds)
    }

    /// Issues identities as mdocs to the keys of `seeds`.
    pub fn mdocs(&self, seeds: &[u8]) -> Vec<HeldCredential> {
        self.obtain(self.mdoc_server(), seeds)
    }

    /// The authority, as it issues identities as mdocs.
    pub fn mdoc_server(&self) -> IssuerServer<'_> {
        let claims = json!({"family_name": "李", "given_name": "华", "birthdate": "1990-02-03",
            "address": {"locality": "武汉", "street": "珞喻路"}});
        let mut server = IssuerServer::new("https://id.example", PID, claims, &self.authority);
        server.offered = "card-mdoc".to_owned();
        server
    }

    /// An identity as an mdoc that this world's authority signs, whoever trusts it.
    pub fn untrusted_mdoc(&self) -> String {
        let own = Self { trust: self.trust_of_own(), ..Self::new() };
        let server = IssuerServer { party: &self.authority, ..self.mdoc_server() };
        own.obtain(server, &[1]).remove(0).credential.issued()
    }

    /// The trust list with this world's own authority.
    fn trust_of_own(&self) -> TrustList {
        let mut trust = self.trust.clone();
        let anchors = std::slice::from_ref(&self.authority.anchor);
        let own = TrustEntry::new(
            trust.entries[0].name.clone(),
            Role::PidIssuer,
            "https://id.example",
            anchors,
        );
        let own = own.issuing([PID, MDOC]);
        trust.entries[0] = own;
        trust
    }

    /// What the wallet makes of these texts, as the answer to a request for one mdoc with key 1.
    pub fn received(
        &self,
        issued: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<HeldCredential>, CredentialProblem> {
        let mut server = self.mdoc_server();
        let (step, http) = self.requesting(&mut server, &[1]);
        server.answer(&http);
        let credentials: Vec<Value> =
            issued.into_iter().map(|text| json!({"credential": text})).collect();
        let response = HttpResponse::ok_json(&json!({"credentials": credentials}));
        step.handle(&response, &self.trust, now).map_err(|error| match error {
            CredentialsError::Credential { error, .. } => error,
            other => panic!("{other}"),
        })
    }

    /// Issues one payment credential to the key of `seed`.
    pub fn payment(&self, seed: u8) -> HeldCredential {
        let claims = json!({"account": "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b"});
        let mut server = IssuerServer::new("https://bank.example", PAY, claims, &self.bank);
        server.with_status = false;
        self.obtain(server, &[seed]).remove(0)
    }

    pub fn obtain(&self, mut server: IssuerServer<'_>, seeds: &[u8]) -> Vec<HeldCredential> {
        let (step, http) = self.requesting(&mut server, seeds);
        step.handle(&server.answer(&http), &self.trust, NOW).unwrap()
    }

    /// A wallet that asks `server` for one credential for each key.
    fn requesting(
        &self,
        server: &mut IssuerServer<'_>,
        seeds: &[u8],
    ) -> (RequestingCredentials, HttpRequest) {
        let (link, tx_code) = server.offer();
        let Scanned::Value(step, http) = scan(&link, &self.trust).unwrap() else { panic!() };
        let (step, http) = step.handle(&server.answer(&http)).unwrap();
        let ready = step.handle(&server.answer(&http)).unwrap();
        let (step, http) = ready.accept(Some(&tx_code)).unwrap();
        let (step, http) = step.handle(&server.answer(&http)).unwrap();
        let keys: Vec<SoftwareKey> = seeds.iter().map(|seed| key(*seed)).collect();
        let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        step.handle(&server.answer(&http), &keys, NOW).unwrap()
    }
}

/// An issuer behind HTTP: everything the sessions leave to it, in memory.
pub struct IssuerServer<'a> {
    pub profile: IssuerProfile,
    pub party: &'a Party,
    pub claims: Map<String, Value>,
    pub with_status: bool,
    pub type_integrity: Option<yufu_credential::Integrity>,
    pub offered: String,
    sessions: BTreeMap<String, IssuerSession>,
    nonces: BTreeSet<String>,
    drawn: u64,
}

impl<'a> IssuerServer<'a> {
    pub fn new(url: &str, vct: &str, claims: Value, party: &'a Party) -> Self {
        let credential = CredentialProfile {
            id: "card".into(),
            vct: vct.into(),
            doctype: Some(format!("{vct}:mdoc")),
            display: vec![],
            claims: vec![],
            sectors: vec![],
        };
        let profile = IssuerProfile {
            identifier: endpoint(url),
            display: vec![],
            batch_size: 4,
            credentials: vec![credential],
        };
        let (sessions, nonces, claims) = (BTreeMap::new(), BTreeSet::new(), members(claims));
        let offered = "card".to_owned();
        Self {
            profile,
            party,
            claims,
            with_status: true,
            type_integrity: None,
            offered,
            sessions,
            nonces,
            drawn: 0,
        }
    }

    /// A link, and the transaction code.
    pub fn offer(&mut self) -> (String, String) {
        let terms = OfferTerms {
            issuer: self.profile.identifier.clone(),
            configuration_ids: vec![self.offered.clone()],
            subject: "person-7".into(),
            tx_code_digits: Some(6),
            tx_code_description: None,
            lifetime_seconds: 600,
        };
        let entropy = OfferEntropy { code: [9; 32], tx_code: 123_456 };
        let made = Offer::new(terms, &entropy, NOW).unwrap();
        self.sessions.insert(made.session.id().to_owned(), made.session.into());
        let link = OfferLink::Value(made.offer).to_link().unwrap();
        (link, made.tx_code.unwrap().digits().to_owned())
    }

    pub fn answer(&mut self, http: &HttpRequest) -> HttpResponse {
        let json = |value: Result<Value, serde_json::Error>| HttpResponse::ok_json(&value.unwrap());
        match http.url.url().path() {
            "/.well-known/openid-credential-issuer" => {
                json(serde_json::to_value(self.profile.issuer_metadata().unwrap()))
            }
            "/.well-known/oauth-authorization-server" => {
                json(serde_json::to_value(self.profile.authorization_server_metadata().unwrap()))
            }
            "/token" => self.token(http),
            "/nonce" => {
                self.drawn += 1;
                let nonce = format!("nonce-{}", self.drawn);
                self.nonces.insert(nonce.clone());
                HttpResponse::ok_json(&json!({"c_nonce": nonce}))
            }
            "/credential" => self.credential(http),
            other => panic!("no such endpoint: {other}"),
        }
    }

    fn token(&mut self, http: &HttpRequest) -> HttpResponse {
        let request = TokenRequest::from_form(&http.body).unwrap();
        let id = yufu_issuer::secret_id(&request.pre_authorized_code);
        let Some(IssuerSession::Offered(session)) = self.sessions.remove(&id) else {
            let error = yufu_issuer::TokenError::UnknownCode.response();
            return HttpResponse::json_with(400, &serde_json::to_value(error).unwrap());
        };
        match session.token(&request, NOW, &[3; 32]) {
            Ok((next, token)) => {
                self.sessions.insert(next.id().to_owned(), next.into());
                HttpResponse::ok_json(&serde_json::to_value(token).unwrap())
            }
            Err(refused) => {
                if let Some(session) = refused.session {
                    self.sessions.insert(id, (*session).into());
                }
                let error = refused.error.response();
                HttpResponse::json_with(400, &serde_json::to_value(error).unwrap())
            }
        }
    }

    fn credential(&mut self, http: &HttpRequest) -> HttpResponse {
        let request = CredentialRequest::from_json(&http.body).unwrap();
        let token = http.headers["authorization"].strip_prefix("Bearer ").unwrap().to_owned();
        let session = self.sessions.remove(&yufu_issuer::secret_id(&token));
        let Some(IssuerSession::Authorised(session)) = session else { panic!("no session") };
        let metadata = self.profile.issuer_metadata().unwrap();
        let proven = session.prove(&token, &request, &metadata, NOW).unwrap();
        for nonce in proven.nonces() {
            assert!(self.nonces.remove(nonce), "a nonce is spent once");
        }
        let status = |index| StatusReference { uri: STATUS.into(), index };
        let count = if self.with_status { proven.keys().len() as u64 } else { 0 };
        let statuses: Vec<StatusReference> = (0..count).map(|index| status(index * 7)).collect();
        let template = Template {
            issued_at: NOW,
            expires_at: NOW.plus_seconds(30 * DAY),
            open: members(json!({"issuing_country": "CN"})),
            selective: self.claims.clone(),
            decoys: 1,
            type_integrity: self.type_integrity.clone(),
            days: vec!["birthdate".into()],
        };
        let mut counter = 0_u128;
        let mut salts = || {
            counter += 1;
            counter.to_be_bytes()
        };
        let issued = proven
            .issue(&template, &statuses, &self.party.key, &self.party.chain, &mut salts)
            .unwrap();
        HttpResponse::ok_json(&serde_json::to_value(issued).unwrap())
    }
}

/// A verifier behind HTTP.
pub struct VerifierServer<'a> {
    pub world: &'a World,
    pub session: Requested,
    pub verified: Option<Verified>,
    pub revoked: Vec<u64>,
}

pub fn entropy() -> RequestEntropy {
    RequestEntropy { id: [1; 16], state: [2; 16], nonce: [3; 32], response_key: [4; 32] }
}

impl<'a> VerifierServer<'a> {
    /// The server, and the link that it shows.
    pub fn ask(world: &'a World, question: Question) -> (Self, String) {
        Self::ask_registered(world, &world.certificate(), question)
    }

    /// As [`VerifierServer::ask`], registered so.
    pub fn ask_registered(
        world: &'a World,
        certificate: &RegistrationCertificate,
        question: Question,
    ) -> (Self, String) {
        let verifier = world.verifier_of(certificate);
        let started = verifier.start(question, &entropy(), NOW, 300).unwrap();
        let (session, link) = started;
        let stored = serde_json::to_string(&session).unwrap();
        let session = serde_json::from_str(&stored).unwrap();
        (Self { world, session, verified: None, revoked: vec![] }, link.to_link())
    }

    pub fn answer(&mut self, http: &HttpRequest) -> HttpResponse {
        if http.url.url().path().ends_with("/request") {
            let form = url::form_urlencoded::parse(&http.body);
            let form: BTreeMap<String, String> = form.into_owned().collect();
            let wallet_nonce = form.get("wallet_nonce").map(String::as_str);
            let signed = self.session.request_object(wallet_nonce, NOW, &self.world.access.key);
            return request_response(&signed.unwrap());
        }
        let received = self.session.clone().open(&http.body, NOW).unwrap();
        let authenticated = received.authenticate(&self.world.trust, NOW).unwrap();
        let lists = self.world.status_lists(&self.revoked);
        let verified = authenticated.verify(&self.world.trust, &lists, NOW).unwrap();
        let redirect = Some("https://hotel.example/done#response_code=1".to_owned());
        let response = verified.respond(&self.world.access.key, redirect).unwrap();
        self.verified = Some(verified);
        HttpResponse::ok_json(&serde_json::to_value(response).unwrap())
    }
}

pub fn request_response(jws: &str) -> HttpResponse {
    HttpResponse {
        status: 200,
        content_type: Some(REQUEST_MEDIA_TYPE.into()),
        body: jws.as_bytes().to_vec(),
        headers: BTreeMap::new(),
    }
}
