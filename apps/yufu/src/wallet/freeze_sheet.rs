//! What freezes everything at once after a loss or theft: twelve words, and where they are good. Each institution was
//! left a key of its own that comes from the words (docs/adr/0038), so that none of them finds the others; whoever has
//! the sheet can freeze, and nothing else.

use super::contents::Contents;
use crate::words::text;
use anyhow::{Context, Result, ensure};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_ecash::{Seed, words_from_entropy};
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Says what the words are extracted for; a change would make every sheet that was written useless.
const DOMAIN: &[u8] = b"yufu.wallet.freeze-key.v1";
/// The form of a sheet.
const FORMAT: &str = "yufu-freeze-sheet-1";

/// Which kind of institution a key was left at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PlaceKind {
    /// Issues the identity.
    IdentityAuthority,
    /// Keeps an account.
    CommercialBank,
    /// Issued a ticket.
    Railway,
    /// Vouches for the wallet.
    WalletProvider,
    /// Knows a member by a pseudonym.
    Agency,
}

/// Where a key was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreezePlace {
    /// The institution, by its id.
    pub(super) institution: String,
    /// What it is.
    pub(super) kind: PlaceKind,
    /// Which of the keys that were left there: nothing of an account or a ticket.
    pub(super) number: u32,
    /// The other country that it is in (ISO 3166-1 alpha-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
}

/// The words. Never printed but on a sheet; wiped when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
struct FreezeWords(String);

/// A sheet: to be printed, or kept on a second device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreezeSheet {
    format: String,
    words: FreezeWords,
    /// Where they are good.
    pub(super) places: Vec<FreezePlace>,
}

/// What a wallet keeps for its own sheet.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    words: FreezeWords,
    places: Vec<GuardedPlace>,
}

/// A place, and what it is about here: an account, or nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardedPlace {
    place: FreezePlace,
    about: String,
    /// Whether the institution has the key.
    left: bool,
}

impl PlaceKind {
    /// The word of the trust list's directory for such an institution.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::IdentityAuthority => "identity-authority",
            Self::CommercialBank => "commercial-bank",
            Self::Railway => "railway",
            Self::WalletProvider => "wallet-provider",
            Self::Agency => "agency",
        }
    }
}

impl FreezePlace {
    /// Where such an institution is asked to freeze.
    pub(super) fn path(&self) -> String {
        let id = &self.institution;
        match self.kind {
            PlaceKind::IdentityAuthority => "/authority/v1/freezes".to_owned(),
            PlaceKind::CommercialBank => format!("/banks/{id}/v1/freezes"),
            PlaceKind::Railway => format!("/parties/{id}/v1/freezes"),
            PlaceKind::WalletProvider => format!("/wallet-providers/{id}/v1/freezes"),
            PlaceKind::Agency => format!("/agencies/{id}/v1/freezes"),
        }
    }

    /// How it is called among all places: the institutions of two countries may be called the same.
    fn name(&self) -> String {
        let Self { institution, number, country, .. } = self;
        match country {
            None => format!("{institution}/{number}"),
            Some(country) => format!("{country}:{institution}/{number}"),
        }
    }
}

impl FreezeWords {
    /// The key for a place.
    fn key(&self, place: &FreezePlace) -> Result<SoftwareKey> {
        let written = self.0.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let written = Zeroizing::new(written.join(" "));
        // Mistyped words are found here, and not by an institution that knows no such key.
        Seed::from_words(&written, "")?;
        let mut seed = Zeroizing::new([0_u8; 32]);
        let name = place.name();
        let info = [name.as_bytes()];
        let secret = Salt::new(HKDF_SHA256, DOMAIN).extract(written.as_bytes());
        let derived = secret.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut *seed));
        derived.ok().with_context(|| text!("the cryptographic library derives no key"))?;
        Ok(SoftwareKey::from_seed(&seed)?)
    }
}

impl FreezeSheet {
    /// Reads a sheet, copied or typed.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let sheet: Self = serde_json::from_slice(bytes)
            .with_context(|| text!("this is no sheet that `yufu wallet sheet` wrote"))?;
        ensure!(
            sheet.format == FORMAT,
            text!("the sheet is of format {format}: use a newer program", format = sheet.format)
        );
        Seed::from_words(&sheet.words.0.to_lowercase(), "")?;
        Ok(sheet)
    }

    /// The key for a place of it.
    pub(super) fn key(&self, place: &FreezePlace) -> Result<SoftwareKey> {
        self.words.key(place)
    }

    /// Whether it is of the same wallet.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.words.0 == other.words.0
    }
}

impl Guard {
    fn fresh() -> Result<Self> {
        let words = words_from_entropy(&*Zeroizing::new(random::<16>()))?;
        Ok(Self { words: FreezeWords((*words).clone()), places: Vec::new() })
    }

    /// Whether a key was left there about this: an account, which is at one place only.
    pub(super) fn has(&self, institution: &str, about: &str) -> bool {
        self.at(institution, about).is_some_and(|known| known.left)
    }

    fn at(&self, institution: &str, about: &str) -> Option<&GuardedPlace> {
        let mut places = self.places.iter();
        places.find(|known| known.place.institution == institution && known.about == about)
    }

    /// The place of the key for this, the same as long as it is about the same.
    pub(super) fn place(
        &mut self,
        (institution, kind): (&str, PlaceKind),
        country: Option<&str>,
        about: &str,
    ) -> FreezePlace {
        if let Some(known) = self.at(institution, about) {
            return known.place.clone();
        }
        let there = self.places.iter().filter(|known| known.place.institution == institution);
        let number = there.map(|known| known.place.number.saturating_add(1)).max().unwrap_or(0);
        let (institution, country) = (institution.to_owned(), country.map(str::to_owned));
        let place = FreezePlace { institution, kind, number, country };
        let known = GuardedPlace { place: place.clone(), about: about.to_owned(), left: false };
        self.places.push(known);
        place
    }

    /// The key for a place.
    pub(super) fn key(&self, place: &FreezePlace) -> Result<SoftwareKey> {
        self.words.key(place)
    }

    /// The institution has the key.
    pub(super) fn left(&mut self, place: &FreezePlace) {
        let known = self.places.iter_mut().filter(|known| known.place == *place);
        known.for_each(|known| known.left = true);
    }

    /// The institution keeps the key no longer, as another key commands what it was about.
    pub(super) fn dropped(&mut self, institution: &str, about: &str) {
        let of = |known: &&mut GuardedPlace| {
            known.place.institution == institution && known.about == about
        };
        self.places.iter_mut().filter(of).for_each(|known| known.left = false);
    }

    /// The sheet, as of now.
    pub(super) fn sheet(&self) -> FreezeSheet {
        let left = self.places.iter().filter(|known| known.left);
        FreezeSheet {
            format: FORMAT.to_owned(),
            words: self.words.clone(),
            places: left.map(|known| known.place.clone()).collect(),
        }
    }
}

impl Contents {
    /// What is kept for the wallet's sheet; made at first need.
    pub(super) fn guard(&mut self) -> Result<&mut Guard> {
        if self.guard.is_none() {
            self.guard = Some(Guard::fresh()?);
        }
        self.guard.as_mut().with_context(|| text!("the wallet has no words for a sheet"))
    }
}

impl fmt::Debug for FreezeWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreezeWords(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::Signer;
    use yufu_jose::Jwk;

    const WORDS: &str =
        "legal winner thank year wave sausage worth useful legal winner thank yellow";

    fn place(institution: &str, number: u32) -> FreezePlace {
        let kind = PlaceKind::CommercialBank;
        FreezePlace { institution: institution.to_owned(), kind, number, country: None }
    }

    fn thumbprint(words: &str, place: &FreezePlace) -> String {
        let key = FreezeWords(words.to_owned()).key(place).unwrap();
        Jwk::from(key.public_key()).thumbprint_base64url()
    }

    #[test]
    fn each_place_has_a_key_of_its_own_and_typing_changes_none() {
        let one = thumbprint(WORDS, &place("bank-a", 0));
        assert_eq!(thumbprint(&WORDS.replace(' ', "  ").to_uppercase(), &place("bank-a", 0)), one);
        let abroad = FreezePlace { country: Some("XP".to_owned()), ..place("bank-a", 0) };
        for other in [place("bank-b", 0), place("bank-a", 1), abroad] {
            assert_ne!(thumbprint(WORDS, &other), one);
        }
        assert!(FreezeWords(WORDS.replace("yellow", "year")).key(&place("bank-a", 0)).is_err());
    }

    #[test]
    fn a_place_keeps_its_number_and_stands_on_the_sheet_once_its_key_was_left() {
        let mut guard = Guard::fresh().unwrap();
        let bank = ("bank-a", PlaceKind::CommercialBank);
        let (one, two) =
            (guard.place(bank, None, "account 1"), guard.place(bank, None, "account 2"));
        assert_eq!((one.number, two.number), (0, 1));
        assert_eq!(guard.place(bank, None, "account 1"), one);
        assert!(guard.sheet().places.is_empty());
        guard.left(&two);
        assert_eq!(guard.sheet().places, std::slice::from_ref(&two));
        assert!(guard.has("bank-a", "account 2") && !guard.has("bank-a", "account 1"));
        guard.dropped("bank-a", "account 2");
        assert!(guard.sheet().places.is_empty());
    }

    #[test]
    fn a_sheet_is_read_as_it_was_written_says_no_account_and_is_never_printed() {
        let mut guard = Guard::fresh().unwrap();
        let place = guard.place(("bank-a", PlaceKind::CommercialBank), None, "account 1");
        guard.left(&place);
        let written = serde_json::to_vec(&guard.sheet()).unwrap();
        assert!(!String::from_utf8_lossy(&written).contains("account"));
        let read = FreezeSheet::read(&written).unwrap();
        assert!(read.is_of(&guard.sheet()));
        assert_eq!(read.places, std::slice::from_ref(&place));
        let (theirs, own) = (read.key(&place).unwrap(), guard.key(&place).unwrap());
        assert_eq!(theirs.public_key(), own.public_key());
        assert!(!format!("{read:?}").contains(&read.words.0));
        assert!(FreezeSheet::read(b"{}").is_err());
        let newer = String::from_utf8(written).unwrap().replace(FORMAT, "yufu-freeze-sheet-2");
        assert!(FreezeSheet::read(newer.as_bytes()).is_err());
    }
}
