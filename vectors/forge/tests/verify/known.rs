//! Where a second opinion differs from the engine's, and who is right.

/// A case on whose chain another implementation says the contrary, or the
/// algorithm that all such cases need.
pub(crate) struct Difference {
    pub(crate) of: &'static str,
    /// Who says so.
    pub(crate) by: &'static str,
    pub(crate) right: Right,
    pub(crate) why: &'static str,
}

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Engine,
    /// A standard leaves it open, or the other one does not claim to do it.
    Both,
    Other,
}

/// What webpki says where a constraint speaks of addresses, organisations or locations.
const NO_SUCH_CONSTRAINTS: &str = "compares host names and addresses of hosts alone, and refuses other constraints";

/// What OpenSSL 3.0 says of keys of a later kind.
const UNKNOWN_KEY: &str = "does not know the key of the signer, and refuses what it does not know";

/// What webpki says of SM2.
const UNKNOWN_SM2: &str = "does not know SM2, and refuses what it does not know";

/// How OpenSSL reads SM2 certificates (GM/T 0009 section 10 has the identifier).
const EMPTY_IDENTIFIER: &str =
    "verifies the signatures of SM2 under an empty identifier; -vfyopt distid is for the first certificate alone";

/// How OpenSSL builds paths.
const FIRST_ISSUER: &str =
    "takes the first issuer of the name and does not go back when it leads nowhere (RFC 4158 section 2.4.2)";

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference { of: "chain/names/domain", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference { of: "chain/names/host", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference { of: "chain/names/hosts", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference { of: "chain/names/mailbox", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference { of: "chain/names/not-excluded", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference { of: "chain/names/organisation", by: "webpki", right: Right::Engine, why: NO_SUCH_CONSTRAINTS },
    Difference {
        of: "chain/names/subject-address",
        by: "webpki",
        right: Right::Engine,
        why: "does not look for addresses in the subject (RFC 5280 section 4.2.1.10)",
    },
    Difference {
        of: "chain/names/utf8-other-host",
        by: "webpki",
        right: Right::Engine,
        why: "does not constrain otherName (RFC 9598 section 6)",
    },
    Difference {
        of: "chain/path/version-1",
        by: "webpki",
        right: Right::Engine,
        why: "reads version 3 alone (RFC 8550 section 2.2)",
    },
    Difference {
        of: "chain/policy/mapped",
        by: "webpki",
        right: Right::Both,
        why: "knows no certificate policies and says so: the extension is critical",
    },
    Difference {
        of: "chain/policy/wanted",
        by: "webpki",
        right: Right::Both,
        why: "knows no certificate policies and says so: the extension is critical",
    },
    Difference {
        of: "chain/usage/encipherment-only",
        by: "webpki",
        right: Right::Engine,
        why: "does not look at keyUsage of the leaf (RFC 8550 section 4.4.2)",
    },
    Difference { of: "chain/path/cross-certificate", by: "openssl", right: Right::Engine, why: FIRST_ISSUER },
    Difference {
        of: "chain/path/cross-certificate-of-the-other",
        by: "openssl",
        right: Right::Engine,
        why: FIRST_ISSUER,
    },
    Difference {
        of: "chain/path/wrong-key-hint",
        by: "openssl",
        right: Right::Engine,
        why: "takes the key identifier as a condition; RFC 5280 section 4.2.1.2 does not require that, and 6.1 does not have it",
    },
    Difference { of: "sm2", by: "webpki", right: Right::Both, why: UNKNOWN_SM2 },
    Difference { of: "sm2/chain/rsa-below-sm2", by: "webpki", right: Right::Both, why: UNKNOWN_SM2 },
    Difference { of: "sm2", by: "openssl", right: Right::Engine, why: EMPTY_IDENTIFIER },
    Difference { of: "sm2/chain/rsa-below-sm2", by: "openssl", right: Right::Engine, why: EMPTY_IDENTIFIER },
    Difference { of: "ml-dsa-44", by: "openssl", right: Right::Both, why: UNKNOWN_KEY },
    Difference { of: "ml-dsa-65", by: "openssl", right: Right::Both, why: UNKNOWN_KEY },
    Difference { of: "ml-dsa-87", by: "openssl", right: Right::Both, why: UNKNOWN_KEY },
];
