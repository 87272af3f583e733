//! Counting tests from what the test programs print, and from what they say
//! that they lack.

use std::collections::{BTreeMap, BTreeSet};

/// Tests passed, failed and skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Adds what a `test result:` line of libtest or libtest-mimic says; any
    /// other line adds nothing.
    pub(crate) fn add_line(&mut self, line: &str) {
        let Some(counts) = Self::of_line(line) else { return };
        self.passed += counts.passed;
        self.failed += counts.failed;
        self.skipped += counts.skipped;
    }

    fn of_line(line: &str) -> Option<Self> {
        let (_, numbers) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut counts = Self::default();
        for item in numbers.split(';') {
            let Some((number, what)) = item.trim().split_once(' ') else { continue };
            let slot = match what {
                "passed" => &mut counts.passed,
                "failed" => &mut counts.failed,
                "ignored" => &mut counts.skipped,
                _ => continue,
            };
            *slot = number.parse().ok()?;
        }
        Some(counts)
    }

    /// What the runners counted as passed and was not tested, for want of
    /// something, is skipped.
    pub(crate) fn take_away(&mut self, lacking: &Lacking) {
        self.passed = self.passed.saturating_sub(lacking.tests());
        self.skipped += lacking.tests() + lacking.others();
    }
}

/// What test programs lacked: lines of the file that `waxseal_testing` writes.
#[derive(Debug, Default)]
pub(crate) struct Lacking {
    /// What was lacking, and the program and test that lacked it.
    what: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Lacking {
    pub(crate) fn of_list(text: &str) -> Self {
        let mut lacking = Self::default();
        for line in text.lines() {
            let mut fields = line.splitn(3, '\t').map(str::to_owned);
            let (program, test, what) = (fields.next(), fields.next(), fields.next());
            // Half a line is of a test all the same.
            let of = (program.unwrap_or_default(), test.unwrap_or_default());
            lacking.what.entry(what.unwrap_or_default()).or_default().insert(of);
        }
        lacking
    }

    /// Whether this is a test that its runner counted. A runner's own thread
    /// lacks something for tests that it then does not have.
    fn is_test((_, test): &(String, String)) -> bool {
        test != "main"
    }

    /// How many tests lacked something, however much.
    fn tests(&self) -> u64 {
        self.what.values().flatten().filter(|of| Self::is_test(of)).collect::<BTreeSet<_>>().len() as u64
    }

    /// What programs lacked before they had tests.
    fn others(&self) -> u64 {
        self.what.values().flatten().filter(|of| !Self::is_test(of)).count() as u64
    }
}

/// A line for each thing, with the tests that lacked it.
impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, tests) in &self.what {
            let name = |(program, test): &(String, String)| format!("{program} {test}");
            let first = tests.iter().take(3).map(name).collect::<Vec<_>>().join(", ");
            let more = tests.len().saturating_sub(3);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            writeln!(f, "    not tested: {what}: {first}{more}")?;
        }
        Ok(())
    }
}

/// The closing line: CI reads it, word for word.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_test_runners_are_counted() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.03s",
            "test result: FAILED. 57 passed; 2 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.20s",
            "the test result: is not a result",
        ] {
            counts.add_line(line);
        }
        assert_eq!(counts.to_string(), "71 passed, 2 failed, 4 skipped");
    }

    #[test]
    fn what_lacked_something_did_not_pass() {
        let lacking = Lacking::of_list(
            "limits\ta\t`openssl version` does not run\nlimits\tb\t`openssl version` does not run\n\
             limits\tb\t`openssl version` does not run\nlimits\tb\tno recordings\nwitness\tmain\tno witness\n\
             cli\tc\t`openssl version` does not run\ncli\td\t`openssl version` does not run\n",
        );
        let mut counts = Counts { passed: 10, failed: 1, skipped: 0 };
        counts.take_away(&lacking);
        assert_eq!(counts.to_string(), "6 passed, 1 failed, 5 skipped");
        let shown = "    not tested: `openssl version` does not run: cli c, cli d, limits a and 1 more\n    \
            not tested: no recordings: limits b\n    not tested: no witness: witness main\n";
        assert_eq!(lacking.to_string(), shown);
        assert_eq!(Lacking::of_list("").to_string(), "");
    }
}
