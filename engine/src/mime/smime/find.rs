//! The protected parts of a message, and what stands unprotected beside them.

use std::collections::HashSet;

use waxseal_verdict::Deviation;

use super::{Role, SmimePart, classify};
use crate::mime::Part;

/// Protected parts of one message that are found. Each lists all parts beside
/// it, so that their number is a cost; what is not found counts as unprotected.
const MOST: usize = 32;

/// A protected part, and which of the message's parts it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protected<'a> {
    /// The part and what it announces.
    pub smime: SmimePart<'a>,
    /// Paths of the leaf parts that it protects: those below the signed
    /// content, or the part itself when its content is inside the CMS object.
    pub covered: Vec<String>,
    /// Paths of the other leaf parts that hold anything: what a list or a
    /// gateway added, or what another signature covers. The signature's own
    /// part stands in neither list.
    pub uncovered: Vec<String>,
}

/// Finds the outermost protected parts below `root`, in the order of the message.
///
/// Looks through every multipart (a list's `multipart/mixed`, an archive's
/// wrapper), not into a `message/rfc822`: what that one signs is another
/// message, not this one. What is inside a signed content is found by calling
/// this again with that content. At most 32 are found.
#[must_use]
pub fn find(root: &Part) -> Vec<Protected<'_>> {
    let mut found = Vec::new();
    // With each part, whether a multipart on the way to it says something twice.
    let mut stack = vec![(root, false)];
    while found.len() < MOST
        && let Some((part, repeats)) = stack.pop()
    {
        match classify(part) {
            Some(mut smime) => {
                if repeats && !smime.deviations.contains(&Deviation::RepeatedHeader) {
                    smime.deviations.push(Deviation::RepeatedHeader);
                }
                found.push(Protected::new(root, smime));
            }
            None if part.content_type.is_message() => {}
            None => {
                let repeats = repeats || part.repeats();
                stack.extend(part.children.iter().rev().map(|child| (child, repeats)));
            }
        }
    }
    found
}

impl<'a> Protected<'a> {
    fn new(root: &'a Part, smime: SmimePart<'a>) -> Self {
        let (inside, plumbing) = match &smime.role {
            Role::Signed { content, signature, .. } => (Some(*content), Some(*signature)),
            Role::Broken { .. } => (None, None),
            // Alone, a signature protects nothing that is shown.
            Role::DetachedSignature => (None, Some(smime.part)),
            Role::Pkcs7Mime { .. } | Role::CertsOnly => (Some(smime.part), None),
        };
        let covered: HashSet<&str> = inside.into_iter().flat_map(leaves).map(|leaf| leaf.path.as_str()).collect();
        let uncovered = leaves(root)
            .filter(|leaf| !leaf.body.is_empty() || leaf.content_type.is_multipart())
            .filter(|leaf| !plumbing.is_some_and(|part| std::ptr::eq(part, *leaf)))
            .filter(|leaf| !covered.contains(leaf.path.as_str()))
            .map(|leaf| leaf.path.clone())
            .collect();
        let covered = inside.into_iter().flat_map(leaves).map(|leaf| leaf.path.clone()).collect();
        Self { smime, covered, uncovered }
    }
}

/// The parts below a part (or it itself) that hold no other parts.
fn leaves(part: &Part) -> impl Iterator<Item = &Part> {
    part.walk().filter(|part| part.is_leaf())
}
