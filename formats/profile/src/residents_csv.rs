//! `residents.csv` (RFC 4180, UTF-8, no line breaks within fields): strict reading, in which
//! every value is checked against the resident number, and writing.

use crate::error::{Findings, ProfileErrors};
use crate::number::{NumberScheme, Sex};
use crate::resident::{Column, Relation, Resident};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The file for these residents, in their order; the bytes depend on nothing else.
#[must_use]
pub fn write_residents(residents: &[Resident]) -> String {
    let header: Vec<&str> = Column::WORDS.iter().map(|(word, _)| *word).collect();
    let mut text = header.join(",");
    text.push('\n');
    for resident in residents {
        for (index, (_, column)) in Column::WORDS.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            let value = resident.value(*column);
            if value.contains([',', '"']) {
                text.push_str(&format!("\"{}\"", value.replace('"', "\"\"")));
            } else {
                text.push_str(&value);
            }
        }
        text.push('\n');
    }
    text
}

/// Reads the file. `today` bounds dates of birth: nobody is born later.
pub(crate) fn read_residents(
    file: &str,
    text: &str,
    scheme: &NumberScheme,
    today: Date,
) -> Result<Vec<Resident>, ProfileErrors> {
    let mut reader = Reader {
        findings: Findings::new(file, text),
        scheme,
        today,
        numbers: BTreeMap::new(),
        households: BTreeMap::new(),
    };
    let mut lines = text.lines().enumerate().map(|(index, line)| (index.saturating_add(1), line));
    let header: Vec<&str> = Column::WORDS.iter().map(|(word, _)| *word).collect();
    let header = header.join(",");
    if lines.next().is_none_or(|(_, line)| line != header) {
        reader.findings.at_line(1, 1, "the header is another", &header);
        return reader.findings.conclude(None);
    }
    let mut residents = Vec::new();
    for (number, line) in lines {
        residents.extend(reader.record(number, line));
    }
    reader.every_household_has_a_head();
    reader.findings.conclude(Some(residents))
}

struct Reader<'a> {
    findings: Findings<'a>,
    scheme: &'a NumberScheme,
    today: Date,
    /// Line of each number seen.
    numbers: BTreeMap<String, usize>,
    /// First line, address and relations seen of each household.
    households: BTreeMap<u32, Household>,
}

struct Household {
    line: usize,
    address: [String; 4],
    once: BTreeSet<Relation>,
}

/// A record's fields with their columns, during reading.
struct Record {
    line: usize,
    fields: Vec<(usize, String)>,
}

impl Record {
    fn get(&self, column: Column) -> (usize, &str) {
        let index = Column::WORDS.iter().position(|(_, c)| *c == column).unwrap_or(0);
        self.fields.get(index).map_or((1, ""), |(at, value)| (*at, value.as_str()))
    }
}

impl Reader<'_> {
    fn record(&mut self, line: usize, text: &str) -> Option<Resident> {
        let fields = match split(text) {
            Ok(fields) => fields,
            Err(column) => {
                let expected = "quotes only around a whole field, doubled within";
                self.findings.at_line(line, column, "a stray quote", expected);
                return None;
            }
        };
        if fields.len() != Column::WORDS.len() {
            let expected = format!("{} fields", Column::WORDS.len());
            self.findings.at_line(line, 1, format!("{} fields", fields.len()), &expected);
            return None;
        }
        let record = Record { line, fields };
        let texts_hold = self.texts_hold(&record);
        let resident = self.resident(&record)?;
        let agrees = self.agrees_with_number(&record, &resident);
        let fits = self.fits_household(&record, &resident);
        (texts_hold && agrees && fits).then_some(resident)
    }

    fn report(&mut self, record: &Record, column: Column, what: &str, expected: &str) {
        let (at, _) = record.get(column);
        self.findings.at_line(record.line, at, what, expected);
    }

    /// Every field says something, without space around it or control characters within.
    fn texts_hold(&mut self, record: &Record) -> bool {
        let mut hold = true;
        for (word, column) in Column::WORDS {
            let (_, value) = record.get(column);
            if value.is_empty() || value.trim() != value || value.chars().any(char::is_control) {
                let what = format!("{word} is empty or has stray space");
                self.report(record, column, &what, "a value");
                hold = false;
            }
        }
        hold
    }

    fn resident(&mut self, record: &Record) -> Option<Resident> {
        let number = self.scheme.parse(record.get(Column::ResidentNumber).1);
        if let Err(error) = &number {
            let (what, expected) = error.finding(self.scheme.standard());
            self.report(record, Column::ResidentNumber, &what, &expected);
        }
        let sex = Sex::from_letter(record.get(Column::Sex).1);
        if sex.is_none() {
            self.report(record, Column::Sex, "sex is another word", "F or M");
        }
        let birth_date = iso_date(record.get(Column::BirthDate).1);
        if birth_date.is_none() {
            self.report(record, Column::BirthDate, "no such day", "a day such as 1990-12-31");
        }
        let household_id = record.get(Column::HouseholdId).1.parse().ok();
        if household_id.is_none() {
            self.report(record, Column::HouseholdId, "no whole number", "a household's number");
        }
        let relation = Relation::from_word(record.get(Column::Relation).1);
        if relation.is_none() {
            let expected = "head, spouse, child or parent";
            self.report(record, Column::Relation, "another word", expected);
        }
        let text = |column| record.get(column).1.to_owned();
        Some(Resident {
            number: number.ok()?,
            family_name: text(Column::FamilyName),
            given_name: text(Column::GivenName),
            sex: sex?,
            birth_date: birth_date?,
            address_code: text(Column::AddressCode),
            region: text(Column::Region),
            locality: text(Column::Locality),
            street: text(Column::Street),
            house: text(Column::House),
            household_id: household_id?,
            relation: relation?,
        })
    }

    fn agrees_with_number(&mut self, record: &Record, resident: &Resident) -> bool {
        let facts = self.scheme.facts(&resident.number);
        let mut agrees = true;
        let mut refuse = |reader: &mut Self, column, what: &str, expected: &str| {
            reader.report(record, column, what, expected);
            agrees = false;
        };
        if let Some(first) = self.numbers.get(resident.number.as_str()) {
            let what = format!("the number stands in line {first} already");
            refuse(self, Column::ResidentNumber, &what, "each number once");
        }
        if facts.region.as_ref().is_some_and(|region| *region != resident.address_code) {
            let expected = "the region within the resident number";
            refuse(self, Column::AddressCode, "address_code is another", expected);
        }
        if facts.birth_date.is_some_and(|date| date != resident.birth_date) {
            let expected = "the date within the resident number";
            refuse(self, Column::BirthDate, "birth_date is another", expected);
        }
        if facts.sex.is_some_and(|sex| sex != resident.sex) {
            let expected = "the sex that the resident number's sequence tells";
            refuse(self, Column::Sex, "sex is another", expected);
        }
        if resident.birth_date > self.today {
            let expected = format!("a day up to {}", self.today);
            refuse(self, Column::BirthDate, "birth_date lies ahead", &expected);
        }
        self.numbers.insert(resident.number.as_str().to_owned(), record.line);
        agrees
    }

    fn fits_household(&mut self, record: &Record, resident: &Resident) -> bool {
        let address = [&resident.region, &resident.locality, &resident.street, &resident.house];
        let address = address.map(Clone::clone);
        let line = record.line;
        let household = self.households.entry(resident.household_id).or_insert_with(|| Household {
            line,
            address: address.clone(),
            once: BTreeSet::new(),
        });
        let same_address = household.address == address;
        let first = household.line;
        let single = matches!(resident.relation, Relation::Head | Relation::Spouse);
        let alone = !single || household.once.insert(resident.relation);
        if !same_address {
            let expected = format!("the address of line {first}, the same household");
            self.report(record, Column::Region, "the address is another", &expected);
        }
        if !alone {
            let what = format!("a second {}", resident.relation.word());
            self.report(record, Column::Relation, &what, "one in a household");
        }
        same_address && alone
    }

    fn every_household_has_a_head(&mut self) {
        // A record refused above may have been the head: then this would mislead.
        if !self.findings.is_clean() {
            return;
        }
        for (id, household) in &self.households {
            if !household.once.contains(&Relation::Head) {
                let what = format!("household {id} has no head");
                self.findings.at_line(household.line, 1, what, "one head in each household");
            }
        }
    }
}

/// Splits a line into fields with the column (from 1) where each begins; `Err` is the column
/// of a stray quote.
fn split(line: &str) -> Result<Vec<(usize, String)>, usize> {
    let mut fields = Vec::new();
    let mut characters = line.chars().enumerate().map(|(i, c)| (i.saturating_add(1), c)).peekable();
    loop {
        let at = characters.peek().map_or(line.chars().count().saturating_add(1), |(at, _)| *at);
        let mut value = String::new();
        let quoted = characters.next_if(|(_, c)| *c == '"').is_some();
        let mut open = quoted;
        while let Some((column, character)) = characters.next_if(|(_, c)| open || *c != ',') {
            match character {
                '"' if open && characters.next_if(|(_, c)| *c == '"').is_some() => value.push('"'),
                '"' if open => open = false,
                '"' => return Err(column),
                _ if quoted && !open => return Err(column),
                other => value.push(other),
            }
        }
        if open {
            return Err(at);
        }
        fields.push((at, value));
        if characters.next().is_none() {
            return Ok(fields);
        }
    }
}

fn iso_date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    // The parser takes more than one spelling; the file has one.
    (date.to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_split_at_commas_outside_quotes_and_know_their_column() {
        let got = split("汉,\"a,\"\"b\",,c").unwrap();
        let expected = [(1, "汉"), (3, "a,\"b"), (11, ""), (12, "c")];
        assert_eq!(got, expected.map(|(at, text)| (at, text.to_owned())));
        assert_eq!(split("").unwrap(), [(1, String::new())]);
        assert_eq!(split("a,").unwrap(), [(1, "a".to_owned()), (3, String::new())]);
        for (bad, column) in [("a\"b", 2), ("\"a\"b", 4), ("x,\"a", 3)] {
            assert_eq!(split(bad), Err(column), "{bad}");
        }
    }

    #[test]
    fn a_date_has_one_spelling() {
        assert!(iso_date("1990-12-31").is_some());
        for bad in ["1990-12-32", "19901231", "1990-12-31T00:00", "", "+001990-12-31"] {
            assert_eq!(iso_date(bad), None, "{bad}");
        }
    }
}
