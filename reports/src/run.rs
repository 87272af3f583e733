//! Reading `run.jsonl`: one object a line, shards merged by concatenation.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::BufRead;

use waxseal_verdict::{ArrivalRecord, Line, OutcomeRecord, Planned, Record, RunRecord, SutRecord};

/// The format of the run record that this version reads.
const FORMAT: u32 = 1;

/// A run that was read and found consistent: one head, every outcome once, and
/// only of SUTs that the head names.
#[derive(Debug, Clone)]
pub struct Run {
    id: String,
    head: RunRecord,
    shards: Vec<Shard>,
    planned: Vec<Planned>,
    outcomes: Vec<OutcomeRecord>,
    arrivals: Vec<ArrivalRecord>,
    missing: Vec<String>,
}

/// One part of a run, as one process wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// `1/1` if the run is not divided.
    pub name: String,
    /// When it started, RFC 3339.
    pub started: String,
    /// Operating system and architecture.
    pub platform: String,
    /// Workers that ran at once.
    pub workers: u32,
    /// Outcomes that stand in the record.
    pub outcomes: u64,
    /// What its last line says: outcomes written, wall-clock milliseconds.
    pub end: Option<(u64, u64)>,
}

/// Why a run record cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The input could not be read.
    #[error("line {line}: cannot be read: {source}")]
    Read {
        /// Line number, from 1.
        line: usize,
        /// What the reader said.
        source: std::io::Error,
    },
    /// A line is no line of a run record.
    #[error("line {line}: not a line of a run record: {source}")]
    Malformed {
        /// Line number, from 1.
        line: usize,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// There is no line at all.
    #[error("the run record is empty: a run starts with a line of kind \"run\"")]
    Empty,
    /// The record is of a format that this version does not know.
    #[error("line {line}: format {found} of the run record is not known (this version reads {FORMAT})")]
    Format {
        /// Line number, from 1.
        line: usize,
        /// The format that the head states.
        found: u32,
    },
    /// The lines contradict each other.
    #[error("line {line}: {what}")]
    Inconsistent {
        /// Line number, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
}

/// Reads a run record, or several shards of one concatenated in any order: the
/// order makes no difference to what comes out.
///
/// A run that was interrupted is read too: [`Run::missing`] then says what is
/// not there, also where the last line is cut off in the middle.
///
/// # Errors
/// [`RunError`] with the number of the line that is not JSON, stands before its
/// head, repeats an outcome, or belongs to another corpus, version or SUT.
pub fn read_run(mut input: impl BufRead) -> Result<Run, RunError> {
    let mut reader = Reader::default();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        let read = input.read_line(&mut text).map_err(|source| RunError::Read { line, source })?;
        if read == 0 {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&text) {
            Ok(parsed) => reader.push(line, parsed)?,
            // A process that was killed leaves half a line, and nothing after it.
            Err(_) if !text.ends_with('\n') && !reader.parts.is_empty() => {
                reader.missing.push(format!("line {line} is cut off"));
            }
            Err(source) => return Err(RunError::Malformed { line, source }),
        }
    }
    reader.finish()
}

impl Run {
    /// The id of the run (of its shard with the lowest number).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What ran, where (of its shard with the lowest number).
    #[must_use]
    pub const fn head(&self) -> &RunRecord {
        &self.head
    }

    /// The SUTs, in the order of the head.
    #[must_use]
    pub fn suts(&self) -> &[SutRecord] {
        &self.head.suts
    }

    /// The parts that were merged, in the order of their names.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// What was planned.
    #[must_use]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    /// What came out, sorted by case, and for each case in the order of the SUTs.
    #[must_use]
    pub fn outcomes(&self) -> &[OutcomeRecord] {
        &self.outcomes
    }

    /// How mails arrived that were sent through something, in the order of the
    /// shards and of the corpus.
    #[must_use]
    pub fn arrivals(&self) -> &[ArrivalRecord] {
        &self.arrivals
    }

    /// The ids of all cases that were planned or have an outcome, sorted.
    #[must_use]
    pub fn cases(&self) -> BTreeSet<&str> {
        let planned = self.planned.iter().map(|entry| entry.case.as_str());
        planned.chain(self.outcomes.iter().map(|outcome| outcome.case.as_str())).collect()
    }

    /// Whether the record is whole.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What is not there, one sentence each; empty for a whole record.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Wall-clock time: that of the shard that took longest, milliseconds.
    #[must_use]
    pub fn ms(&self) -> Option<u64> {
        self.shards.iter().filter_map(|shard| shard.end).map(|(_, ms)| ms).max()
    }
}

#[derive(Default)]
struct Reader {
    /// In the order of the shards, whatever the order of the file: so permuted shards are the same run.
    parts: BTreeMap<(u32, u32), Part>,
    /// Outcomes, by case and SUT.
    seen: HashSet<(String, String)>,
    /// Arrivals, by case.
    arrived: HashSet<String>,
    missing: Vec<String>,
}

struct Part {
    id: String,
    head: RunRecord,
    shard: Shard,
    planned: Vec<Planned>,
    outcomes: Vec<OutcomeRecord>,
    arrivals: Vec<ArrivalRecord>,
}

impl Reader {
    fn push(&mut self, line: usize, parsed: Line) -> Result<(), RunError> {
        let wrong = |what: String| Err(RunError::Inconsistent { line, what });
        let Some(shard) = shard_number(&parsed.shard) else {
            return wrong(format!("shard {:?} is not of the form I/N with 1 ≤ I ≤ N", parsed.shard));
        };
        if let Some(((_, of), _)) = self.parts.first_key_value()
            && *of != shard.1
        {
            return wrong(format!("shard {} stands among shards of a run in {of}", parsed.shard));
        }
        if let Record::Run(head) = parsed.record {
            return self.head(line, parsed.run, parsed.shard, shard, head);
        }
        let Some(part) = self.parts.get_mut(&shard) else {
            return wrong(format!("shard {} has no head: its first line is of kind \"run\"", parsed.shard));
        };
        if part.id != parsed.run {
            return wrong(format!("run {:?} stands in shard {} of run {:?}", parsed.run, parsed.shard, part.id));
        }
        if part.shard.end.is_some() {
            return wrong(format!("shard {} goes on after its end", parsed.shard));
        }
        match parsed.record {
            Record::Run(_) => Ok(()),
            Record::Plan(plan) => {
                part.planned.extend(plan.entries);
                Ok(())
            }
            Record::End { outcomes, ms } => {
                part.shard.end = Some((outcomes, ms));
                Ok(())
            }
            Record::Outcome(outcome) => {
                if !part.head.suts.iter().any(|sut| sut.name == outcome.sut) {
                    return wrong(format!("the SUT {:?} is not in the head of the run", outcome.sut));
                }
                if !self.seen.insert((outcome.case.clone(), outcome.sut.clone())) {
                    return wrong(format!("a second outcome of {} on {}", outcome.case, outcome.sut));
                }
                part.shard.outcomes += 1;
                part.outcomes.push(outcome);
                Ok(())
            }
            Record::Arrival(arrival) => {
                if !self.arrived.insert(arrival.case.clone()) {
                    return wrong(format!("a second arrival of {}", arrival.case));
                }
                part.arrivals.push(arrival);
                Ok(())
            }
        }
    }

    fn head(
        &mut self,
        line: usize,
        id: String,
        name: String,
        shard: (u32, u32),
        head: RunRecord,
    ) -> Result<(), RunError> {
        let wrong = |what: String| Err(RunError::Inconsistent { line, what });
        if head.format != FORMAT {
            return Err(RunError::Format { line, found: head.format });
        }
        if let Some(first) = self.parts.values().next().map(|part| &part.head) {
            let differs = [
                ("corpus", first.corpus != head.corpus),
                ("version of waxseal", first.waxseal != head.waxseal),
                ("set of SUTs or versions", first.suts != head.suts),
            ];
            if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
                return wrong(format!(
                    "shard {name} ran with another {what} than the shards before it; such runs do not merge"
                ));
            }
        }
        if self.parts.contains_key(&shard) {
            return wrong(format!("shard {name} starts a second time; one record holds one run"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = head.suts.iter().find(|sut| !names.insert(sut.name.as_str())) {
            return wrong(format!("the SUT {:?} is named twice", twice.name));
        }
        let part = Shard {
            name,
            started: head.started.clone(),
            platform: head.machine.platform.clone(),
            workers: head.machine.workers,
            outcomes: 0,
            end: None,
        };
        let (planned, outcomes, arrivals) = Default::default();
        self.parts.insert(shard, Part { id, head, shard: part, planned, outcomes, arrivals });
        Ok(())
    }

    fn finish(mut self) -> Result<Run, RunError> {
        let ((_, of), first) = self.parts.first_key_value().ok_or(RunError::Empty)?;
        let (of, id, head) = (*of, first.id.clone(), first.head.clone());
        for number in 1..=of {
            match self.parts.get(&(number, of)).map(|part| &part.shard) {
                None => self.missing.push(format!("shard {number}/{of} is not there")),
                Some(Shard { end: None, outcomes, .. }) => {
                    self.missing.push(format!("shard {number}/{of} has no end; it holds {outcomes} outcomes"));
                }
                Some(Shard { end: Some((written, _)), outcomes, .. }) if written != outcomes => {
                    self.missing.push(format!("shard {number}/{of} wrote {written} outcomes, but {outcomes} are here"));
                }
                Some(_) => {}
            }
        }
        let (mut shards, mut planned, mut outcomes, mut arrivals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for part in self.parts.into_values() {
            shards.push(part.shard);
            planned.extend(part.planned);
            outcomes.extend(part.outcomes);
            arrivals.extend(part.arrivals);
        }
        // They come in as workers are done; who reads them gets the same order in every run. Plan and arrivals
        // have an order of their own, that of the corpus.
        let columns: HashMap<&str, usize> =
            head.suts.iter().enumerate().map(|(column, sut)| (sut.name.as_str(), column)).collect();
        let column = |outcome: &OutcomeRecord| columns.get(outcome.sut.as_str()).copied();
        outcomes.sort_by(|a: &OutcomeRecord, b| a.case.cmp(&b.case).then_with(|| column(a).cmp(&column(b))));
        let without =
            planned.iter().filter(|entry| !self.seen.contains(&(entry.case.clone(), entry.sut.clone()))).count();
        if without > 0 {
            self.missing.push(format!("{without} planned entries have no outcome"));
        }
        Ok(Run { id, head, shards, planned, outcomes, arrivals, missing: self.missing })
    }
}

fn shard_number(text: &str) -> Option<(u32, u32)> {
    let (number, of) = text.split_once('/')?;
    let (number, of) = (number.parse().ok()?, of.parse().ok()?);
    (1 <= number && number <= of).then_some((number, of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{arrival, head, line, outcome, record};
    use waxseal_verdict::{Arrival, Outcome};

    fn read(lines: &[String]) -> Result<Run, RunError> {
        read_run(record(lines).as_bytes())
    }

    fn end(outcomes: u64) -> Record {
        Record::End { outcomes, ms: 5 }
    }

    #[test]
    fn shards_merge_by_concatenation() {
        let run = read(&[
            line("2/2", head()),
            line("2/2", outcome("a/b/two", "engine", Outcome::Pass)),
            line("2/2", end(1)),
            line("1/2", head()),
            line("1/2", outcome("a/b/one", "engine", Outcome::Pass)),
            line("1/2", end(1)),
        ])
        .unwrap();
        assert!(run.is_complete(), "{:?}", run.missing());
        assert_eq!(run.cases().into_iter().collect::<Vec<_>>(), ["a/b/one", "a/b/two"]);
        assert_eq!(run.shards().iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(), ["1/2", "2/2"]);
    }

    /// Machines differ, workers are done in any order, and nobody sorts files before they concatenate them.
    #[test]
    fn permuted_shards_give_the_same_report() {
        let shard = |name: &str, turned: bool| {
            let Record::Run(mut head) = head() else { panic!("a head") };
            head.started = format!("2026-01-02T03:04:0{}Z", &name[..1]);
            head.machine.platform = format!("platform-{}", &name[..1]);
            let letter = format!("letter-{}", &name[..1]);
            let mut outcomes: Vec<Record> =
                ["a/b/one", "matrix/clear.rsa.small/openssl", "matrix/opaque.rsa.small/openssl"]
                    .into_iter()
                    .flat_map(|case| {
                        ["engine", "openssl"].map(|sut| outcome(&format!("{case}-{}", &name[..1]), sut, Outcome::Fail))
                    })
                    .chain([outcome(&format!("transport/footer/{letter}"), "openssl", Outcome::Crash)])
                    .collect();
            if turned {
                outcomes.reverse();
            }
            let count = outcomes.len() as u64;
            let arrival = arrival(&format!("transport/footer/{letter}"), &[Arrival::Identical], |_| {});
            let records = [Record::Run(head), arrival].into_iter().chain(outcomes).chain([end(count)]);
            let id = format!("run-{}", &name[..1]);
            let lines = records.map(|record| line(name, record).replace("\"run\":\"r\"", &format!("\"run\":\"{id}\"")));
            record(&lines.collect::<Vec<_>>())
        };
        let drawn = |text: &str| {
            let run = read_run(text.as_bytes()).unwrap();
            assert!(run.is_complete(), "{:?}", run.missing());
            let page = crate::html::render(&run, &[], &crate::Known::default(), &crate::html::Options::default());
            (page, crate::summary::json(&run, &[], &crate::Known::default()))
        };
        let first = drawn(&[shard("1/3", false), shard("2/3", false), shard("3/3", false)].concat());
        assert!(first.1.contains("\"run\": \"run-1\"") && first.1.contains("04:01Z"), "{}", first.1);
        assert!(first.0.contains("letter-1") && first.0.contains("platform-3"));
        for order in [["2/3", "1/3", "3/3"], ["3/3", "2/3", "1/3"], ["3/3", "1/3", "2/3"]] {
            for turned in [false, true] {
                let again = drawn(&order.map(|name| shard(name, turned)).concat());
                assert_eq!(again.1, first.1, "{order:?}");
                assert!(again.0 == first.0, "{order:?} {turned}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let whole = [line("1/2", head()), line("1/2", outcome("a/b/c", "engine", Outcome::Pass))];
        let mut text = record(&whole);
        text.push_str(r#"{"run":"r","sha"#);
        let run = read_run(text.as_bytes()).unwrap();
        assert_eq!(
            run.missing(),
            ["line 3 is cut off", "shard 1/2 has no end; it holds 1 outcomes", "shard 2/2 is not there"]
        );
        let run = read(&[line("1/1", head()), line("1/1", end(3))]).unwrap();
        assert_eq!(run.missing(), ["shard 1/1 wrote 3 outcomes, but 0 are here"]);
    }

    #[test]
    fn errors_name_the_line() {
        let pass = || outcome("a/b/c", "engine", Outcome::Pass);
        for (lines, expected) in [
            (vec![], "the run record is empty: a run starts with a line of kind \"run\""),
            (vec![line("1/1", pass())], "line 1: shard 1/1 has no head: its first line is of kind \"run\""),
            (vec![line("2/1", head())], "line 1: shard \"2/1\" is not of the form I/N with 1 ≤ I ≤ N"),
            (
                vec![line("1/1", head()), line("1/1", head())],
                "line 2: shard 1/1 starts a second time; one record holds one run",
            ),
            (vec![line("1/2", head()), line("1/3", head())], "line 2: shard 1/3 stands among shards of a run in 2"),
            (
                vec![line("1/1", head()), line("1/1", pass()), line("1/1", pass())],
                "line 3: a second outcome of a/b/c on engine",
            ),
            (
                vec![line("1/1", head()), line("1/1", outcome("a/b/c", "mutt", Outcome::Pass))],
                "line 2: the SUT \"mutt\" is not in the head of the run",
            ),
            (
                vec![line("1/1", head()), line("1/1", end(0)), line("1/1", pass())],
                "line 3: shard 1/1 goes on after its end",
            ),
        ] {
            assert_eq!(read(&lines).unwrap_err().to_string(), expected);
        }
        let error = read(&[line("1/1", head()), "{}".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("line 2: not a line of a run record: missing field"), "{error}");
        let error = read_run(&b"\xff\n"[..]).unwrap_err().to_string();
        assert!(error.starts_with("line 1: cannot be read"), "{error}");
    }

    #[test]
    fn another_corpus_does_not_merge() {
        let Record::Run(mut other) = head() else { panic!("a head") };
        other.corpus = "00".to_owned();
        let error = read(&[line("1/2", head()), line("2/2", Record::Run(other))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2: shard 2/2 ran with another corpus than the shards before it; such runs do not merge"
        );
    }
}
