//! What `waxseal record import` writes of a captured mail: a catalogue entry
//! that nobody has reviewed. It says what was seen, and not what must come out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{LayerExpectation, Overall};

use crate::catalogue::{Client, Origin};
use crate::code::codes;
use crate::{Instant, Needs};

/// An entry without a review: `CLIENT/NAME.toml`, as it would stand in `catalogue/`.
///
/// An entry of the catalogue has no `observed`, and has `why`, `requirements`,
/// `role`, `expect` and `source` beside the rest of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Stable id `recorded/CLIENT/NAME`.
    pub id: String,
    /// What it is, in one line.
    pub title: String,
    /// SHA-256 of the mail, lower-case hexadecimal.
    pub sha256: String,
    /// The moment at which it was looked at: its Date, or when it was captured.
    pub clock: Instant,
    /// Where that moment is taken from.
    pub clock_from: String,
    /// Whether the mail stays with whom it was captured by: id and hash only in reports.
    pub private: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// How it was captured.
    pub capture: Capture,
    /// Who wrote it.
    pub client: Client,
    /// What a SUT must know to be asked.
    pub needs: Needs,
    /// What a reader saw. No expectation: those come from a standard or a real client.
    pub observed: Observed,
}

/// How a mail was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// When a person saved it.
    pub date: Instant,
    /// What they had it as.
    pub form: CaptureForm,
    /// What in it is not as its program wrote it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remade: Vec<String>,
}

codes! {
    /// What a mail was captured as.
    CaptureForm {
        /// The mail itself (RFC 5322).
        Mail = "mail",
        /// A compound file of Outlook ([MS-OXMSG]).
        Msg = "msg",
        /// The file winmail.dat ([MS-OXTNEF]).
        Tnef = "winmail-dat",
        /// A mail with winmail.dat in it.
        TnefInMail = "mail-with-winmail-dat",
    }
}

/// What a reader saw in a captured mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Which reader, without keys and anchors.
    pub by: String,
    /// What the structure tells of the program, if it tells: a guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure_of: Option<String>,
    /// The layers drawn together.
    pub overall: Overall,
    /// The layers, outermost first.
    pub layers: Vec<LayerExpectation>,
}

/// What stands above a written proposal.
const HEAD: &str = "\
# Not reviewed. What stands under [observed] is what one reader saw, and no expectation.
# To make an entry of the catalogue of it: say `why`, `requirements` and `role`, say under
# [expect] what must come out and under [source] which clause or real client says so, then
# take [observed] away.

";
/// What is wrong with a file of the catalogue that is still one of these.
pub(crate) const NOT_REVIEWED: &str = "is not reviewed: say under [expect] what must come out, and under [source] which \
     clause or real client says so, with `why`, `requirements` and `role`; then take [observed] away";

impl Proposal {
    /// The file.
    ///
    /// # Errors
    /// A value cannot be written as TOML.
    pub fn text(&self) -> Result<String, String> {
        toml::to_string(self).map(|text| format!("{HEAD}{text}")).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Corpus;

    fn proposal() -> Proposal {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        Proposal {
            id: "recorded/outlook/new".to_owned(),
            title: "new".to_owned(),
            sha256: "0".repeat(64),
            clock: now,
            clock_from: "Date".to_owned(),
            private: true,
            origin: Origin {
                repository: "captured by hand".to_owned(),
                path: "outlook/new.eml".to_owned(),
                commit: None,
                extract: Some("not published".to_owned()),
                licence: "not published".to_owned(),
            },
            capture: Capture { date: now, form: CaptureForm::Msg, remade: vec!["header: stored".to_owned()] },
            client: Client { name: "Outlook".to_owned(), version: None, known_by: "X-Mailer".to_owned() },
            needs: Needs::default(),
            observed: Observed {
                by: "engine".to_owned(),
                structure_of: None,
                overall: Overall::Undetermined,
                layers: Vec::new(),
            },
        }
    }

    #[test]
    fn a_file_reads_as_what_was_written() {
        let text = proposal().text().unwrap();
        assert!(text.starts_with("# Not reviewed."), "{text}");
        assert_eq!(toml::from_str::<Proposal>(&text).unwrap(), proposal());
    }

    /// What a reader saw never becomes what must come out by being put into the folder.
    #[test]
    fn the_catalogue_refuses_what_nobody_reviewed() {
        let corpus = Corpus::embedded().unwrap();
        let mut files = corpus.files.clone();
        files.0.insert("catalogue/outlook/new.toml".to_owned(), proposal().text().unwrap());
        let problems = Corpus::from_files(files).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].file.as_str(), problems[0].field.as_str()), ("catalogue/outlook/new.toml", "observed"));
        assert!(problems[0].what.contains("is not reviewed: say under [expect]"), "{}", problems[0].what);
    }
}
