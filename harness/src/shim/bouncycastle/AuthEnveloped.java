import java.security.Key;
import java.security.PrivateKey;
import javax.crypto.SecretKey;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.RecipientOperator;
import org.bouncycastle.cms.jcajce.JceKEKRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JcePasswordEnvelopedRecipient;

/**
 * Recipients of AuthEnvelopedData other than key transport.
 *
 * <p>Bouncy Castle 1.72 unwraps the key of every kind of recipient, but has a class that goes on to
 * authenticated content for key transport only. These join the two: no arithmetic is done here.
 */
final class AuthEnveloped {
    private AuthEnveloped() {}

    static final class KeyAgreement extends JceKeyAgreeRecipient {
        KeyAgreement(PrivateKey key) {
            super(key);
        }

        @Override
        public RecipientOperator getRecipientOperator(
                AlgorithmIdentifier management,
                AlgorithmIdentifier content,
                SubjectPublicKeyInfo originator,
                ASN1OctetString ukm,
                byte[] encryptedKey)
                throws CMSException {
            return content(management, content, extractSecretKey(management, content, originator, ukm, encryptedKey));
        }
    }

    static final class SharedKey extends JceKEKRecipient {
        SharedKey(SecretKey key) {
            super(key);
        }

        @Override
        public RecipientOperator getRecipientOperator(
                AlgorithmIdentifier management, AlgorithmIdentifier content, byte[] encryptedKey) throws CMSException {
            return content(management, content, extractSecretKey(management, content, encryptedKey));
        }
    }

    static final class Password extends JcePasswordEnvelopedRecipient {
        Password(char[] password) {
            super(password);
        }

        @Override
        public RecipientOperator getRecipientOperator(
                AlgorithmIdentifier management, AlgorithmIdentifier content, byte[] derivedKey, byte[] encryptedKey)
                throws CMSException {
            return content(management, content, extractSecretKey(management, content, derivedKey, encryptedKey));
        }
    }

    /** What decrypts authenticated content with a key that was unwrapped already. */
    private static RecipientOperator content(AlgorithmIdentifier management, AlgorithmIdentifier content, Key key)
            throws CMSException {
        var recipient = new JceKeyTransAuthEnvelopedRecipient(null) {
            @Override
            protected Key extractSecretKey(
                    AlgorithmIdentifier management, AlgorithmIdentifier content, byte[] encryptedKey) {
                return key;
            }
        };
        recipient.setProvider("BC");
        return recipient.getRecipientOperator(management, content, null);
    }
}
