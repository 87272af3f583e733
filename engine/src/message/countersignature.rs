//! Signatures over signatures (RFC 5652 section 11.4).

use std::io::Cursor;

use waxseal_verdict::{Aspect, Reason, Signer};

use crate::cms::{SignerInfo, oid};
use crate::message::context::{Context, Known};
use crate::message::signed::SignedContent;
use crate::message::signer::{self, Judged, Over, Subject};

/// Countersignatures over each other that are followed.
const MOST_DEPTH: usize = 8;

/// Judges every countersignature on a signature, and those on them. They
/// change nothing about the signature; only that there are too many of them is
/// told of the structure.
pub(super) fn judge(
    info: &SignerInfo,
    known: Known<'_>,
    place: &str,
    depth: usize,
    context: &Context<'_>,
) -> (Aspect, Vec<Signer>) {
    let attributes = info.unsigned_attributes.iter().flat_map(|attributes| &attributes.list);
    let values = attributes
        .filter(|attribute| attribute.oid == oid::ATTRIBUTE_COUNTERSIGNATURE)
        .flat_map(|attribute| attribute.values.iter().map(|value| (value, attribute.offset)));
    let mut structure = Aspect::Good;
    let mut list = Vec::new();
    for (index, (value, offset)) in values.enumerate() {
        let place = format!("{place}.countersignature[{index}]");
        if depth >= MOST_DEPTH || !context.spend_countersigner() {
            let detail = format!("{place}: more countersignatures than {MOST_DEPTH} on each other, or than signers");
            structure = structure.worst(Aspect::bad(Reason::LimitExceeded, detail));
            break;
        }
        let (limits, signer) = match SignerInfo::parse(value, offset, &place) {
            Ok(counter) => judge_one(info, &counter, known, place, depth, context),
            Err(error) => (Aspect::Good, unread(&error.to_string())),
        };
        structure = structure.worst(limits);
        list.push(signer);
    }
    (structure, list)
}

fn judge_one(
    info: &SignerInfo,
    counter: &SignerInfo,
    known: Known<'_>,
    place: String,
    depth: usize,
    context: &Context<'_>,
) -> (Aspect, Signer) {
    let mut signature = Cursor::new(info.signature.as_slice());
    let digest = counter.digest.digest();
    let Ok(content) = SignedContent::new(&mut signature, digest.as_slice(), context) else {
        return (Aspect::Good, unread(&place));
    };
    let (over, depth) = (Over::Signature, depth + 1);
    let subject = Subject { over, info: counter, place, content: &content, known, depth, stamped: None };
    let Judged { structure, mut signer, .. } = signer::judge(&subject, context);
    match structure {
        Aspect::Bad(bad) if bad.reason == Reason::LimitExceeded => return (Aspect::Bad(bad), signer),
        // A countersignature has no structure of its own in a verdict.
        Aspect::Bad(bad) if !signer.integrity.is_bad() => {
            signer.integrity = Aspect::bad(Reason::SignatureMismatch, bad.detail);
        }
        _ => {}
    }
    (Aspect::Good, signer)
}

fn unread(why: &str) -> Signer {
    let detail = format!("the countersignature cannot be read: {why}");
    Signer { integrity: Aspect::bad(Reason::SignatureMismatch, detail), ..Signer::default() }
}
