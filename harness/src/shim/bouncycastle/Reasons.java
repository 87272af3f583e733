import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The words of Bouncy Castle, and what they mean: the one place that knows. */
final class Reasons {
    /** Words that stand in a message or a class name, aspect, reason. The first row that fits. */
    private static final String[][] TABLE = {
        // --- certificates
        {"CertificateExpiredException", "chain", "expired"},
        {"CertificateNotYetValidException", "chain", "not-yet-valid"},
        {"Not a CA certificate", "chain", "not-a-ca"},
        {"Intermediate certificate lacks BasicConstraints", "chain", "not-a-ca"},
        {"can't be used as CA ones", "chain", "not-a-ca"},
        {"does not permit key signing", "chain", "key-usage"},
        {"Max path length not greater than zero", "chain", "path-length"},
        {"unsupported critical extension", "chain", "unknown-critical-extension"},
        {"Subtree check", "chain", "name-constraint"},
        {"policy", "chain", "policy-constraint"},
        {"Certificate revocation after", "chain", "revoked"},
        {"Certificate revoked", "chain", "revoked"},
        {"certificate revoked", "chain", "revoked"},
        {"certificate status could not be determined", "chain", "revocation-unknown"},
        {"No CRLs found", "chain", "revocation-unknown"},
        {"OCSP", "chain", "ocsp-problem"},
        {"CRL", "chain", "crl-problem"},
        {"TrustAnchor found but certificate validation failed", "chain", "bad-signature"},
        {"Could not validate certificate signature", "chain", "bad-signature"},
        {"No issuer certificate for certificate in certification path found", "chain", "no-path"},
        {"Unable to find certificate chain", "chain", "no-path"},
        {"No certificate found matching targetConstraints", "chain", "no-path"},
        // --- signatures
        {"CMSSignerDigestMismatchException", "integrity", "digest-mismatch"},
        {"content-type attribute value does not match eContentType", "integrity", "content-type-mismatch"},
        {"CMS Algorithm Identifier Protection check failed", "integrity", "algorithm-mismatch"},
        {"InvalidKeyException: Supplied key", "integrity", "algorithm-mismatch"},
        {"DSAKeyParameters.getParameters()", "integrity", "bad-public-key"},
        {"SignatureException", "integrity", "signature-mismatch"},
        {"attribute type MUST be present", "structure", "missing-attribute"},
        {"MUST NOT include multiple instances", "structure", "duplicate-attribute"},
        {"MUST have a single attribute value", "structure", "duplicate-attribute"},
        {"data not encapsulated in signature", "structure", "content-missing"},
        // --- algorithms
        {"can't create digest calculator", "structure", "unsupported-algorithm"},
        {"can't create content verifier", "structure", "unsupported-algorithm"},
        {"Unknown signature type requested", "structure", "unsupported-algorithm"},
        {"can't find algorithm", "structure", "unsupported-algorithm"},
        {"cannot find algorithm", "structure", "unsupported-algorithm"},
        {"NoSuchAlgorithmException", "structure", "unsupported-algorithm"},
        {"algorithm parameters invalid", "structure", "bad-parameters"},
        {"IllegalStateException: unexpected object", "structure", "bad-parameters"},
        // --- decryption
        {"AEADBadTagException", "decryption", "tag-mismatch"},
        {"mac check in", "decryption", "tag-mismatch"},
        {"pad block corrupted", "decryption", "bad-padding"},
        {"last block incomplete in decryption", "decryption", "bad-padding"},
        {"Error finalising cipher", "decryption", "bad-padding"},
        {"BadPaddingException", "decryption", "bad-padding"},
        {"checksum failed", "decryption", "wrong-key"},
        {"exception unwrapping key", "decryption", "wrong-key"},
        {"key invalid", "decryption", "wrong-key"},
        // --- mail and encoding
        {"mail.util.DecodingException", "structure", "bad-base64"},
        {"javax.mail", "structure", "mime-malformed"},
        {"EOFException", "structure", "truncated"},
        {"corrupted stream - out of bounds length", "structure", "truncated"},
        {"DEF length", "structure", "truncated"},
        {"end of stream", "structure", "truncated"},
        {"No content found", "structure", "not-cms"},
        {"", "structure", "bad-ber"},
    };

    private Reasons() {}

    /** A bad value for what went wrong; {@code otherwise} if the words speak of another aspect. */
    static Object bad(String aspect, String otherwise, Throwable error) {
        String words = words(error);
        for (String[] row : TABLE) {
            if (row[1].equals(aspect) && words.contains(row[0])) {
                return Layer.bad(row[2], words);
            }
        }
        return Layer.bad(otherwise, words);
    }

    /** Whether the words are known, and speak of this aspect. */
    static boolean speaksOf(String aspect, Throwable error) {
        String words = words(error);
        for (String[] row : TABLE) {
            if (!row[0].isEmpty() && words.contains(row[0])) {
                return row[1].equals(aspect);
            }
        }
        return false;
    }

    /** The aspect that the words speak of. */
    static String aspect(Throwable error) {
        String words = words(error);
        for (String[] row : TABLE) {
            if (words.contains(row[0])) {
                return row[1];
            }
        }
        return "structure";
    }

    /** The exception and its causes, with the classes that threw them. */
    static String words(Throwable error) {
        List<String> words = new ArrayList<>();
        for (Throwable cause = error; cause != null && words.size() < 8; cause = cause.getCause()) {
            words.add(cause.toString());
        }
        return words.stream().distinct().collect(Collectors.joining(" | "));
    }
}
