//! The trust list: one operator signs who may play which role, and under which
//! certificates. A list that is expired, from the future or older than one already seen is
//! refused, so that no revoked authority comes back.

use crate::good_paths::GoodPaths;
use crate::{LEEWAY_SECONDS, Localized, Origin, RecognisedList, TrustPin};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{
    Chain, ChainError, Jwk, JwsError, Leaf, SignError, TimeError, Validity, numeric_date,
    subject_key_id,
};

/// The `typ` of a trust list.
pub const TRUST_LIST: &str = "yufu-trust-list+jwt";
/// Seconds a list may live: an operator who falls silent is not trusted for long.
const MAX_LIFETIME: u64 = 90 * 86_400;

/// What a party is trusted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Issues the national identity credential, and its status.
    PidIssuer,
    /// Issues the identity credential of another country, and its status: taken over from the list of
    /// that country's operator, see [`TrustEntry::origin`].
    ForeignPidIssuer,
    /// Issues payment credentials, and their status.
    BankIssuer,
    /// Issues tickets, and their status.
    TicketIssuer,
    /// Attests to the members of its programmes that they are, and the status of that.
    AgencyIssuer,
    /// Signs registration certificates.
    Registrar,
    /// Certifies the keys of relying parties.
    AccessCa,
    /// Vouches for wallets and their keys.
    WalletProvider,
    /// Signs people in to other services.
    OpenidProvider,
    /// A role of a later version: it grants nothing here.
    #[serde(other)]
    Other,
}

/// One party in one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustEntry {
    /// Its name.
    pub name: Localized,
    /// What it is trusted to do.
    pub role: Role,
    /// Its address, a URL.
    pub identifier: String,
    /// Its certification authorities: DER in standard base64.
    pub certificates: Vec<String>,
    /// Keys of its signers that count no more, whatever certifies them: RFC 7638 thumbprints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
    /// The types of credential that it may issue, as SD-JWT VC and as mdoc; none other, and none if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<String>,
    /// From which other list this was taken over; none of the list's own parties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl TrustEntry {
    /// A party whose signers are certified by `anchors` (DER).
    #[must_use]
    pub fn new(name: Localized, role: Role, identifier: &str, anchors: &[Vec<u8>]) -> Self {
        let certificates = anchors.iter().map(|der| STANDARD.encode(der)).collect();
        let (identifier, withdrawn, issues) = (identifier.to_owned(), Vec::new(), Vec::new());
        Self { name, role, identifier, certificates, withdrawn, issues, origin: None }
    }

    /// The same party, which issues credentials of these types.
    #[must_use]
    pub fn issuing<T: Into<String>>(self, types: impl IntoIterator<Item = T>) -> Self {
        Self { issues: types.into_iter().map(Into::into).collect(), ..self }
    }
}

impl TrustEntry {
    /// The other country whose list names the party; none of the list's own parties.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.origin.as_ref().map(|origin| origin.country.as_str())
    }

    /// Whether the party withdrew the key of one of its signers.
    fn withdrew(&self, leaf: &Leaf) -> bool {
        let print = || Jwk::from(leaf.public_key).thumbprint_base64url();
        !self.withdrawn.is_empty() && self.withdrawn.contains(&print())
    }

    /// What was taken over lapses with the list that it comes from.
    fn holds_at(&self, now: Timestamp) -> bool {
        self.origin.as_ref().is_none_or(|origin| now < origin.expires_at)
    }
}

/// Where an institution is reached: for wallets, and for other institutions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Its id, unique in the list.
    pub id: String,
    /// Its name.
    pub name: Localized,
    /// What it is, in the word of the profile: `commercial-bank`. It grants nothing; [`TrustEntry::role`] does.
    pub kind: String,
    /// Its address, without a slash at the end.
    pub url: String,
}

/// A trust list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustList {
    /// Who keeps it.
    #[serde(rename = "iss")]
    pub operator: String,
    /// Grows with each list.
    pub sequence: u64,
    /// When it was signed.
    #[serde(rename = "iat", with = "numeric_date")]
    pub issued_at: Timestamp,
    /// From when it must no longer be used.
    #[serde(rename = "exp", with = "numeric_date")]
    pub expires_at: Timestamp,
    /// Who is trusted.
    pub entries: Vec<TrustEntry>,
    /// Which other countries' lists are recognised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recognised: Vec<RecognisedList>,
    /// Who is reached where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directory: Vec<DirectoryEntry>,
    /// What was verified under it.
    #[serde(skip)]
    pub good_paths: GoodPaths,
}

/// Why a trust list is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustListError {
    /// Not a token, or not by the key that is to sign it.
    #[error("the trust list: {0}")]
    Token(#[from] JwsError),
    /// It says that another key follows than the one that was announced before.
    #[error(
        "the trust list names another key to follow than was announced before: somebody else has its key; compare the key with its operator by hand"
    )]
    OtherSuccessor,
    /// Signed with a key that another one followed.
    #[error(
        "the trust list is signed with a key that another follows since {from} s since the epoch: somebody has the former key; fetch the list from its operator"
    )]
    FormerKey {
        /// Since when.
        from: u64,
    },
    /// Expired, or from the future.
    #[error("the trust list: {0}")]
    Time(#[from] TimeError),
    /// It claims to be good for too long.
    #[error("the trust list is to live more than 90 days: ask the operator for a shorter one")]
    Lifetime,
    /// Older than one already seen.
    #[error("trust list {found} is older than list {known}, already seen: someone holds it back")]
    RolledBack {
        /// The sequence found.
        found: u64,
        /// The sequence seen before.
        known: u64,
    },
    /// An entry's address is not a URL.
    #[error("entry {0}: its identifier is not a URL")]
    Identifier(usize),
    /// An entry's certificates are not certificates.
    #[error("entry {0}: {1}")]
    Certificate(usize, ChainError),
    /// The recognised list of a country is at no URL.
    #[error("the list of {0} is at an address that is not a URL")]
    Recognised(String),
    /// The directory sends somewhere without TLS.
    #[error("the directory sends to {1:?} for {0}: expected https (http to this machine only)")]
    Address(String, String),
}

/// Why a signer is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The list has no party of the role.
    #[error("the trust list names nobody as {0:?}")]
    Nobody(Role),
    /// The list may no longer be used.
    #[error("the trust list has expired: fetch a fresh one")]
    ListExpired,
    /// No party of the role certifies the signer.
    #[error("not certified by anyone trusted as {role:?}: {reason}")]
    Chain {
        /// The role wanted.
        role: Role,
        /// What is wrong with the chain.
        reason: ChainError,
    },
    /// The party withdrew the signer's key.
    #[error("{party} withdrew the key that signed: what it signed counts no more, get it anew")]
    Withdrawn {
        /// The party's address.
        party: String,
    },
    /// The party is not listed as an issuer of such credentials.
    #[error(
        "{party} does not issue {kind} by the trust list: do not take it, and tell the operator of the list"
    )]
    Type {
        /// The party's address.
        party: String,
        /// The type of the credential.
        kind: String,
    },
    /// The credential, the signer's certificate and the trust list do not name one issuer.
    #[error("signed by {party}, but in the name of {named}: do not take it")]
    Name {
        /// The party's address.
        party: String,
        /// Whom the credential or the certificate names.
        named: String,
    },
}

/// A signer that the trust list vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedParty {
    /// The party, as the list names it.
    pub entry: TrustEntry,
    /// The signer's certificate.
    pub leaf: Leaf,
}

impl TrustList {
    /// Signs the list by the operator's key.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        self.sign_after(signer, &[])
    }

    /// Verifies a list at the moment `now`, by the operator's key or whichever followed it. `previous_sequence` is the
    /// highest seen before; the same list again is fine. Whoever keeps what it saw uses [`TrustList::verify_by`].
    ///
    /// # Errors
    /// [`TrustListError`], the first rule broken.
    pub fn verify(
        jws: &str,
        operator_key: &PublicKey,
        now: Timestamp,
        previous_sequence: Option<u64>,
    ) -> Result<Self, TrustListError> {
        let pin = TrustPin::given(*operator_key);
        Self::verify_by(jws, &pin, now, previous_sequence).map(|(list, _)| list)
    }

    /// What holds of a list whose signature does.
    pub(crate) fn check(
        &self,
        now: Timestamp,
        previous_sequence: Option<u64>,
    ) -> Result<(), TrustListError> {
        self.validity().check(now, LEEWAY_SECONDS)?;
        if self.expires_at > self.issued_at.plus_seconds(MAX_LIFETIME) {
            return Err(TrustListError::Lifetime);
        }
        if let Some(known) = previous_sequence {
            self.not_before(known)?;
        }
        for (index, entry) in self.entries.iter().enumerate() {
            if url::Url::parse(&entry.identifier).is_err() {
                return Err(TrustListError::Identifier(index));
            }
            anchors(entry).map_err(|error| TrustListError::Certificate(index, error))?;
        }
        let bad = self.recognised.iter().find(|other| url::Url::parse(&other.url).is_err());
        if let Some(other) = bad {
            return Err(TrustListError::Recognised(other.country.clone()));
        }
        if let Some(bad) = self.directory.iter().find(|entry| !is_safe_address(&entry.url)) {
            return Err(TrustListError::Address(bad.id.clone(), bad.url.clone()));
        }
        Ok(())
    }

    /// That the list is not older than one of the sequence `known`.
    ///
    /// # Errors
    /// [`TrustListError::RolledBack`].
    pub fn not_before(&self, known: u64) -> Result<(), TrustListError> {
        if self.sequence < known {
            return Err(TrustListError::RolledBack { found: self.sequence, known });
        }
        Ok(())
    }

    /// Under which address an institution is reached.
    #[must_use]
    pub fn address(&self, institution: &str) -> Option<&str> {
        let found = self.directory.iter().find(|entry| entry.id == institution);
        found.map(|entry| entry.url.as_str())
    }

    /// The certification authorities (DER) of everyone in `role`.
    #[must_use]
    pub fn anchors(&self, role: Role) -> Vec<Vec<u8>> {
        self.in_role(role).filter_map(|entry| anchors(entry).ok()).flatten().collect()
    }

    /// The identifiers of the keys of everyone's authorities in `role`, in base64url: by them a query names whom a
    /// credential has to come from (OpenID4VP 1.0, 6.1.1.1).
    #[must_use]
    pub fn authority_key_ids(&self, role: Role) -> Vec<String> {
        self.anchors(role).iter().filter_map(|der| subject_key_id(der)).collect()
    }

    /// Finds out which party of `role` certified the signer of `chain`, at the moment `now`.
    ///
    /// # Errors
    /// [`TrustError`] if none did; the reason is that of the last party tried.
    pub fn identify(
        &self,
        role: Role,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<TrustedParty, TrustError> {
        self.identify_among(role, chain, now, |_| true)
    }

    /// As [`TrustList::identify`], of that party alone, as this list names it: it may have rotated its keys since.
    ///
    /// # Errors
    /// [`TrustError`] if it did not, or is no longer on the list.
    pub fn identify_as(
        &self,
        party: &TrustEntry,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<TrustedParty, TrustError> {
        let same = |entry: &TrustEntry| {
            entry.identifier == party.identifier && entry.country() == party.country()
        };
        self.identify_among(party.role, chain, now, same)
    }

    fn identify_among(
        &self,
        role: Role,
        chain: &Chain,
        now: Timestamp,
        among: impl Fn(&TrustEntry) -> bool,
    ) -> Result<TrustedParty, TrustError> {
        if self.validity().check(now, LEEWAY_SECONDS).is_err() {
            return Err(TrustError::ListExpired);
        }
        let mut refusal = TrustError::Nobody(role);
        for entry in self.in_role(role).filter(|entry| entry.holds_at(now) && among(entry)) {
            let verify = || anchors(entry).and_then(|anchors| chain.verify(&anchors, now));
            match self.good_paths.leaf(&entry.certificates, chain, now, verify) {
                Ok(leaf) if entry.withdrew(&leaf) => {
                    let party = entry.identifier.clone();
                    return Err(TrustError::Withdrawn { party });
                }
                Ok(leaf) => return Ok(TrustedParty { entry: entry.clone(), leaf }),
                Err(reason @ ChainError::CarriesAnchor(_)) => {
                    return Err(TrustError::Chain { role, reason });
                }
                Err(reason) => refusal = TrustError::Chain { role, reason },
            }
        }
        Err(refusal)
    }

    fn in_role(&self, role: Role) -> impl Iterator<Item = &TrustEntry> {
        // A role we do not know grants nothing, whatever a later version means by it.
        self.entries.iter().filter(move |entry| entry.role == role && role != Role::Other)
    }

    fn validity(&self) -> Validity {
        Validity {
            issued_at: Some(self.issued_at),
            not_before: None,
            expires_at: Some(self.expires_at),
        }
    }
}

/// Whether nobody on the way reads along: https, or http to this machine.
pub(crate) fn is_safe_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| match url.host() {
        Some(_) if url.scheme() == "https" => true,
        Some(url::Host::Domain(name)) if url.scheme() == "http" => {
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(url::Host::Ipv4(ip)) if url.scheme() == "http" => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) if url.scheme() == "http" => ip.is_loopback(),
        _ => false,
    })
}

/// The entry's authorities as DER; each must read as X.509.
impl TrustEntry {
    /// Its certification authorities (DER).
    ///
    /// # Errors
    /// [`ChainError`] if there is none, or one cannot be read.
    pub fn authorities(&self) -> Result<Vec<Vec<u8>>, ChainError> {
        anchors(self)
    }
}

fn anchors(entry: &TrustEntry) -> Result<Vec<Vec<u8>>, ChainError> {
    let decode = |(index, text): (usize, &String)| {
        let der = STANDARD.decode(text).map_err(|_| ChainError::Base64(index))?;
        Chain::from_der(vec![der.clone()]).map_err(|_| ChainError::Anchor(index))?;
        Ok(der)
    };
    match entry.certificates.as_slice() {
        [] => Err(ChainError::Empty),
        certificates => certificates.iter().enumerate().map(decode).collect(),
    }
}
