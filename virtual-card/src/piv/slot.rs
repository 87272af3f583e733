//! Key references of PIV (NIST SP 800-73-4 part 1 table 4b).

use super::object::{FIRST_RETIRED_CERTIFICATE, RETIRED};

/// A place for an asymmetric key on a PIV card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `9A`, the PIV Authentication key.
    Authentication,
    /// `9C`, the Digital Signature key.
    Signature,
    /// `9D`, the Key Management key.
    KeyManagement,
    /// `9E`, the Card Authentication key.
    CardAuthentication,
    /// `82` to `95`, the retired Key Management keys, counted from 1.
    Retired(u8),
}

/// What must have happened before a key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Always,
    /// The PIN was verified.
    Pin,
    /// The PIN was verified by the command just before.
    PinAlways,
}

impl Slot {
    /// The four that every card can have.
    pub const PRIMARY: [Self; 4] =
        [Self::Authentication, Self::Signature, Self::KeyManagement, Self::CardAuthentication];

    /// Every slot: the four, then the retired ones.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PRIMARY.into_iter().chain((1..=RETIRED).map(Self::Retired))
    }

    /// The slot with this key reference.
    #[must_use]
    pub fn by_reference(reference: u8) -> Option<Self> {
        Self::all().find(|slot| slot.reference() == reference)
    }

    /// The slot with this name, as [`name`](Self::name) writes it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        u8::from_str_radix(name, 16).ok().and_then(Self::by_reference)
    }

    /// The key reference.
    #[must_use]
    pub fn reference(self) -> u8 {
        match self {
            Self::Authentication => 0x9A,
            Self::Signature => 0x9C,
            Self::KeyManagement => 0x9D,
            Self::CardAuthentication => 0x9E,
            Self::Retired(number) => 0x81 + number,
        }
    }

    /// The key reference in hexadecimal, as everybody names slots: `9C`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:02X}", self.reference())
    }

    /// What the standard calls the key.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Authentication => "PIV Authentication key",
            Self::Signature => "Digital Signature key",
            Self::KeyManagement => "Key Management key",
            Self::CardAuthentication => "Card Authentication key",
            Self::Retired(_) => "retired Key Management key",
        }
    }

    /// The tag of the data object with its certificate.
    #[must_use]
    pub fn certificate_tag(self) -> u32 {
        match self {
            Self::Authentication => 0x5FC105,
            Self::Signature => 0x5FC10A,
            Self::KeyManagement => 0x5FC10B,
            Self::CardAuthentication => 0x5FC101,
            Self::Retired(number) => FIRST_RETIRED_CERTIFICATE + u32::from(number) - 1,
        }
    }

    /// What using the key needs.
    #[must_use]
    pub fn access(self) -> Access {
        match self {
            Self::Signature => Access::PinAlways,
            Self::CardAuthentication => Access::Always,
            _ => Access::Pin,
        }
    }

    /// Whether the key undoes encryption, and does not sign. Of an RSA key the
    /// card cannot tell the one from the other.
    #[must_use]
    pub fn decrypts(self) -> bool {
        matches!(self, Self::KeyManagement | Self::Retired(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_table() {
        assert_eq!(Slot::by_name("9c"), Some(Slot::Signature));
        assert_eq!(Slot::by_reference(0x82), Some(Slot::Retired(1)));
        assert_eq!(Slot::by_reference(0x95), Some(Slot::Retired(20)));
        assert_eq!(Slot::by_reference(0x96), None);
        assert_eq!(Slot::by_reference(0x9B), None, "the management key is no asymmetric key");
        assert_eq!(Slot::Retired(1).certificate_tag(), 0x5FC10D);
        assert_eq!(Slot::Retired(20).certificate_tag(), 0x5FC120);
        assert_eq!(Slot::all().count(), 24);
    }
}
