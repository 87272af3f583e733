//! The whole corpus, read and checked.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use waxseal_verdict::OutcomeRecord;

use crate::check::check;
use crate::files::Files;
use crate::requirement::RequirementFile;
use crate::{
    Case, CorpusError, Entry, Exchange, Matrix, Peers, Pki, Problem, Proposal, Recorded, RecordingFiles, Requirement,
    Transport, matrix, peers, proposal, published, recorded, transport,
};

/// Cases, catalogue, PKI and requirements, free of faults.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub(crate) files: Files,
    /// Committed cases and those of recordings, in the order of their ids.
    pub(crate) cases: Vec<Case>,
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) pki: Pki,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) matrix: Matrix,
    pub(crate) peers: Peers,
    pub(crate) recorded: Recorded,
    pub(crate) recording_files: RecordingFiles,
    pub(crate) transport: Transport,
    hash: String,
}

impl Corpus {
    /// The corpus that was compiled into this binary.
    ///
    /// # Errors
    /// The corpus has faults; the tests of this crate make sure that a
    /// released one has none.
    pub fn embedded() -> Result<Self, CorpusError> {
        Files::embedded().and_then(Self::from_files).map_err(|problems| CorpusError { problems })
    }

    /// A corpus in a directory laid out as `vectors/`: `cases/`, `catalogue/`,
    /// `exchanges/`, `pki/`, `recorded/`, `matrix.toml`, `requirements.toml`.
    ///
    /// # Errors
    /// A file cannot be read or the corpus has faults: every one, with file and field.
    pub fn load(dir: &Path) -> Result<Self, CorpusError> {
        Files::read(dir).and_then(Self::from_files).map_err(|problems| CorpusError { problems })
    }

    /// Every case in the order of ids, those of recordings too.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// A case by its id.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.binary_search_by(|case| case.id.as_str().cmp(id)).ok().map(|index| &self.cases[index])
    }

    /// The catalogue entry behind a case `recorded/…`.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Every catalogue entry in the order of ids.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Every requirement, in the order of the file.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// A requirement by its id.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| requirement.id == id)
    }

    /// Every exchange in the order of ids.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// The scenarios of the round-trip matrix.
    #[must_use]
    pub const fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// What peers are known to say otherwise.
    #[must_use]
    pub const fn peers(&self) -> &Peers {
        &self.peers
    }

    /// What real programs wrote for this project.
    #[must_use]
    pub const fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// The octets of a mail that a real program wrote for this project, by its path below `recorded/`.
    #[must_use]
    pub fn recorded_mail(&self, file: &str) -> Option<&[u8]> {
        self.files.0.get(&recorded::path_of(file)).map(String::as_bytes)
    }

    /// What happens to mail on its way.
    #[must_use]
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whether something says why an outcome is another one than the case wants: the implementation, or what it is
    /// built on, is named in the case, or there are [reasons](Peers::reasons).
    #[must_use]
    pub fn explains(&self, outcome: &OutcomeRecord) -> bool {
        let like = self.peers.peer(&outcome.sut).and_then(|peer| peer.like.as_deref());
        let disagreements = self.case(&outcome.case).map_or(&[][..], |case| &case.disagreements);
        let is_told = |name: &str| disagreements.iter().any(|one| one.implementation == name);
        [Some(outcome.sut.as_str()), like].into_iter().flatten().any(is_told)
            || self.peers.reasons(&self.matrix, outcome).next().is_some()
    }

    /// Who there is.
    #[must_use]
    pub const fn pki(&self) -> &Pki {
        &self.pki
    }

    /// SHA-256 over all files of the corpus: which corpus a run was about.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every data file with its path below `vectors/`, to be written out again.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Generated positives that nobody else has accepted yet.
    pub fn unwitnessed(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.is_unwitnessed())
    }

    pub(crate) fn from_files(files: Files) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut cases: Vec<Case> = read_all(&files, "cases", &mut problems).into_iter().map(|(_, case)| case).collect();
        let entries: Vec<Entry> =
            read_all(&files, "catalogue", &mut problems).into_iter().map(|(_, entry)| entry).collect();
        let requirements = read_one::<RequirementFile>(&files, "requirements.toml", &mut problems)
            .map_or_else(Vec::new, |file| file.requirement);
        let pki = Pki::from_files(&files, &mut problems);
        let exchanges =
            read_all(&files, "exchanges", &mut problems).into_iter().map(|(_, exchange)| exchange).collect();
        let matrix = read_one::<Matrix>(&files, matrix::FILE, &mut problems);
        let peers = files.0.get(peers::FILE).and_then(|_| read_one::<Peers>(&files, peers::FILE, &mut problems));
        let peers = peers.unwrap_or_default();
        let recording_files = read_one::<RecordingFiles>(&files, published::FILE, &mut problems).unwrap_or_default();
        let recorded = Recorded::from_files(&files, &pki, &mut problems);
        let transport = read_one::<Transport>(&files, transport::FILE, &mut problems);
        let (Some(matrix), Some(recorded), Some(transport), true) = (matrix, recorded, transport, problems.is_empty())
        else {
            return Err(problems);
        };
        cases.extend(entries.iter().map(Entry::case));
        cases.extend(recorded.cases(&pki));
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        let hash = files.hash();
        let entries = entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        let corpus = Self {
            files,
            cases,
            entries,
            requirements,
            pki,
            exchanges,
            matrix,
            peers,
            recorded,
            recording_files,
            transport,
            hash,
        };
        check(&corpus, &mut problems);
        if problems.is_empty() { Ok(corpus) } else { Err(problems) }
    }
}

/// A value that knows its own id.
trait Identified {
    /// The id it states.
    fn id(&self) -> &str;
    /// What is still wrong with a text that is on its way to become one of these.
    fn unfinished(_text: &str) -> Option<(&'static str, &'static str)> {
        None
    }
    /// The id that a file at this path, below its folder and without `.toml`, must state.
    fn id_of(path: &str) -> String;
}

impl Identified for Case {
    fn id(&self) -> &str {
        &self.id
    }

    fn id_of(path: &str) -> String {
        path.to_owned()
    }
}

impl Identified for Entry {
    fn id(&self) -> &str {
        &self.id
    }

    fn id_of(path: &str) -> String {
        format!("recorded/{path}")
    }

    fn unfinished(text: &str) -> Option<(&'static str, &'static str)> {
        toml::from_str::<Proposal>(text).is_ok().then_some(("observed", proposal::NOT_REVIEWED))
    }
}

impl Identified for Exchange {
    fn id(&self) -> &str {
        &self.id
    }

    fn id_of(path: &str) -> String {
        path.to_owned()
    }
}

/// Reads every file of a folder; each must state the id that its path gives it.
fn read_all<T: DeserializeOwned + Identified>(
    files: &Files,
    folder: &str,
    problems: &mut Vec<Problem>,
) -> Vec<(String, T)> {
    let mut values = Vec::new();
    for (path, text) in files.below(folder, "") {
        let Some(stem) = path.strip_suffix(".toml") else {
            problems.push(Problem::new(path, "", "only .toml files belong here"));
            continue;
        };
        match toml::from_str::<T>(text) {
            Err(error) => problems.push(match T::unfinished(text) {
                Some((field, what)) => Problem::new(path, field, what),
                None => Problem::new(path, "", error.to_string().trim_end()),
            }),
            Ok(value) => {
                let wanted = T::id_of(stem.trim_start_matches(folder).trim_start_matches('/'));
                if value.id() != wanted {
                    problems.push(Problem::new(path, "id", format!("is {:?}, the path says {wanted:?}", value.id())));
                }
                values.push((path.to_owned(), value));
            }
        }
    }
    values
}

pub(crate) fn read_one<T: DeserializeOwned>(files: &Files, path: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let Some(text) = files.0.get(path) else {
        problems.push(Problem::new(path, "", "is missing"));
        return None;
    };
    toml::from_str(text).map_err(|error| problems.push(Problem::new(path, "", error.to_string().trim_end()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Selection;

    #[test]
    fn the_embedded_corpus_has_no_fault_and_is_the_one_on_disk() {
        let embedded = Corpus::embedded().unwrap();
        let loaded = Corpus::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        assert_eq!(embedded.hash(), loaded.hash());
        assert_eq!(embedded.requirements().len(), 352);
    }

    #[test]
    fn cases_are_found_by_id_and_by_glob() {
        let corpus = Corpus::embedded().unwrap();
        for case in corpus.cases() {
            assert_eq!(corpus.case(&case.id).map(|found| &found.id), Some(&case.id));
        }
        assert!(corpus.case("no/such/case").is_none());
        let selection = Selection::new(&["recorded/", "nothing/**"]).unwrap();
        let chosen = corpus.cases().iter().filter(|case| selection.contains(case)).count();
        let written: usize = corpus.recorded().provenances().map(|(_, program)| program.mail.len()).sum();
        assert_eq!(chosen, corpus.entries().count() + written);
        assert_eq!(selection.unmatched(corpus.cases()), ["nothing/**"]);
        assert!(Selection::new(&["a/[b"]).unwrap_err().to_string().contains("a/[b"));
    }
}
