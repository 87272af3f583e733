//! Object identifiers of content types and attributes, as dotted strings.

/// id-data (RFC 5652 section 4).
pub const DATA: &str = "1.2.840.113549.1.7.1";
/// id-signedData (RFC 5652 section 5.1).
pub const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
/// id-envelopedData (RFC 5652 section 6.1).
pub const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
/// id-digestedData (RFC 5652 section 7).
pub const DIGESTED_DATA: &str = "1.2.840.113549.1.7.5";
/// id-encryptedData (RFC 5652 section 8).
pub const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
/// id-ct-authData (RFC 5652 section 9.1).
pub const AUTHENTICATED_DATA: &str = "1.2.840.113549.1.9.16.1.2";
/// id-ct-compressedData (RFC 3274 section 1.1).
pub const COMPRESSED_DATA: &str = "1.2.840.113549.1.9.16.1.9";
/// id-ct-authEnvelopedData (RFC 5083 section 2.1).
pub const AUTH_ENVELOPED_DATA: &str = "1.2.840.113549.1.9.16.1.23";
/// id-ct-receipt (RFC 2634 section 2.8).
pub const RECEIPT: &str = "1.2.840.113549.1.9.16.1.1";
/// id-ct-TSTInfo (RFC 3161 section 2.4.2).
pub const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
/// id-alg-zlibCompress (RFC 3274 section 2).
pub const ZLIB: &str = "1.2.840.113549.1.9.16.3.8";
/// id-ri-ocsp-response: an OCSPResponse beside the CRLs (RFC 5940 section 2.1).
pub const OCSP_RESPONSE: &str = "1.3.6.1.5.5.7.16.2";
/// id-ori-kem (RFC 9629 section 3).
pub const KEM_RECIPIENT: &str = "1.2.840.113549.1.9.16.13.3";
/// id-alg-PWRI-KEK (RFC 3211 section 2.2).
pub const PASSWORD_WRAP: &str = "1.2.840.113549.1.9.16.3.9";
/// data of GM/T 0010.
pub const GMT_DATA: &str = "1.2.156.10197.6.1.4.2.1";
/// signedData of GM/T 0010.
pub const GMT_SIGNED_DATA: &str = "1.2.156.10197.6.1.4.2.2";
/// envelopedData of GM/T 0010.
pub const GMT_ENVELOPED_DATA: &str = "1.2.156.10197.6.1.4.2.3";
/// signedAndEnvelopedData of GM/T 0010.
pub const GMT_SIGNED_AND_ENVELOPED_DATA: &str = "1.2.156.10197.6.1.4.2.4";
/// encryptedData of GM/T 0010.
pub const GMT_ENCRYPTED_DATA: &str = "1.2.156.10197.6.1.4.2.5";

/// The content types of GM/T 0010 that have the structure of one of CMS, with
/// that. (signedAndEnvelopedData is PKCS #7's but for a signature that is not
/// encrypted once more; keyAgreementInfo, ….6, is like nothing else.)
const GMT_CONTENT_TYPES: &[(&str, &str)] = &[
    (GMT_DATA, DATA),
    (GMT_SIGNED_DATA, SIGNED_DATA),
    (GMT_ENVELOPED_DATA, ENVELOPED_DATA),
    (GMT_ENCRYPTED_DATA, ENCRYPTED_DATA),
];

/// Whether a content type is one of GM/T 0010.
#[must_use]
pub fn is_gmt(content_type: &str) -> bool {
    content_type
        .strip_prefix("1.2.156.10197.6.1.4.2.")
        .is_some_and(|rest| matches!(rest, "1" | "2" | "3" | "4" | "5" | "6"))
}

/// The content type of CMS that has the structure of one of GM/T 0010; every
/// other content type itself.
#[must_use]
pub fn standard(content_type: &str) -> &str {
    GMT_CONTENT_TYPES.iter().find(|(gmt, _)| *gmt == content_type).map_or(content_type, |(_, standard)| standard)
}

/// The content type of GM/T 0010 that has the structure of one of CMS; every
/// other content type itself.
#[must_use]
pub fn gmt(content_type: &str) -> &str {
    GMT_CONTENT_TYPES.iter().find(|(_, standard)| *standard == content_type).map_or(content_type, |(gmt, _)| gmt)
}

/// SM2 signatures with SM3 (GM/T 0006), the name that CMS and certificates use.
pub const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// SM2-1, the signature algorithm of SM2 (GM/T 0006), the name of GM/T 0010.
pub const SM2_SIGNATURE: &str = "1.2.156.10197.1.301.1";
/// SM2-2, the key exchange of SM2 (GM/T 0006); GmSSL 3 writes it for encryption.
pub const SM2_KEY_EXCHANGE: &str = "1.2.156.10197.1.301.2";
/// SM2-3, the encryption of SM2 (GM/T 0006).
pub const SM2_ENCRYPTION: &str = "1.2.156.10197.1.301.3";
/// SM2 encryption with SM3, as Bouncy Castle names it in CMS.
pub const SM2_ENCRYPTION_WITH_SM3: &str = "1.2.156.10197.1.301.3.2.1";
/// The curve of SM2, which some writers put in the place of an algorithm.
pub const SM2_CURVE: &str = "1.2.156.10197.1.301";
/// Identifiers that stand for SM2 encryption where a key is transported.
pub const SM2_TRANSPORT: &[&str] = &[SM2_ENCRYPTION, SM2_ENCRYPTION_WITH_SM3, SM2_KEY_EXCHANGE, SM2_CURVE];
/// SM4-CBC.
pub const SM4_CBC: &str = "1.2.156.10197.1.104.2";
/// SM4 without a mode; CFCA's kit names SM4-CBC so.
pub const SM4: &str = "1.2.156.10197.1.104";

/// id-contentType (RFC 5652 section 11.1).
pub const ATTRIBUTE_CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
/// id-messageDigest (RFC 5652 section 11.2).
pub const ATTRIBUTE_MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
/// id-signingTime (RFC 5652 section 11.3).
pub const ATTRIBUTE_SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
/// smimeCapabilities (RFC 8551 section 2.5.2).
pub const ATTRIBUTE_SMIME_CAPABILITIES: &str = "1.2.840.113549.1.9.15";
/// id-aa-encrypKeyPref (RFC 8551 section 2.5.3).
pub const ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE: &str = "1.2.840.113549.1.9.16.2.11";
/// The same preference as Microsoft wrote it before the standard.
pub const ATTRIBUTE_MICROSOFT_KEY_PREFERENCE: &str = "1.3.6.1.4.1.311.16.4";
/// id-aa-receiptRequest (RFC 2634 section 2.7).
pub const ATTRIBUTE_RECEIPT_REQUEST: &str = "1.2.840.113549.1.9.16.2.1";
/// id-aa-securityLabel (RFC 2634 section 3.2).
pub const ATTRIBUTE_SECURITY_LABEL: &str = "1.2.840.113549.1.9.16.2.2";
/// id-aa-mlExpandHistory (RFC 2634 section 4.2).
pub const ATTRIBUTE_EXPANSION_HISTORY: &str = "1.2.840.113549.1.9.16.2.3";
/// id-aa-contentHint (RFC 2634 section 2.9).
pub const ATTRIBUTE_CONTENT_HINTS: &str = "1.2.840.113549.1.9.16.2.4";
/// id-aa-msgSigDigest (RFC 2634 section 2.12).
pub const ATTRIBUTE_RECEIPT_DIGEST: &str = "1.2.840.113549.1.9.16.2.5";
/// id-aa-contentIdentifier (RFC 2634 section 2.7).
pub const ATTRIBUTE_CONTENT_IDENTIFIER: &str = "1.2.840.113549.1.9.16.2.7";
/// id-aa-equivalentLabels (RFC 2634 section 3.4).
pub const ATTRIBUTE_EQUIVALENT_LABELS: &str = "1.2.840.113549.1.9.16.2.9";
/// id-aa-contentReference (RFC 2634 section 2.11).
pub const ATTRIBUTE_CONTENT_REFERENCE: &str = "1.2.840.113549.1.9.16.2.10";
/// id-aa-secureHeaderFieldsIdentifier (RFC 7508 section 4.5.1).
pub const ATTRIBUTE_SECURE_HEADERS: &str = "1.2.840.113549.1.9.16.2.55";
/// countersignature (RFC 5652 section 11.4).
pub const ATTRIBUTE_COUNTERSIGNATURE: &str = "1.2.840.113549.1.9.6";
/// id-aa-signingCertificate (RFC 2634 section 5.4).
pub const ATTRIBUTE_SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
/// id-aa-signingCertificateV2 (RFC 5035 section 5.4.1.1).
pub const ATTRIBUTE_SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
/// id-aa-timeStampToken (RFC 3161 appendix A).
pub const ATTRIBUTE_TIME_STAMP_TOKEN: &str = "1.2.840.113549.1.9.16.2.14";
/// id-aa-cmsAlgorithmProtect (RFC 6211 section 2).
pub const ATTRIBUTE_ALGORITHM_PROTECTION: &str = "1.2.840.113549.1.9.52";

/// Subject key identifier of a certificate (RFC 5280 section 4.2.1.2).
pub const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";

/// rsaEncryption (RFC 3370 sections 3.2 and 4.2.1): names RSA keys, means
/// RSAES-PKCS1-v1_5 where a key is transported, and stands for the signature
/// in many signers.
pub const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
/// id-RSAES-OAEP (RFC 3560 section 2).
pub const RSAES_OAEP: &str = "1.2.840.113549.1.1.7";
/// PBKDF2 (RFC 8018 appendix A.2).
pub const PBKDF2: &str = "1.2.840.113549.1.5.12";
/// Attributes that must be signed: RFC 5652 sections 11.1 to 11.3, RFC 8551
/// section 2.5, RFC 2634 section 1.3.4, RFC 5035 section 5.4, RFC 6211 section
/// 2, RFC 7508 section 4.5.1.
pub const SIGNED_ONLY: &[&str] = &[
    ATTRIBUTE_CONTENT_TYPE,
    ATTRIBUTE_MESSAGE_DIGEST,
    ATTRIBUTE_SIGNING_TIME,
    ATTRIBUTE_SMIME_CAPABILITIES,
    ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE,
    ATTRIBUTE_SIGNING_CERTIFICATE,
    ATTRIBUTE_SIGNING_CERTIFICATE_V2,
    ATTRIBUTE_ALGORITHM_PROTECTION,
    ATTRIBUTE_RECEIPT_REQUEST,
    ATTRIBUTE_SECURITY_LABEL,
    ATTRIBUTE_EXPANSION_HISTORY,
    ATTRIBUTE_RECEIPT_DIGEST,
    ATTRIBUTE_EQUIVALENT_LABELS,
    ATTRIBUTE_CONTENT_REFERENCE,
    ATTRIBUTE_SECURE_HEADERS,
];
/// Attributes that must not be signed: countersignature (RFC 5652 section
/// 11.4), and the time-stamp on a signature (RFC 3161 appendix A).
pub const UNSIGNED_ONLY: &[&str] = &[ATTRIBUTE_COUNTERSIGNATURE, ATTRIBUTE_TIME_STAMP_TOKEN];
