//! What peers are known to say otherwise, by the version that was looked at:
//! `peers.toml`. A cause stands there once, with the cases it shows in; what is
//! peculiar to one case stands in that case, as a [`Disagreement`](crate::Disagreement).

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Outcome, OutcomeRecord};

use crate::{Corpus, Matrix, Problem};

/// The file below `vectors/`.
pub(crate) const FILE: &str = "peers.toml";

/// Every peer of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// The format of the file, 1.
    pub format: u32,
    /// The peers.
    pub peer: Vec<Peer>,
}

/// One peer, in the version that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name as a SUT.
    pub sut: String,
    /// The version, as it states it.
    pub version: String,
    /// Another implementation that this one is built on: what the corpus says of that one's disagreements may be
    /// true of it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// Cases that it fails, by cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fails: Vec<Cause>,
    /// Cases that it does not fail, and of which it yet says something that other readers do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Cause>,
}

/// Why a peer says otherwise, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// What it does, and who is right by which clause.
    pub why: String,
    /// The cases.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cases: BTreeSet<String>,
    /// Mails of the matrix that show it, as `SCENARIO/WRITER` with `*` for any part of a name, such as
    /// `triple.*/*`. That one of them comes out right is no contradiction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub round_trips: Vec<String>,
    /// How those mails show it: where the outcome is not as expected (`layer 1 *`, `content`), or what the outcome
    /// is (`crash`). One that is not as expected at another place has another cause. Empty: however they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<String>,
}

impl Cause {
    fn speaks_of(&self, case: &str) -> bool {
        self.cases.contains(case) || case.strip_prefix(ROUND_TRIP).is_some_and(|mail| any(&self.round_trips, mail))
    }

    /// Whether an outcome looks like this cause.
    fn fits(&self, outcome: &OutcomeRecord) -> bool {
        if self.shows.is_empty() || self.cases.contains(&outcome.case) {
            return true;
        }
        match outcome.outcome {
            Outcome::Fail => outcome.mismatches.iter().all(|mismatch| any(&self.shows, &mismatch.place)),
            other => self.shows.iter().any(|shown| shown == other.code()),
        }
    }
}

fn any(globs: &[String], text: &str) -> bool {
    globs.iter().any(|one| glob(one).is_ok_and(|glob| glob.is_match(text)))
}

/// How the id of a mail of the matrix begins; the scenario and the writer follow.
const ROUND_TRIP: &str = "matrix/";

fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    GlobBuilder::new(text).literal_separator(true).build().map(|glob| glob.compile_matcher())
}

/// That a peer says otherwise of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerNote<'a> {
    /// The peer.
    pub sut: &'a str,
    /// In this version.
    pub version: &'a str,
    /// What it does, and who is right.
    pub why: &'a str,
    /// Whether it fails the case.
    pub fails: bool,
}

impl Peers {
    /// The peer of this name.
    #[must_use]
    pub fn peer(&self, sut: &str) -> Option<&Peer> {
        self.peer.iter().find(|peer| peer.sut == sut)
    }

    /// Why an outcome may be another one than is wanted: what is said of the SUT, and of what it is built on; and
    /// what the writer of a mail of the matrix does wrong.
    pub fn reasons<'a>(&'a self, matrix: &'a Matrix, outcome: &'a OutcomeRecord) -> impl Iterator<Item = &'a str> {
        let peer = self.peer(&outcome.sut);
        let like = peer.and_then(|peer| peer.like.as_deref()).filter(|like| *like != outcome.sut);
        let causes = peer.into_iter().chain(like.and_then(|like| self.peer(like))).flat_map(Peer::causes);
        let causes = causes.filter(move |cause| cause.speaks_of(&outcome.case) && cause.fits(outcome));
        let finding = matrix.finding_of(&outcome.case).map(|finding| finding.why.as_str());
        causes.map(|cause| cause.why.as_str()).chain(finding)
    }

    /// Everything that is said of a case.
    pub fn notes<'a>(&'a self, case: &'a str) -> impl Iterator<Item = PeerNote<'a>> {
        self.peer.iter().flat_map(move |peer| peer.notes(case))
    }

    /// Adds every fault to `problems`.
    pub(crate) fn check(&self, corpus: &Corpus, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(FILE, field, what));
        if self.format != 1 && !self.peer.is_empty() {
            report("format", format!("{} is not known, expected 1", self.format));
        }
        let scenarios: Vec<String> = corpus.matrix().scenarios().iter().map(crate::Scenario::name).collect();
        let mut names = BTreeSet::new();
        for peer in &self.peer {
            if !names.insert((&peer.sut, &peer.version)) {
                report("peer", format!("{} {} is there twice", peer.sut, peer.version));
            }
            let mut seen = BTreeSet::new();
            for cause in peer.causes() {
                let shows = !cause.cases.is_empty() || !cause.round_trips.is_empty();
                if cause.why.trim().is_empty() || !shows {
                    report(&peer.sut, "a cause without a reason, or without a case".to_owned());
                }
                if cause.round_trips.is_empty() && !cause.shows.is_empty() {
                    report(&peer.sut, "shows says something of mails of the matrix, and there are none".to_owned());
                }
                for shown in cause.shows.iter().filter(|shown| glob(shown).is_err()) {
                    report(&peer.sut, format!("{shown:?} means no place"));
                }
                for mails in &cause.round_trips {
                    let scenario = mails.split_once('/').and_then(|(scenario, _)| glob(scenario).ok());
                    let is_one = |name: &String| scenario.as_ref().is_some_and(|glob| glob.is_match(name));
                    if glob(mails).is_err() || !scenarios.iter().any(is_one) {
                        report(&peer.sut, format!("there is no scenario of the matrix that {mails:?} means"));
                    }
                }
                for case in &cause.cases {
                    if corpus.case(case).is_none() {
                        report(&peer.sut, format!("there is no case {case:?}"));
                    }
                    if !seen.insert(case) {
                        report(&peer.sut, format!("{case:?} is listed twice"));
                    }
                }
            }
        }
    }
}

impl Peer {
    /// What is said of a case: one note, or none; of a mail of the matrix one for each cause that it can show.
    pub fn notes<'a>(&'a self, case: &'a str) -> impl Iterator<Item = PeerNote<'a>> {
        let note = move |fails: bool, cause: &'a Cause| {
            let is_meant = cause.speaks_of(case);
            is_meant.then_some(PeerNote { sut: &self.sut, version: &self.version, why: &cause.why, fails })
        };
        let fails = self.fails.iter().filter_map(move |cause| note(true, cause));
        fails.chain(self.differs.iter().filter_map(move |cause| note(false, cause)))
    }

    fn causes(&self) -> impl Iterator<Item = &Cause> {
        self.fails.iter().chain(&self.differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let (mut problems, peers) = (Vec::new(), toml::from_str::<Peers>(text).unwrap());
        peers.check(&Corpus::embedded().unwrap(), &mut problems);
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    const QUILL: &str = "format = 1\n[[peer]]\nsut = 'quill'\nversion = '1'\n\
        [[peer.fails]]\nwhy = 'x'\ncases = ['signed/clear/rsa-sha256']\n";

    #[test]
    fn faults_are_named() {
        assert_eq!(problems(QUILL), "");
        for (from, to, expected) in [
            ("format = 1", "format = 2", "format"),
            ("'x'", "''", "without a reason"),
            ("rsa-sha256", "no-such", "no case"),
            ("cases =", "cases = ['signed/clear/rsa-sha256']\n[[peer.differs]]\nwhy = 'y'\ncases =", "twice"),
            ("cases =", "round_trips = ['quadruple.*/*']\ncases =", "no scenario"),
            ("cases =", "round_trips = ['triple.*']\ncases =", "no scenario"),
            ("cases =", "shows = ['crash']\ncases =", "there are none"),
            ("cases =", "round_trips = ['triple.*/*']\nshows = ['[']\ncases =", "no place"),
        ] {
            let found = problems(&QUILL.replacen(from, to, 1));
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }

    /// A failure with mismatches at these places, or a crash.
    fn outcome(case: &str, sut: &str, places: &[&str]) -> OutcomeRecord {
        let mismatch = |place: &&str| serde_json::json!({"place": place, "expected": "good", "observed": "bad"});
        let outcome = if places == ["crash"] { "crash" } else { "fail" };
        serde_json::from_value(serde_json::json!({
            "case": case, "sut": sut, "sut_version": "1", "outcome": outcome, "reason_match": "none",
            "mismatches": places.iter().map(mismatch).collect::<Vec<_>>(),
            "evidence": "generated", "knowledge": "measured", "ms": 1,
        }))
        .unwrap()
    }

    /// What is said of openssl is said of what is built on it.
    #[test]
    fn a_note_holds_for_what_is_built_on_a_peer() {
        let corpus = Corpus::embedded().unwrap();
        for (case, sut, explained) in [
            ("recorded/openssl-test/oaep-malformed", "openssl", true),
            ("recorded/openssl-test/oaep-malformed", "php", true),
            ("recorded/openssl-test/oaep-malformed", "gpgsm", false),
            ("recorded/outlook/exchange-2022", "crypt-smime", true),
            ("recorded/outlook/exchange-2022", "engine", false),
        ] {
            assert_eq!(corpus.explains(&outcome(case, sut, &["content"])), explained, "{case} {sut}");
        }
    }

    #[test]
    fn a_case_has_the_notes_of_every_peer() {
        let peers: Peers = toml::from_str(QUILL).unwrap();
        let notes: Vec<_> = peers.notes("signed/clear/rsa-sha256").collect();
        assert_eq!(notes, [PeerNote { sut: "quill", version: "1", why: "x", fails: true }]);
        assert_eq!(peers.notes("signed/clear/rsa-sha384").count(), 0);
    }

    #[test]
    fn a_cause_speaks_of_mails_of_the_matrix() {
        let text = QUILL.replace("cases =", "round_trips = ['triple.*/*', 'clear.rsa.*/node-forge']\ncases =");
        let peers: Peers = toml::from_str(&text).unwrap();
        let corpus = Corpus::embedded().unwrap();
        for (case, expected) in [
            ("matrix/triple.rsa.oaep.aes-128-cbc.small/engine", 1),
            ("matrix/clear.rsa.small/node-forge", 1),
            ("matrix/clear.rsa.small/engine", 0),
            ("sent-on/triple.rsa/engine", 0),
            ("signed/clear/rsa-sha256", 1),
        ] {
            let reasons = |sut: &str| peers.reasons(corpus.matrix(), &outcome(case, sut, &["content"])).count();
            assert_eq!((reasons("quill"), reasons("pen")), (expected, 0), "{case}");
        }
    }

    /// What looks otherwise has another cause, and is not explained by this one.
    #[test]
    fn a_cause_shows_in_one_way() {
        let corpus = Corpus::embedded().unwrap();
        for (shows, places, expected) in [
            ("'layer 1 *', 'content'", &["layer 1 chain", "layer 1 integrity"][..], true),
            ("'layer 1 *', 'content'", &["layer 1 chain", "content"], true),
            ("'layer 1 *', 'content'", &["layer 1 chain", "layer 2 chain"], false),
            ("'layer 1 *', 'content'", &["crash"], false),
            ("'crash'", &["crash"], true),
            ("'crash'", &["content"], false),
        ] {
            let text = QUILL.replace("cases =", &format!("round_trips = ['triple.*/*']\nshows = [{shows}]\ncases ="));
            let peers: Peers = toml::from_str(&text).unwrap();
            let mail = outcome("matrix/triple.rsa.oaep.aes-128-cbc.small/engine", "quill", places);
            let found = peers.reasons(corpus.matrix(), &mail).count();
            assert_eq!(found == 1, expected, "{shows} {places:?}");
            let case = outcome("signed/clear/rsa-sha256", "quill", places);
            assert_eq!(peers.reasons(corpus.matrix(), &case).count(), 1, "a case has one cause");
        }
    }
}
