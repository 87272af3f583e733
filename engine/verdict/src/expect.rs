//! How a verdict is compared with what a case expects.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::code::codes;
use crate::{Aspect, AspectName, Deviation, Dialect, Form, HeaderState, Hello, Kind, Layer, Reason, Verdict};

/// What must come out of reading a case's message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The layers, outermost first; a reader that peels fewer or more fails.
    #[serde(default)]
    pub layers: Vec<LayerExpectation>,
    /// Whether the reason of a bad aspect decides too, not only that it is bad.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reason_decides: bool,
    /// How header fields are protected, by name in lower case. A field that is
    /// not named is not compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderState>,
    /// SHA-256 of the innermost entity, CRLF, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
}

/// What a reader reports beside aspects; only that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reports {
    /// Deviations.
    pub deviations: bool,
    /// The state of header fields.
    pub headers: bool,
}

impl Reports {
    /// A reader that reports everything.
    pub const ALL: Self = Self { deviations: true, headers: true };
}

impl From<&Hello> for Reports {
    fn from(hello: &Hello) -> Self {
        Self { deviations: hello.deviations, headers: hello.headers }
    }
}

/// What must come out of one layer. An aspect that is not named is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LayerExpectation {
    /// The kind of wrapping.
    pub kind: Kind,
    /// Clear or opaque, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The family of messages; compared where a reader reports deviations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The aspects and their values; `{ bad = "reason" }` names the reason.
    pub aspects: BTreeMap<AspectName, Aspect>,
    /// Further aspects, which do not make it a negative: compared where a reader reports them, and
    /// nothing is lost on one that does not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<AspectName, Aspect>,
    /// Deviations that must be reported; others may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}

impl LayerExpectation {
    /// A layer of which everything holds that a mail between two who trust each
    /// other needs. Whether its algorithms are strong enough (policy) is not asked.
    #[must_use]
    pub fn good(kind: Kind, form: Option<Form>, dialect: Dialect) -> Self {
        use AspectName::{Chain, Coverage, Decryption, Identity, Integrity, Structure, Time};
        let good: &[AspectName] = match (kind, dialect) {
            // Where a signing time belongs into the message, it is that of the mail.
            (Kind::Signed, Dialect::Cms) => &[Structure, Integrity, Coverage, Chain, Identity, Time],
            (Kind::Signed, _) => &[Structure, Integrity, Coverage, Chain, Identity],
            (Kind::AuthEnveloped, _) => &[Structure, Decryption, Integrity],
            _ => &[Structure, Decryption],
        };
        Self {
            kind,
            form,
            dialect: Some(dialect),
            aspects: good.iter().map(|name| (*name, Aspect::Good)).collect(),
            beside: BTreeMap::new(),
            deviations: Vec::new(),
        }
    }

    /// What is expected of one aspect.
    #[must_use]
    pub fn aspect(&self, name: AspectName) -> Option<&Aspect> {
        self.aspects.get(&name).or_else(|| self.beside.get(&name))
    }

    /// Whether some aspect of this layer must be bad.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.aspects.values().any(Aspect::is_bad)
    }
}

codes! {
    /// How the reason of a bad aspect compares with the expected one.
    ReasonMatch: "reason match" {
        /// The expected reason is among those given.
        Exact = "exact",
        /// Another reason was given.
        Other = "other",
        /// No reason was given, or none was expected.
        None = "none",
    }
}

/// One aspect that did not come out as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mismatch {
    /// Where: `layer 2 integrity`, `layers`, `content`.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What came out.
    pub observed: String,
}

/// The result of comparing a verdict with an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Everything that was compared came out as expected.
    Pass(ReasonMatch),
    /// Something else came out.
    Fail(Vec<Mismatch>, ReasonMatch),
    /// The bad aspect of a negative case is not among those the reader reports.
    Undeclared(AspectName),
}

impl Expectation {
    /// Whether some aspect of some layer must be bad.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.layers.iter().any(LayerExpectation::is_negative)
    }

    /// Compares a verdict with this expectation, on the aspects that the reader declared.
    ///
    /// Deviations and header fields are compared only where the reader reports them.
    #[must_use]
    pub fn compare(&self, verdict: &Verdict, declared: &BTreeSet<AspectName>, reports: Reports) -> Comparison {
        if let Some(name) = self.undeclared(declared) {
            return Comparison::Undeclared(name);
        }
        let mut mismatches = Vec::new();
        let mut reasons = ReasonMatch::None;
        // An outer layer that cannot be opened hides the ones inside it.
        if self.layers.len() != verdict.layers.len() {
            mismatches.push(Mismatch {
                place: "layers".to_owned(),
                expected: names(self.layers.iter().map(|layer| layer.kind)),
                observed: names(verdict.layers.iter().map(|layer| layer.kind)),
            });
        }
        for (number, (expected, observed)) in self.layers.iter().zip(&verdict.layers).enumerate() {
            expected.compare(number + 1, observed, declared, reports, &mut mismatches, &mut reasons);
        }
        for (name, expected) in self.headers.iter().filter(|_| reports.headers) {
            let state = verdict.headers.get(name).map_or(HeaderState::Unprotected, |field| field.state);
            if state != *expected {
                mismatches.push(Mismatch {
                    place: format!("header {name}"),
                    expected: expected.to_string(),
                    observed: state.to_string(),
                });
            }
        }
        if self.reason_decides && reasons == ReasonMatch::Other {
            mismatches.push(Mismatch {
                place: "reason".to_owned(),
                expected: "the expected reason".to_owned(),
                observed: "another one".to_owned(),
            });
        }
        if mismatches.is_empty() { Comparison::Pass(reasons) } else { Comparison::Fail(mismatches, reasons) }
    }

    /// The aspect that makes a negative case unusable for a reader: all its
    /// bad aspects are undeclared.
    #[must_use]
    pub fn undeclared(&self, declared: &BTreeSet<AspectName>) -> Option<AspectName> {
        let bad: BTreeSet<_> = self
            .layers
            .iter()
            .flat_map(|layer| &layer.aspects)
            .filter(|(_, value)| value.is_bad())
            .map(|(name, _)| *name)
            .collect();
        if bad.is_disjoint(declared) { bad.first().copied() } else { None }
    }
}

impl LayerExpectation {
    fn compare(
        &self,
        number: usize,
        observed: &Layer,
        declared: &BTreeSet<AspectName>,
        reports: Reports,
        mismatches: &mut Vec<Mismatch>,
        reasons: &mut ReasonMatch,
    ) {
        let mut differ = |what: &str, expected: String, observed: String| {
            mismatches.push(Mismatch { place: format!("layer {number} {what}"), expected, observed });
        };
        if observed.kind != self.kind && observed.kind != Kind::Unknown {
            differ("kind", self.kind.to_string(), observed.kind.to_string());
        }
        let dialect = observed.dialect.unwrap_or(Dialect::Cms);
        if let Some(expected) = self.dialect.filter(|expected| reports.deviations && *expected != dialect) {
            differ("dialect", expected.to_string(), dialect.to_string());
        }
        if let (Some(expected), Some(form)) = (self.form, observed.form)
            && expected != form
        {
            differ("form", expected.to_string(), form.to_string());
        }
        for (name, expected) in self.aspects.iter().chain(&self.beside) {
            if !declared.contains(name) {
                continue;
            }
            let value = observed.aspect(*name);
            if expected.is_good() && self.was_passed_over(value, observed) {
                continue;
            }
            if !same_side(expected, value) {
                differ(name.code(), expected.to_string(), value.to_string());
            } else if let (Aspect::Bad(wanted), Aspect::Bad(found)) = (expected, value) {
                let exact = found.reason == wanted.reason || found.also.contains(&wanted.reason);
                *reasons = match (*reasons, exact) {
                    (ReasonMatch::Other, _) | (_, false) => ReasonMatch::Other,
                    _ => ReasonMatch::Exact,
                };
            }
        }
        if reports.deviations {
            for deviation in &self.deviations {
                let found = observed.deviations.contains(deviation)
                    || observed.signers.iter().any(|signer| signer.deviations.contains(deviation));
                if !found {
                    differ("deviations", deviation.to_string(), "not reported".to_owned());
                }
            }
        }
    }

    /// Whether a reader says that it did not look at an aspect because of a fault, and that fault is reported on
    /// this layer and expected there: a mail program stops at the first one.
    fn was_passed_over(&self, value: &Aspect, observed: &Layer) -> bool {
        let Aspect::Unchecked(Some(because)) = value else { return false };
        self.aspects.iter().any(|(name, expected)| {
            let found = observed.aspect(*name);
            expected.is_bad() && found.is_bad() && found.reason() == Some(*because)
        })
    }
}

/// Good against bad decides; "unchecked" where a value was declared is neither.
fn same_side(expected: &Aspect, observed: &Aspect) -> bool {
    match expected {
        Aspect::Good => observed.is_good(),
        Aspect::Bad(_) => observed.is_bad(),
        Aspect::Absent => matches!(observed, Aspect::Absent),
        Aspect::Unchecked(None) => matches!(observed, Aspect::Unchecked(_)),
        Aspect::Unchecked(Some(reason)) => observed == &Aspect::unchecked(*reason),
    }
}

fn names(kinds: impl Iterator<Item = Kind>) -> String {
    let list: Vec<_> = kinds.map(Kind::code).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// The reasons of every bad aspect of a verdict, for records and gates.
impl Verdict {
    /// The reason of the first bad aspect, outermost layer first.
    #[must_use]
    pub fn first_bad(&self) -> Option<(AspectName, Reason)> {
        self.layers.iter().find_map(|layer| {
            AspectName::ALL.iter().find_map(|name| match layer.aspect(*name) {
                Aspect::Bad(bad) => Some((*name, bad.reason)),
                _ => None,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(name: AspectName, value: Aspect) -> Expectation {
        Expectation {
            layers: vec![LayerExpectation {
                kind: Kind::Signed,
                form: None,
                dialect: None,
                aspects: BTreeMap::from([(name, value)]),
                beside: BTreeMap::new(),
                deviations: Vec::new(),
            }],
            ..Expectation::default()
        }
    }

    fn verdict(set: impl FnOnce(&mut Layer)) -> Verdict {
        let mut layer = Layer::new("1/signed-data", Kind::Signed);
        set(&mut layer);
        Verdict::new("auto", vec![layer])
    }

    fn all() -> BTreeSet<AspectName> {
        AspectName::ALL.iter().copied().collect()
    }

    #[test]
    fn what_stands_beside_is_compared_where_it_is_reported() {
        let mut expected = expectation(AspectName::Integrity, Aspect::Good);
        expected.layers[0].beside.insert(AspectName::Policy, Aspect::bad(Reason::WeakDigest, ""));
        assert!(!expected.is_negative());
        let observed = verdict(|layer| layer.integrity = Aspect::Good);
        let integrity = BTreeSet::from([AspectName::Integrity]);
        assert!(matches!(expected.compare(&observed, &integrity, Reports::ALL), Comparison::Pass(_)));
        assert!(matches!(expected.compare(&observed, &all(), Reports::ALL), Comparison::Fail(..)));
        let weak = verdict(|layer| {
            layer.integrity = Aspect::Good;
            layer.policy = Aspect::bad(Reason::WeakDigest, "");
        });
        assert!(matches!(expected.compare(&weak, &all(), Reports::ALL), Comparison::Pass(_)));
    }

    #[test]
    fn declared_but_unchecked_is_a_failure() {
        let observed = verdict(|layer| layer.integrity = Aspect::Unchecked(None));
        for expected in [Aspect::Good, Aspect::bad(Reason::DigestMismatch, "")] {
            let result = expectation(AspectName::Integrity, expected).compare(&observed, &all(), Reports::ALL);
            assert!(matches!(result, Comparison::Fail(..)), "{result:?}");
        }
    }

    /// An untrusted signer whose signature nobody looked at any more.
    #[test]
    fn a_reader_may_stop_at_the_fault_that_is_expected() {
        let mut expected = expectation(AspectName::Chain, Aspect::bad(Reason::Expired, ""));
        expected.layers[0].aspects.insert(AspectName::Integrity, Aspect::Good);
        let stopped = |chain: Aspect, because| {
            let observed = verdict(|layer| {
                layer.chain = chain;
                layer.integrity = Aspect::unchecked(because);
            });
            expected.compare(&observed, &all(), Reports::ALL)
        };
        let untrusted = || Aspect::bad(Reason::Untrusted, "");
        assert_eq!(stopped(untrusted(), Reason::Untrusted), Comparison::Pass(ReasonMatch::Other));
        // Another fault than the one that it reports, or one that should not be there.
        assert!(matches!(stopped(untrusted(), Reason::NoAddress), Comparison::Fail(..)));
        assert!(matches!(stopped(Aspect::Good, Reason::Untrusted), Comparison::Fail(..)));
        // What was expected to be bad is not passed over with it.
        let digest = expectation(AspectName::Integrity, Aspect::bad(Reason::DigestMismatch, ""));
        let observed = verdict(|layer| {
            layer.chain = untrusted();
            layer.integrity = Aspect::unchecked(Reason::Untrusted);
        });
        assert!(matches!(digest.compare(&observed, &all(), Reports::ALL), Comparison::Fail(..)));
    }

    #[test]
    fn a_negative_whose_aspect_is_undeclared_is_not_compared() {
        let observed = verdict(|layer| layer.identity = Aspect::Good);
        let result = expectation(AspectName::Identity, Aspect::bad(Reason::AddressMismatch, "")).compare(
            &observed,
            &BTreeSet::from([AspectName::Integrity]),
            Reports::ALL,
        );
        assert_eq!(result, Comparison::Undeclared(AspectName::Identity));
    }

    #[test]
    fn another_reason_passes_unless_the_reason_decides() {
        let observed = verdict(|layer| layer.integrity = Aspect::bad(Reason::SignatureMismatch, ""));
        let mut expected = expectation(AspectName::Integrity, Aspect::bad(Reason::DigestMismatch, ""));
        assert_eq!(expected.compare(&observed, &all(), Reports::ALL), Comparison::Pass(ReasonMatch::Other));
        expected.reason_decides = true;
        assert!(matches!(expected.compare(&observed, &all(), Reports::ALL), Comparison::Fail(..)));
    }

    #[test]
    fn a_header_field_is_compared_where_it_is_reported() {
        let mut expected = expectation(AspectName::Integrity, Aspect::Good);
        let mut observed = verdict(|layer| layer.integrity = Aspect::Good);
        let without = Reports { headers: false, ..Reports::ALL };
        let passes = |expected: &Expectation, observed: &Verdict, reports| {
            matches!(expected.compare(observed, &all(), reports), Comparison::Pass(_))
        };
        expected.headers.insert("subject".to_owned(), HeaderState::SignedOnly);
        assert!(!passes(&expected, &observed, Reports::ALL) && passes(&expected, &observed, without));
        let field = crate::HeaderField {
            state: HeaderState::SignedOnly,
            protected: vec!["x".to_owned()],
            outer: None,
            hp_outer: Vec::new(),
        };
        observed.headers.insert("subject".to_owned(), field);
        assert!(passes(&expected, &observed, Reports::ALL));
        // What the verdict does not name is unprotected.
        expected.headers.insert("to".to_owned(), HeaderState::Unprotected);
        assert!(passes(&expected, &observed, Reports::ALL));
    }

    #[test]
    fn a_missing_layer_is_a_failure() {
        let expected = expectation(AspectName::Integrity, Aspect::Good);
        let observed = Verdict::new("auto", Vec::new());
        assert!(matches!(expected.compare(&observed, &all(), Reports::ALL), Comparison::Fail(..)));
    }
}
