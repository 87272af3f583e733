//! The words of Thunderbird, translated once.
//!
//! It has one status for a signature. It looks at the chain first, then at digest
//! and signature, then at the addresses and last at the times, and stops at the
//! first thing that is bad: what comes after it is `unchecked` for that reason.

use waxseal_verdict::{Aspect, Form, Kind, Layer, Reason, Verdict};

use crate::thunderbird::process::{Shown, Told, What};

/// Its name as a provider.
const NAME: &str = "thunderbird";

/// The status of everything that is good.
pub(super) const SUCCESS: &str = "SUCCESS";

/// What it looks at, in this order (`nsCMSMessage::CommonVerifySignature`, then
/// `nsSMimeVerificationListener::Notify`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Chain,
    Integrity,
    Identity,
    Time,
}

impl Step {
    const ALL: [Self; 4] = [Self::Chain, Self::Integrity, Self::Identity, Self::Time];

    const fn of(self, layer: &mut Layer) -> &mut Aspect {
        match self {
            Self::Chain => &mut layer.chain,
            Self::Integrity => &mut layer.integrity,
            Self::Identity => &mut layer.identity,
            Self::Time => &mut layer.time,
        }
    }
}

/// A status of a signature (`nsICMSMessageErrors`), where it stops, and why.
struct Row(&'static str, Step, Reason);

const SIGNATURE: &[Row] = &[
    // One word for every fault of a path.
    Row("VERIFY_UNTRUSTED", Step::Chain, Reason::Untrusted),
    Row("VERIFY_NOCERT", Step::Chain, Reason::SignerCertificateNotFound),
    Row("VERIFY_BAD_DIGEST", Step::Integrity, Reason::DigestMismatch),
    Row("VERIFY_DIGEST_MISMATCH", Step::Integrity, Reason::DigestMismatch),
    Row("VERIFY_BAD_SIGNATURE", Step::Integrity, Reason::SignatureMismatch),
    Row("VERIFY_MALFORMED_SIGNATURE", Step::Integrity, Reason::SignatureMismatch),
    Row("VERIFY_HEADER_MISMATCH", Step::Identity, Reason::AddressMismatch),
    Row("VERIFY_TIME_MISMATCH", Step::Time, Reason::SigningTimeDiffers),
];

/// What the outermost entity says of itself: the kind and the form of its layer.
pub(super) type Announced = Option<(Kind, Option<Form>)>;

/// What is shown of a mail, as a verdict.
pub(super) fn verdict(shown: &Shown, announced: Announced) -> Verdict {
    let mut layers = layers(&shown.told);
    // It says nothing of what it does not understand, and shows such a mail as if it were a plain one.
    if let Some((kind, form)) = announced
        && !layers.first().is_some_and(|first| first.path.starts_with("1/"))
    {
        layers.insert(0, silent(kind, form));
    }
    Verdict::new(NAME, layers)
}

/// All that the window was told, for the record.
pub(super) fn words(shown: &Shown) -> String {
    let of = |what: &str, status: &Option<String>| format!("{what}: {}", status.as_deref().unwrap_or("no status"));
    let mut words = vec![of("signature", &shown.signature), of("encryption", &shown.encryption)];
    words.extend(shown.signer.iter().map(|signer| format!("signer: {signer}")));
    words.extend(shown.told.iter().map(|told| match told.what {
        What::Signed | What::Encrypted => {
            format!(
                "part {} {}",
                told.part,
                of(if told.what == What::Signed { "signed" } else { "encrypted" }, &told.status)
            )
        }
        What::Ignored => format!("part {} ignored", told.part),
        What::Unsigned => "signatures reset".to_owned(),
    }));
    words.join("; ")
}

/// A layer for each status that counts, from the outside to the inside. A window
/// that reads a mail once more tells of the same part again; the last word counts.
fn layers(told: &[Told]) -> Vec<Layer> {
    let mut layers: Vec<(Vec<u32>, Layer)> = Vec::new();
    let mut ignored: Option<&str> = None;
    for one in told.iter().filter(|one| one.level <= 1) {
        let layer = match one.what {
            What::Unsigned => {
                layers.retain(|(_, layer)| layer.kind != Kind::Signed);
                continue;
            }
            What::Ignored => {
                ignored = Some(&one.part);
                continue;
            }
            What::Signed | What::Encrypted if ignored == Some(&one.part) => continue,
            What::Signed => signed(&one.part, one.status.as_deref()),
            What::Encrypted => encrypted(&one.part, one.status.as_deref()),
        };
        layers.retain(|(_, earlier)| earlier.path != layer.path);
        layers.push((place(&one.part), layer));
    }
    layers.sort_by(|(left, _), (right, _)| left.cmp(right));
    layers.into_iter().map(|(_, layer)| layer).collect()
}

fn place(part: &str) -> Vec<u32> {
    part.split('.').filter_map(|number| number.parse().ok()).collect()
}

fn path(part: &str, kind: Kind) -> String {
    let object = match kind {
        Kind::Signed => "signed-data",
        Kind::Encrypted => "enveloped-data",
        other => other.code(),
    };
    format!("{part}/{object}")
}

/// The layer that a mail says it has, and of which nothing is shown.
fn silent(kind: Kind, form: Option<Form>) -> Layer {
    let mut layer = Layer::new(path("1", kind), kind);
    layer.form = form;
    if kind == Kind::Signed {
        Step::ALL.iter().for_each(|step| *step.of(&mut layer) = Aspect::Unchecked(None));
    } else {
        layer.decryption = Aspect::Unchecked(None);
    }
    layer
}

fn signed(part: &str, status: Option<&str>) -> Layer {
    let mut layer = Layer::new(path(part, Kind::Signed), Kind::Signed);
    let status = status.unwrap_or_default();
    let (stop, aspect, why) = match SIGNATURE.iter().find(|row| row.0 == status) {
        Some(Row(_, step, reason)) => (Some(*step), Aspect::bad(*reason, status), Some(*reason)),
        None if status == SUCCESS => (None, Aspect::Good, None),
        // RFC 8550 section 3 lets it pass; the times are not looked at any more.
        None if status == "VERIFY_CERT_WITHOUT_ADDRESS" => {
            let reason = Reason::NoAddress;
            (Some(Step::Identity), Aspect::unchecked(reason), Some(reason))
        }
        // It could not make out whether the signature is good, and shows it as one that is not.
        None => {
            let reason = Reason::SignatureMismatch;
            (Some(Step::Integrity), Aspect::bad(reason, status), Some(reason))
        }
    };
    for step in Step::ALL {
        *step.of(&mut layer) = match stop {
            Some(stop) if step == stop => aspect.clone(),
            Some(stop) if step > stop => Aspect::Unchecked(why),
            _ => Aspect::Good,
        };
    }
    if status == "VERIFY_NOCERT" {
        // The one reason of the table that is none of a chain.
        layer.chain = Aspect::unchecked(Reason::SignerCertificateNotFound);
        layer.integrity = aspect;
    }
    layer
}

fn encrypted(part: &str, status: Option<&str>) -> Layer {
    let mut layer = Layer::new(path(part, Kind::Encrypted), Kind::Encrypted);
    layer.decryption = match status.unwrap_or_default() {
        SUCCESS => Aspect::Good,
        // The end of the content is not as it should be.
        status @ "ENCRYPT_INCOMPLETE" => Aspect::bad(Reason::BadPadding, status),
        // One word for all the rest: no key, another key, an algorithm it does not know.
        status => {
            let also = vec![Reason::WrongKey, Reason::NoRecipient];
            Aspect::Bad(waxseal_verdict::Bad { reason: Reason::NoKey, detail: status.to_owned(), also })
        }
    };
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: What, part: &str, status: &str) -> Told {
        Told { what, level: 1, part: part.to_owned(), status: Some(status.to_owned()) }
    }

    fn shown(told: Vec<Told>) -> Shown {
        Shown { signature: None, encryption: None, signer: None, body: None, told }
    }

    /// What it says stops at the first fault, and the rest has that fault as its reason.
    #[test]
    fn a_status_is_the_first_fault() {
        let layer = |status| signed("1", Some(status));
        let good = layer("SUCCESS");
        assert!([&good.chain, &good.integrity, &good.identity, &good.time].iter().all(|aspect| aspect.is_good()));
        let untrusted = layer("VERIFY_UNTRUSTED");
        assert_eq!(untrusted.chain.reason(), Some(Reason::Untrusted));
        assert_eq!(untrusted.integrity, Aspect::unchecked(Reason::Untrusted));
        let tampered = layer("VERIFY_DIGEST_MISMATCH");
        assert!(tampered.chain.is_good() && tampered.integrity.is_bad());
        assert_eq!(tampered.time, Aspect::unchecked(Reason::DigestMismatch));
        let late = layer("VERIFY_TIME_MISMATCH");
        assert!(late.integrity.is_good() && late.identity.is_good() && late.time.is_bad());
        let nobody = layer("VERIFY_NOCERT");
        assert!(!nobody.chain.is_bad() && nobody.integrity.is_bad());
        assert!(layer("GENERAL_ERROR").integrity.is_bad());
    }

    #[test]
    fn layers_follow_the_parts() {
        let kinds = |verdict: &Verdict| verdict.layers.iter().map(|layer| layer.path.clone()).collect::<Vec<_>>();
        let clear = Some((Kind::Signed, Some(Form::Clear)));
        // The inner signature is told of last, and an outer one not at all.
        let mail = vec![told(What::Encrypted, "1", SUCCESS), told(What::Signed, "1.1", SUCCESS)];
        assert_eq!(
            kinds(&verdict(&shown(mail), Some((Kind::Encrypted, None)))),
            ["1/enveloped-data", "1.1/signed-data"]
        );
        let mail = vec![
            told(What::Signed, "1", SUCCESS),
            told(What::Unsigned, "", ""),
            told(What::Ignored, "1", ""),
            told(What::Encrypted, "1.1", SUCCESS),
            told(What::Signed, "1", SUCCESS),
        ];
        let verdict = verdict(&shown(mail), clear);
        assert_eq!(kinds(&verdict), ["1/signed-data", "1.1/enveloped-data"]);
        assert_eq!(verdict.layers[0].integrity, Aspect::Unchecked(None));
    }

    #[test]
    fn a_part_that_is_told_of_twice_is_one_layer() {
        let mail = vec![
            told(What::Signed, "1.1", "VERIFY_UNTRUSTED"),
            told(What::Encrypted, "1", SUCCESS),
            told(What::Signed, "1.1", SUCCESS),
        ];
        let verdict = verdict(&shown(mail), Some((Kind::Encrypted, None)));
        let kinds: Vec<_> = verdict.layers.iter().map(|layer| layer.kind).collect();
        assert_eq!(kinds, [Kind::Encrypted, Kind::Signed]);
        assert!(verdict.layers[1].chain.is_good());
    }

    #[test]
    fn nothing_is_made_up() {
        assert!(verdict(&shown(Vec::new()), None).layers.is_empty());
        let silent = verdict(&shown(Vec::new()), Some((Kind::AuthEnveloped, None)));
        assert_eq!(silent.layers[0].decryption, Aspect::Unchecked(None));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        for Row(status, step, reason) in SIGNATURE {
            let mut layer = signed("1", Some(status));
            let bad = Step::ALL.iter().filter(|step| step.of(&mut layer).is_bad()).count();
            assert_eq!(bad, 1, "{status}");
            let name = match step {
                _ if *reason == Reason::SignerCertificateNotFound => waxseal_verdict::AspectName::Integrity,
                Step::Chain => waxseal_verdict::AspectName::Chain,
                Step::Integrity => waxseal_verdict::AspectName::Integrity,
                Step::Identity => waxseal_verdict::AspectName::Identity,
                Step::Time => waxseal_verdict::AspectName::Time,
            };
            assert!(reason.aspects().contains(&name), "{status}");
        }
    }
}
