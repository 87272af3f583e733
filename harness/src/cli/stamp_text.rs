//! A time-stamp for a person.

use std::fmt::Write as _;

use waxseal_verdict::{Aspect, Timestamp};

use super::output::{Paint, harmless};

/// Who says what, and what is to be held of it; in indented lines.
pub(super) fn write(out: &mut String, stamp: &Timestamp, paint: Paint) {
    let word = |value: &Option<String>| harmless(value.as_deref().unwrap_or("unknown"));
    let accuracy = stamp.accuracy_micros.map(|micros| format!(", within {} ms", micros.div_ceil(1000)));
    let _ = writeln!(out, "  {}{} by {}", word(&stamp.time), accuracy.unwrap_or_default(), word(&stamp.authority));
    let _ = writeln!(out, "  serial {}, policy {}", word(&stamp.serial), word(&stamp.authority_policy));
    let aspects = [
        ("structure", &stamp.structure),
        ("imprint", &stamp.imprint),
        ("integrity", &stamp.integrity),
        ("chain", &stamp.chain),
        ("policy", &stamp.policy),
    ];
    let applies = aspects.iter().filter(|(_, aspect)| **aspect != Aspect::Absent);
    let words: Vec<_> = applies.map(|(name, aspect)| format!("{name} {}", paint.aspect(aspect))).collect();
    let _ = writeln!(out, "  {}", words.join(", "));
    for (name, aspect) in aspects {
        if let Aspect::Bad(bad) = aspect {
            let _ = writeln!(out, "    {name}: {}", harmless(&bad.detail));
        }
    }
}
