//! What will be tried, and what will not and why, before anything runs.

use std::collections::BTreeMap;
use std::str::FromStr;

use waxseal_verdict::{AspectName, Clock, Hello, Outcome, PlanRecord, Planned};

use crate::sut::Sut;
use crate::task::Task;

/// The plan of a run: every case on every SUT, in the order of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One entry for each pair.
    pub entries: Vec<Entry>,
}

/// One case on one SUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Index of the case among the tasks.
    pub task: usize,
    /// Index of the SUT.
    pub sut: usize,
    /// The outcome that is already certain, and why; `None`: it will run.
    pub settled: Option<(Outcome, String)>,
}

impl Plan {
    /// Plans the tasks of a shard on the SUTs.
    #[must_use]
    pub fn new(tasks: &[Task], suts: &[Sut]) -> Self {
        let entries = (0..tasks.len())
            .flat_map(|task| (0..suts.len()).map(move |sut| (task, sut)))
            .filter(|(task, sut)| tasks[*task].readers.as_ref().is_none_or(|all| all.contains(&suts[*sut].name)))
            .map(|(task, sut)| Entry { task, sut, settled: settled(&tasks[task], &suts[sut]) })
            .collect();
        Self { entries }
    }

    /// The plan as the run record keeps it.
    #[must_use]
    pub fn record(&self, tasks: &[Task], suts: &[Sut]) -> PlanRecord {
        let entries = self.entries.iter().map(|entry| Planned {
            case: tasks[entry.task].id.clone(),
            sut: suts[entry.sut].name.clone(),
            without_running: entry.settled.as_ref().map(|(outcome, _)| *outcome),
            why: entry.settled.as_ref().map(|(_, why)| why.clone()),
        });
        PlanRecord { entries: entries.collect() }
    }

    /// How many cases will run on a SUT, and how many will not for each reason.
    #[must_use]
    pub fn counts(&self, sut: usize) -> (usize, BTreeMap<(Outcome, &str), usize>) {
        let mut running = 0;
        let mut settled = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.sut == sut) {
            match &entry.settled {
                None => running += 1,
                Some((outcome, why)) => *settled.entry((*outcome, why.as_str())).or_default() += 1,
            }
        }
        (running, settled)
    }
}

/// The outcome that needs no request, if there is one: the program is not
/// there, the bytes are not there, or the SUT declared that it cannot do it.
fn settled(task: &Task, sut: &Sut) -> Option<(Outcome, String)> {
    let hello = match &sut.admission {
        Err(why) => return Some((Outcome::NotAvailable, why.clone())),
        Ok(hello) => hello,
    };
    if let Err(why) = &task.files {
        return Some((Outcome::NotAvailable, why.clone()));
    }
    undeclared(task, hello).map(|why| (Outcome::Unsupported, why))
}

/// What the case needs and the SUT does not declare.
fn undeclared(task: &Task, hello: &Hello) -> Option<String> {
    if let Some(kind) = task.kinds.iter().find(|kind| !hello.forms.contains(kind)) {
        return Some(format!("does not read {kind}"));
    }
    if let Some(algorithm) = task.algorithms.iter().find(|name| !hello.algorithms.contains(*name)) {
        return Some(format!("does not know {algorithm}"));
    }
    let dialects = task.expectation.layers.iter().filter_map(|layer| layer.dialect);
    if let Some(dialect) = dialects.into_iter().find(|dialect| !hello.dialects.contains(dialect)) {
        return Some(format!("does not read the dialect {dialect}"));
    }
    if task.learns && !hello.learns {
        return Some("does not remember what earlier mail announced".to_owned());
    }
    if task.fixed_clock {
        match hello.clock {
            // Under faketime the shim sets the clock of the implementation, request by request.
            Clock::Settable | Clock::Faketime => {}
            _ => return Some("its clock cannot be set".to_owned()),
        }
    }
    // A case is usable if any of its accepted outcomes can be seen.
    let expectations = || std::iter::once(&task.expectation).chain(&task.accepted);
    let unseen: Option<Vec<AspectName>> =
        expectations().map(|expectation| expectation.undeclared(&hello.aspects)).collect();
    unseen.and_then(|names| names.first().map(|name| format!("does not report {name}")))
}

/// Which part of the cases a run takes: `I/N`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 1, count: 1 }
    }
}

impl Shard {
    /// Whether a case belongs to this shard.
    ///
    /// A negative case goes where its twin is: so every shard can tell whether
    /// the twin was accepted.
    #[must_use]
    pub fn holds(self, task: &Task) -> bool {
        self.holds_id(task.twin.as_deref().unwrap_or(&task.id))
    }

    /// Whether the case of this id, which is nobody's twin, belongs to it.
    #[must_use]
    pub fn holds_id(self, id: &str) -> bool {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(id.as_bytes());
        let number = hash.iter().take(8).fold(0_u64, |number, octet| (number << 8) | u64::from(*octet));
        number % self.count as u64 == self.index as u64 - 1
    }

    /// Whether this is the only part, or the first.
    #[must_use]
    pub const fn is_first(self) -> bool {
        self.index == 1
    }

    /// Whether the run is divided at all.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |text: &str| text.parse::<usize>().ok();
        let (index, count) = text
            .split_once('/')
            .and_then(|(index, count)| Some((parse(index)?, parse(count)?)))
            .ok_or_else(|| format!("{text:?} is not of the form I/N, such as 1/4"))?;
        if index == 0 || index > count {
            return Err(format!("{text}: the shard must be between 1 and {count}"));
        }
        Ok(Self { index, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_read_and_refused() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for wrong in ["", "1", "0/4", "5/4", "1/0", "a/b", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
