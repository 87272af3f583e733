//! RFC 5280: certificates and revocation lists.

use super::algorithms::ALGORITHM;
use super::{
    AS_BITS, AS_IA5, AS_INTEGER, AS_OCTETS, AS_OID, Row, Shape, any, bits, boolean, ctx, int, octets, oid, row, seq,
    time,
};

/// RFC 5280 section 4.1.
pub(in crate::inspect) static CERTIFICATE: Shape = Shape::Sequence(&[
    seq("tbsCertificate", &TBS_CERTIFICATE),
    seq("signatureAlgorithm", &ALGORITHM),
    bits("signatureValue", &Shape::Any),
]);

static TBS_CERTIFICATE: Shape = Shape::Sequence(&[
    ctx(0, "version", &Shape::Of(&[int("version")])),
    int("serialNumber"),
    seq("signature", &ALGORITHM),
    seq("issuer", &Shape::Name),
    seq("validity", &Shape::Sequence(&[time("notBefore"), time("notAfter")])),
    seq("subject", &Shape::Name),
    seq("subjectPublicKeyInfo", &PUBLIC_KEY_INFO),
    ctx(1, "issuerUniqueID", &AS_BITS),
    ctx(2, "subjectUniqueID", &AS_BITS),
    ctx(3, "extensions", &Shape::Of(&[seq("extensions", &EXTENSIONS)])),
]);

/// RFC 5280 section 4.1.2.7.
static PUBLIC_KEY_INFO: Shape =
    Shape::Sequence(&[seq("algorithm", &ALGORITHM), bits("subjectPublicKey", &Shape::ByOid(PUBLIC_KEYS))]);

static PUBLIC_KEYS: &[Row] =
    &[row("1.2.840.113549.1.1.1", "", &Shape::Inside(&Shape::Sequence(&[int("modulus"), int("publicExponent")])))];

static EXTENSIONS: Shape = Shape::Of(&[seq("extension", &EXTENSION)]);

pub(in crate::inspect) static EXTENSION: Shape =
    Shape::Sequence(&[oid("extnID"), boolean("critical"), octets("extnValue", &Shape::ByOid(EXTENSION_VALUES))]);

static EXTENSION_VALUES: &[Row] = &[
    row("2.5.29.14", "", &Shape::Inside(&Shape::Any)),
    row("2.5.29.15", "", &Shape::Inside(&KEY_USAGE)),
    row("2.5.29.17", "", &Shape::Inside(&GENERAL_NAMES)),
    row("2.5.29.18", "", &Shape::Inside(&GENERAL_NAMES)),
    row("2.5.29.19", "", &Shape::Inside(&Shape::Sequence(&[boolean("cA"), int("pathLenConstraint")]))),
    row("2.5.29.20", "", &Shape::Inside(&Shape::Any)),
    row("2.5.29.21", "", &Shape::Inside(&Shape::Any)),
    row("2.5.29.24", "", &Shape::Inside(&Shape::Any)),
    row("2.5.29.30", "", &Shape::Inside(&NAME_CONSTRAINTS)),
    row("2.5.29.31", "", &Shape::Inside(&DISTRIBUTION_POINTS)),
    row("2.5.29.32", "", &Shape::Inside(&POLICIES)),
    row("2.5.29.35", "", &Shape::Inside(&AUTHORITY_KEY_ID)),
    row("2.5.29.36", "", &Shape::Inside(&POLICY_CONSTRAINTS)),
    row("2.5.29.37", "", &Shape::Inside(&Shape::Of(&[oid("keyPurposeId")]))),
    row("2.5.29.46", "", &Shape::Inside(&DISTRIBUTION_POINTS)),
    row("2.5.29.54", "", &Shape::Inside(&Shape::Any)),
    row("1.3.6.1.5.5.7.1.1", "", &Shape::Inside(&ACCESS)),
    row("1.3.6.1.5.5.7.1.11", "", &Shape::Inside(&ACCESS)),
    row("1.3.6.1.5.5.7.1.3", "", &Shape::Inside(&Shape::Any)),
    row("2.16.840.1.113730.1.1", "", &Shape::Inside(&NETSCAPE_TYPE)),
    row("2.16.840.1.113730.1.13", "", &Shape::Inside(&Shape::Any)),
];

/// RFC 5280 section 4.2.1.3.
static KEY_USAGE: Shape = Shape::Bits(&[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
]);

static NETSCAPE_TYPE: Shape =
    Shape::Bits(&["sslClient", "sslServer", "smime", "objectSigning", "reserved", "sslCA", "smimeCA", "objectCA"]);

/// RFC 5280 section 4.2.1.6.
pub(in crate::inspect) static GENERAL_NAMES: Shape = Shape::Of(&[any("name", &GENERAL_NAME)]);

pub(in crate::inspect) static GENERAL_NAME: Shape = Shape::Choice(&[
    ctx(0, "otherName", &Shape::Sequence(&[oid("type-id"), ctx(0, "value", &Shape::Any)])),
    ctx(1, "rfc822Name", &AS_IA5),
    ctx(2, "dNSName", &AS_IA5),
    ctx(3, "x400Address", &Shape::Any),
    ctx(4, "directoryName", &Shape::Of(&[seq("directoryName", &Shape::Name)])),
    ctx(5, "ediPartyName", &Shape::Any),
    ctx(6, "uniformResourceIdentifier", &AS_IA5),
    ctx(7, "iPAddress", &AS_OCTETS),
    ctx(8, "registeredID", &AS_OID),
]);

/// RFC 5280 section 4.2.1.1.
static AUTHORITY_KEY_ID: Shape = Shape::Sequence(&[
    ctx(0, "keyIdentifier", &AS_OCTETS),
    ctx(1, "authorityCertIssuer", &GENERAL_NAMES),
    ctx(2, "authorityCertSerialNumber", &AS_INTEGER),
]);

/// RFC 5280 section 4.2.1.13.
static DISTRIBUTION_POINTS: Shape = Shape::Of(&[seq(
    "distributionPoint",
    &Shape::Sequence(&[
        ctx(
            0,
            "distributionPoint",
            &Shape::Of(&[ctx(0, "fullName", &GENERAL_NAMES), ctx(1, "nameRelativeToCRLIssuer", &Shape::Any)]),
        ),
        ctx(1, "reasons", &AS_BITS),
        ctx(2, "cRLIssuer", &GENERAL_NAMES),
    ]),
)]);

/// RFC 5280 section 4.2.1.4.
static POLICIES: Shape = Shape::Of(&[seq(
    "policyInformation",
    &Shape::Sequence(&[
        oid("policyIdentifier"),
        seq(
            "policyQualifiers",
            &Shape::Of(&[seq(
                "policyQualifier",
                &Shape::Sequence(&[oid("policyQualifierId"), any("qualifier", &Shape::Any)]),
            )]),
        ),
    ]),
)]);

/// RFC 5280 section 4.2.1.10.
static NAME_CONSTRAINTS: Shape =
    Shape::Sequence(&[ctx(0, "permittedSubtrees", &SUBTREES), ctx(1, "excludedSubtrees", &SUBTREES)]);
static SUBTREES: Shape = Shape::Of(&[seq(
    "generalSubtree",
    &Shape::Sequence(&[any("base", &GENERAL_NAME), ctx(0, "minimum", &AS_INTEGER), ctx(1, "maximum", &AS_INTEGER)]),
)]);

/// RFC 5280 section 4.2.1.11.
static POLICY_CONSTRAINTS: Shape =
    Shape::Sequence(&[ctx(0, "requireExplicitPolicy", &AS_INTEGER), ctx(1, "inhibitPolicyMapping", &AS_INTEGER)]);

/// RFC 5280 section 4.2.2.1.
static ACCESS: Shape = Shape::Of(&[seq(
    "accessDescription",
    &Shape::Sequence(&[oid("accessMethod"), any("accessLocation", &GENERAL_NAME)]),
)]);

/// RFC 5280 section 5.1.
pub(in crate::inspect) static CRL: Shape = Shape::Sequence(&[
    seq("tbsCertList", &TBS_CERT_LIST),
    seq("signatureAlgorithm", &ALGORITHM),
    bits("signatureValue", &Shape::Any),
]);

static TBS_CERT_LIST: Shape = Shape::Sequence(&[
    int("version"),
    seq("signature", &ALGORITHM),
    seq("issuer", &Shape::Name),
    time("thisUpdate"),
    time("nextUpdate"),
    seq(
        "revokedCertificates",
        &Shape::Of(&[seq(
            "revokedCertificate",
            &Shape::Sequence(&[int("userCertificate"), time("revocationDate"), seq("crlEntryExtensions", &EXTENSIONS)]),
        )]),
    ),
    ctx(0, "crlExtensions", &Shape::Of(&[seq("extensions", &EXTENSIONS)])),
]);
