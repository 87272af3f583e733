//! RFC 5652, 5083, 3274, with the attributes of RFC 8551, 2634, 5035, 6211, 3161.

use super::algorithms::ALGORITHM;
use super::x509::{CERTIFICATE, CRL, EXTENSION, GENERAL_NAME, GENERAL_NAMES};
use super::{AS_OCTETS, Row, Shape, any, bits, boolean, ctx, int, octets, oid, row, seq, set, time, utf8};

/// RFC 5652 section 3.
pub(in crate::inspect) static CONTENT_INFO: Shape =
    Shape::Sequence(&[oid("contentType"), ctx(0, "content", &Shape::Of(&[any("content", &Shape::ByOid(CONTENTS))]))]);

static CONTENTS: &[Row] = &[
    row("1.2.840.113549.1.7.1", "data", &Shape::Mime),
    row("1.2.840.113549.1.7.2", "signedData", &SIGNED_DATA),
    row("1.2.840.113549.1.7.3", "envelopedData", &ENVELOPED_DATA),
    row("1.2.840.113549.1.7.5", "digestedData", &DIGESTED_DATA),
    row("1.2.840.113549.1.7.6", "encryptedData", &ENCRYPTED_DATA),
    row("1.2.840.113549.1.9.16.1.2", "authenticatedData", &AUTHENTICATED_DATA),
    row("1.2.840.113549.1.9.16.1.9", "compressedData", &COMPRESSED_DATA),
    row("1.2.840.113549.1.9.16.1.23", "authEnvelopedData", &AUTH_ENVELOPED_DATA),
    // GM/T 0010 has the structures of PKCS #7 under identifiers of its own.
    row("1.2.156.10197.6.1.4.2.1", "data", &Shape::Mime),
    row("1.2.156.10197.6.1.4.2.2", "signedData", &SIGNED_DATA),
    row("1.2.156.10197.6.1.4.2.3", "envelopedData", &ENVELOPED_DATA),
    row("1.2.156.10197.6.1.4.2.4", "signedAndEnvelopedData", &SIGNED_AND_ENVELOPED_DATA),
    row("1.2.156.10197.6.1.4.2.5", "encryptedData", &ENCRYPTED_DATA),
];

/// GM/T 0010 section 10, as RFC 2315 section 11.1.
static SIGNED_AND_ENVELOPED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    set("recipientInfos", &RECIPIENT_INFOS),
    set("digestAlgorithms", &Shape::Of(&[seq("digestAlgorithm", &ALGORITHM)])),
    seq("encryptedContentInfo", &ENCRYPTED_CONTENT),
    ctx(0, "certificates", &CERTIFICATES),
    ctx(1, "crls", &CRLS),
    set("signerInfos", &Shape::Of(&[seq("signerInfo", &SIGNER_INFO)])),
]);

/// RFC 5652 section 5.1.
static SIGNED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    set("digestAlgorithms", &Shape::Of(&[seq("digestAlgorithm", &ALGORITHM)])),
    seq("encapContentInfo", &ENCAPSULATED),
    ctx(0, "certificates", &CERTIFICATES),
    ctx(1, "crls", &CRLS),
    set("signerInfos", &Shape::Of(&[seq("signerInfo", &SIGNER_INFO)])),
]);

/// RFC 5652 section 5.2.
static ENCAPSULATED: Shape = Shape::Sequence(&[
    oid("eContentType"),
    ctx(0, "eContent", &Shape::Of(&[octets("eContent", &Shape::ByOid(E_CONTENTS)), any("content", &Shape::Any)])),
]);

static E_CONTENTS: &[Row] = &[
    row("1.2.840.113549.1.7.1", "", &Shape::Mime),
    row("1.2.156.10197.6.1.4.2.1", "", &Shape::Mime),
    row("1.2.840.113549.1.9.16.1.4", "", &Shape::Inside(&TST_INFO)),
    row("1.2.840.113549.1.9.16.1.1", "", &Shape::Inside(&RECEIPT)),
];

/// RFC 5652 section 10.2.3.
static CERTIFICATES: Shape = Shape::Of(&[
    seq("certificate", &CERTIFICATE),
    ctx(0, "extendedCertificate", &Shape::Any),
    ctx(1, "v1AttrCert", &Shape::Any),
    ctx(2, "v2AttrCert", &Shape::Any),
    ctx(3, "other", &Shape::Sequence(&[oid("otherCertFormat"), any("otherCert", &Shape::Any)])),
]);

/// RFC 5652 section 10.2.1.
static CRLS: Shape = Shape::Of(&[
    seq("crl", &CRL),
    ctx(1, "other", &Shape::Sequence(&[oid("otherRevInfoFormat"), any("otherRevInfo", &Shape::Any)])),
]);

/// RFC 5652 section 5.3.
static SIGNER_INFO: Shape = Shape::Sequence(&[
    int("version"),
    seq("sid: issuerAndSerialNumber", &ISSUER_AND_SERIAL),
    ctx(0, "sid: subjectKeyIdentifier", &AS_OCTETS),
    seq("digestAlgorithm", &ALGORITHM),
    ctx(0, "signedAttrs", &ATTRIBUTES),
    seq("signatureAlgorithm", &ALGORITHM),
    octets("signature", &Shape::Any),
    ctx(1, "unsignedAttrs", &ATTRIBUTES),
]);

/// RFC 5652 section 10.2.4.
static ISSUER_AND_SERIAL: Shape = Shape::Sequence(&[seq("issuer", &Shape::Name), int("serialNumber")]);

static ATTRIBUTES: Shape = Shape::Of(&[seq("attribute", &ATTRIBUTE)]);

/// RFC 5652 section 5.3.
static ATTRIBUTE: Shape = Shape::Sequence(&[
    oid("attrType"),
    set("attrValues", &Shape::Of(&[any("value", &Shape::ByOid(ATTRIBUTE_VALUES))])),
]);

static ATTRIBUTE_VALUES: &[Row] = &[
    row("1.2.840.113549.1.9.3", "contentType", &Shape::Any),
    row("1.2.840.113549.1.9.4", "messageDigest", &Shape::Any),
    row("1.2.840.113549.1.9.5", "signingTime", &Shape::Any),
    row("1.2.840.113549.1.9.6", "countersignature", &SIGNER_INFO),
    row("1.2.840.113549.1.9.15", "smimeCapabilities", &CAPABILITIES),
    row("1.2.840.113549.1.9.52", "cmsAlgorithmProtection", &ALGORITHM_PROTECTION),
    row("1.2.840.113549.1.9.16.2.1", "receiptRequest", &RECEIPT_REQUEST),
    row("1.2.840.113549.1.9.16.2.2", "securityLabel", &SECURITY_LABEL),
    row(
        "1.2.840.113549.1.9.16.2.4",
        "contentHints",
        &Shape::Sequence(&[utf8("contentDescription"), oid("contentType")]),
    ),
    row("1.2.840.113549.1.9.16.2.11", "", &KEY_PREFERENCE),
    row("1.2.840.113549.1.9.16.2.12", "signingCertificate", &SIGNING_CERTIFICATE),
    row("1.2.840.113549.1.9.16.2.14", "timeStampToken", &CONTENT_INFO),
    row("1.2.840.113549.1.9.16.2.47", "signingCertificateV2", &SIGNING_CERTIFICATE),
    row("1.3.6.1.4.1.311.3.3.1", "timeStampToken", &CONTENT_INFO),
    row("1.3.6.1.4.1.311.16.4", "issuerAndSerialNumber", &ISSUER_AND_SERIAL),
];

/// RFC 8551 section 2.5.2.
static CAPABILITIES: Shape = Shape::Of(&[seq("capability", &CAPABILITY)]);
static CAPABILITY: Shape = Shape::Sequence(&[oid("capabilityID"), any("parameters", &Shape::Any)]);

/// RFC 8551 section 2.5.3.
static KEY_PREFERENCE: Shape = Shape::Choice(&[
    ctx(0, "issuerAndSerialNumber", &ISSUER_AND_SERIAL),
    ctx(1, "receipentKeyId", &RECIPIENT_KEY_ID),
    ctx(2, "subjectAltKeyIdentifier", &AS_OCTETS),
]);

/// RFC 6211 section 2.
static ALGORITHM_PROTECTION: Shape = Shape::Sequence(&[
    seq("digestAlgorithm", &ALGORITHM),
    ctx(1, "signatureAlgorithm", &ALGORITHM),
    ctx(2, "macAlgorithm", &ALGORITHM),
]);

/// RFC 2634 section 5.4 and RFC 5035 section 3; the second adds a hash algorithm.
static SIGNING_CERTIFICATE: Shape =
    Shape::Sequence(&[seq("certs", &Shape::Of(&[seq("essCertID", &ESS_CERT_ID)])), seq("policies", &Shape::Any)]);
static ESS_CERT_ID: Shape = Shape::Sequence(&[
    seq("hashAlgorithm", &ALGORITHM),
    octets("certHash", &Shape::Any),
    seq("issuerSerial", &Shape::Sequence(&[seq("issuer", &GENERAL_NAMES), int("serialNumber")])),
]);

/// RFC 2634 section 2.7.
static RECEIPT_REQUEST: Shape = Shape::Sequence(&[
    octets("signedContentIdentifier", &Shape::Any),
    ctx(0, "receiptsFrom: allOrFirstTier", &super::AS_INTEGER),
    ctx(1, "receiptsFrom: receiptList", &Shape::Of(&[seq("names", &GENERAL_NAMES)])),
    seq("receiptsTo", &Shape::Of(&[seq("names", &GENERAL_NAMES)])),
]);

/// RFC 2634 section 2.8.
static RECEIPT: Shape = Shape::Sequence(&[
    int("version"),
    oid("contentType"),
    octets("signedContentIdentifier", &Shape::Any),
    octets("originatorSignatureValue", &Shape::Any),
]);

/// RFC 2634 section 3.2; a SET, so in any order.
static SECURITY_LABEL: Shape = Shape::Of(&[
    oid("securityPolicyIdentifier"),
    int("securityClassification"),
    utf8("privacyMark"),
    set("securityCategories", &Shape::Any),
]);

/// RFC 5652 section 6.1.
static ENVELOPED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    ctx(0, "originatorInfo", &ORIGINATOR_INFO),
    set("recipientInfos", &RECIPIENT_INFOS),
    seq("encryptedContentInfo", &ENCRYPTED_CONTENT),
    ctx(1, "unprotectedAttrs", &ATTRIBUTES),
]);

/// RFC 5083 section 2.1.
static AUTH_ENVELOPED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    ctx(0, "originatorInfo", &ORIGINATOR_INFO),
    set("recipientInfos", &RECIPIENT_INFOS),
    seq("authEncryptedContentInfo", &ENCRYPTED_CONTENT),
    ctx(1, "authAttrs", &ATTRIBUTES),
    octets("mac", &Shape::Any),
    ctx(2, "unauthAttrs", &ATTRIBUTES),
]);

/// RFC 5652 section 9.1.
static AUTHENTICATED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    ctx(0, "originatorInfo", &ORIGINATOR_INFO),
    set("recipientInfos", &RECIPIENT_INFOS),
    seq("macAlgorithm", &ALGORITHM),
    ctx(1, "digestAlgorithm", &ALGORITHM),
    seq("encapContentInfo", &ENCAPSULATED),
    ctx(2, "authAttrs", &ATTRIBUTES),
    octets("mac", &Shape::Any),
    ctx(3, "unauthAttrs", &ATTRIBUTES),
]);

/// RFC 5652 section 8.
static ENCRYPTED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    seq("encryptedContentInfo", &ENCRYPTED_CONTENT),
    ctx(1, "unprotectedAttrs", &ATTRIBUTES),
]);

/// RFC 5652 section 7.
static DIGESTED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    seq("digestAlgorithm", &ALGORITHM),
    seq("encapContentInfo", &ENCAPSULATED),
    octets("digest", &Shape::Any),
]);

/// RFC 3274 section 1.1.
static COMPRESSED_DATA: Shape = Shape::Sequence(&[
    int("version"),
    seq("compressionAlgorithm", &ALGORITHM),
    seq(
        "encapContentInfo",
        &Shape::Sequence(&[oid("eContentType"), ctx(0, "eContent", &Shape::Of(&[octets("eContent", &Shape::Opaque)]))]),
    ),
]);

/// RFC 5652 section 6.1. The tag of the content stands for OCTET STRING.
static ENCRYPTED_CONTENT: Shape = Shape::Sequence(&[
    oid("contentType"),
    seq("contentEncryptionAlgorithm", &ALGORITHM),
    ctx(0, "encryptedContent", &Shape::Opaque),
]);

static ORIGINATOR_INFO: Shape = Shape::Sequence(&[ctx(0, "certs", &CERTIFICATES), ctx(1, "crls", &CRLS)]);

/// RFC 5652 section 6.2.
static RECIPIENT_INFOS: Shape = Shape::Of(&[
    seq("ktri", &KEY_TRANSPORT),
    ctx(1, "kari", &KEY_AGREEMENT),
    ctx(2, "kekri", &KEK),
    ctx(3, "pwri", &PASSWORD),
    ctx(4, "ori", &Shape::Sequence(&[oid("oriType"), any("oriValue", &Shape::Any)])),
]);

static KEY_TRANSPORT: Shape = Shape::Sequence(&[
    int("version"),
    seq("rid: issuerAndSerialNumber", &ISSUER_AND_SERIAL),
    ctx(0, "rid: subjectKeyIdentifier", &AS_OCTETS),
    seq("keyEncryptionAlgorithm", &ALGORITHM),
    octets("encryptedKey", &Shape::Any),
]);

static KEY_AGREEMENT: Shape = Shape::Sequence(&[
    int("version"),
    ctx(
        0,
        "originator",
        &Shape::Of(&[
            seq("issuerAndSerialNumber", &ISSUER_AND_SERIAL),
            ctx(0, "subjectKeyIdentifier", &AS_OCTETS),
            ctx(1, "originatorKey", &Shape::Sequence(&[seq("algorithm", &ALGORITHM), bits("publicKey", &Shape::Any)])),
        ]),
    ),
    ctx(1, "ukm", &Shape::Any),
    seq("keyEncryptionAlgorithm", &ALGORITHM),
    seq("recipientEncryptedKeys", &Shape::Of(&[seq("recipientEncryptedKey", &RECIPIENT_ENCRYPTED_KEY)])),
]);

static RECIPIENT_ENCRYPTED_KEY: Shape = Shape::Sequence(&[
    seq("rid: issuerAndSerialNumber", &ISSUER_AND_SERIAL),
    ctx(0, "rid: rKeyId", &RECIPIENT_KEY_ID),
    octets("encryptedKey", &Shape::Any),
]);

static RECIPIENT_KEY_ID: Shape =
    Shape::Sequence(&[octets("subjectKeyIdentifier", &Shape::Any), time("date"), seq("other", &Shape::Any)]);

static KEK: Shape = Shape::Sequence(&[
    int("version"),
    seq("kekid", &Shape::Sequence(&[octets("keyIdentifier", &Shape::Any), time("date"), seq("other", &Shape::Any)])),
    seq("keyEncryptionAlgorithm", &ALGORITHM),
    octets("encryptedKey", &Shape::Any),
]);

static PASSWORD: Shape = Shape::Sequence(&[
    int("version"),
    ctx(0, "keyDerivationAlgorithm", &ALGORITHM),
    seq("keyEncryptionAlgorithm", &ALGORITHM),
    octets("encryptedKey", &Shape::Any),
]);

/// RFC 3161 section 2.4.2.
static TST_INFO: Shape = Shape::Sequence(&[
    int("version"),
    oid("policy"),
    seq("messageImprint", &Shape::Sequence(&[seq("hashAlgorithm", &ALGORITHM), octets("hashedMessage", &Shape::Any)])),
    int("serialNumber"),
    time("genTime"),
    seq("accuracy", &Shape::Any),
    boolean("ordering"),
    int("nonce"),
    ctx(0, "tsa", &Shape::Of(&[any("name", &GENERAL_NAME)])),
    ctx(1, "extensions", &Shape::Of(&[seq("extension", &EXTENSION)])),
]);
