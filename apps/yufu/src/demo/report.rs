//! What the journey came to: told as it happens, or as one JSON document at its end.

use super::name::Name;
use super::speed::SpeedReport;
use super::synergy::Synergy;
use crate::words::{colon, comma, folded, in_demo, text};
use anyhow::Result;
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
    pub(super) learned: BTreeMap<Name, BTreeSet<Name>>,
    /// What moved.
    pub(super) moved: Vec<Moved>,
}

/// Money that moved.
#[derive(Clone, Serialize)]
pub(super) struct Moved {
    pub(super) from: Name,
    pub(super) to: Name,
    pub(super) amount_minor: u64,
    pub(super) currency: String,
}

/// What a step has to say when it went well.
#[derive(Default)]
pub(super) struct Told {
    pub(super) said: String,
    pub(super) learned: BTreeMap<Name, BTreeSet<Name>>,
    pub(super) moved: Vec<Moved>,
}

impl Told {
    pub(super) fn new(said: String) -> Self {
        Self { said, ..Self::default() }
    }

    pub(super) fn learned(
        mut self,
        party: Name,
        attributes: impl IntoIterator<Item = Name>,
    ) -> Self {
        self.learned.insert(party, attributes.into_iter().collect());
        self
    }

    pub(super) fn moved(
        mut self,
        from: impl Into<Name>,
        to: impl Into<Name>,
        amount: Amount,
    ) -> Self {
        self.moved.push(Moved {
            from: from.into(),
            to: to.into(),
            amount_minor: amount.minor(),
            currency: amount.currency().to_string(),
        });
        self
    }
}

impl StepReport {
    /// What a step came to that took so many milliseconds.
    pub(super) fn new(
        (id, actor): (&'static str, &'static str),
        ms: u64,
        outcome: Result<Told>,
    ) -> Self {
        let ok = outcome.is_ok();
        let failed = |error| Told::new(text!("failed: {error}", error = format!("{error:#}")));
        let Told { said, learned, moved } = outcome.unwrap_or_else(failed);
        Self { id, ok, ms, actor, said, learned, moved }
    }

    /// Prints the step for a person.
    pub(super) fn print(&self, number: usize, decimals: u8) {
        println!("\n{}", self.lines(number, decimals).join("\n"));
    }

    /// The step for a person, in lines that fit a terminal.
    fn lines(&self, number: usize, decimals: u8) -> Vec<String> {
        let mark = if self.ok { " " } else { "!" };
        let (id, title) = (self.id, in_demo(self.id));
        let title = if title == id { title } else { format!("{id} {title}") };
        let title = text!(
            "{step}  ({actor}, {ms} ms)",
            step = title,
            actor = in_demo(self.actor),
            ms = self.ms
        );
        let mut lines = vec![format!("{mark}{number:>2}. {title}")];
        lines.extend(folded("     ", "     ", &self.said));
        for (party, attributes) in &self.learned {
            let names: Vec<&str> = attributes.iter().map(Name::told).collect();
            // Names that have parts of their own stand further apart.
            let parts = names.iter().any(|name| name.contains(&colon()));
            let between = if parts { text!("; ") } else { comma() };
            let learned = text!(
                "{party} learned: {attributes}",
                party = party.told(),
                attributes = names.join(&between)
            );
            lines.extend(folded("     * ", "       ", &learned));
        }
        for moved in &self.moved {
            let movement = text!(
                "{amount} {currency}: {from} -> {to}",
                amount = major(moved.amount_minor, decimals),
                currency = moved.currency,
                from = moved.from.told(),
                to = moved.to.told()
            );
            lines.extend(folded("     > ", "       ", &movement));
        }
        lines
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{WIDE, columns_of};

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (minor, text) in [(0, "0.00"), (99_999, "999.99"), (123_456_789, "1,234,567.89")] {
            assert_eq!(major(minor, 2), text);
        }
        assert_eq!(major(1234, 0), "1,234");
    }

    #[test]
    fn a_step_is_told_within_a_terminals_width() {
        let said = "She goes to another platform, and what she did there is told at length. ";
        let told = Told::new(said.repeat(4))
            .learned(Name::from("the bank"), (1..=30).map(|n| Name::from(&*format!("claim {n}"))))
            .moved("the customer of a bank with a long name", "another customer of it", sum(1_800));
        let report = StepReport::new(("open-account", "resident"), 31, Ok(told));
        let lines = report.lines(7, 2);
        assert_eq!(lines[0], "  7. open-account  (resident, 31 ms)");
        assert!(lines.iter().all(|line| columns_of(line) <= WIDE), "{lines:#?}");
        let learned = lines.iter().position(|line| line.starts_with("     * the bank learned: "));
        assert!(lines[learned.unwrap() + 1].starts_with("       "), "{lines:#?}");
        let moved =
            "     > 18.00 XTS: the customer of a bank with a long name -> another customer of";
        assert_eq!(lines[lines.len() - 2..], [moved, "       it"]);
    }

    #[test]
    fn a_step_that_failed_says_why() {
        let failed = StepReport::new(("pay", "resident"), 1, Err(anyhow::anyhow!("no account")));
        assert_eq!(failed.lines(9, 2), ["! 9. pay  (resident, 1 ms)", "     failed: no account"]);
    }

    fn sum(minor: u64) -> Amount {
        Amount::new(yufu_base::Currency::new("XTS").unwrap(), minor)
    }
}
