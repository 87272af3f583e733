//! Names of object identifiers that are no algorithms.

use const_oid::{ObjectIdentifier, db::DB};

use super::by_oid;

/// A name for any known object identifier in dotted form: an algorithm by its
/// name in the table; content types, attributes, extensions and parts of
/// names by the name that their RFC gives them.
///
/// For people who read a structure; nothing may be decided by it.
pub fn oid_name(oid: &str) -> Option<&'static str> {
    by_oid(oid)
        .map(|row| row.name)
        .or_else(|| NAMES.iter().find(|row| row.0 == oid).map(|row| row.1))
        .or_else(|| DB.by_oid(&ObjectIdentifier::new(oid).ok()?))
}

/// What stands in mail and certificates, beside the algorithms.
const NAMES: &[(&str, &str)] = &[
    // --- content types: RFC 5652, RFC 3274, RFC 5083, RFC 2634, RFC 3161, RFC 5544
    ("1.2.840.113549.1.7.1", "data"),
    ("1.2.840.113549.1.7.2", "signedData"),
    ("1.2.840.113549.1.7.3", "envelopedData"),
    ("1.2.840.113549.1.7.4", "signedAndEnvelopedData"),
    ("1.2.840.113549.1.7.5", "digestedData"),
    ("1.2.840.113549.1.7.6", "encryptedData"),
    ("1.2.840.113549.1.9.16.1.1", "receipt"),
    ("1.2.840.113549.1.9.16.1.2", "authenticatedData"),
    ("1.2.840.113549.1.9.16.1.4", "tstInfo"),
    ("1.2.840.113549.1.9.16.1.6", "contentInfo"),
    ("1.2.840.113549.1.9.16.1.9", "compressedData"),
    ("1.2.840.113549.1.9.16.1.23", "authEnvelopedData"),
    ("1.2.840.113549.1.9.16.1.31", "timestampedData"),
    ("1.2.840.113549.1.9.16.1.24", "routeOriginAuthz"),
    ("1.2.840.113549.1.9.16.1.26", "rpkiManifest"),
    // --- content types of GM/T 0010
    ("1.2.156.10197.6.1.4.2.1", "gm-data"),
    ("1.2.156.10197.6.1.4.2.2", "gm-signedData"),
    ("1.2.156.10197.6.1.4.2.3", "gm-envelopedData"),
    ("1.2.156.10197.6.1.4.2.4", "gm-signedAndEnvelopedData"),
    ("1.2.156.10197.6.1.4.2.5", "gm-encryptedData"),
    ("1.2.156.10197.6.1.4.2.6", "gm-keyAgreementInfo"),
    // --- attributes: RFC 5652 section 11, RFC 2985, RFC 8551 section 2.5, RFC 2634, RFC 5035, RFC 5126
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("1.2.840.113549.1.9.3", "contentType"),
    ("1.2.840.113549.1.9.4", "messageDigest"),
    ("1.2.840.113549.1.9.5", "signingTime"),
    ("1.2.840.113549.1.9.6", "countersignature"),
    ("1.2.840.113549.1.9.7", "challengePassword"),
    ("1.2.840.113549.1.9.8", "unstructuredAddress"),
    ("1.2.840.113549.1.9.14", "extensionRequest"),
    ("1.2.840.113549.1.9.15", "smimeCapabilities"),
    ("1.2.840.113549.1.9.20", "friendlyName"),
    ("1.2.840.113549.1.9.21", "localKeyId"),
    ("1.2.840.113549.1.9.22.1", "x509Certificate"),
    ("1.2.840.113549.1.9.23.1", "x509Crl"),
    ("1.2.840.113549.1.9.52", "cmsAlgorithmProtection"),
    ("1.2.840.113549.1.9.16.2.1", "receiptRequest"),
    ("1.2.840.113549.1.9.16.2.2", "securityLabel"),
    ("1.2.840.113549.1.9.16.2.3", "mlExpandHistory"),
    ("1.2.840.113549.1.9.16.2.4", "contentHint"),
    ("1.2.840.113549.1.9.16.2.5", "msgSigDigest"),
    ("1.2.840.113549.1.9.16.2.7", "contentIdentifier"),
    ("1.2.840.113549.1.9.16.2.9", "equivalentLabels"),
    ("1.2.840.113549.1.9.16.2.10", "contentReference"),
    ("1.2.840.113549.1.9.16.2.11", "encrypKeyPref"),
    ("1.2.840.113549.1.9.16.2.12", "signingCertificate"),
    ("1.2.840.113549.1.9.16.2.14", "signatureTimeStampToken"),
    ("1.2.840.113549.1.9.16.2.15", "sigPolicyId"),
    ("1.2.840.113549.1.9.16.2.16", "commitmentType"),
    ("1.2.840.113549.1.9.16.2.17", "signerLocation"),
    ("1.2.840.113549.1.9.16.2.18", "signerAttr"),
    ("1.2.840.113549.1.9.16.2.19", "otherSigCert"),
    ("1.2.840.113549.1.9.16.2.20", "contentTimestamp"),
    ("1.2.840.113549.1.9.16.2.21", "certificateRefs"),
    ("1.2.840.113549.1.9.16.2.22", "revocationRefs"),
    ("1.2.840.113549.1.9.16.2.23", "certificateValues"),
    ("1.2.840.113549.1.9.16.2.24", "revocationValues"),
    ("1.2.840.113549.1.9.16.2.25", "escTimeStamp"),
    ("1.2.840.113549.1.9.16.2.26", "certCrlTimestamp"),
    ("1.2.840.113549.1.9.16.2.27", "archiveTimestamp"),
    ("1.2.840.113549.1.9.16.2.47", "signingCertificateV2"),
    ("1.2.840.113549.1.9.16.2.48", "archiveTimestampV2"),
    ("1.2.840.113549.1.9.16.2.55", "secureHeaderFields"),
    ("1.2.840.113549.1.9.16.2.46", "binarySigningTime"),
    ("1.3.6.1.4.1.311.16.4", "microsoftEncrypKeyPref"),
    ("1.3.6.1.4.1.311.13.2.3", "microsoftOsVersion"),
    ("1.3.6.1.4.1.311.88.2.1", "microsoftOriginalFilename"),
    ("1.3.6.1.4.1.311.3.3.1", "microsoftTimestampToken"),
    ("1.2.840.113583.1.1.8", "adobeRevocationInfoArchival"),
    ("1.3.6.1.4.1.311.2.1.4", "microsoftSpcIndirectData"),
    ("1.3.6.1.4.1.311.17.1", "microsoftCspName"),
    ("1.3.6.1.4.1.311.17.2", "microsoftLocalMachineKeyset"),
    // --- S/MIME capabilities that are no algorithm: RFC 8551 section 2.5.2
    ("1.2.840.113549.1.9.15.1", "preferSignedData"),
    ("1.2.840.113549.1.9.15.2", "canNotDecryptAny"),
    ("1.2.840.113549.1.9.15.3", "preferBinaryInside"),
    ("1.2.840.113549.1.9.16.11.1", "preferBinaryInside"),
    // --- other parts of CMS: RFC 5652 section 10.2, RFC 6211, RFC 9629
    ("1.2.840.113549.1.9.16.13.1", "orPwri"),
    ("1.2.840.113549.1.9.16.13.3", "oriKem"),
    ("1.3.6.1.5.5.7.16.2", "riOcspResponse"),
    ("1.3.6.1.5.5.7.16.4", "riScvp"),
    ("1.2.840.113549.1.9.16.5.1", "spqUri"),
    ("1.2.840.113549.1.9.16.5.2", "spqUserNotice"),
    ("1.2.840.113549.1.9.16.6.1", "proofOfOrigin"),
    ("1.2.840.113549.1.9.16.6.2", "proofOfReceipt"),
    ("1.2.840.113549.1.9.16.6.3", "proofOfDelivery"),
    ("1.2.840.113549.1.9.16.6.4", "proofOfSender"),
    ("1.2.840.113549.1.9.16.6.5", "proofOfApproval"),
    ("1.2.840.113549.1.9.16.6.6", "proofOfCreation"),
    // --- PKCS#12 bags: RFC 7292 section 4.2
    ("1.2.840.113549.1.12.10.1.1", "keyBag"),
    ("1.2.840.113549.1.12.10.1.2", "pkcs8ShroudedKeyBag"),
    ("1.2.840.113549.1.12.10.1.3", "certBag"),
    ("1.2.840.113549.1.12.10.1.4", "crlBag"),
    ("1.2.840.113549.1.12.10.1.5", "secretBag"),
    ("1.2.840.113549.1.12.10.1.6", "safeContentsBag"),
    // --- parts of names: RFC 5280 appendix A, RFC 4519, CA/Browser Forum S/MIME requirements
    ("2.5.4.3", "commonName"),
    ("2.5.4.4", "surname"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "countryName"),
    ("2.5.4.7", "localityName"),
    ("2.5.4.8", "stateOrProvinceName"),
    ("2.5.4.9", "streetAddress"),
    ("2.5.4.10", "organizationName"),
    ("2.5.4.11", "organizationalUnitName"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.16", "postalAddress"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "givenName"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.45", "x500UniqueIdentifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "userId"),
    ("0.9.2342.19200300.100.1.3", "mail"),
    ("0.9.2342.19200300.100.1.25", "domainComponent"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionLocalityName"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionStateOrProvinceName"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionCountryName"),
    // --- extensions: RFC 5280 section 4.2 and 5.2, RFC 3739, RFC 6960, RFC 6962
    ("2.5.29.1", "authorityKeyIdentifier (1988)"),
    ("2.5.29.9", "subjectDirectoryAttributes"),
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.16", "privateKeyUsagePeriod"),
    ("2.5.29.17", "subjectAltName"),
    ("2.5.29.18", "issuerAltName"),
    ("2.5.29.19", "basicConstraints"),
    ("2.5.29.20", "crlNumber"),
    ("2.5.29.21", "reasonCode"),
    ("2.5.29.23", "holdInstructionCode"),
    ("2.5.29.24", "invalidityDate"),
    ("2.5.29.27", "deltaCrlIndicator"),
    ("2.5.29.28", "issuingDistributionPoint"),
    ("2.5.29.29", "certificateIssuer"),
    ("2.5.29.30", "nameConstraints"),
    ("2.5.29.31", "crlDistributionPoints"),
    ("2.5.29.32", "certificatePolicies"),
    ("2.5.29.33", "policyMappings"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.36", "policyConstraints"),
    ("2.5.29.37", "extKeyUsage"),
    ("2.5.29.46", "freshestCrl"),
    ("2.5.29.54", "inhibitAnyPolicy"),
    ("2.5.29.32.0", "anyPolicy"),
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.2", "biometricInfo"),
    ("1.3.6.1.5.5.7.1.3", "qcStatements"),
    ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
    ("1.3.6.1.5.5.7.1.12", "logotype"),
    ("1.3.6.1.5.5.7.1.24", "tlsFeature"),
    ("1.3.6.1.5.5.7.48.1", "ocsp"),
    ("1.3.6.1.5.5.7.48.2", "caIssuers"),
    ("1.3.6.1.5.5.7.48.3", "timeStamping (access)"),
    ("1.3.6.1.5.5.7.48.5", "caRepository"),
    ("1.3.6.1.5.5.7.48.1.1", "ocspBasic"),
    ("1.3.6.1.5.5.7.48.1.2", "ocspNonce"),
    ("1.3.6.1.5.5.7.48.1.5", "ocspNoCheck"),
    ("1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps"),
    ("1.3.6.1.4.1.11129.2.4.3", "ctPoison"),
    ("2.16.840.1.113730.1.1", "netscapeCertType"),
    ("2.16.840.1.113730.1.13", "netscapeComment"),
    ("1.3.6.1.4.1.311.20.2", "microsoftCertificateTemplateName"),
    ("1.3.6.1.4.1.311.21.1", "microsoftCaVersion"),
    ("1.3.6.1.4.1.311.21.7", "microsoftCertificateTemplate"),
    ("1.3.6.1.4.1.311.21.10", "microsoftApplicationPolicies"),
    ("1.3.6.1.4.1.311.25.2", "microsoftNtdsCaSecurity"),
    ("1.2.840.113533.7.65.0", "entrustVersion"),
    // --- extended key usages: RFC 5280 section 4.2.1.12, RFC 9336, RFC 4334
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.3", "codeSigning"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "ocspSigning"),
    ("1.3.6.1.5.5.7.3.36", "documentSigning"),
    ("1.3.6.1.4.1.311.10.3.4", "microsoftEncryptingFileSystem"),
    ("1.3.6.1.4.1.311.10.3.12", "microsoftDocumentSigning"),
    ("1.3.6.1.4.1.311.20.2.2", "microsoftSmartCardLogon"),
    ("1.2.840.113583.1.1.5", "adobeAuthenticDocumentsTrust"),
    ("2.16.840.1.113730.4.1", "netscapeServerGatedCrypto"),
    // --- other names and policies: RFC 8398, RFC 4683, RFC 4043, RFC 5280, CA/Browser Forum
    ("1.3.6.1.5.5.7.8.9", "smtpUtf8Mailbox"),
    ("1.3.6.1.5.5.7.8.3", "permanentIdentifier"),
    ("1.3.6.1.5.5.7.8.7", "dnsSrv"),
    ("1.3.6.1.4.1.311.20.2.3", "userPrincipalName"),
    ("1.3.6.1.5.2.2", "kerberosPrincipalName"),
    ("1.3.6.1.5.5.7.2.1", "cps"),
    ("1.3.6.1.5.5.7.2.2", "userNotice"),
    ("2.23.140.1.5.1.1", "cabf-smime-mailbox-validated-legacy"),
    ("2.23.140.1.5.1.2", "cabf-smime-mailbox-validated-multipurpose"),
    ("2.23.140.1.5.1.3", "cabf-smime-mailbox-validated-strict"),
    ("2.23.140.1.5.2.1", "cabf-smime-organization-validated-legacy"),
    ("2.23.140.1.5.2.2", "cabf-smime-organization-validated-multipurpose"),
    ("2.23.140.1.5.2.3", "cabf-smime-organization-validated-strict"),
    ("2.23.140.1.5.3.1", "cabf-smime-sponsor-validated-legacy"),
    ("2.23.140.1.5.3.2", "cabf-smime-sponsor-validated-multipurpose"),
    ("2.23.140.1.5.3.3", "cabf-smime-sponsor-validated-strict"),
    ("2.23.140.1.5.4.1", "cabf-smime-individual-validated-legacy"),
    ("2.23.140.1.5.4.2", "cabf-smime-individual-validated-multipurpose"),
    ("2.23.140.1.5.4.3", "cabf-smime-individual-validated-strict"),
    // --- qualified statements: RFC 3739, ETSI EN 319 412-5
    ("0.4.0.1862.1.1", "qcCompliance"),
    ("0.4.0.1862.1.2", "qcLimitValue"),
    ("0.4.0.1862.1.3", "qcRetentionPeriod"),
    ("0.4.0.1862.1.4", "qcSscd"),
    ("0.4.0.1862.1.5", "qcPds"),
    ("0.4.0.1862.1.6", "qcType"),
    ("0.4.0.1862.1.7", "qcCcLegislation"),
    ("1.3.6.1.5.5.7.11.1", "qcSyntaxV1"),
    ("1.3.6.1.5.5.7.11.2", "qcSyntaxV2"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_oid_stands_once_and_is_no_algorithm() {
        let mut seen = HashSet::new();
        for (oid, name) in NAMES {
            assert!(seen.insert(oid), "{oid} stands twice");
            assert!(ObjectIdentifier::new(oid).is_ok(), "{oid} is no OID");
            assert!(by_oid(oid).is_none(), "{oid} {name} also stands in the algorithm table");
        }
    }

    #[test]
    fn names_come_from_the_table_then_from_the_list_then_from_the_database() {
        assert_eq!(oid_name("2.16.840.1.101.3.4.2.1"), Some("sha-256"));
        assert_eq!(oid_name("1.2.840.113549.1.7.2"), Some("signedData"));
        assert_eq!(oid_name("1.2.840.113549.1.9.16.2.11"), Some("encrypKeyPref"));
        assert_eq!(oid_name("1.3.6.1.4.1.311.16.4"), Some("microsoftEncrypKeyPref"));
        assert_eq!(oid_name("2.5.29.17"), Some("subjectAltName"));
        assert_eq!(oid_name("2.5.4.3"), Some("commonName"));
        assert_eq!(oid_name("1.3.6.1.5.5.7.3.15"), Some("id-kp-scvpServer"), "from the database");
        assert_eq!(oid_name("1.2.3.4.5"), None);
        assert_eq!(oid_name("no oid"), None);
        assert_eq!(oid_name(""), None);
    }
}
