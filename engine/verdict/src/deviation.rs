//! What a standard forbids or does not know, and a reader nevertheless accepts.

use crate::code::codes;

codes! {
    /// A departure from a standard that the reader accepted.
    ///
    /// Deviations are reported; they never change [`crate::Overall`] or an exit code.
    Deviation: "deviation" {
        /// Signed attributes not in DER order, signed as they stand (RFC 5652 section 5.4).
        AttributesNotDer = "attributes-not-der",
        /// SHA-2 digest identifier with NULL parameters (RFC 5754 section 2: generate absent).
        DigestParametersNull = "digest-parameters-null",
        /// micalg in another letter case or spelling than RFC 8551 section 3.5.3.2.
        MicalgCase = "micalg-case",
        /// micalg is an object identifier.
        MicalgOid = "micalg-oid",
        /// micalg names another digest than the signer used, or is absent.
        MicalgWrong = "micalg-wrong",
        /// The protocol parameter and the type of the signature part differ.
        ProtocolTypeDiffers = "protocol-type-differs",
        /// An `application/x-pkcs7-*` media type, the spelling before RFC 2633.
        XPkcs7Name = "x-pkcs7-name",
        /// `application/pkcs7-mime` without smime-type (RFC 8551 section 3.2.2).
        SmimeTypeMissing = "smime-type-missing",
        /// smime-type names another kind than the content.
        SmimeTypeWrong = "smime-type-wrong",
        /// `application/octet-stream` with a `.p7m` or `.p7s` name (RFC 8551 section 3.10).
        OctetStreamName = "octet-stream-name",
        /// Lines end in LF alone; the signature is over the CRLF form.
        LfLineEnds = "lf-line-ends",
        /// base64 lines over 76 characters (RFC 2045 section 6.8).
        Base64LongLines = "base64-long-lines",
        /// SMIMECapabilities parameters that no standard gives.
        CapabilityParametersOdd = "capability-parameters-odd",
        /// An authenticated cipher inside EnvelopedData.
        GcmInEnveloped = "gcm-in-enveloped",
        /// A self-signed certificate is among the certificates sent.
        RootIncluded = "root-included",
        /// The certificates are not in path order.
        ChainUnordered = "chain-unordered",
        /// An SM2 object identifier that the family of the message does not use: 1.2.156.10197.1.501 in GM/T 0010,
        /// 301.1 in CMS, 301.2 (key exchange) for encryption.
        Sm2OidAlias = "sm2-oid-alias",
        /// SM3 named by the identifier of SM2 signatures with SM3, 1.2.156.10197.1.501.
        Sm3OidAlias = "sm3-oid-alias",
        /// An SM2 ciphertext as C1, C3, C2 one after the other, where GM/T 0009 has an SM2Cipher.
        Sm2CipherRaw = "sm2-cipher-raw",
        /// An SM2 ciphertext in the order C1, C2, C3 of the drafts of GM/T 0003.
        Sm2CipherOldOrder = "sm2-cipher-old-order",
        /// An SM2 ciphertext whose point has no octet before it that says what it is.
        Sm2CipherBare = "sm2-cipher-bare",
        /// An SM2 ciphertext whose point is compressed.
        Sm2CipherCompressed = "sm2-cipher-compressed",
        /// An SM2 signature over the digest of the content alone, without Z (GM/T 0003.2 section 5.5).
        Sm2WithoutZ = "sm2-without-z",
        /// Content types of GM/T 0010 and of CMS in one object.
        ContentTypesMixed = "content-types-mixed",
        /// SM4-CBC named by the bare SM4 identifier.
        Sm4OidShort = "sm4-oid-short",
        /// GmSSL 3 digest over the ContentInfo header.
        Gmssl3Digest = "gmssl-3-digest",
        /// signingTime as UTCTime or GeneralizedTime against RFC 5652 section 11.3.
        SigningTimeForm = "signing-time-form",
        /// The MIME tree has an inner multipart that is never closed.
        MultipartUnclosed = "multipart-unclosed",
        /// A digest that SignedData.digestAlgorithms does not list (RFC 5652 section 5.3).
        DigestNotListed = "digest-not-listed",
        /// A version number that RFC 5652 does not give this structure.
        VersionOdd = "version-odd",
        /// Bytes after the end of the CMS object.
        TrailingBytes = "trailing-bytes",
        /// White space or other characters outside the base64 alphabet.
        Base64Junk = "base64-junk",
        /// A digest other than the signature algorithm's RFC asks for (RFC 8419 section 2.3, RFC 9882 section 3.3).
        DigestUnsuited = "digest-unsuited",
        /// Content signed without attributes that is itself a set of signed attributes: perhaps somebody else's,
        /// whose signature would fit it (RFC 5652 section 5.4 signs both in the same way).
        ContentLikeAttributes = "content-like-attributes",
        /// A malformed attribute that only informs; it is passed over.
        AttributeMalformed = "attribute-malformed",
        /// A receipt that asks for a receipt, or that went through a mailing list (RFC 2634 sections 2.2 and 2.4.1), or a
        /// countersignature that names a content type (RFC 5652 section 11.4).
        AttributeOutOfPlace = "attribute-out-of-place",
        /// The signature algorithm's parameters are absent where NULL is due, or the reverse.
        SignatureParametersOdd = "signature-parameters-odd",
        /// The content cipher's parameters are not in the form that its RFC gives them.
        CipherParametersOdd = "cipher-parameters-odd",
        /// A header field or parameter that may occur once occurs twice; readers differ in which counts.
        RepeatedHeader = "repeated-header",
        /// The hp parameter says `cipher` of what is not encrypted, or `clear` of what is (RFC 9788 section 2.1.1).
        HpWrong = "hp-wrong",
    }
}
