//! What was read of a card, told to a person or as JSON.

use crate::words::{say, text};
use serde::Serialize;
use yufu_card::{CardData, Opened};
use yufu_emrtd::crypto::{Curve, Suite};
use yufu_emrtd::mrz::Sex;

/// What was read of a card. Every member was proven to be what its country wrote.
#[derive(Serialize)]
pub(super) struct Told {
    place: String,
    document_number: String,
    issuer: String,
    expiry: String,
    names: String,
    full_name: Option<String>,
    personal_number: Option<String>,
    birth: String,
    sex: &'static str,
    nationality: String,
    address: Option<String>,
    portrait_bytes: Option<usize>,
    opened_by: String,
    signed_by: String,
    chip_authentication: bool,
    active_authentication: bool,
}

impl Told {
    pub(super) fn of(data: &CardData, place: String) -> Self {
        let CardData { zone, details, portrait, proofs, .. } = data;
        let detail = |part: fn(&yufu_emrtd::file::Details) -> String| {
            details.as_ref().map(part).filter(|text| !text.is_empty())
        };
        Self {
            place,
            document_number: zone.number.clone(),
            issuer: zone.issuer.clone(),
            expiry: zone.expiry.digits().to_owned(),
            names: format!("{}, {}", zone.names.0, zone.names.1),
            full_name: detail(|details| details.full_name.clone()),
            personal_number: detail(|details| details.personal_number.clone()),
            birth: detail(|details| details.birth.clone())
                .unwrap_or_else(|| zone.birth.digits().to_owned()),
            sex: match zone.sex {
                Sex::Female => "F",
                Sex::Male => "M",
                Sex::Unspecified => "",
            },
            nationality: zone.nationality.clone(),
            address: detail(|details| details.address.join(" ")),
            portrait_bytes: portrait.as_ref().map(|portrait| portrait.image.len()),
            opened_by: opened(proofs.opened),
            signed_by: format!("{} ({})", proofs.signer, proofs.country),
            chip_authentication: proofs.chip,
            active_authentication: proofs.signature,
        }
    }

    pub(super) fn say(&self) {
        let none = String::new;
        let full_name = self.full_name.clone().unwrap_or_else(|| self.names.clone());
        say!(
            "Card {number} of {issuer}, on {place}",
            number = self.document_number,
            issuer = self.issuer,
            place = self.place
        );
        say!("  name         {name}", name = full_name);
        say!("  in the zone  {names}", names = self.names);
        say!("  number       {number}", number = self.personal_number.clone().unwrap_or_else(none));
        say!(
            "  born         {birth}, {sex}, {nationality}",
            birth = self.birth,
            sex = self.sex,
            nationality = self.nationality
        );
        say!("  address      {address}", address = self.address.clone().unwrap_or_else(none));
        say!("  last day     {expiry}", expiry = self.expiry);
        say!("  portrait     {bytes} bytes", bytes = self.portrait_bytes.unwrap_or(0));
        say!("Proven:");
        say!("  opened by {way}", way = self.opened_by);
        say!(
            "  the data are those that {signer} signed, under an authority of the master list, and not revoked",
            signer = self.signed_by
        );
        let proof = |proven: bool| {
            if proven { text!("proven") } else { text!("not offered by this card") }
        };
        say!("  no copy, by chip authentication: {proof}", proof = proof(self.chip_authentication));
        say!(
            "  no copy, by active authentication: {proof}",
            proof = proof(self.active_authentication)
        );
    }
}

/// How a card was opened, in the standards' own words.
fn opened(opened: Opened) -> String {
    let Opened::Pace(protocol) = opened else { return "BAC".to_owned() };
    let curve = match protocol.curve {
        Curve::NistP256 => "NIST P-256",
        Curve::BrainpoolP256r1 => "brainpoolP256r1",
    };
    let suite = match protocol.suite {
        Suite::TripleDes => "3DES",
        Suite::Aes128 => "AES-128",
        Suite::Aes256 => "AES-256",
    };
    format!("PACE-GM, {curve}, {suite}")
}
