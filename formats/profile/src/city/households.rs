//! Who lives with whom: couples, children with a mother of the right age, grandparents.

use super::draw::Draw;
use super::people::{ADULT, Person, birth};
use crate::number::Sex;
use jiff::civil::Date;
use std::collections::VecDeque;

/// Indices into the people. Everyone is in exactly one family.
#[derive(Clone, Default)]
pub(super) struct Family {
    pub(super) head: usize,
    pub(super) spouse: Option<usize>,
    pub(super) children: Vec<usize>,
    /// Of the head: a couple, or one of them.
    pub(super) parents: Vec<usize>,
}

/// A mother is 21 to 44 years older than her child.
const MOTHER: std::ops::RangeInclusive<u8> = 21..=44;
/// Between births of one mother that are no twins, in days.
const BETWEEN_BIRTHS: u32 = 300;
/// Of a hundred old people who could, so many live with a child's family.
const WITH_CHILDS_FAMILY: u32 = 35;
/// Of a hundred unmarried people in their twenties, so many live with their parents.
const STAY_HOME: u32 = 60;

pub(super) fn form(people: &mut [Person], as_of: Date, draw: &mut Draw) -> Vec<Family> {
    let mut families = marry(people, draw);
    let mut at_home: Vec<usize> = Vec::new();
    let married: Vec<bool> = mark_married(people.len(), &families);
    for (index, person) in people.iter().enumerate() {
        if person.age < ADULT {
            at_home.push(index);
        } else if married.get(index) == Some(&false) {
            if person.age < 30 && draw.percent(STAY_HOME) {
                at_home.push(index);
            } else {
                families.push(Family { head: index, ..Family::default() });
            }
        }
    }
    for index in assign_children(people, &mut families, &at_home, draw) {
        // No mother is left (in very small cities): let it be a grown-up who lives alone.
        if let Some(person) = people.get_mut(index) {
            if person.age < ADULT {
                person.age = ADULT.saturating_add(u8::try_from(draw.below(30)).unwrap_or(0));
                person.birth = birth(person.age, as_of, draw);
            }
            families.push(Family { head: index, ..Family::default() });
        }
    }
    join_grandparents(people, families, draw)
}

/// Of a hundred women of an age, so many are married.
const fn married_percent(age: u8) -> u32 {
    match age {
        0..22 => 0,
        22..25 => 25,
        25..30 => 60,
        30..35 => 85,
        35..60 => 92,
        60..70 => 85,
        70..80 => 65,
        _ => 35,
    }
}

/// A husband's age less his wife's, the most usual first.
const AGE_DIFFERENCES: [i16; 12] = [2, 1, 3, 0, 4, -1, 5, -2, 6, 7, -3, 8];

fn marry(people: &[Person], draw: &mut Draw) -> Vec<Family> {
    let mut men: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (index, man) in people.iter().enumerate().filter(|(_, p)| p.sex == Sex::Male) {
        if let Some(bucket) = men.get_mut(usize::from(man.age)).filter(|_| man.age >= ADULT) {
            bucket.push(index);
        }
    }
    let mut families = Vec::new();
    for (index, woman) in people.iter().enumerate().filter(|(_, p)| p.sex == Sex::Female) {
        if !draw.percent(married_percent(woman.age)) {
            continue;
        }
        let first = draw.index(5);
        let order = AGE_DIFFERENCES.iter().skip(first).chain(AGE_DIFFERENCES.iter().take(first));
        let husband = order.into_iter().find_map(|difference| {
            let age = i16::from(woman.age).checked_add(*difference)?;
            men.get_mut(usize::try_from(age).ok()?)?.pop()
        });
        if let Some(head) = husband {
            families.push(Family { head, spouse: Some(index), ..Family::default() });
        }
    }
    families
}

fn mark_married(count: usize, families: &[Family]) -> Vec<bool> {
    let mut married = vec![false; count];
    for index in families.iter().flat_map(|f| [Some(f.head), f.spouse]).flatten() {
        if let Some(flag) = married.get_mut(index) {
            *flag = true;
        }
    }
    married
}

/// Gives each child a mother; the children for whom there is none are returned.
fn assign_children(
    people: &[Person],
    families: &mut [Family],
    at_home: &[usize],
    draw: &mut Draw,
) -> Vec<usize> {
    // Families with room by the mother's age: couples most, some women alone.
    let mut room: Vec<Vec<(usize, usize)>> = vec![Vec::new(); 256];
    for (index, family) in families.iter().enumerate() {
        let mother = family.spouse.unwrap_or(family.head);
        let Some(mother) = people.get(mother).filter(|p| p.sex == Sex::Female) else { continue };
        let alone = family.spouse.is_none();
        let places = match draw.below(100) {
            _ if alone && draw.percent(75) => 0,
            0..45 => 1,
            45..90 => 2,
            _ => 3,
        };
        if let Some(bucket) = room.get_mut(usize::from(mother.age)).filter(|_| places > 0) {
            bucket.push((index, places));
        }
    }
    let mut orphans = Vec::new();
    for &child in at_home {
        let Some(person) = people.get(child) else { continue };
        let wished = draw.below(7).saturating_add(draw.below(7)).saturating_add(22);
        let wished = u8::try_from(wished).unwrap_or(28);
        let mut gaps: Vec<u8> = MOTHER.collect();
        gaps.sort_by_key(|gap| gap.abs_diff(wished));
        let family = gaps.iter().find_map(|gap| {
            let bucket = room.get_mut(usize::from(person.age.checked_add(*gap)?))?;
            find_place(people, families, bucket, person, draw)
        });
        match family.and_then(|index| families.get_mut(index)) {
            Some(family) => family.children.push(child),
            None => orphans.push(child),
        }
    }
    orphans
}

/// Takes a place in a family whose other children were born far enough from this one.
fn find_place(
    people: &[Person],
    families: &[Family],
    bucket: &mut Vec<(usize, usize)>,
    child: &Person,
    draw: &mut Draw,
) -> Option<usize> {
    for _ in 0..4 {
        let at = draw.index(bucket.len());
        let (index, places) = bucket.get_mut(at)?;
        let siblings = families.get(*index)?.children.iter().filter_map(|c| people.get(*c));
        let apart = siblings.into_iter().all(|sibling| {
            let days = sibling.birth.since(child.birth).map_or(0, |span| span.get_days());
            days.unsigned_abs() >= BETWEEN_BIRTHS
        });
        if apart {
            let family = *index;
            *places = places.saturating_sub(1);
            if *places == 0 {
                bucket.swap_remove(at);
            }
            return Some(family);
        }
    }
    None
}

/// Moves some old couples and widowed into the family of somebody of their children's age.
fn join_grandparents(people: &[Person], families: Vec<Family>, draw: &mut Draw) -> Vec<Family> {
    let age = |index: usize| people.get(index).map_or(0, |p| p.age);
    let mut hosts: Vec<VecDeque<usize>> = vec![VecDeque::new(); 256];
    for (index, family) in families.iter().enumerate() {
        if let Some(bucket) = hosts.get_mut(usize::from(age(family.head))) {
            bucket.push_back(index);
        }
    }
    let mut moves: Vec<Option<usize>> = vec![None; families.len()];
    let mut hosting = vec![false; families.len()];
    for (index, old) in families.iter().enumerate() {
        let youngest = age(old.head).min(old.spouse.map_or(u8::MAX, age));
        let free = old.children.is_empty() && hosting.get(index) == Some(&false);
        if youngest < 60 || !free || !draw.percent(WITH_CHILDS_FAMILY) {
            continue;
        }
        let gap = u8::try_from(draw.below(10)).unwrap_or(0).saturating_add(22);
        let bucket = hosts.get_mut(usize::from(youngest.saturating_sub(gap)));
        let Some(host) = bucket.and_then(VecDeque::pop_front) else { continue };
        // Whoever lives with their own children cannot be moved and moved to at once.
        if host != index
            && moves.get(host) == Some(&None)
            && let (Some(place), Some(flag)) = (moves.get_mut(index), hosting.get_mut(host))
        {
            *place = Some(host);
            *flag = true;
        }
    }
    merge(families, &moves)
}

fn merge(families: Vec<Family>, moves: &[Option<usize>]) -> Vec<Family> {
    let mut result = families.clone();
    for (old, host) in families.iter().zip(moves) {
        if let Some(host) = host.and_then(|index| result.get_mut(index)) {
            host.parents = [Some(old.head), old.spouse].into_iter().flatten().collect();
        }
    }
    let stays = result.into_iter().zip(moves).filter(|(_, host)| host.is_none());
    stays.map(|(family, _)| family).collect()
}
