//! AlgorithmIdentifiers and their parameters.

use super::{Row, Shape, any, ctx, int, octets, oid, row, seq};

/// RFC 5280 section 4.1.1.2.
pub(in crate::inspect) static ALGORITHM: Shape =
    Shape::Algorithm(&[oid("algorithm"), any("parameters", &Shape::ByOid(PARAMETERS))]);

static PARAMETERS: &[Row] = &[
    // RFC 4055 sections 2.2, 3.1 and 4.1.
    row("1.2.840.113549.1.1.8", "hash", &ALGORITHM),
    row("1.2.840.113549.1.1.9", "label", &Shape::Any),
    row("1.2.840.113549.1.1.10", "", &PSS),
    row("1.2.840.113549.1.1.7", "", &OAEP),
    // RFC 5480 section 2.1.1.
    row("1.2.840.10045.2.1", "curve", &Shape::Any),
    // RFC 3565 section 2.3, RFC 3370 section 5.
    row("2.16.840.1.101.3.4.1.2", "iv", &Shape::Any),
    row("2.16.840.1.101.3.4.1.22", "iv", &Shape::Any),
    row("2.16.840.1.101.3.4.1.42", "iv", &Shape::Any),
    row("1.2.840.113549.3.7", "iv", &Shape::Any),
    row("1.3.14.3.2.7", "iv", &Shape::Any),
    row("1.2.156.10197.1.104.2", "iv", &Shape::Any),
    row("1.2.840.113549.3.2", "", &Shape::Sequence(&[int("rc2ParameterVersion"), octets("iv", &Shape::Any)])),
    // RFC 5084 section 3.2.
    row("2.16.840.1.101.3.4.1.6", "", &GCM),
    row("2.16.840.1.101.3.4.1.26", "", &GCM),
    row("2.16.840.1.101.3.4.1.46", "", &GCM),
    row("2.16.840.1.101.3.4.1.7", "", &GCM),
    row("2.16.840.1.101.3.4.1.27", "", &GCM),
    row("2.16.840.1.101.3.4.1.47", "", &GCM),
    // RFC 8018 appendix A, RFC 3211 section 2.3.
    row("1.2.840.113549.1.5.12", "", &PBKDF2),
    row("1.2.840.113549.1.9.16.3.9", "kek", &ALGORITHM),
    // RFC 5753 section 2.1.5: the algorithm that wraps the key.
    row("1.3.133.16.840.63.0.2", "keyWrap", &ALGORITHM),
    row("1.3.133.16.840.63.0.3", "keyWrap", &ALGORITHM),
    row("1.3.132.1.11.0", "keyWrap", &ALGORITHM),
    row("1.3.132.1.11.1", "keyWrap", &ALGORITHM),
    row("1.3.132.1.11.2", "keyWrap", &ALGORITHM),
    row("1.3.132.1.11.3", "keyWrap", &ALGORITHM),
    row("1.3.132.1.14.0", "keyWrap", &ALGORITHM),
    row("1.3.132.1.14.1", "keyWrap", &ALGORITHM),
    row("1.3.132.1.14.2", "keyWrap", &ALGORITHM),
    row("1.3.132.1.14.3", "keyWrap", &ALGORITHM),
    row("1.2.840.113549.1.9.16.3.5", "keyWrap", &ALGORITHM),
];

static PSS: Shape = Shape::Sequence(&[
    ctx(0, "hashAlgorithm", &Shape::Of(&[seq("hashAlgorithm", &ALGORITHM)])),
    ctx(1, "maskGenAlgorithm", &Shape::Of(&[seq("maskGenAlgorithm", &ALGORITHM)])),
    ctx(2, "saltLength", &Shape::Of(&[int("saltLength")])),
    ctx(3, "trailerField", &Shape::Of(&[int("trailerField")])),
]);

static OAEP: Shape = Shape::Sequence(&[
    ctx(0, "hashFunc", &Shape::Of(&[seq("hashFunc", &ALGORITHM)])),
    ctx(1, "maskGenFunc", &Shape::Of(&[seq("maskGenFunc", &ALGORITHM)])),
    ctx(2, "pSourceFunc", &Shape::Of(&[seq("pSourceFunc", &ALGORITHM)])),
]);

static GCM: Shape = Shape::Sequence(&[octets("nonce", &Shape::Any), int("icvLen")]);

static PBKDF2: Shape =
    Shape::Sequence(&[octets("salt", &Shape::Any), int("iterationCount"), int("keyLength"), seq("prf", &ALGORITHM)]);
