//! What the journey came to: told as it happens, or as one JSON document at its end.

use super::speed::SpeedReport;
use super::synergy::Synergy;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use yufu_api::central_bank::SupplyReport;
use yufu_base::Amount;

/// The whole report.
#[derive(Serialize)]
pub(super) struct Report {
    /// Whether every step did what it must.
    pub(super) ok: bool,
    /// The steps, in order.
    pub(super) steps: Vec<StepReport>,
    /// How much money there is, and where, after the last step.
    pub(super) supply: Option<SupplyReport>,
    /// What the parts are worth together.
    pub(super) synergy: Option<Synergy>,
    /// How fast it was.
    pub(super) speed: SpeedReport,
}

/// One step.
#[derive(Serialize)]
pub(super) struct StepReport {
    pub(super) id: &'static str,
    pub(super) ok: bool,
    /// How long it took, in milliseconds.
    pub(super) ms: u64,
    /// Who acted.
    pub(super) actor: &'static str,
    /// What happened, in plain words.
    pub(super) said: String,
    /// Who learned which attributes: computed from what they received and stored.
    pub(super) learned: BTreeMap<String, BTreeSet<String>>,
    /// What moved.
    pub(super) moved: Vec<Moved>,
}

/// Money that moved.
#[derive(Clone, Serialize)]
pub(super) struct Moved {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) amount_minor: u64,
    pub(super) currency: String,
}

/// What a step has to say when it went well.
#[derive(Default)]
pub(super) struct Told {
    pub(super) said: String,
    pub(super) learned: BTreeMap<String, BTreeSet<String>>,
    pub(super) moved: Vec<Moved>,
}

impl Told {
    pub(super) fn new(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }

    pub(super) fn learned(mut self, party: impl Into<String>, attributes: Vec<String>) -> Self {
        self.learned.insert(party.into(), attributes.into_iter().collect());
        self
    }

    pub(super) fn moved(mut self, from: &str, to: &str, amount: Amount) -> Self {
        self.moved.push(Moved {
            from: from.to_owned(),
            to: to.to_owned(),
            amount_minor: amount.minor(),
            currency: amount.currency().to_string(),
        });
        self
    }
}

impl StepReport {
    /// Prints the step for a person, within 80 columns where words allow.
    pub(super) fn print(&self, number: usize, decimals: u8) {
        let mark = if self.ok { " " } else { "!" };
        println!("\n{mark}{number:>2}. {}  ({}, {} ms)", self.id, self.actor, self.ms);
        for line in wrap(&self.said, 72) {
            println!("     {line}");
        }
        for (party, attributes) in &self.learned {
            let names: Vec<&str> = attributes.iter().map(String::as_str).collect();
            let text = format!("{party} learned: {}", names.join(", "));
            for (index, line) in wrap(&text, 70).into_iter().enumerate() {
                println!("     {} {line}", if index == 0 { "*" } else { " " });
            }
        }
        for moved in &self.moved {
            let sum = major(moved.amount_minor, decimals);
            println!("     > {sum} {}: {} -> {}", moved.currency, moved.from, moved.to);
        }
    }
}

/// An amount in major units with thousands apart.
pub(super) fn major(minor: u64, decimals: u8) -> String {
    let Ok(currency) = yufu_base::Currency::new("XXX") else { return String::new() };
    let plain = Amount::new(currency, minor).to_major(decimals);
    let (whole, fraction) =
        plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(index);
        if index > 0 && left.checked_rem(3) == Some(0) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{grouped}.{fraction}"),
        None => grouped,
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let wide = line.chars().count().saturating_add(word.chars().count()) >= width;
        if wide && !line.is_empty() {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (minor, text) in [(0, "0.00"), (99_999, "999.99"), (123_456_789, "1,234,567.89")] {
            assert_eq!(major(minor, 2), text);
        }
        assert_eq!(major(1234, 0), "1,234");
    }

    #[test]
    fn long_texts_wrap_at_words() {
        assert_eq!(wrap("aa bb cc", 6), ["aa bb", "cc"]);
    }
}
