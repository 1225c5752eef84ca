//! The attack: what two presentations have in common, weighed by how often pairs of one person have it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "test code"
)]

use super::seen::Seen;
use super::support::country::adults;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use std::collections::{BTreeMap, BTreeSet};

/// What two verifiers may find: the area under the curve, where 0.5 is chance.
pub const CHANCE: f64 = 0.52;
/// How often each person is seen at each verifier.
pub const SHOWN: usize = 5;

/// Whom the attack looks at: `residents`, unless `YUFU_RESIDENTS` says otherwise, and, if it found more than chance,
/// once more at `more` times as many others. So few pairs can go against us by chance: for them the area spreads by
/// one over the root of twelve times the pairs of one person. Of the second look that is a sixth of what it may differ
/// by or less: of a thousand million runs less than one fails where there is nothing to be found; and where there is
/// something, the second look finds it all the better.
pub fn looks(residents: usize, more: usize) -> [Vec<String>; 2] {
    let residents = std::env::var("YUFU_RESIDENTS").map_or(residents, |n| n.parse().unwrap());
    let mut all = adults();
    let others = all.split_off(residents.min(all.len()));
    [all, others.into_iter().take(residents * more).collect()]
}

/// Who comes when, of so many people: it has nothing to do with who came before.
pub fn visits(people: usize, verifiers: [&str; 2]) -> Vec<(usize, &str)> {
    let once = 0..people * SHOWN * verifiers.len();
    let visit = |n: usize| (n % people, verifiers[n / people % verifiers.len()]);
    let mut visits: Vec<(usize, &str)> = once.map(visit).collect();
    visits.shuffle(&mut ChaCha12Rng::seed_from_u64(7));
    visits
}

/// Everything that the colluders have, and, for the judge alone, who it was.
#[derive(Clone)]
pub struct Pool {
    pub residents: usize,
    pub seen: Vec<Seen>,
    pub who: BTreeMap<String, usize>,
}

/// What is looked at in a pair, each put into one of a few classes.
const SIGNS: [&str; 15] = [
    "values in common",
    "status places apart",
    "time apart",
    "length",
    "digests",
    "the digest's place",
    "signature's beginning",
    "key's beginning",
    "the wallet's clock",
    "status lists fetched before",
    "status lists fetched after",
    "trust list fetched before",
    "trust list fetched after",
    "fresh copies fetched before",
    "fresh copies fetched after",
];

/// How long before and after a presentation something was fetched, as it is called among its numbers; nothing, where it is
/// not looked at.
pub const BEFORE_AND_AFTER: [[&str; 2]; 3] =
    [[SIGNS[9], SIGNS[10]], [SIGNS[11], SIGNS[12]], [SIGNS[13], SIGNS[14]]];

/// What stands beside a word in a log line.
fn beside(letter: char) -> bool {
    !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// How often each class of each sign is among pairs of one person, and among pairs of two.
pub struct Learnt {
    classes: Vec<BTreeMap<u64, (f64, f64)>>,
    /// Those it was learnt from; the others are judged.
    from: BTreeSet<usize>,
    /// By presentation: what it shares with some others, and not with many.
    shared: BTreeMap<String, BTreeSet<String>>,
}

impl Pool {
    /// The same with what the verifiers have of those whom this pool is about.
    pub fn with(mut self, rows: Vec<Seen>) -> Self {
        self.seen.extend(rows.into_iter().filter(|seen| self.who.contains_key(&seen.id)));
        self
    }

    /// What the attack makes of it, said: the area under its curve.
    pub fn found(&self) -> f64 {
        let areas = self.judge(&self.learn());
        let each: Vec<String> =
            areas.iter().map(|(sign, area)| format!("{sign} {area:.3}")).collect();
        let (residents, seen) = (self.residents, self.seen.len());
        eprintln!("{residents} residents, {seen} presentations: {}", each.join(", "));
        areas.last().unwrap().1
    }

    /// The log says nothing that tells one presentation from another: no line has anything of one in it.
    pub fn look_at_log(&self, log: &str) {
        assert!(
            log.contains("/verifiers/{verifier}/openid4vp/{id}/response"),
            "requests are logged"
        );
        // What could be a value of one, once: most lines repeat each other.
        let long: BTreeSet<&str> = log.split(beside).filter(|word| word.len() > 20).collect();
        let in_log = |value: &str| {
            let mut words = value.split(beside).filter(|word| word.len() > 20).peekable();
            let may = words.peek().is_none()
                || words.any(|word| long.iter().any(|found| found.contains(word)));
            may && log.contains(value)
        };
        for seen in &self.seen {
            let own = seen.tokens.iter().filter(|token| token.len() > 40);
            let values = own.filter_map(|token| token.split_once('=')).map(|(_, value)| value);
            let values = values.map(|value| value.trim_matches('"')).filter(|v| v.len() > 20);
            for value in values.filter(|value| !value.starts_with("http") && !value.contains(' ')) {
                assert!(!in_log(value), "a log line holds {value}");
            }
            assert!(!log.contains(&seen.id), "a log line holds an id");
        }
    }

    /// Learns from a third of the residents.
    pub fn learn(&self) -> Learnt {
        let from: BTreeSet<usize> = (0..self.residents).step_by(3).collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for token in self.seen.iter().flat_map(|seen| &seen.tokens) {
            *count.entry(token).or_default() += 1;
        }
        // What a twentieth of all have is no mark of anybody.
        let many = self.seen.len() / 20;
        let few = |token: &&String| (2..=many.max(2)).contains(&count[token.as_str()]);
        let shared = self
            .seen
            .iter()
            .map(|seen| (seen.id.clone(), seen.tokens.iter().filter(few).cloned().collect()));
        let shared = shared.collect();
        let mut learnt = Learnt { classes: vec![BTreeMap::new(); SIGNS.len()], from, shared };
        let pairs: Vec<(bool, [u64; SIGNS.len()])> = self
            .pairs()
            .filter(|(one, other, _)| learnt.knows(self, one) && learnt.knows(self, other))
            .map(|(one, other, same)| (same, learnt.signs(one, other)))
            .collect();
        let of_one = pairs.iter().filter(|(same, _)| *same).count();
        assert!(of_one >= self.residents, "too few to learn from: {of_one}");
        for (same, signs) in pairs {
            for (sign, class) in signs.into_iter().enumerate() {
                let (of_one, of_two) = learnt.classes[sign].entry(class).or_default();
                *if same { of_one } else { of_two } += 1.0;
            }
        }
        learnt
    }

    /// The same pool, had the issuer put the same mark into all credentials of a batch.
    pub fn marked(mut self) -> Self {
        for seen in &mut self.seen {
            seen.tokens.insert(format!("batch={}", self.who[&seen.id]));
        }
        self
    }

    /// The area under the curve of each sign alone, and of all together, for those it did not learn from.
    pub fn judge(&self, learnt: &Learnt) -> Vec<(&'static str, f64)> {
        let mut scores = vec![(Vec::new(), Vec::new()); SIGNS.len() + 1];
        for (one, other, same) in self.pairs() {
            if learnt.knows(self, one) || learnt.knows(self, other) {
                continue;
            }
            let weights = learnt.weigh(one, other);
            let all = weights.iter().sum();
            for (place, weight) in weights.into_iter().chain([all]).enumerate() {
                let (same_ones, others) = &mut scores[place];
                if same { same_ones.push(weight) } else { others.push(weight) }
            }
        }
        let areas = scores.into_iter().map(|(same, others)| area(&same, others));
        SIGNS.into_iter().chain(["together"]).zip(areas).collect()
    }

    /// The area under the curve of a score over all pairs.
    pub fn area(&self, score: impl Fn(&Seen, &Seen) -> f64) -> f64 {
        let (mut of_one, mut of_two) = (Vec::new(), Vec::new());
        for (one, other, same) in self.pairs() {
            let score = score(one, other);
            if same { of_one.push(score) } else { of_two.push(score) }
        }
        area(&of_one, of_two)
    }

    /// Each pair of presentations at the two verifiers, and whether both are of one person.
    fn pairs(&self) -> impl Iterator<Item = (&Seen, &Seen, bool)> {
        self.seen.iter().enumerate().flat_map(move |(place, one)| {
            let others = self.seen[place + 1..].iter();
            let elsewhere = others.filter(|other| other.verifier != one.verifier);
            elsewhere.map(move |other| (one, other, self.who[&one.id] == self.who[&other.id]))
        })
    }
}

impl Learnt {
    fn knows(&self, pool: &Pool, seen: &Seen) -> bool {
        self.from.contains(&pool.who[&seen.id])
    }

    fn signs(&self, one: &Seen, other: &Seen) -> [u64; SIGNS.len()] {
        let apart = |one: u64, other: u64| {
            u64::from(one.abs_diff(other).checked_ilog2().map_or(0, |n| n + 1))
        };
        let shared = self.shared[&one.id].intersection(&self.shared[&other.id]);
        let number = |name: &str| apart(one.numbers[name], other.numbers[name]);
        // Two that are alike in this are known by what they are alike in.
        let class =
            |seen: &Seen, name: &str| apart(seen.numbers.get(name).copied().unwrap_or(0), 0);
        let alike = |name: &str| {
            let (one, other) = (class(one, name), class(other, name));
            one.min(other) * 64 + one.max(other)
        };
        [
            shared.count() as u64,
            apart(one.place, other.place),
            apart(one.at, other.at),
            number("length"),
            number("digests"),
            number("the digest's place"),
            number("signature's beginning"),
            number("key's beginning"),
            number("the wallet's clock"),
            alike(SIGNS[9]),
            alike(SIGNS[10]),
            alike(SIGNS[11]),
            alike(SIGNS[12]),
            alike(SIGNS[13]),
            alike(SIGNS[14]),
        ]
    }

    /// How much likelier each sign makes it that both are one person's, as logarithms.
    fn weigh(&self, one: &Seen, other: &Seen) -> [f64; SIGNS.len()] {
        let signs = self.signs(one, other);
        std::array::from_fn(|sign| {
            let totals =
                self.classes[sign].values().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
            let (of_one, of_two) =
                self.classes[sign].get(&signs[sign]).copied().unwrap_or_default();
            let share = |found: f64, all: f64| (found + 1.0) / (all + 20.0);
            (share(of_one, totals.0) / share(of_two, totals.1)).ln()
        })
    }
}

/// The chance that a score of `same` is above one of `others`; equal ones count half.
fn area(same: &[f64], mut others: Vec<f64>) -> f64 {
    others.sort_by(f64::total_cmp);
    let above = same.iter().map(|score| {
        let below = others.partition_point(|other| other < score);
        let not_above = others.partition_point(|other| other <= score);
        below as f64 + (not_above - below) as f64 / 2.0
    });
    above.sum::<f64>() / (same.len() as f64 * others.len() as f64)
}
