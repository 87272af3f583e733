//! The list of every check the engine makes.
//!
//! Each check asks [`Check::on`] before it counts. In every ordinary build the
//! answer is a constant `true`. With the feature `broken-reader`, which no
//! release has, a test can switch one check off for its thread and see whether
//! the corpus notices: a corpus that cannot tell a broken reader from a right
//! one proves nothing.

/// One check of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The content's digest equals the messageDigest attribute (RFC 5652 section 5.6).
    MessageDigest,
    /// The contentType attribute equals eContentType (RFC 5652 section 5.6).
    ContentTypeAttribute,
    /// The signature value fits signed attributes and key (RFC 5652 section 5.6).
    SignatureValue,
    /// signedAttrs hold contentType and messageDigest (RFC 5652 section 5.3).
    MandatoryAttributes,
    /// No attribute occurs twice, has several values, or stands in the wrong set (RFC 5652 section 11).
    AttributeMultiplicity,
    /// The certificate that the signed attributes name is the one used (RFC 5035 section 5.4).
    SigningCertificate,
    /// CMSAlgorithmProtection repeats the algorithms (RFC 6211 section 3).
    AlgorithmProtection,
    /// A signed message has at least one signer.
    SignerPresent,
    /// A detached signature carries no content (RFC 8551 section 3.5.3.1).
    DetachedWithoutContent,
    /// Nothing stands after the end of the encoding, nothing is missing.
    Encoding,
    /// The content's padding is that of RFC 5652 section 6.3.
    ContentPadding,
    /// The tag of a cipher that authenticates fits key and content (RFC 5083 section 2.2).
    AuthenticationTag,
    /// The mac of AuthenticatedData fits key and content (RFC 5652 section 9.3).
    MessageAuthenticationCode,
    /// The digest of DigestedData is that of its content (RFC 5652 section 7).
    DigestedContent,
    /// The recipient identifier names the certificate of the key.
    RecipientMatch,
    /// Each certificate of a path is signed by the next (RFC 5280 section 6.1.3 a 1).
    CertificateSignature,
    /// Each certificate of a path is within its validity (RFC 5280 section 6.1.3 a 2).
    Validity,
    /// Each issuer's name is the subject of the next (RFC 5280 section 6.1.3 a 4).
    NameChaining,
    /// Every issuer is a CA (RFC 5280 section 6.1.4 k).
    BasicConstraints,
    /// No path is longer than allowed (RFC 5280 section 6.1.4 m).
    PathLength,
    /// Every name is permitted by the authorities above it (RFC 5280 section 6.1.3 b and c).
    NameConstraints,
    /// keyUsage permits what the key was used for (RFC 5280 section 6.1.4 n, RFC 8550 section 4.4.2).
    KeyUsage,
    /// extendedKeyUsage permits e-mail protection (RFC 8550 section 4.4.4).
    ExtendedKeyUsage,
    /// A certificate policy is valid where one has to be (RFC 5280 section 6.1.3 f and 6.1.5 g).
    CertificatePolicies,
    /// No certificate was revoked (RFC 5280 section 6.3).
    Revocation,
    /// Whoever answers for an authority was charged with it (RFC 6960 section 4.2.2.2).
    OcspResponder,
    /// No critical extension is unknown (RFC 5280 section 6.1.4 o).
    CriticalExtension,
    /// The path ends at an anchor.
    Anchor,
    /// From or Sender is an address of the certificate (RFC 8550 section 3).
    Identity,
    /// No display name shows the address of somebody else (RFC 8550 section 3: what is shown decides).
    DisplayName,
    /// Algorithms and keys satisfy the policy.
    AlgorithmStrength,
    /// What a correspondent announced before is remembered (RFC 8551 section 2.7.1).
    Downgrade,
    /// signingTime and Date agree.
    SigningTime,
    /// The imprint of a time-stamp is that of the signature (RFC 3161 appendix A).
    TimestampImprint,
    /// A time-stamp is well-formed and from an authority that is trusted for it (RFC 3161 sections 2.2 and 2.3).
    TimestampAuthority,
    /// The time of a time-stamp fits signing time and certificate (RFC 3161 appendix B).
    TimestampTime,
    /// There is a time-stamp where the policy requires one.
    TimestampPresent,
    /// Everything shown is covered.
    Coverage,
    /// Protected header fields count, and what contradicts them outside is told (RFC 9788 section 4).
    HeaderProtection,
}

impl Check {
    /// Every check, for tests that switch them off one by one.
    pub const ALL: &'static [Self] = &[
        Self::MessageDigest,
        Self::ContentTypeAttribute,
        Self::SignatureValue,
        Self::MandatoryAttributes,
        Self::AttributeMultiplicity,
        Self::SigningCertificate,
        Self::AlgorithmProtection,
        Self::SignerPresent,
        Self::DetachedWithoutContent,
        Self::Encoding,
        Self::ContentPadding,
        Self::AuthenticationTag,
        Self::MessageAuthenticationCode,
        Self::DigestedContent,
        Self::RecipientMatch,
        Self::CertificateSignature,
        Self::Validity,
        Self::NameChaining,
        Self::BasicConstraints,
        Self::PathLength,
        Self::NameConstraints,
        Self::KeyUsage,
        Self::ExtendedKeyUsage,
        Self::CertificatePolicies,
        Self::Revocation,
        Self::OcspResponder,
        Self::CriticalExtension,
        Self::Anchor,
        Self::Identity,
        Self::DisplayName,
        Self::AlgorithmStrength,
        Self::Downgrade,
        Self::SigningTime,
        Self::TimestampImprint,
        Self::TimestampAuthority,
        Self::TimestampTime,
        Self::TimestampPresent,
        Self::Coverage,
        Self::HeaderProtection,
    ];

    /// A word for it, such as `certificate-signature`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Whether this check counts.
    #[cfg(not(feature = "broken-reader"))]
    #[inline]
    #[must_use]
    pub const fn on(self) -> bool {
        true
    }

    /// Whether this check counts on this thread.
    #[cfg(feature = "broken-reader")]
    #[must_use]
    pub fn on(self) -> bool {
        OFF.with(|off| off.get() != Some(self))
    }

    /// Switches one check off on this thread (`None`: all on again).
    #[cfg(feature = "broken-reader")]
    pub fn switch_off(check: Option<Self>) {
        OFF.with(|off| off.set(check));
    }
}

#[cfg(feature = "broken-reader")]
thread_local! {
    static OFF: std::cell::Cell<Option<Check>> = const { std::cell::Cell::new(None) };
}
