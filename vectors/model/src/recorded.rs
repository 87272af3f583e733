//! Mails that real programs wrote for this project, with the keys of the corpus:
//! the script that they were asked to write, and what each of them wrote.
//!
//! Unlike those of the [catalogue](crate::catalogue) their bytes belong to the
//! project: `vectors/recorded/PROGRAM/MAIL.eml`. What must come out of them is
//! not said for each mail again. The script says what was asked for, and a valid
//! mail of that form is what must come out.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{
    ContentMatch, Deviation, Dialect, Evidence, Expectation, Form, Kind, LayerExpectation, Operation,
};

use crate::files::{Files, sha256};
use crate::{Case, Input, Instant, Level, Needs, Pki, Problem, Role, Source, Witness};

/// The folder of the corpus.
pub(crate) const FOLDER: &str = "recorded";
/// What was asked for.
const SCRIPT: &str = "recorded/script.toml";
/// What is known of the mails of one program, in its folder.
const PROVENANCE: &str = "provenance.toml";

/// What programs are asked to write: `vectors/recorded/script.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Version of this format.
    pub format: u32,
    /// The moment at which it is written, for programs that can be told the time.
    pub clock: Instant,
    /// Programs that encrypt every mail for its author, too (RFC 8551 section 3.3).
    pub copies: Vec<String>,
    /// What is written.
    pub letter: Vec<ScriptedLetter>,
    /// How it is protected, by whom, for whom.
    pub mail: Vec<ScriptedMail>,
}

/// The text of a mail, and what is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedLetter {
    /// Its name.
    pub name: String,
    /// Header fields beside From, To, Date, Message-ID and MIME-Version, one a line.
    pub header: String,
    /// The MIME entity: Content fields, an empty line, the body; line ends become CRLF.
    pub entity: String,
    /// The size in octets of a file that takes the place of `{attachment}` in the entity, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<u32>,
}

impl ScriptedLetter {
    /// The entity with CRLF, and with its attachment.
    #[must_use]
    pub fn entity(&self) -> String {
        let text = self.entity.trim_start_matches('\n').replace("\r\n", "\n").replace('\n', "\r\n");
        match self.attachment {
            Some(octets) => text.replace("{attachment}", &base64_lines(octets)),
            None => text,
        }
    }
}

/// Octets that count, so that a piece that is missing or in another place shows; as MIME has them.
fn base64_lines(octets: u32) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let counted: Vec<u8> = (0..octets.div_ceil(4)).flat_map(u32::to_be_bytes).take(octets as usize).collect();
    let mut text = String::new();
    for line in counted.chunks(57) {
        for group in line.chunks(3) {
            let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
            for place in 0..4 {
                let index = (bits >> (18 - 6 * place)) & 0x3f;
                text.push(if place <= group.len() { char::from(ALPHABET[index as usize]) } else { '=' });
            }
        }
        text.push_str("\r\n");
    }
    text.truncate(text.trim_end().len());
    text
}

/// One mail of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedMail {
    /// Its name, which its file and its case get.
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// Why it is recorded.
    pub why: String,
    /// The letter.
    pub letter: String,
    /// The author, an entity of the PKI.
    pub from: String,
    /// The recipients, entities of the PKI.
    pub to: Vec<String>,
    /// How it is signed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<ScriptedSignature>,
    /// How it is encrypted, if it is: after it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt: Option<ScriptedEncryption>,
    /// The dialect, where it is not CMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Name of the built-in policy to judge by; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Settings of the program that are not its defaults, by its own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The model of the smart card that has the author's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Certificates that a reader gets beside the mail, entities of the PKI.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_certificates: Vec<String>,
    /// Programs that are asked, by their names as SUTs; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Ids of the requirements it bears on, at least one.
    pub requirements: Vec<String>,
    /// Clauses that say that such a mail is valid.
    pub clauses: Vec<String>,
}

/// How a scripted mail is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedSignature {
    /// Clear or opaque.
    pub form: Form,
    /// The digest; the program's habit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The scheme; the program's habit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

/// How a scripted mail is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedEncryption {
    /// The content cipher; the program's habit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// How content keys are encrypted; the program's habit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_encryption: Option<String>,
}

/// The mails of one program: `vectors/recorded/PROGRAM/provenance.toml`, written by `cargo xtask record`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of this format.
    pub format: u32,
    /// The program, by its name as a SUT.
    pub program: String,
    /// Its version, as it states it.
    pub version: String,
    /// The system that it ran on.
    pub platform: String,
    /// The day on which it wrote.
    pub recorded: String,
    /// The moment that it took for now.
    pub clock: Instant,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<RecordedMail>,
    /// What it was asked for, and did not write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_written: Vec<NotRecorded>,
}

/// One mail that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedMail {
    /// Its name in the script; the file is `NAME.eml`.
    pub name: String,
    /// What was asked for: [`Script::asked_sha256`] at that time.
    pub asked_sha256: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of the innermost entity, as the witnesses took it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    /// Whether that is the letter: `identical`, `equal` in another encoding, or `differs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentMatch>,
    /// What a reader must know, by the names of the algorithm table.
    pub algorithms: BTreeSet<String>,
    /// What of the mail departs from the standards, layer by layer, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Vec<Deviation>>,
    /// Programs other than the writer that accepted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
}

/// One mail that a program did not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotRecorded {
    /// Its name in the script.
    pub name: String,
    /// Why, in the words of the program or its shim.
    pub why: String,
}

/// Script and provenances, free of faults.
#[derive(Debug, Clone)]
pub struct Recorded {
    script: Script,
    /// By the name of the folder.
    provenances: BTreeMap<String, Provenance>,
}

impl Recorded {
    /// What programs are asked to write.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// What was recorded, by the names of the folders.
    pub fn provenances(&self) -> impl Iterator<Item = (&str, &Provenance)> {
        self.provenances.iter().map(|(folder, provenance)| (folder.as_str(), provenance))
    }

    /// Reads what there is; faults go to `problems`.
    pub(crate) fn from_files(files: &Files, pki: &Pki, problems: &mut Vec<Problem>) -> Option<Self> {
        let script: Script = crate::corpus::read_one(files, SCRIPT, problems)?;
        script.check(pki, problems);
        let mut provenances = BTreeMap::new();
        for (path, _) in files.below(FOLDER, PROVENANCE) {
            let Some(provenance) = crate::corpus::read_one::<Provenance>(files, path, problems) else { continue };
            let Some(folder) = path.strip_prefix("recorded/").and_then(|rest| rest.strip_suffix("/provenance.toml"))
            else {
                problems.push(Problem::new(path, "", "does not stand in recorded/PROGRAM/"));
                continue;
            };
            provenance.check(path, folder, &script, files, problems);
            provenances.insert(folder.to_owned(), provenance);
        }
        // A mail that no provenance names is nobody's.
        for (path, _) in files.below(FOLDER, ".eml") {
            let named = path.strip_prefix("recorded/").and_then(|rest| rest.strip_suffix(".eml")?.split_once('/'));
            let is_known = named.is_some_and(|(folder, name)| {
                provenances.get(folder).is_some_and(|one| one.mail.iter().any(|mail| mail.name == name))
            });
            if !is_known {
                problems.push(Problem::new(path, "", format!("is not in the {PROVENANCE} of its folder")));
            }
        }
        Some(Self { script, provenances })
    }

    /// A case for every mail.
    pub(crate) fn cases(&self, pki: &Pki) -> Vec<Case> {
        let of_folder = |(folder, provenance): (&String, &Provenance)| {
            let scripted = |mail: &RecordedMail| {
                let scripted = self.script.mail(&mail.name)?;
                Some(case(pki, folder, provenance, mail, scripted))
            };
            provenance.mail.iter().filter_map(scripted).collect::<Vec<_>>()
        };
        self.provenances.iter().flat_map(of_folder).collect()
    }
}

/// Path of a recorded mail below `vectors/`.
pub(crate) fn path_of(file: &str) -> String {
    format!("{FOLDER}/{file}")
}

impl Script {
    /// A mail by its name.
    #[must_use]
    pub fn mail(&self, name: &str) -> Option<&ScriptedMail> {
        self.mail.iter().find(|mail| mail.name == name)
    }

    /// The letter of a mail.
    #[must_use]
    pub fn letter(&self, mail: &ScriptedMail) -> Option<&ScriptedLetter> {
        self.letter.iter().find(|letter| letter.name == mail.letter)
    }

    /// SHA-256 over all that a program is told of a mail: what has another one was
    /// recorded for another letter, or in another way.
    #[must_use]
    pub fn asked_sha256(&self, mail: &ScriptedMail) -> String {
        let ScriptedMail { from, to, sign, encrypt, dialect, settings, card, .. } = mail;
        let asked = (self.letter(mail), from, to, sign, encrypt, dialect, settings, card);
        // Plain values: this cannot fail, and if it did no mail would match.
        sha256(&serde_json::to_vec(&asked).unwrap_or_default())
    }

    fn check(&self, pki: &Pki, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(SCRIPT, field, what));
        if self.format != 1 {
            report("format", format!("{} is not known, expected 1", self.format));
        }
        for (index, mail) in self.mail.iter().enumerate() {
            let name = &mail.name;
            if self.mail[..index].iter().any(|other| other.name == *name) {
                report("name", format!("{name:?} is there twice"));
            }
            if self.letter(mail).is_none() {
                report("letter", format!("{name}: there is no letter {:?}", mail.letter));
            }
            if mail.sign.is_none() && mail.encrypt.is_none() {
                report("sign", format!("{name} is neither signed nor encrypted"));
            }
            if mail.to.is_empty() {
                report("to", format!("{name} is for nobody"));
            }
            let people = std::iter::once(&mail.from).chain(&mail.to).chain(&mail.extra_certificates);
            for entity in people.filter(|entity| pki.certificate_pem(entity).is_none()) {
                report("from, to", format!("{name}: {entity:?} is nobody with a certificate"));
            }
        }
        for letter in &self.letter {
            if !letter.entity().contains("\r\n\r\n") {
                report("entity", format!("{:?} has no empty line between header and body", letter.name));
            }
        }
    }
}

impl ScriptedMail {
    /// The layers that it must have, outermost first, as RFC 8551 section 3.7 nests them.
    fn layers(&self, is_authenticated: bool) -> Vec<(Kind, Option<Form>)> {
        let encrypted = if is_authenticated { Kind::AuthEnveloped } else { Kind::Encrypted };
        let outer = self.encrypt.iter().map(|_| (encrypted, None));
        outer.chain(self.sign.iter().map(|sign| (Kind::Signed, Some(sign.form)))).collect()
    }
}

impl Provenance {
    fn check(&self, path: &str, folder: &str, script: &Script, files: &Files, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(path, field, what));
        if self.format != 1 {
            report("format", format!("{} is not known, expected 1", self.format));
        }
        let wanted = folder_of(&self.program, &self.version);
        if wanted != folder {
            report("program", format!("{} {} belongs into {wanted}", self.program, self.version));
        }
        for mail in &self.mail {
            if script.mail(&mail.name).is_none() {
                report("mail", format!("{:?} is not in the script", mail.name));
            }
            match files.0.get(&format!("{FOLDER}/{folder}/{}.eml", mail.name)) {
                None => report("mail", format!("{}.eml is missing", mail.name)),
                Some(text) if sha256(text.as_bytes()) != mail.sha256 => {
                    report("mail", format!("{}.eml is another file: its sha256 is not {}", mail.name, mail.sha256));
                }
                Some(_) => {}
            }
        }
    }
}

/// The folder of a program: its name and the first number of its version.
#[must_use]
pub fn folder_of(program: &str, version: &str) -> String {
    let major = version.split(|letter: char| !letter.is_ascii_digit()).find(|word| !word.is_empty());
    format!("{program}-{}", major.unwrap_or("0"))
}

fn case(pki: &Pki, folder: &str, provenance: &Provenance, mail: &RecordedMail, scripted: &ScriptedMail) -> Case {
    let is_authenticated = mail.algorithms.iter().any(|name| name.ends_with("-gcm") || name.ends_with("-ccm"));
    let layers = scripted.layers(is_authenticated);
    let mut deviations = mail.deviations.iter().cloned();
    let dialect = scripted.dialect.unwrap_or(Dialect::Cms);
    let layer = |(kind, form): (Kind, Option<Form>)| LayerExpectation {
        deviations: deviations.next().unwrap_or_default(),
        ..LayerExpectation::good(kind, form, dialect)
    };
    let kinds = layers.iter().map(|(kind, _)| *kind).collect();
    let anchors = std::iter::once(&scripted.from).chain(&scripted.to).filter_map(|name| {
        let last = *pki.path_without_root(name).last()?;
        pki.entity(last)?.issuer.clone()
    });
    let anchors: BTreeSet<String> = anchors.collect();
    Case {
        id: format!("recorded/{folder}/{}", mail.name),
        title: format!("{}: {}", provenance.program, scripted.title),
        why: scripted.why.clone(),
        requirements: scripted.requirements.clone(),
        level: Level::Must,
        role: Role::CmsReader,
        evidence: Evidence::Recorded,
        operation: Operation::Open,
        clock: provenance.clock,
        fixed_clock: false,
        crls: Vec::new(),
        ocsp: Vec::new(),
        require_revocation: false,
        twin: None,
        difference: None,
        keys: if scripted.encrypt.is_some() { scripted.to.clone() } else { Vec::new() },
        anchors: anchors.into_iter().collect(),
        extra_certificates: scripted.extra_certificates.clone(),
        passwords: Vec::new(),
        symmetric_keys: Vec::new(),
        earlier: Vec::new(),
        from: None,
        policy: scripted.policy.clone(),
        input: Input::Recorded { file: format!("{folder}/{}.eml", mail.name), sha256: mail.sha256.clone() },
        expect: Expectation {
            layers: layers.iter().copied().map(layer).collect(),
            content_sha256: mail.content_sha256.clone(),
            ..Expectation::default()
        },
        accept: Vec::new(),
        source: Source { clauses: scripted.clauses.clone(), ..Source::default() },
        flags: Vec::new(),
        links: Vec::new(),
        witnesses: mail.witnesses.clone(),
        disagreements: Vec::new(),
        needs: Needs { algorithms: mail.algorithms.clone(), kinds },
        private: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_is_base64_of_numbers() {
        assert_eq!(base64_lines(4), "AAAAAA==");
        assert_eq!(base64_lines(9), "AAAAAAAAAAEA");
        let long = base64_lines(120);
        let lines: Vec<&str> = long.split("\r\n").collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [76, 76, 8]);
    }

    /// No fault of the corpus, because it has to be read to record them anew.
    #[test]
    fn every_mail_was_recorded_for_the_script_as_it_is() {
        let corpus = crate::Corpus::embedded().unwrap();
        let recorded = corpus.recorded();
        for (folder, provenance) in recorded.provenances() {
            assert!(!provenance.mail.is_empty(), "{folder}");
            for mail in &provenance.mail {
                let scripted = recorded.script().mail(&mail.name).unwrap();
                let asked = recorded.script().asked_sha256(scripted);
                let program = &provenance.program;
                assert_eq!(asked, mail.asked_sha256, "cargo xtask record {program} {}", mail.name);
            }
        }
    }

    #[test]
    fn a_folder_has_the_first_number_of_the_version() {
        assert_eq!(folder_of("thunderbird", "153.7.0esr"), "thunderbird-153");
        assert_eq!(folder_of("gmssl", "GmSSL 3.1.1"), "gmssl-3");
    }
}
