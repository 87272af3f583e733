//! Why an aspect is bad: the stable codes and the aspects they belong to.

use crate::AspectName;
use crate::code::codes;

codes! {
    /// A stable code that says why an aspect is bad (or was not checked).
    ///
    /// [`Reason::aspects`] tells which aspects may carry it.
    Reason: "reason" {
        /// The input is not a CMS object where one was announced.
        NotCms = "not-cms",
        /// The encoding breaks X.690.
        BadBer = "bad-ber",
        /// BER where DER is required and the difference matters.
        BadDer = "bad-der",
        /// The input ends inside an element.
        Truncated = "truncated",
        /// A limit on size, depth, number or work was reached.
        LimitExceeded = "limit-exceeded",
        /// A content type that this reader does not know.
        UnsupportedContentType = "unsupported-content-type",
        /// An algorithm that this reader does not know.
        UnsupportedAlgorithm = "unsupported-algorithm",
        /// Parameters of an algorithm are missing, extra or malformed.
        BadParameters = "bad-parameters",
        /// A version number that contradicts the structure.
        VersionMismatch = "version-mismatch",
        /// A mandatory attribute is absent.
        MissingAttribute = "missing-attribute",
        /// An attribute occurs twice, or has several values.
        DuplicateAttribute = "duplicate-attribute",
        /// A signed message without a signer.
        NoSigners = "no-signers",
        /// A detached signature that carries content of its own.
        DetachedWithContent = "detached-with-content",
        /// A signature without content and without a part it could sign.
        ContentMissing = "content-missing",
        /// A multipart that cannot be cut into parts.
        MimeMalformed = "mime-malformed",
        /// A transfer encoding that cannot be undone.
        BadBase64 = "bad-base64",
        /// An attribute stands among the signed ones and must not, or the other way round.
        MisplacedAttribute = "misplaced-attribute",
        /// Compressed content that cannot be decompressed.
        BadCompression = "bad-compression",
        /// The media type and the content type contradict each other.
        TypeMismatch = "type-mismatch",

        /// The message has no recipient at all.
        NoRecipient = "no-recipient",
        /// No key was given that belongs to a recipient.
        NoKey = "no-key",
        /// The key does not open what was encrypted for it.
        WrongKey = "wrong-key",
        /// The padding after decryption is not that of RFC 5652 section 6.3.
        BadPadding = "bad-padding",
        /// The authentication tag does not fit.
        TagMismatch = "tag-mismatch",
        /// Several keys opened the message to different results.
        AmbiguousRecipient = "ambiguous-recipient",
        /// The holder of the key refused the operation.
        KeyRefused = "key-refused",
        /// A wrong PIN.
        WrongPin = "wrong-pin",
        /// The PIN is blocked.
        PinBlocked = "pin-blocked",
        /// The card was removed.
        CardRemoved = "card-removed",
        /// A wrong password.
        WrongPassword = "wrong-password",

        /// The content is not the one that was signed.
        DigestMismatch = "digest-mismatch",
        /// The signature value does not fit key and signed bytes.
        SignatureMismatch = "signature-mismatch",
        /// The contentType attribute differs from the content's type.
        ContentTypeMismatch = "content-type-mismatch",
        /// Two places name different algorithms for the same operation.
        AlgorithmMismatch = "algorithm-mismatch",
        /// No certificate fits the signer's identifier.
        SignerCertificateNotFound = "signer-certificate-not-found",
        /// The signed attributes name another certificate than the one that the signature was verified with.
        SigningCertificateMismatch = "signing-certificate-mismatch",
        /// A receipt is not for the message that was given.
        ReceiptMismatch = "receipt-mismatch",
        /// The public key cannot be used.
        BadPublicKey = "bad-public-key",

        /// Something is shown that no signature covers.
        UnsignedContentShown = "unsigned-content-shown",
        /// Only a part of the message is protected.
        Partial = "partial",
        /// An outer header field contradicts the protected one.
        OuterHeaderDiffers = "outer-header-differs",
        /// An encrypted part stands beside a readable one.
        EncryptedBesidePlain = "encrypted-beside-plain",

        /// No trust anchor was given.
        NoAnchor = "no-anchor",
        /// The path ends at a certificate that is no anchor.
        Untrusted = "untrusted",
        /// No path can be built.
        NoPath = "no-path",
        /// A certificate's time is over.
        Expired = "expired",
        /// A certificate's time has not begun.
        NotYetValid = "not-yet-valid",
        /// A certificate is revoked.
        Revoked = "revoked",
        /// Nothing tells whether a certificate is revoked.
        RevocationUnknown = "revocation-unknown",
        /// A certificate's signature does not fit its issuer's key.
        BadSignature = "bad-signature",
        /// An issuer is not a certification authority.
        NotACa = "not-a-ca",
        /// A path is longer than a certificate in it allows.
        PathLength = "path-length",
        /// keyUsage forbids this use.
        KeyUsage = "key-usage",
        /// extendedKeyUsage forbids this use.
        ExtendedKeyUsage = "extended-key-usage",
        /// A name is outside the permitted subtrees.
        NameConstraint = "name-constraint",
        /// Certificate policies do not fit.
        PolicyConstraint = "policy-constraint",
        /// A critical extension that this reader does not know.
        UnknownCriticalExtension = "unknown-critical-extension",
        /// Issuer name or key identifier contradict the issuer.
        IssuerMismatch = "issuer-mismatch",
        /// A CRL cannot be used.
        CrlProblem = "crl-problem",
        /// An OCSP answer cannot be used.
        OcspProblem = "ocsp-problem",

        /// The certificate names another address.
        AddressMismatch = "address-mismatch",
        /// The certificate names no address.
        NoAddress = "no-address",
        /// The message has no From.
        NoFrom = "no-from",
        /// The message has several From fields or authors.
        SeveralFrom = "several-from",
        /// Sender and certificate differ.
        SenderMismatch = "sender-mismatch",
        /// The display name contains an address that is not the sender's.
        DisplayNameAddress = "display-name-address",

        /// A digest below what the policy allows.
        WeakDigest = "weak-digest",
        /// A signature algorithm below what the policy allows.
        WeakSignature = "weak-signature",
        /// A content cipher below what the policy allows.
        WeakCipher = "weak-cipher",
        /// A key below what the policy allows.
        WeakKey = "weak-key",
        /// The correspondent once announced better algorithms.
        Downgrade = "downgrade",
        /// A capabilities attribute that used to be there is gone.
        CapabilityStripped = "capability-stripped",
        /// Capabilities older than those already known.
        CapabilityReplayed = "capability-replayed",
        /// An algorithm that the policy forbids by name.
        ForbiddenAlgorithm = "forbidden-algorithm",
        /// An encoding that a strict policy refuses.
        StrictEncoding = "strict-encoding",

        /// The signing time differs from the Date field, from a time-stamp, or from the validity of the certificate.
        SigningTimeDiffers = "signing-time-differs",
        /// The signing time lies in the future.
        SigningTimeFuture = "signing-time-future",
        /// The time-stamp is for another signature, or for other content.
        TimestampMismatch = "timestamp-mismatch",
        /// The token is damaged, or its authority not trusted for time-stamps.
        TimestampUntrusted = "timestamp-untrusted",
        /// A time-stamp that the policy requires is absent.
        TimestampMissing = "timestamp-missing",
        /// The time-stamp cannot be the one that the signature was made with: it is too late or too early.
        TimestampReplaced = "timestamp-replaced",
    }
}

impl Reason {
    /// The aspects that may be bad (or unchecked) for this reason.
    #[must_use]
    pub const fn aspects(self) -> &'static [AspectName] {
        use AspectName as A;
        use Reason as R;
        match self {
            // Of a chain: unchecked, for a certificate whose signature cannot be computed.
            R::LimitExceeded | R::UnsupportedAlgorithm => &[A::Structure, A::Chain],
            R::TagMismatch => &[A::Decryption, A::Integrity],
            R::NotCms
            | R::BadBer
            | R::BadDer
            | R::Truncated
            | R::UnsupportedContentType
            | R::BadParameters
            | R::VersionMismatch
            | R::MissingAttribute
            | R::DuplicateAttribute
            | R::NoSigners
            | R::DetachedWithContent
            | R::ContentMissing
            | R::MimeMalformed
            | R::BadBase64
            | R::BadCompression
            | R::MisplacedAttribute
            | R::TypeMismatch => &[A::Structure],
            R::NoRecipient
            | R::NoKey
            | R::WrongKey
            | R::BadPadding
            | R::AmbiguousRecipient
            | R::KeyRefused
            | R::WrongPin
            | R::PinBlocked
            | R::CardRemoved
            | R::WrongPassword => &[A::Decryption],
            R::DigestMismatch
            | R::SignatureMismatch
            | R::ContentTypeMismatch
            | R::AlgorithmMismatch
            | R::SignerCertificateNotFound
            | R::SigningCertificateMismatch
            | R::ReceiptMismatch
            | R::BadPublicKey => &[A::Integrity],
            R::UnsignedContentShown | R::Partial | R::OuterHeaderDiffers | R::EncryptedBesidePlain => &[A::Coverage],
            R::NoAnchor
            | R::Untrusted
            | R::NoPath
            | R::Expired
            | R::NotYetValid
            | R::Revoked
            | R::RevocationUnknown
            | R::BadSignature
            | R::NotACa
            | R::PathLength
            | R::KeyUsage
            | R::ExtendedKeyUsage
            | R::NameConstraint
            | R::PolicyConstraint
            | R::UnknownCriticalExtension
            | R::IssuerMismatch
            | R::CrlProblem
            | R::OcspProblem => &[A::Chain],
            R::AddressMismatch
            | R::NoAddress
            | R::NoFrom
            | R::SeveralFrom
            | R::SenderMismatch
            | R::DisplayNameAddress => &[A::Identity],
            R::WeakDigest
            | R::WeakSignature
            | R::WeakCipher
            | R::WeakKey
            | R::Downgrade
            | R::CapabilityStripped
            | R::CapabilityReplayed
            | R::ForbiddenAlgorithm
            | R::StrictEncoding => &[A::Policy],
            R::SigningTimeDiffers
            | R::SigningTimeFuture
            | R::TimestampMismatch
            | R::TimestampUntrusted
            | R::TimestampMissing
            | R::TimestampReplaced => &[A::Time],
        }
    }
}
