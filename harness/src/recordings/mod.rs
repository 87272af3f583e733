//! A directory of recordings, filled from their public sources: raw files of
//! repositories, each pinned by a commit and checked by its hash.
//!
//! Nothing here is called but by `waxseal recordings`; a run never asks anybody.

mod server;

use std::path::Path;

use waxseal_model::{PinnedFile, PublishedFile, Recordings, WantedFile};

use crate::exit::Failed;

pub use server::{Failure, MOST_OCTETS, Server, url};

/// Where public repositories show their files, `BASE/owner/name/COMMIT/PATH`.
pub const PUBLIC_BASE: &str = "https://raw.githubusercontent.com";

/// Whether a directory has a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has.
    Here,
    /// It has not.
    Absent,
    /// Something else has its name: why it is refused.
    Refused(String),
}

/// What became of a file that should be in a directory.
#[derive(Debug)]
pub enum Outcome {
    /// It was there before.
    Here,
    /// It came from its source, of so many octets.
    Fetched(u64),
    /// No repository has it as a file; how it is had.
    NotPublished(String),
    /// It did not come.
    Failed(Failure),
    /// Nobody was asked, because the server could not be reached before.
    NotAsked,
}

/// What a directory has of these files, in their order.
///
/// # Errors
/// The directory cannot be read.
pub fn states(directory: &Path, wanted: &[WantedFile<'_>]) -> Result<Vec<State>, Failed> {
    let recordings = Recordings::open(directory).map_err(Failed::usage)?;
    let state = |file: &WantedFile<'_>| {
        let pin = PinnedFile { file: file.file.clone(), sha256: file.sha256.to_owned() };
        match recordings.pinned(&pin) {
            // What is unfinished lies in the directory, too, and can have the hash before it has the name.
            Ok(_) if !directory.join(&file.file).exists() && server::part_of(&directory.join(&file.file)).exists() => {
                State::Absent
            }
            Ok(_) => State::Here,
            Err(error) if error.is_absent() => State::Absent,
            Err(error) => State::Refused(error.to_string()),
        }
    };
    Ok(wanted.iter().map(state).collect())
}

/// What there is to tell while files come.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many octets of a file are there, of so many if that is known.
    Octets(&'a WantedFile<'a>, u64, Option<u64>),
    /// This became of a file.
    Done(&'a WantedFile<'a>, &'a Outcome),
}

/// Brings what the directory lacks. The outcomes stand in the order of the files.
///
/// # Errors
/// The directory cannot be read or written.
pub fn fetch<'a>(
    directory: &Path,
    wanted: &'a [WantedFile<'a>],
    server: &Server,
    mut on: impl FnMut(Event<'_>) -> Result<(), Failed>,
) -> Result<Vec<Outcome>, Failed> {
    std::fs::create_dir_all(directory).map_err(Failed::at(directory.display()))?;
    let states = states(directory, wanted)?;
    let mut outcomes = Vec::with_capacity(wanted.len());
    let mut reachable = true;
    for (file, state) in wanted.iter().zip(states) {
        let outcome = match (state, &file.source) {
            (State::Here, _) => Outcome::Here,
            (State::Refused(why), _) => Outcome::Failed(Failure::Occupied(why)),
            (State::Absent, Err(why)) => Outcome::NotPublished(why.to_string()),
            (State::Absent, Ok(_)) if !reachable => Outcome::NotAsked,
            (State::Absent, Ok(source)) => bring(directory, file, *source, server, &mut on)?,
        };
        reachable &= !matches!(outcome, Outcome::Failed(Failure::Unreachable(_)));
        on(Event::Done(file, &outcome))?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn bring(
    directory: &Path,
    file: &WantedFile<'_>,
    source: PublishedFile<'_>,
    server: &Server,
    on: &mut impl FnMut(Event<'_>) -> Result<(), Failed>,
) -> Result<Outcome, Failed> {
    let path = directory.join(&file.file);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Failed::at(parent.display()))?;
    }
    let mut shown = Ok(());
    let brought = server.bring(source, file.sha256, &path, |have, all| {
        if shown.is_ok() {
            shown = on(Event::Octets(file, have, all));
        }
    });
    shown?;
    match brought {
        Ok(octets) => Ok(Outcome::Fetched(octets)),
        Err(Failure::Stored(why)) => Err(Failed::usage(why)),
        Err(failure) => Ok(Outcome::Failed(failure)),
    }
}
