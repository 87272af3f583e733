//! Transport: what happens to mail between its writer and its reader.
//!
//! A letter is a mail of the corpus, a mangling is something that software on
//! the way is known to do to mail, a route is a way through real servers. What
//! each does to each letter is expected by a clause, and stands here as data of
//! `vectors/transport.toml`; how a mangling is done is the forge's to know, how
//! a server is run the harness's.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Arrival, Aspect, AspectName, Expectation, LayerExpectation, Reason};

use crate::code::codes;
use crate::{Case, Problem};

/// The file below `vectors/`.
pub(crate) const FILE: &str = "transport.toml";

/// Letters, manglings and routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transport {
    /// The format of the file, 1.
    pub format: u32,
    /// Octets of a mail that the SMTP server of a route takes at most; it announces that (RFC 1870).
    pub size_limit: usize,
    /// The mails.
    pub letter: Vec<Letter>,
    /// What software on the way does.
    pub mangling: Vec<Mangling>,
    /// Ways through real servers.
    pub route: Vec<Route>,
}

/// A mail of the corpus, and what is special about its octets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// Name in ids and tables.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// The positive case whose message it is.
    pub case: String,
}

/// Something that software on the way does to mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mangling {
    /// Name in ids and tables.
    pub name: String,
    /// What it does, in a line.
    pub what: String,
    /// Who does that, and where it is known from.
    pub who: String,
    /// The clauses that allow, forbid or foresee it.
    pub clauses: Vec<String>,
    /// The change.
    pub does: Change,
    /// Whether what a person sees of the mail stays the same: text, files and their names.
    pub neutral: bool,
    /// What becomes of the letters.
    pub expect: Effects,
}

/// A way through real servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Name in ids and tables.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// How the mail is given to the first server.
    pub submit: Submit,
    /// How it is taken from the last one.
    pub fetch: Fetch,
    /// Whether the mails of the catalogue go this way, too, where their bytes are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recordings: bool,
    /// The clauses that say what the servers must not touch.
    pub clauses: Vec<String>,
    /// What may change on the way without being a finding.
    pub may: BTreeSet<Arrival>,
    /// What becomes of the letters.
    pub expect: Effects,
}

/// How a mail is given to the first server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// SMTP, or IMAP's APPEND.
    pub by: SubmitBy,
    /// TLS, or none.
    pub security: Security,
    /// Whether the next server of an SMTP route does not announce 8BITMIME (RFC 6152 section 3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seven_bit: bool,
}

/// How a mail is taken from the last server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// IMAP's FETCH, or POP3's RETR.
    pub by: FetchBy,
    /// TLS, or none.
    pub security: Security,
}

codes! {
    /// How a mail is given to a server.
    SubmitBy {
        /// SMTP (RFC 5321); the mail goes on by LMTP (RFC 2033) to the server that it is fetched from.
        Smtp = "smtp",
        /// IMAP's APPEND (RFC 9051 section 6.3.12).
        Append = "append",
    }
}

codes! {
    /// How a mail is taken from a server.
    FetchBy {
        /// IMAP's FETCH (RFC 9051 section 6.4.5).
        Imap = "imap",
        /// POP3's RETR (RFC 1939 section 5).
        Pop3 = "pop3",
    }
}

codes! {
    /// Whether the connection is secured.
    Security {
        /// It is not.
        None = "none",
        /// From a command on: STARTTLS (RFC 3207, RFC 9051 section 6.2.1), STLS (RFC 2595 section 4).
        StartTls = "starttls",
        /// From its first octet on (RFC 8314 section 3).
        Tls = "tls",
    }
}

/// What becomes of the letters: of all, but for exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// What becomes of every letter that is no exception.
    pub all: Effect,
    /// Other effects that are right too, where the clauses leave it open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<Effect>,
    /// Letters that something else becomes of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}

/// Letters that something else becomes of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Their names.
    pub letters: Vec<String>,
    /// What becomes of them.
    pub effect: Effect,
    /// Other effects that are right too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<Effect>,
    /// Why.
    pub why: String,
}

/// What becomes of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Effect {
    /// Nothing that a reader of S/MIME would call damage, or all of it.
    Whole(Fate),
    /// One aspect turns bad.
    Damaged(Damage),
}

codes! {
    /// What becomes of a letter as a whole.
    Fate {
        /// It arrives octet for octet.
        Identical = "identical",
        /// Its octets change, and a reader says of every layer what it said before.
        Survives = "survives",
        /// The outermost signature stands beside what it signed, and nothing says any more that it does: to a reader it
        /// is a signature without content, or none. What was inside is as before.
        Detached = "detached",
        /// It is not carried at all, and whoever sent it is told.
        Refused = "refused",
    }
}

/// One aspect that turns bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Damage {
    /// The layer, the outermost is 1; every layer on which the case expects something of the aspect, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// The aspect.
    pub aspect: AspectName,
    /// The reason.
    pub reason: Reason,
}

/// A change of the octets of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// Every CRLF becomes LF.
    LineFeeds {},
    /// Texts in these encodings are encoded anew.
    Encode {
        /// The encodings that are changed.
        from: Vec<Encoding>,
        /// The encoding that they get.
        to: Encoding,
        /// Whether texts of ASCII alone stay as they are.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        only_eight_bit: bool,
    },
    /// Every base64 body gets lines of this many characters.
    RewrapBase64 {
        /// Characters of a line.
        columns: usize,
    },
    /// Lines of texts that are not encoded are broken at spaces.
    WrapText {
        /// Octets of a line at most.
        columns: usize,
    },
    /// Lines of the body are cut, and the rest goes on after a space.
    CutLines {
        /// Octets of a line at most.
        octets: usize,
    },
    /// Lines of the body that begin so get something before them.
    PrefixLines {
        /// How they begin.
        beginning: String,
        /// What they get.
        prefix: String,
    },
    /// Spaces and tabs at the ends of lines of the body are dropped.
    StripLineEnds {},
    /// Text is put after everything.
    Append {
        /// The text.
        text: String,
    },
    /// Text is put at the end of the first text part.
    AppendToText {
        /// The text, of ASCII.
        text: String,
    },
    /// The entity is put into multipart/mixed, a footer beside it.
    ListFooter {},
    /// A text part is put first into the first multipart/mixed inside.
    InsertPart {
        /// The text, of ASCII.
        text: String,
    },
    /// A text part is put last into the outermost multipart.
    AppendPart {
        /// The text, of ASCII.
        text: String,
    },
    /// Only the beginning is carried.
    Cut {
        /// How much of it, in hundredths.
        percent: u8,
    },
    /// Header fields are folded anew at every parameter.
    Fold {
        /// Those of the parts too, and not only those above the whole mail.
        parts: bool,
    },
    /// Header fields are put above the mail.
    AddFields {
        /// The fields, each a whole line.
        fields: Vec<String>,
    },
    /// A header field gets another value.
    SetField {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// A boundary is chosen anew.
    Boundary {
        /// Of the multiparts inside, and not of the outermost.
        inner: bool,
    },
    /// A media type is named otherwise; the parameters stay.
    MediaType {
        /// The types, in lower case.
        from: Vec<String>,
        /// The type that they get.
        to: String,
    },
    /// Parameters of the outermost Content-Type are dropped.
    DropParameters {
        /// Their names.
        names: Vec<String>,
    },
}

codes! {
    /// A Content-Transfer-Encoding (RFC 2045 section 6).
    Encoding {
        /// 7bit.
        SevenBit = "7bit",
        /// 8bit.
        EightBit = "8bit",
        /// quoted-printable.
        QuotedPrintable = "quoted-printable",
        /// base64.
        Base64 = "base64",
    }
}

impl Effects {
    /// What becomes of a letter: what is expected, then what is right too.
    pub fn of(&self, letter: &str) -> impl Iterator<Item = &Effect> {
        let exception = self.except.iter().find(|exception| exception.letters.iter().any(|name| name == letter));
        let (first, or) = exception.map_or((&self.all, &self.or), |exception| (&exception.effect, &exception.or));
        std::iter::once(first).chain(or)
    }

    fn all(&self) -> impl Iterator<Item = &Effect> {
        let exceptions =
            self.except.iter().flat_map(|exception| std::iter::once(&exception.effect).chain(&exception.or));
        std::iter::once(&self.all).chain(&self.or).chain(exceptions)
    }
}

impl Effect {
    /// Whether this is it.
    #[must_use]
    pub fn is(&self, fate: Fate) -> bool {
        *self == Self::Whole(fate)
    }

    /// What a reader must say of a letter that this became of, in words.
    #[must_use]
    pub fn expectations(&self, before: &Expectation) -> Vec<Expectation> {
        let without_content = Expectation { content_sha256: None, ..before.clone() };
        match self {
            Self::Whole(Fate::Identical | Fate::Survives) => vec![before.clone()],
            Self::Whole(Fate::Detached) => {
                let inside: Vec<_> = before.layers.iter().skip(1).cloned().collect();
                let alone = before.layers.first().cloned().map(|mut signature| {
                    let damage = Damage { layer: None, aspect: AspectName::Structure, reason: Reason::ContentMissing };
                    damage.damage(&mut signature);
                    // A signature by itself is neither clear nor opaque.
                    signature.form = None;
                    signature
                });
                let with =
                    Expectation { layers: inside.iter().cloned().chain(alone).collect(), ..without_content.clone() };
                vec![with, Expectation { layers: inside, ..without_content }]
            }
            Self::Whole(Fate::Refused) => Vec::new(),
            Self::Damaged(damage) => damage.expectations(&without_content),
        }
    }
}

impl Damage {
    /// What is expected of the layers; several answers, where a reader may stop at the fault or go on.
    fn expectations(&self, before: &Expectation) -> Vec<Expectation> {
        let mut after = before.clone();
        let mut last = None;
        for (number, layer) in (1..).zip(&mut after.layers) {
            if self.layer.map_or(layer.aspects.contains_key(&self.aspect), |damaged| damaged == number) {
                self.damage(layer);
                last = Some(number);
            }
        }
        let Some(last) = last.filter(|last| self.hides() && *last < after.layers.len()) else { return vec![after] };
        // What is inside a layer that cannot be read may come out nevertheless.
        let stopped = Expectation { layers: after.layers.iter().take(last).cloned().collect(), ..after.clone() };
        after.layers.iter_mut().skip(last).for_each(|layer| layer.aspects.clear());
        vec![stopped, after]
    }

    fn damage(&self, layer: &mut LayerExpectation) {
        // Who the signer is, and what the text was, is beside the point of a layer that does not hold.
        let stays = |name: AspectName| match self.aspect {
            AspectName::Structure => false,
            AspectName::Decryption | AspectName::Integrity => name == AspectName::Structure,
            _ => true,
        };
        layer.aspects.retain(|name, _| stays(*name));
        layer.beside.retain(|name, _| stays(*name));
        layer.aspects.insert(self.aspect, Aspect::bad(self.reason, ""));
        layer.deviations.clear();
    }

    /// Whether a reader may see nothing of the layers inside.
    const fn hides(&self) -> bool {
        matches!(self.aspect, AspectName::Structure | AspectName::Decryption)
    }
}

impl Transport {
    /// The id of a letter that went a way: through a mangling or a route.
    #[must_use]
    pub fn id(way: &str, letter: &str) -> String {
        format!("transport/{way}/{letter}")
    }

    /// The name that a recording has as a letter, from the id of its case.
    #[must_use]
    pub fn recorded(case: &str) -> String {
        case.replace('/', ".")
    }

    /// Everything that can be sent: the id of each mail on each way, and the case that it is of. Letters go every
    /// way; `recordings`, by the ids of their cases, go the routes that take them.
    pub fn ids<'a>(&'a self, recordings: &'a [&'a str]) -> impl Iterator<Item = (String, &'a str)> {
        let ways = self.mangling.iter().map(|one| (&one.name, false));
        let ways = ways.chain(self.route.iter().map(|one| (&one.name, one.recordings)));
        ways.flat_map(move |(way, takes)| {
            let letters = self.letter.iter().map(move |letter| (Self::id(way, &letter.name), letter.case.as_str()));
            let recordings = recordings.iter().filter(move |_| takes);
            letters.chain(recordings.map(move |case| (Self::id(way, &Self::recorded(case)), *case)))
        })
    }

    /// Adds every fault to `problems`.
    pub(crate) fn check<'a>(&self, case: impl Fn(&str) -> Option<&'a Case>, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(FILE, field, what));
        if self.format != 1 {
            report("format", format!("{} is not known, expected 1", self.format));
        }
        let ways = self.mangling.iter().map(|one| &one.name).chain(self.route.iter().map(|one| &one.name));
        for (field, names) in [
            ("letter", self.letter.iter().map(|letter| &letter.name).collect::<Vec<_>>()),
            ("mangling and route", ways.collect()),
        ] {
            let mut seen = BTreeSet::new();
            for name in names {
                let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
                if name.is_empty() || !name.bytes().all(plain) {
                    report(field, format!("{name:?} is not of lower-case letters, digits and hyphens"));
                }
                if !seen.insert(name) {
                    report(field, format!("{name:?} is there twice"));
                }
            }
        }
        for letter in &self.letter {
            match case(&letter.case) {
                None => report("letter.case", format!("there is no case {:?}", letter.case)),
                Some(case) if case.is_negative() => {
                    report("letter.case", format!("{:?} is negative: a letter is sound", letter.case));
                }
                Some(_) => {}
            }
        }
        let rows = self.mangling.iter().map(|one| (&one.name, &one.expect, &one.clauses));
        let rows = rows.chain(self.route.iter().map(|one| (&one.name, &one.expect, &one.clauses)));
        for (name, effects, clauses) in rows {
            if clauses.is_empty() {
                report(name, "names no clause".to_owned());
            }
            let mut excepted = BTreeSet::new();
            for letter in effects.except.iter().flat_map(|exception| &exception.letters) {
                if !self.letter.iter().any(|known| known.name == *letter) {
                    report(name, format!("there is no letter {letter:?}"));
                }
                if !excepted.insert(letter) {
                    report(name, format!("{letter:?} is excepted twice"));
                }
            }
            for effect in effects.all() {
                if let Effect::Damaged(damage) = effect
                    && !damage.reason.aspects().contains(&damage.aspect)
                {
                    report(name, format!("{} is no reason of {}", damage.reason, damage.aspect));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Corpus;

    #[test]
    fn an_exception_takes_the_place_of_the_rule() {
        let effects = Effects {
            all: Effect::Whole(Fate::Survives),
            or: Vec::new(),
            except: vec![Exception {
                letters: vec!["b".to_owned()],
                effect: Effect::Whole(Fate::Refused),
                or: vec![Effect::Whole(Fate::Identical)],
                why: String::new(),
            }],
        };
        assert_eq!(effects.of("a").collect::<Vec<_>>(), [&Effect::Whole(Fate::Survives)]);
        let excepted: Vec<_> = effects.of("b").collect();
        assert_eq!(excepted, [&Effect::Whole(Fate::Refused), &Effect::Whole(Fate::Identical)]);
    }

    #[test]
    fn damage_outside_may_hide_what_is_inside() {
        let corpus = Corpus::embedded().unwrap();
        let triple = corpus.transport().letter.iter().find(|letter| letter.name == "triple").unwrap();
        let before = &corpus.case(&triple.case).unwrap().expect;
        let damage = |layer, aspect, reason| Effect::Damaged(Damage { layer, aspect, reason }).expectations(before);
        let kinds = |expectation: &Expectation| expectation.layers.len();
        // A wrong digest hides nothing.
        let digest = damage(Some(1), AspectName::Integrity, Reason::DigestMismatch);
        assert_eq!(digest.iter().map(kinds).collect::<Vec<_>>(), [3]);
        assert!(digest[0].layers[0].is_negative() && !digest[0].layers[2].is_negative());
        let cut = damage(Some(1), AspectName::Structure, Reason::Truncated);
        assert_eq!(cut.iter().map(kinds).collect::<Vec<_>>(), [1, 3]);
        let beside: Vec<_> = Effect::Whole(Fate::Detached)
            .expectations(before)
            .iter()
            .map(|one| (kinds(one), one.is_negative()))
            .collect();
        assert_eq!(beside, [(3, true), (2, false)]);
        // Without a number: both signatures.
        let identity = damage(None, AspectName::Identity, Reason::AddressMismatch);
        let bad: Vec<_> = identity[0].layers.iter().map(LayerExpectation::is_negative).collect();
        assert_eq!(bad, [true, false, true]);
    }

    #[test]
    fn faults_are_found() {
        let corpus = Corpus::embedded().unwrap();
        let mut transport = corpus.transport().clone();
        transport.format = 2;
        transport.letter[0].case = "no/such/case".to_owned();
        transport.letter[1].name = "clear-7bit".to_owned();
        transport.mangling[0].clauses.clear();
        transport.mangling[0].expect.all =
            Effect::Damaged(Damage { layer: None, aspect: AspectName::Chain, reason: Reason::DigestMismatch });
        transport.route[0].expect.except.push(Exception {
            letters: vec!["nobody".to_owned()],
            effect: Effect::Whole(Fate::Identical),
            or: Vec::new(),
            why: String::new(),
        });
        let mut problems = Vec::new();
        transport.check(|id| corpus.case(id), &mut problems);
        let text: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        for part in [
            "2 is not known",
            "no case \"no/such/case\"",
            "\"clear-7bit\" is there twice",
            "names no clause",
            "digest-mismatch is no reason of chain",
            "no letter \"nobody\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
