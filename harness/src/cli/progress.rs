//! How a run shows that it goes on: a bar on a terminal, plain lines elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};
use waxseal_verdict::OutcomeRecord;

use super::output::{self, Paint, harmless};
use crate::gate::is_failure;

/// The progress of a run.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    paint: Paint,
    total: usize,
    done: Cell<usize>,
}

impl Progress {
    pub(super) fn new(total: usize, paint: Paint) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}");
            let bar = ProgressBar::new(total as u64);
            if let Ok(style) = style { bar.with_style(style) } else { bar }
        });
        Self { bar, paint, total, done: Cell::new(0) }
    }

    /// Every failure is a line but for expected ones, of which peers have more than a thousand; a quarter of the way is
    /// one too where no bar shows it.
    pub(super) fn outcome(&self, outcome: &OutcomeRecord, is_expected: bool) {
        let before = self.done.replace(self.done.get() + 1);
        if is_failure(outcome.outcome) && !is_expected {
            let reason = harmless(outcome.reason.as_deref().unwrap_or_default());
            let what = self.paint.outcome(outcome.outcome);
            self.line(&format!("{what} {} on {}: {reason}\n", outcome.case, outcome.sut));
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(outcome.sut.clone());
                bar.inc(1);
            }
            None => {
                let quarter = |done: usize| done * 4 / self.total.max(1);
                if quarter(self.done.get()) > quarter(before) {
                    self.line(&format!("{}/{} done\n", self.done.get(), self.total));
                }
            }
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        // Without a standard output the record still has everything.
        let print = || output::print(text).is_ok();
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        };
    }
}
