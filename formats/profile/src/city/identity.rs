//! Names, addresses and numbers for the families.

use super::GenerateError;
use super::data::{CityData, District};
use super::draw::{Draw, Weighted};
use super::households::Family;
use super::people::Person;
use crate::number::{Field, NumberScheme, ResidentNumber, Sex};
use crate::profile::Profile;
use crate::resident::{Relation, Resident};
use std::collections::BTreeSet;

pub(super) fn name_and_number(
    profile: &Profile,
    people: &[Person],
    families: &[Family],
    draw: &mut Draw,
) -> Result<Vec<Resident>, GenerateError> {
    let mut register = Register::new(profile, people);
    for (index, family) in families.iter().enumerate() {
        let id = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        register.enter(id, family, draw)?;
    }
    Ok(register.residents)
}

struct Register<'a> {
    city: &'a CityData,
    scheme: &'a NumberScheme,
    people: &'a [Person],
    family_names: Weighted<&'a str>,
    districts: Weighted<&'a District>,
    taken: BTreeSet<ResidentNumber>,
    residents: Vec<Resident>,
}

/// What the members of a household share.
struct Home<'a> {
    id: u32,
    district: &'a District,
    street: String,
    house: String,
}

impl<'a> Register<'a> {
    fn new(profile: &'a Profile, people: &'a [Person]) -> Self {
        let city = &profile.city;
        let names = city.family_names.iter().map(|(name, weight)| (*weight, name.as_str()));
        Self {
            city,
            scheme: &profile.resident_number,
            people,
            family_names: Weighted::new(names),
            districts: Weighted::new(city.districts.iter().map(|d| (d.weight, d))),
            taken: BTreeSet::new(),
            residents: Vec::with_capacity(people.len()),
        }
    }

    fn enter(&mut self, id: u32, family: &Family, draw: &mut Draw) -> Result<(), GenerateError> {
        // INVARIANT: a profile has at least one district, with a street, each weighing something.
        let Some(district) = self.districts.draw(draw) else { return Ok(()) };
        let home = Home {
            id,
            district,
            street: draw.pick(&district.streets).cloned().unwrap_or_default(),
            house: house(&self.city.house, draw),
        };
        let head_name = self.family_name(draw);
        let own_name = self.family_name(draw);
        let shared = self.city.shared_family_name_percent;
        let spouse_name =
            if shared > 0 && draw.percent(shared) { head_name.clone() } else { own_name };
        self.add(family.head, Relation::Head, &head_name, &home, draw)?;
        if let Some(spouse) = family.spouse {
            self.add(spouse, Relation::Spouse, &spouse_name, &home, draw)?;
        }
        // Children of a couple mostly bear the father's name; who has both may bear either.
        let childrens = if family.spouse.is_some() && draw.percent(8)
            || family.spouse.is_none() && draw.percent(70)
        {
            &spouse_name
        } else {
            &head_name
        };
        for &child in &family.children {
            self.add(child, Relation::Child, childrens, &home, draw)?;
        }
        for &parent in &family.parents {
            let father = self.people.get(parent).is_some_and(|p| p.sex == Sex::Male);
            let own = self.family_name(draw);
            let name = if father { &head_name } else { &own };
            self.add(parent, Relation::Parent, name, &home, draw)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        index: usize,
        relation: Relation,
        family_name: &str,
        home: &Home<'_>,
        draw: &mut Draw,
    ) -> Result<(), GenerateError> {
        let Some(person) = self.people.get(index) else { return Ok(()) };
        let born_here = draw.percent(if relation == Relation::Child { 85 } else { 55 });
        let elsewhere = self.districts.draw(draw).unwrap_or(home.district);
        let region = if born_here { home.district } else { elsewhere };
        let number = self.number(person, &region.code, draw)?;
        self.residents.push(Resident {
            number,
            family_name: family_name.to_owned(),
            given_name: self.given_name(person.sex, draw),
            sex: person.sex,
            birth_date: person.birth,
            address_code: region.code.clone(),
            region: self.city.region.clone(),
            locality: home.district.locality.clone(),
            street: home.street.clone(),
            house: home.house.clone(),
            household_id: home.id,
            relation,
        });
        Ok(())
    }

    fn family_name(&self, draw: &mut Draw) -> String {
        self.family_names.draw(draw).unwrap_or_default().to_owned()
    }

    fn given_name(&self, sex: Sex, draw: &mut Draw) -> String {
        let parts = match sex {
            Sex::Female => &self.city.given_female,
            Sex::Male => &self.city.given_male,
        };
        let count = if draw.percent(self.city.single_given_percent) { 1 } else { 2 };
        let names: Vec<&str> =
            (0..count).filter_map(|_| draw.pick(parts).map(String::as_str)).collect();
        names.join(&self.city.given_joiner)
    }

    fn number(
        &mut self,
        person: &Person,
        region: &str,
        draw: &mut Draw,
    ) -> Result<ResidentNumber, GenerateError> {
        // From the upper end, so that where numbers are given out from below fewer of these are
        // somebody's.
        let start = draw.below(200).saturating_add(800);
        for step in 0..1000_u32 {
            let sequence = start.saturating_add(step) % 1000;
            let body = body(self.scheme, person, region, sequence, draw);
            let Some(body) = body else { continue };
            // INVARIANT: the body follows the scheme's layout, so that only repetition refuses.
            if let Ok(number) = self.scheme.complete(&body)
                && self.taken.insert(number.clone())
            {
                return Ok(number);
            }
        }
        Err(GenerateError::NumbersExhausted)
    }
}

/// Everything before the check character; `None` if the sequence tells the other sex, or is 0.
fn body(
    scheme: &NumberScheme,
    person: &Person,
    region: &str,
    sequence: u32,
    draw: &mut Draw,
) -> Option<String> {
    let mut body = String::new();
    for field in scheme.fields() {
        match field {
            Field::Region { .. } => body.push_str(region),
            Field::BirthDate => body.push_str(&person.birth.strftime("%Y%m%d").to_string()),
            Field::Sequence { length, parity_is_sex } => {
                let male = person.sex == Sex::Male;
                if sequence == 0 || (*parity_is_sex && (sequence % 2 == 1) != male) {
                    return None;
                }
                let digits = format!("{sequence:0>width$}", width = *length);
                // A scheme with fewer digits than the draw has keeps the last ones.
                body.push_str(digits.get(digits.len().saturating_sub(*length)..)?);
            }
            Field::Plain { length, alphabet } => {
                body.extend((0..*length).filter_map(|_| draw.pick(alphabet)));
            }
            Field::Check { .. } => {}
        }
    }
    Some(body)
}

/// Fills in `{number}`, `{building}` and `{flat}`.
fn house(pattern: &str, draw: &mut Draw) -> String {
    let number = draw.below(380).saturating_add(1);
    let building = draw.below(18).saturating_add(1);
    let flat = draw
        .below(26)
        .saturating_add(1)
        .saturating_mul(100)
        .saturating_add(draw.below(4))
        .saturating_add(1);
    pattern
        .replace("{number}", &number.to_string())
        .replace("{building}", &building.to_string())
        .replace("{flat}", &flat.to_string())
}
