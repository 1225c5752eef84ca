//! A figure beside its yardstick, and the report of a run.

use anyhow::Result;
use serde::Serialize;
use std::fmt::Write as _;

/// What a figure is measured against, in the same run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Yardstick {
    /// What it is.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its name, which stays the same from version to version.
    pub name: String,
    /// How much; `None` if it could not be measured here.
    pub value: Option<f64>,
    /// Of what.
    pub unit: &'static str,
    /// What it is measured against; `None` for a figure that stands for itself.
    pub yardstick: Option<Yardstick>,
    /// The figure by its yardstick.
    pub ratio: Option<f64>,
    /// What it should be.
    pub target: &'static str,
}

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Which bench.
    pub bench: &'static str,
    /// Its figures.
    pub figures: Vec<Figure>,
}

impl Figure {
    /// A figure that stands for itself.
    #[must_use]
    pub fn alone(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: &'static str,
    ) -> Self {
        let (value, name) = (Some(value), name.into());
        Self { name, value, unit, yardstick: None, ratio: None, target }
    }

    /// A figure beside a yardstick.
    #[must_use]
    pub fn beside(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        yardstick: Yardstick,
        target: &'static str,
    ) -> Self {
        let ratio = (yardstick.value > 0.0).then(|| value / yardstick.value);
        Self { yardstick: Some(yardstick), ratio, ..Self::alone(name, value, unit, target) }
    }
}

impl Report {
    /// The report as one line of JSON.
    ///
    /// # Errors
    /// Never in practice: the figures are finite.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The report as a table for people.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut table = String::new();
        for figure in &self.figures {
            let value = figure.value.map_or_else(|| "not measured".to_owned(), rounded);
            // Writing to a string cannot fail.
            let _ = write!(table, "{:<16} {value:>12} {:<13}", figure.name, figure.unit);
            if let Some(Yardstick { name, value, unit }) = &figure.yardstick {
                let ratio = figure.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3} x "));
                let _ = write!(table, " {ratio}{name} ({} {unit})", rounded(*value));
            }
            let _ = writeln!(table, "\n{:<16} target: {}", "", figure.target);
        }
        table
    }
}

/// Three digits that mean something.
fn rounded(value: f64) -> String {
    match value.abs() {
        above if above >= 1e6 => format!("{:.2} M", value / 1e6),
        above if above >= 1e4 => format!("{:.1} k", value / 1e3),
        above if above >= 100.0 => format!("{value:.0}"),
        above if above >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_can_be_recomputed_from_the_json() {
        let yardstick = Yardstick { name: "bare".to_owned(), value: 4.0, unit: "us" };
        let figures = vec![
            Figure::beside("a", 6.0, "us", yardstick, "at most 2"),
            Figure::alone("b", 1.0, "bytes", "at most 200"),
        ];
        let json = Report { bench: "ledger", figures }.to_json().unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        let first = read.pointer("/figures/0").unwrap();
        let number = |path| first.pointer(path).and_then(serde_json::Value::as_f64).unwrap();
        assert!((number("/value") / number("/yardstick/value") - number("/ratio")).abs() < 1e-9);
        let second = read.pointer("/figures/1").unwrap();
        assert!(second["yardstick"].is_null() && second["ratio"].is_null());
    }

    #[test]
    fn a_table_has_each_figure_with_its_yardstick_and_target() {
        let yardstick = Yardstick { name: "bare".to_owned(), value: 2_000_000.0, unit: "/s" };
        let figures = vec![Figure::beside("apply", 1_000_000.0, "/s", yardstick, "half")];
        let table = Report { bench: "ledger", figures }.to_table();
        for part in ["apply", "1.00 M", "0.500 x bare (2.00 M /s)", "target: half"] {
            assert!(table.contains(part), "{part} is not in {table}");
        }
    }
}
