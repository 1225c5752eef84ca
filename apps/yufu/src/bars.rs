//! How long work shows how far it is: a bar on a terminal, a few plain lines elsewhere.

use crate::city::Progress;
use crate::words::known;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// What a bar looks like: what is done, the bar, how much of how much.
const TEMPLATE: &str = "  {msg} [{bar:32}] {pos}/{len}";

/// The progress of one kind of work at a time.
pub(crate) struct Bars {
    on_terminal: bool,
    bar: Option<ProgressBar>,
    /// The tenth of the work that a line was written for last.
    tenth: Option<usize>,
}

impl Bars {
    /// Bars on standard error if it is a terminal and they are `wanted`; lines else.
    pub(crate) fn new(wanted: bool) -> Self {
        let on_terminal = wanted && std::io::stderr().is_terminal();
        Self { on_terminal, bar: None, tenth: None }
    }

    /// Shows how far the work is; what is no bar goes to `line`.
    pub(crate) fn show(&mut self, progress: &Progress<'_>, line: &dyn Fn(&Progress<'_>)) {
        let &Progress::Counted { what, done, of } = progress else {
            return line(progress);
        };
        if !self.on_terminal {
            return self.write(progress, (done, of), line);
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(TEMPLATE);
            let bar = ProgressBar::new(0).with_message(known(what));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_length(u64::try_from(of).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        if done >= of {
            bar.finish();
            self.bar = None;
        }
    }

    /// A line for each tenth of the work.
    fn write(
        &mut self,
        progress: &Progress<'_>,
        (done, of): (usize, usize),
        line: &dyn Fn(&Progress<'_>),
    ) {
        let tenth = done.saturating_mul(10).checked_div(of).unwrap_or(10);
        if self.tenth != Some(tenth) {
            line(progress);
        }
        self.tenth = (done < of).then_some(tenth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn without_a_terminal_each_tenth_is_one_line() {
        let lines = RefCell::new(Vec::new());
        let mut bars = Bars::new(false);
        for done in 1..=1_000 {
            let progress = Progress::Counted { what: "replaying the log", done, of: 1_000 };
            bars.show(&progress, &|progress| lines.borrow_mut().push(progress.told()));
        }
        let lines = lines.into_inner();
        assert_eq!(lines.len(), 11, "{lines:?}");
        assert_eq!(lines[10], "replaying the log: 1000 of 1000");
    }
}
