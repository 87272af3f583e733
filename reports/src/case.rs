//! What a report says of a case beside its outcomes.

use waxseal_model::{Case, Corpus, Given, Input, Source};
use waxseal_verdict::{Dialect, Evidence, Expectation};

/// The text of one case, as a report prints it.
///
/// The run record names a case by id alone; the caller hands over what is to be
/// printed of it. A case of the run without a text is reported by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseText {
    /// The stable id, `area/topic/name`.
    pub id: String,
    /// One line.
    pub title: String,
    /// Why the case exists: the bug, the attack, the habit it stands for.
    pub why: String,
    /// The requirements it tests.
    pub requirements: Vec<RequirementText>,
    /// `must`, `should` or `may`.
    pub level: String,
    /// Who is tested: producer, CMS reader, MIME reader, path validator, …
    pub role: String,
    /// Where the bytes come from.
    pub evidence: Evidence,
    /// Who says what must come out: a clause, or a real client; never the engine.
    pub source: String,
    /// The time at which the case is judged, RFC 3339.
    pub clock: Option<String>,
    /// The valid sibling of a negative case.
    pub twin: Option<String>,
    /// What must come out.
    pub expected: Expectation,
    /// The dialect of a message with SM2; none if it has no SM2.
    pub dialect: Option<Dialect>,
    /// Whether an independent implementation gave the expected answer before,
    /// or a published answer covers the case.
    pub witnessed: bool,
    /// Further lines, each with its label: differences, flags, links.
    pub notes: Vec<(String, String)>,
    /// SHA-256 of the message, lower-case hexadecimal.
    pub sha256: Option<String>,
    /// What a recorded mail says of people; printed only on request.
    pub private: Option<PrivateText>,
}

/// A requirement in Waxseal's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementText {
    /// Its id in the catalogue, such as `RCV-07`.
    pub id: String,
    /// The requirement in own words.
    pub words: String,
    /// Document and section, such as `RFC 8551 section 2.5`.
    pub section: String,
}

/// Header fields of a recorded mail. They belong to somebody: a report holds
/// them only where the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrivateText {
    /// The From field.
    pub from: String,
    /// The To field.
    pub to: String,
    /// The Subject field.
    pub subject: String,
}

impl CaseText {
    /// What the corpus says of a case. A requirement that the corpus does not
    /// have is named by its id alone.
    #[must_use]
    pub fn of(case: &Case, corpus: &Corpus) -> Self {
        let requirement = |id: &String| match corpus.requirement(id) {
            Some(found) => {
                RequirementText { id: id.clone(), words: found.text.clone(), section: found.reference.join(", ") }
            }
            None => RequirementText { id: id.clone(), words: String::new(), section: String::new() },
        };
        let clock = if case.fixed_clock { " (the answer changes with the time)" } else { "" };
        Self {
            why: case.why.clone(),
            requirements: case.requirements.iter().map(requirement).collect(),
            level: case.level.to_string(),
            role: case.role.to_string(),
            source: source(&case.source),
            clock: Some(format!("{}{clock}", case.clock)),
            twin: case.twin.clone(),
            expected: case.expect.clone(),
            dialect: dialect(case),
            witnessed: !case.witnesses.is_empty() || case.source.published.is_some(),
            notes: notes(case, corpus),
            sha256: match &case.input {
                Input::Recording { sha256 } | Input::Recorded { sha256, .. } => Some(sha256.clone()),
                Input::Recipe(_) => None,
            },
            ..Self::new(&case.id, &case.title, case.evidence)
        }
    }

    /// A text that only has an id and a title; the rest is to be filled in.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            why: String::new(),
            requirements: Vec::new(),
            level: String::new(),
            role: String::new(),
            evidence,
            source: String::new(),
            clock: None,
            twin: None,
            expected: Expectation::default(),
            dialect: None,
            witnessed: false,
            notes: Vec::new(),
            sha256: None,
            private: None,
        }
    }

    /// Whether this case needs an independent implementation that accepts it:
    /// Waxseal made a positive, and nobody published the answer.
    #[must_use]
    pub fn needs_witness(&self) -> bool {
        self.evidence != Evidence::Recorded && !self.expected.is_negative() && !self.witnessed
    }
}

/// The dialect of a message that needs SM2: what the case says, or CMS.
fn dialect(case: &Case) -> Option<Dialect> {
    let named = || case.expect.layers.iter().find_map(|layer| layer.dialect).unwrap_or(Dialect::Cms);
    case.needs.algorithms.iter().any(|name| name == "sm2" || name.starts_with("sm2-")).then(named)
}

/// Who says what must come out, in one line.
fn source(source: &Source) -> String {
    let others = [("the client ", &source.client), ("published: ", &source.published)];
    let others = others.into_iter().filter_map(|(what, text)| Some(format!("{what}{}", text.as_ref()?)));
    source.clauses.iter().cloned().chain(others).collect::<Vec<_>>().join("; ")
}

/// What else a reader of the report wants to know, in the order of a page.
fn notes(case: &Case, corpus: &Corpus) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let mut add = |label: &str, text: String| notes.push((label.to_owned(), text));
    if let Some(difference) = &case.difference {
        add("Differs from it in", difference.clone());
    }
    if !case.accept.is_empty() {
        add("Also right", format!("{} other answers, see the case file", case.accept.len()));
    }
    for flag in &case.flags {
        add("Implementations differ", format!("{}: {}", flag.name, flag.why));
    }
    for witness in &case.witnesses {
        let given = match witness.given {
            Given::Message => "the whole message",
            Given::Certificates => "the certificates alone",
            _ => "the CMS object and its content, cut out of the message",
        };
        add("Witness", format!("{} {}, given {given}", witness.implementation, witness.version));
    }
    for other in &case.disagreements {
        add("Says otherwise", format!("{} {}: {} ({})", other.implementation, other.version, other.says, other.why));
    }
    for note in corpus.peers().notes(&case.id) {
        let label = if note.fails { "Says otherwise" } else { "Differs" };
        add(label, format!("{} {}: {}", note.sut, note.version, note.why));
    }
    for link in &case.links {
        add("Link", link.clone());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_corpus_has_a_text() {
        let corpus = Corpus::embedded().unwrap();
        for case in corpus.cases() {
            let text = CaseText::of(case, &corpus);
            assert_eq!(text.needs_witness(), case.is_unwitnessed(), "{}", case.id);
            assert!(!text.source.is_empty(), "{}", case.id);
            assert!(text.requirements.iter().all(|requirement| !requirement.words.is_empty()), "{}", case.id);
        }
    }
}
