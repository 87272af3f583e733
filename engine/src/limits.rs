//! Limits on everything an input can make large.

/// How much of anything the engine reads before it gives up with
/// `limit-exceeded`. The defaults hold every mail that a mail system would
/// carry; none of them bounds the size of the content itself, which streams.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Depth of nested BER elements in one object.
    pub ber_depth: usize,
    /// Octets that are held in memory of one object: everything but content.
    pub element_octets: usize,
    /// Elements in one structure that is held in memory.
    pub elements: usize,
    /// Layers of S/MIME inside each other.
    pub layers: usize,
    /// Depth of nested multiparts.
    pub mime_depth: usize,
    /// MIME parts of one message.
    pub mime_parts: usize,
    /// Octets of one header section.
    pub header_octets: usize,
    /// Signers of one SignedData.
    pub signers: usize,
    /// Recipients of one message.
    pub recipients: usize,
    /// Certificates of one message.
    pub certificates: usize,
    /// Certificates in one path.
    pub path_length: usize,
    /// Signature checks while one path is sought.
    pub path_work: usize,
    /// Octets of CRLs and OCSP responses that are hashed or looked through
    /// while one path is sought. Each list is hashed once, and looked through
    /// once for every certificate.
    pub revocation_octets: u64,
    /// Time-stamps of one message.
    pub timestamps: usize,
    /// Requests that are made to a fetcher for one message.
    pub fetches: usize,
    /// Octets that may be fetched for one message.
    pub fetched_octets: u64,
    /// Readings of content for signatures that are over the content itself and
    /// no digest of it, in all of one message.
    pub content_readings: usize,
    /// Attempts to open content with a key, in all of one message: every pair
    /// of a recipient and a key that may belong together is one, and costs an
    /// operation with that key and a reading of the content.
    pub key_attempts: usize,
    /// Iterations of the derivation of a key from a password, of one recipient.
    /// Files of keys have limits of their own, see
    /// [`PasswordLimits`](waxseal_key::PasswordLimits).
    pub password_iterations: u32,
    /// Iterations of all derivations in one message.
    pub password_work: u64,
    /// Octets of content that one layer may put out.
    pub content_octets: u64,
    /// Octets of a message from a pipe, which whoever makes a
    /// [`Source`](crate::io::Source) of it has to keep, as messages are read
    /// more than once. A file may have any size.
    pub piped_octets: u64,
    /// Octets that each octet of compressed content may become, beyond
    /// [`expansion_free`](Self::expansion_free). Text becomes ten times its
    /// size, a bomb a thousand times. All that is compressed in a message is
    /// bounded in the same way by the size of the message.
    pub expansion: u64,
    /// Octets that compressed content of any size may become.
    pub expansion_free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ber_depth: 64,
            element_octets: 4 << 20,
            elements: 100_000,
            layers: 16,
            mime_depth: 32,
            mime_parts: 2_000,
            header_octets: 1 << 20,
            signers: 64,
            recipients: 2_000,
            certificates: 500,
            path_length: 16,
            path_work: 200,
            revocation_octets: 1 << 30,
            timestamps: 16,
            fetches: 32,
            fetched_octets: 128 << 20,
            content_readings: 16,
            key_attempts: 32,
            password_iterations: 2_000_000,
            password_work: 10_000_000,
            content_octets: 64 << 30,
            piped_octets: 4 << 30,
            expansion: 100,
            expansion_free: 16 << 20,
        }
    }
}

/// Sets one limit; what does not fit into it becomes the most that does.
type Set = fn(&mut Limits, u64);

/// Every limit by its name.
const TABLE: [(&str, Set); 24] = [
    ("ber-depth", |limits, value| put(&mut limits.ber_depth, value)),
    ("element-octets", |limits, value| put(&mut limits.element_octets, value)),
    ("elements", |limits, value| put(&mut limits.elements, value)),
    ("layers", |limits, value| put(&mut limits.layers, value)),
    ("mime-depth", |limits, value| put(&mut limits.mime_depth, value)),
    ("mime-parts", |limits, value| put(&mut limits.mime_parts, value)),
    ("header-octets", |limits, value| put(&mut limits.header_octets, value)),
    ("signers", |limits, value| put(&mut limits.signers, value)),
    ("recipients", |limits, value| put(&mut limits.recipients, value)),
    ("certificates", |limits, value| put(&mut limits.certificates, value)),
    ("path-length", |limits, value| put(&mut limits.path_length, value)),
    ("path-work", |limits, value| put(&mut limits.path_work, value)),
    ("revocation-octets", |limits, value| put(&mut limits.revocation_octets, value)),
    ("timestamps", |limits, value| put(&mut limits.timestamps, value)),
    ("fetches", |limits, value| put(&mut limits.fetches, value)),
    ("fetched-octets", |limits, value| put(&mut limits.fetched_octets, value)),
    ("content-readings", |limits, value| put(&mut limits.content_readings, value)),
    ("key-attempts", |limits, value| put(&mut limits.key_attempts, value)),
    ("password-iterations", |limits, value| put(&mut limits.password_iterations, value)),
    ("password-work", |limits, value| put(&mut limits.password_work, value)),
    ("content-octets", |limits, value| put(&mut limits.content_octets, value)),
    ("piped-octets", |limits, value| put(&mut limits.piped_octets, value)),
    ("expansion", |limits, value| put(&mut limits.expansion, value)),
    ("expansion-free", |limits, value| put(&mut limits.expansion_free, value)),
];

fn put<T: TryFrom<u64> + Most>(limit: &mut T, value: u64) {
    *limit = T::try_from(value).unwrap_or(T::MOST);
}

/// The largest value of a type.
trait Most {
    const MOST: Self;
}

impl Most for usize {
    const MOST: Self = Self::MAX;
}

impl Most for u32 {
    const MOST: Self = Self::MAX;
}

impl Most for u64 {
    const MOST: Self = Self::MAX;
}

/// There is no limit of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no limit {0:?}; one of {names} is meant", names = Limits::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownLimit(pub String);

impl Limits {
    /// The names by which [`set`](Self::set) knows the limits: those of the
    /// fields, with hyphens.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _)| *name)
    }

    /// Sets the limit of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), UnknownLimit> {
        let (_, set) = TABLE.iter().find(|(known, _)| *known == name).ok_or_else(|| UnknownLimit(name.to_owned()))?;
        set(self, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        let mut limits = Limits::default();
        for (number, name) in Limits::names().enumerate() {
            limits.set(name, 7000 + number as u64).unwrap();
        }
        // Debug names every field there is.
        let text = format!("{limits:?}");
        let fields = text.trim_start_matches("Limits { ").trim_end_matches(" }").split(", ");
        let expected: Vec<_> = Limits::names()
            .enumerate()
            .map(|(number, name)| format!("{}: {}", name.replace('-', "_"), 7000 + number))
            .collect();
        assert_eq!(fields.collect::<Vec<_>>(), expected);
        limits.set("password-iterations", u64::MAX).unwrap();
        assert_eq!(limits.password_iterations, u32::MAX);
        assert!(limits.set("patience", 1).unwrap_err().to_string().contains("mime-parts"));
    }
}
