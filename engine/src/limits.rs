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
            content_readings: 16,
            key_attempts: 32,
            password_iterations: 2_000_000,
            password_work: 10_000_000,
            content_octets: 64 << 30,
            expansion: 100,
            expansion_free: 16 << 20,
        }
    }
}
