//! Counting tests from what the test programs print.

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
}
