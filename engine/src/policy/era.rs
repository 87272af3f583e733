//! What each era sends to somebody of whom nothing is known.

use waxseal_key::algorithm::Era;

/// The rule of one era for recipients whose capabilities are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EraRule {
    /// The era.
    pub era: Era,
    /// Where the rule stands.
    pub source: &'static str,
    /// The content ciphers that the rule names, first the one that it prefers,
    /// as [`ContentEncryption`](crate::cms::write::ContentEncryption) spells them.
    pub unannounced: &'static [&'static str],
}

/// The rules, oldest first.
///
/// Up to version 3.1 a sender chose between a cipher that the recipient might
/// not have and one that anybody could break.
pub const ERA_RULES: [EraRule; 6] = [
    EraRule { era: Era::Smime2, source: "RFC 2311 section 2.6.2", unannounced: &["3des-cbc", "rc2-cbc-40"] },
    EraRule { era: Era::Smime3, source: "RFC 2633 section 2.7.1", unannounced: &["3des-cbc", "rc2-cbc-40"] },
    EraRule { era: Era::Smime31, source: "RFC 3851 section 2.7.1", unannounced: &["3des-cbc", "rc2-cbc-40"] },
    EraRule { era: Era::Smime32, source: "RFC 5751 section 2.7.1.2", unannounced: &["aes-128-cbc", "3des-cbc"] },
    EraRule { era: Era::Smime4, source: "RFC 8551 section 2.7.1.2", unannounced: &["aes-256-gcm", "aes-128-cbc"] },
    EraRule { era: Era::GmT, source: "GM/T 0010", unannounced: &["sm4-cbc"] },
];

/// The rule of an era.
#[must_use]
pub fn rule(era: Era) -> &'static EraRule {
    &ERA_RULES[era as usize]
}

#[cfg(test)]
mod tests {
    use waxseal_key::algorithm;

    use super::*;

    #[test]
    fn every_era_has_its_rule() {
        for era in Era::ALL {
            assert_eq!(rule(era).era, era);
        }
        for name in ERA_RULES.iter().flat_map(|rule| rule.unannounced) {
            assert!(algorithm::by_name(name.trim_end_matches("-40")).is_some(), "{name}");
        }
    }
}
