//! The machine-readable zone of a card (ICAO 9303-5, TD1): three lines of thirty characters with check digits.

use yufu_base::Timestamp;

/// Characters of a zone.
const LENGTH: usize = 90;
const LINE: usize = 30;
/// The kind of document that an identity card is.
pub const IDENTITY_CARD: char = 'I';

/// Why characters are no machine-readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MrzError {
    /// It has another length, or other characters.
    #[error("a card's zone is three lines of thirty characters, A to Z, 0 to 9 and <")]
    Shape,
    /// A check digit does not belong to its field.
    #[error("the check digit of the {0} is wrong: read the zone again")]
    Check(&'static str),
    /// A field cannot be written.
    #[error("the {0} does not fit into the zone")]
    Field(&'static str),
}

/// What the zone says of the sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Not said.
    Unspecified,
}

/// A day with two digits for the year, as the zone has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortDate([u8; 6]);

/// A machine-readable zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mrz {
    /// What kind of document: `I` for an identity card.
    pub document_code: String,
    /// Who issued it: three letters.
    pub issuer: String,
    /// The document's number: at most nine characters.
    pub number: String,
    /// The holder's day of birth.
    pub birth: ShortDate,
    /// The holder's sex.
    pub sex: Sex,
    /// The document's last day.
    pub expiry: ShortDate,
    /// The holder's nationality: three letters.
    pub nationality: String,
    /// Family and given names in Latin letters.
    pub names: (String, String),
}

impl ShortDate {
    /// From a date such as `1965-12-04`; of a year only the last two digits remain.
    ///
    /// # Errors
    /// [`MrzError::Field`] if it is no such date.
    pub fn of(date: &str) -> Result<Self, MrzError> {
        let mut parts = date.split('-');
        let mut next = |length: usize| parts.next().filter(|part| part.len() == length);
        let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else {
            return Err(MrzError::Field("date"));
        };
        let year = year.get(2..).unwrap_or_default();
        Self::from_digits(&[year, month, day].concat()).ok_or(MrzError::Field("date"))
    }

    /// From six digits: year, month, day.
    #[must_use]
    pub fn from_digits(digits: &str) -> Option<Self> {
        let bytes: [u8; 6] = digits.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_digit).then_some(Self(bytes))
    }

    /// When a day of expiry, which lies in this century, is over wherever on earth.
    ///
    /// # Errors
    /// [`MrzError::Field`] if there is no such day.
    pub fn over(&self) -> Result<Timestamp, MrzError> {
        let number = |from: usize| {
            let digits = self.digits().get(from..from.saturating_add(2)).unwrap_or_default();
            digits.parse::<u8>().map_err(|_| MrzError::Field("expiry"))
        };
        let year = u16::from(number(0)?).saturating_add(2000);
        let day = der::DateTime::new(year, number(2)?, number(4)?, 12, 0, 0);
        let noon = day.map_err(|_| MrzError::Field("expiry"))?.unix_duration().as_secs();
        Ok(Timestamp::from_seconds(noon).plus_seconds(86_400))
    }

    /// The six digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Mrz {
    /// The ninety characters.
    ///
    /// # Errors
    /// [`MrzError::Field`] if a field is too long or has other characters. Names are shortened.
    pub fn write(&self) -> Result<String, MrzError> {
        let first = [
            padded(&self.document_code, 2, "document code")?,
            padded(&self.issuer, 3, "issuer")?,
            checked(&padded(&self.number, 9, "number")?),
            "<".repeat(15),
        ]
        .concat();
        let sex = match self.sex {
            Sex::Female => "F",
            Sex::Male => "M",
            Sex::Unspecified => "<",
        };
        let (birth, expiry) = (checked(self.birth.digits()), checked(self.expiry.digits()));
        let nationality = padded(&self.nationality, 3, "nationality")?;
        let optional = "<".repeat(11);
        let composite = [first.get(5..).unwrap_or_default(), &birth, &expiry, &optional].concat();
        let digit = check_digit(&composite).to_string();
        let second = [&birth, sex, &expiry, &nationality, &optional, &digit].concat();
        let mut third = format!("{}<<{}", latin(&self.names.0), latin(&self.names.1));
        third.truncate(LINE);
        Ok([first, second, padded(&third, LINE, "name")?].concat())
    }

    /// Reads ninety characters.
    ///
    /// # Errors
    /// [`MrzError`] if they are no zone, or a check digit is wrong.
    pub fn read(zone: &str) -> Result<Self, MrzError> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<';
        if zone.len() != LENGTH || !zone.bytes().all(allowed) {
            return Err(MrzError::Shape);
        }
        let part = |from: usize, length: usize| {
            zone.get(from..from.saturating_add(length)).unwrap_or_default()
        };
        let verified = |from: usize, length: usize, name| {
            let (field, digit) = (part(from, length), part(from.saturating_add(length), 1));
            let right = check_digit(field).to_string() == digit;
            if right { Ok(field) } else { Err(MrzError::Check(name)) }
        };
        let number = verified(5, 9, "number")?;
        let (birth, expiry) = (verified(30, 6, "birth")?, verified(38, 6, "expiry")?);
        let composite = [part(5, 25), part(30, 7), part(38, 7), part(48, 11)].concat();
        if check_digit(&composite).to_string() != part(59, 1) {
            return Err(MrzError::Check("zone"));
        }
        let names = part(60, LINE).trim_end_matches('<');
        let (family, given) = names.split_once("<<").unwrap_or((names, ""));
        Ok(Self {
            document_code: unpadded(part(0, 2)),
            issuer: unpadded(part(2, 3)),
            number: unpadded(number),
            birth: ShortDate::from_digits(birth).ok_or(MrzError::Field("birth"))?,
            sex: match part(37, 1) {
                "F" => Sex::Female,
                "M" => Sex::Male,
                _ => Sex::Unspecified,
            },
            expiry: ShortDate::from_digits(expiry).ok_or(MrzError::Field("expiry"))?,
            nationality: unpadded(part(45, 3)),
            names: (family.replace('<', " "), given.replace('<', " ")),
        })
    }

    /// What opens the card: number, birth and expiry with their check digits (ICAO 9303-11, 9.7.2).
    #[must_use]
    pub fn information(&self) -> String {
        information(&self.number, self.birth, self.expiry)
    }
}

/// What opens a card, from what stands in its zone.
#[must_use]
pub fn information(number: &str, birth: ShortDate, expiry: ShortDate) -> String {
    let number = format!("{number:<<9}");
    [checked(&number), checked(birth.digits()), checked(expiry.digits())].concat()
}

/// The check digit of a field (ICAO 9303-3, 4.9): weights 7, 3, 1.
#[must_use]
pub fn check_digit(field: &str) -> u32 {
    let values = field.bytes().map(|byte| match byte {
        digit @ b'0'..=b'9' => u32::from(digit.saturating_sub(b'0')),
        letter @ b'A'..=b'Z' => u32::from(letter.saturating_sub(b'A')).saturating_add(10),
        _ => 0,
    });
    let weighted = values.zip([7_u32, 3, 1].into_iter().cycle());
    let sum = weighted
        .fold(0_u32, |sum, (value, weight)| sum.saturating_add(value.saturating_mul(weight)));
    sum.checked_rem(10).unwrap_or(0)
}

fn checked(field: &str) -> String {
    format!("{field}{}", check_digit(field))
}

fn padded(field: &str, length: usize, name: &'static str) -> Result<String, MrzError> {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<';
    if field.len() > length || !field.bytes().all(allowed) {
        return Err(MrzError::Field(name));
    }
    Ok(format!("{field:<<length$}"))
}

fn unpadded(field: &str) -> String {
    field.trim_end_matches('<').to_owned()
}

/// A name in the letters of the zone: transliterated, everything else a filler.
fn latin(name: &str) -> String {
    let spelt = any_ascii::any_ascii(name).to_ascii_uppercase();
    let letters = spelt.chars().filter(|c| *c != '\'' && *c != '.');
    letters.map(|c| if c.is_ascii_uppercase() { c } else { '<' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Mrz {
        Mrz {
            document_code: "I".to_owned(),
            issuer: "UTO".to_owned(),
            number: "D23145890".to_owned(),
            birth: ShortDate::of("1974-08-12").unwrap(),
            sex: Sex::Female,
            expiry: ShortDate::of("2012-04-15").unwrap(),
            nationality: "UTO".to_owned(),
            names: ("Eriksson".to_owned(), "Anna Maria".to_owned()),
        }
    }

    #[test]
    fn the_zone_of_the_standards_specimen_is_written_and_read() {
        let written = zone().write().unwrap();
        let lines = [
            "I<UTOD231458907<<<<<<<<<<<<<<<",
            "7408122F1204159UTO<<<<<<<<<<<6",
            "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        ];
        assert_eq!(written, lines.concat());
        let read = Mrz::read(&written).unwrap();
        assert_eq!(read.names, ("ERIKSSON".to_owned(), "ANNA MARIA".to_owned()));
        assert_eq!((read.sex, read.expiry), (Sex::Female, zone().expiry));
    }

    #[test]
    fn a_card_holds_to_the_end_of_its_last_day_wherever_that_is() {
        let over = ShortDate::of("2026-11-26").unwrap().over().unwrap();
        assert_eq!(over, Timestamp::from_seconds(1_795_780_800));
        assert!(ShortDate::from_digits("261332").unwrap().over().is_err());
    }

    #[test]
    fn a_name_in_another_script_is_spelt() {
        let mut zone = zone();
        zone.names = ("罗".to_owned(), "龙轩".to_owned());
        assert!(zone.write().unwrap().ends_with("LUO<<LONGXUAN<<<<<<<<<<<<<<<<<"));
    }

    #[test]
    fn every_changed_character_of_the_checked_fields_is_noticed() {
        let written = zone().write().unwrap();
        for place in (5..14).chain(30..36).chain(38..44) {
            let mut changed = written.clone().into_bytes();
            changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(matches!(Mrz::read(&changed), Err(MrzError::Check(_))), "{place}");
        }
        assert_eq!(Mrz::read("I<UTO"), Err(MrzError::Shape));
        assert_eq!(Mrz::read(&written.to_lowercase()), Err(MrzError::Shape));
    }

    #[test]
    fn a_field_that_does_not_fit_is_refused_and_a_long_name_is_cut() {
        let number = Mrz { number: "1234567890".to_owned(), ..zone() };
        assert_eq!(number.write(), Err(MrzError::Field("number")));
        assert_eq!(ShortDate::of("12.8.1974"), Err(MrzError::Field("date")));
        let long = Mrz { names: ("A".repeat(40), "B".to_owned()), ..zone() };
        assert_eq!(long.write().unwrap().len(), 90);
    }
}
