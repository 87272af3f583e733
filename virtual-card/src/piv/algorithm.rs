//! Algorithm identifiers of PIV (NIST SP 800-78-4 table 6-2), which stand in P1
//! of GENERAL AUTHENTICATE and in the template of GENERATE ASYMMETRIC KEY PAIR.

use crate::key::KeyKind;

/// An algorithm of an asymmetric key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// The identifier.
    pub id: u8,
    /// The kind of key.
    pub kind: KeyKind,
    /// Who gave the identifier: a standard, or somebody for their own cards.
    pub source: &'static str,
}

/// Every algorithm of an asymmetric key.
///
/// SP 800-78 has neither RSA with 4096 bits nor SM2. For the first the card
/// takes the identifier of YubiKey 5.7; for SM2 one of its own, from the end of
/// the range that no standard uses. OpenSC 0.23 knows neither.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm { id: 0x05, kind: KeyKind::Rsa(3072), source: "SP 800-78-5" },
    Algorithm { id: 0x06, kind: KeyKind::Rsa(1024), source: "SP 800-78-1, withdrawn" },
    Algorithm { id: 0x07, kind: KeyKind::Rsa(2048), source: "SP 800-78-4" },
    Algorithm { id: 0x11, kind: KeyKind::P256, source: "SP 800-78-4" },
    Algorithm { id: 0x14, kind: KeyKind::P384, source: "SP 800-78-4" },
    Algorithm { id: 0x16, kind: KeyKind::Rsa(4096), source: "private, as YubiKey 5.7" },
    Algorithm { id: 0xF2, kind: KeyKind::Sm2, source: "private to Waxseal" },
];

impl Algorithm {
    /// The algorithm with this identifier.
    #[must_use]
    pub fn by_id(id: u8) -> Option<&'static Self> {
        ALGORITHMS.iter().find(|row| row.id == id)
    }

    /// The algorithm of keys of this kind.
    #[must_use]
    pub fn of(kind: KeyKind) -> Option<&'static Self> {
        ALGORITHMS.iter().find(|row| row.kind == kind)
    }
}
