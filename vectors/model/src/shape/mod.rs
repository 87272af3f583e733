//! The shapes of clients, `shapes/*.toml`: how each writes, what it reads and
//! whom it trusts, every line with its kind of knowledge, its versions and its
//! source; and the replicas, which the forge writes.

mod reading;
mod replica;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reading::{FeatureReading, KnownAnswer, MailFeatures, Reading};
pub use replica::{CertificateRole, FormShape, Overrides, Replica, ReplicaForm, Table};

use crate::code::codes;
use crate::files::Files;
use crate::{Clients, Corpus, CorpusError, Problem};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../shapes");

/// Every shape, free of faults.
#[derive(Debug, Clone)]
pub struct Shapes {
    list: Vec<ClientShape>,
}

/// The habits of one client in all its versions: `shapes/CLIENT.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientShape {
    /// Version of this format: 1.
    pub format: u32,
    /// Its stable name, that of the file and of the table of clients.
    pub client: String,
    /// Its name for people.
    pub title: String,
    /// How it writes.
    pub writes: Vec<Habit>,
    /// What it reads, and what it shows of it.
    pub reads: Vec<Habit>,
    /// Which certificates it trusts.
    pub trusts: Vec<Habit>,
    /// Its mail as the forge writes it, by the name that `--as` takes.
    #[serde(default)]
    pub replica: BTreeMap<String, Replica>,
}

/// One line of what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// What it is about.
    pub topic: Topic,
    /// What the client does; empty where it is unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub does: String,
    /// Whether it can, of lines about what it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What in a mail the answer is about, of lines about what it reads: algorithms by the names of the algorithm
    /// table (`rc2-cbc-40` for RC2 with so many bits), layers from outside in (`clear`, `encrypted/opaque`). Empty
    /// where it is about nothing that makes one mail of the matrix another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// How it is known.
    pub kind: KnownBy,
    /// In which versions, in the client's own numbers; empty where nothing says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub versions: String,
    /// Ids of recordings, or the place that says it; of what is unknown, where it was looked for.
    pub source: Vec<String>,
}

codes! {
    /// How something about a client is known.
    KnownBy {
        /// From its bytes, or from what it showed: with a version and a recording.
        Captured = "captured",
        /// A source says so.
        Documented = "documented",
        /// Nothing that was found says so.
        Unknown = "unknown",
    }
}

codes! {
    /// What a client does with something that it is given.
    Answer {
        /// It can.
        Yes = "yes",
        /// It can, but not always or not rightly.
        Partly = "partly",
        /// It cannot, or refuses.
        No = "no",
    }
}

codes! {
    /// What a line is about.
    Topic {
        /// Clear and opaque signatures, and their media types.
        Form = "form",
        /// A signature inside an encrypted mail, and other layers in layers.
        Nesting = "nesting",
        /// The digest of a signature.
        Digest = "digest",
        /// Schemes of signatures.
        SignatureScheme = "signature-scheme",
        /// Signed attributes.
        Attributes = "attributes",
        /// What it announces that it can read, and what it makes of what others announce.
        Capabilities = "capabilities",
        /// The certificates of a signature.
        Certificates = "certificates",
        /// The content cipher, also where nothing is known of the recipient.
        Cipher = "cipher",
        /// Ciphers that authenticate (AuthEnvelopedData).
        AuthenticatedCipher = "authenticated-cipher",
        /// CompressedData.
        Compression = "compression",
        /// RSA for content keys.
        KeyTransport = "key-transport",
        /// Key agreement.
        KeyAgreement = "key-agreement",
        /// How recipients are named, and in which order they stand.
        Recipients = "recipients",
        /// From against the certificate.
        Identity = "identity",
        /// Signing time, validity.
        Time = "time",
        /// Several signers, or none.
        Signers = "signers",
        /// Revocation.
        Revocation = "revocation",
        /// Header fields inside.
        Headers = "headers",
        /// Transfer encodings and lines.
        Transfer = "transfer",
        /// Trust anchors and what certificates must have.
        Trust = "trust",
    }
}

/// What begins the id of a recording.
const RECORDED: &str = "recorded/";

impl Shapes {
    /// The shapes that were compiled into this binary.
    ///
    /// # Errors
    /// They have faults; the tests of this crate make sure that released ones have none.
    pub fn embedded() -> Result<Self, CorpusError> {
        Self::from_files(Files::of_folder("shapes", &EMBEDDED))
    }

    /// The shapes in the folder `shapes` of a directory laid out as `vectors/`.
    ///
    /// # Errors
    /// A file cannot be read or has faults: every one, with file and field.
    pub fn load(dir: &Path) -> Result<Self, CorpusError> {
        Self::from_files(Files::read_folder(dir, "shapes"))
    }

    /// Every client, in the order of names.
    #[must_use]
    pub fn list(&self) -> &[ClientShape] {
        &self.list
    }

    /// A client by its stable name.
    #[must_use]
    pub fn client(&self, name: &str) -> Option<&ClientShape> {
        self.list.iter().find(|shape| shape.client == name)
    }

    /// Every replica: its name, whose it is, and what it is.
    pub fn replicas(&self) -> impl Iterator<Item = (&str, &ClientShape, &Replica)> {
        self.list.iter().flat_map(|shape| shape.replica.iter().map(move |(name, one)| (name.as_str(), shape, one)))
    }

    /// A replica by the name that `--as` takes.
    #[must_use]
    pub fn replica(&self, name: &str) -> Option<(&ClientShape, &Replica)> {
        self.replicas().find(|(known, ..)| *known == name).map(|(_, shape, replica)| (shape, replica))
    }

    /// The faults that only show beside the corpus and the table of clients.
    #[must_use]
    pub fn check_sources(&self, corpus: &Corpus, clients: &Clients) -> Vec<Problem> {
        let mut problems = Vec::new();
        let scenarios = corpus.matrix().scenarios();
        let mails = scenarios.iter().map(MailFeatures::of_scenario);
        let mails: Vec<_> = mails.chain(corpus.cases().iter().filter_map(MailFeatures::of_case)).collect();
        let words: BTreeSet<&str> = mails.iter().flat_map(MailFeatures::words).collect();
        for shape in &self.list {
            let mut report = |field: &str, what: String| problems.push(Problem::new(&shape.file(), field, what));
            if !clients.list().iter().any(|known| known.client == shape.client) {
                report("client", format!("{:?} is not in the table of clients", shape.client));
            }
            let unknown = |id: &&String| id.starts_with(RECORDED) && corpus.case(id).is_none();
            for (field, habit) in shape.habits() {
                for id in habit.source.iter().filter(unknown) {
                    report(&field, format!("{id:?} is not in the catalogue"));
                }
                for word in habit.of.iter().filter(|word| !words.contains(word.as_str())) {
                    report(&format!("{field}.of"), format!("no mail of the corpus has {word:?}"));
                }
            }
            for (name, replica) in &shape.replica {
                for (form, one) in replica.forms() {
                    for id in one.source.iter().chain(&one.recording).filter(unknown) {
                        report(&format!("replica.{name}.{form}"), format!("{id:?} is not in the catalogue"));
                    }
                }
            }
        }
        problems
    }

    fn from_files(files: Result<Files, Vec<Problem>>) -> Result<Self, CorpusError> {
        let files = files.map_err(|problems| CorpusError { problems })?;
        let (mut problems, mut list, mut names) = (Vec::new(), Vec::<ClientShape>::new(), BTreeSet::new());
        for (path, text) in files.below("shapes", ".toml") {
            match toml::from_str::<ClientShape>(text) {
                Err(error) => problems.push(Problem::new(path, "", error.to_string().trim_end())),
                Ok(shape) => {
                    shape.check(path, &mut problems);
                    for name in shape.replica.keys().filter(|name| !names.insert((*name).clone())) {
                        let what = "another client has a replica of that name".to_owned();
                        problems.push(Problem::new(path, format!("replica.{name}"), what));
                    }
                    list.push(shape);
                }
            }
        }
        if problems.is_empty() { Ok(Self { list }) } else { Err(CorpusError { problems }) }
    }
}

impl ClientShape {
    fn file(&self) -> String {
        format!("shapes/{}.toml", self.client)
    }

    fn habits(&self) -> impl Iterator<Item = (String, &Habit)> {
        let lists = [("writes", &self.writes), ("reads", &self.reads), ("trusts", &self.trusts)];
        lists.into_iter().flat_map(|(name, list)| {
            list.iter().enumerate().map(move |(index, habit)| (format!("{name}.{}", index + 1), habit))
        })
    }

    fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: &str| problems.push(Problem::new(path, field, what));
        if self.format != 1 {
            report("format", "1 is the only one there is");
        }
        if self.file() != path {
            report("client", "the path says another one");
        }
        for (name, list) in [("writes", &self.writes), ("reads", &self.reads), ("trusts", &self.trusts)] {
            if list.is_empty() {
                report(name, "is empty: what is not known has a line that says so");
            }
        }
        for (field, habit) in self.habits() {
            if habit.source.is_empty() || habit.source.iter().any(|source| source.trim().is_empty()) {
                report(&format!("{field}.source"), "is empty: who says so?");
            }
            if habit.does.is_empty() != (habit.kind == KnownBy::Unknown) {
                report(&format!("{field}.does"), "is empty where something is unknown, and only there");
            }
            if habit.answer.is_some() != (field.starts_with("reads") && habit.kind != KnownBy::Unknown) {
                report(&format!("{field}.answer"), "stands where something is known that is read, and only there");
            }
            if !habit.of.is_empty() && habit.answer.is_none() {
                report(&format!("{field}.of"), "stands where there is an answer, and only there");
            }
            let recorded = habit.source.iter().any(|source| source.starts_with(RECORDED));
            if habit.kind == KnownBy::Captured && habit.versions.is_empty() && !recorded {
                report(&format!("{field}.versions"), "what was captured has a version or a recording");
            }
        }
        for (name, replica) in &self.replica {
            replica.check(&format!("replica.{name}"), &mut report);
        }
    }
}

#[cfg(test)]
mod tests;
