import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedData;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthenticatedData;
import org.bouncycastle.cms.CMSEncryptedData;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.KEKRecipientId;
import org.bouncycastle.cms.KEKRecipientInformation;
import org.bouncycastle.cms.KeyAgreeRecipientInformation;
import org.bouncycastle.cms.KeyTransRecipientInformation;
import org.bouncycastle.cms.PasswordRecipientInformation;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceKEKAuthenticatedRecipient;
import org.bouncycastle.cms.jcajce.JceKEKEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeAuthenticatedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthenticatedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JcePasswordAuthenticatedRecipient;
import org.bouncycastle.cms.jcajce.JcePasswordEnvelopedRecipient;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.operator.jcajce.JceInputDecryptorProviderBuilder;

/** The recipients of a layer: each is tried with every key that fits it. */
final class Recipients {
    /** What came out of a layer: octets and their type. */
    record Content(byte[] octets, ASN1ObjectIdentifier type) {}

    private final Request request;
    private final Layer layer;
    private final List<String> words;
    private final String kind;
    private Object decryption = Layer.bad("no-key", "no key fits a recipient");

    Recipients(Request request, Layer layer, List<String> words) {
        this.request = request;
        this.layer = layer;
        this.words = words;
        kind = layer.kind();
    }

    /** Sets the aspects of the layer; the result is what is inside, null if nothing opens it. */
    Content open(ContentInfo info) throws Exception {
        Content content = switch (kind) {
            case "encrypted" -> tryAll(new CMSEnvelopedData(info).getRecipientInfos());
            case "authenveloped" -> tryAll(new CMSAuthEnvelopedData(info).getRecipientInfos());
            case "authenticated" -> authenticated(
                    new CMSAuthenticatedData(info, new JcaDigestCalculatorProviderBuilder().setProvider("BC").build()));
            default -> encryptedData(info);
        };
        layer.set("decryption", decryption);
        // The tag is checked as the content is decrypted.
        if (kind.equals("authenveloped")) {
            layer.set("integrity", content == null ? "unchecked" : "good");
        }
        return content;
    }

    private Content tryAll(RecipientInformationStore recipients) {
        for (RecipientInformation recipient : recipients) {
            for (Recipient way : ways(recipient)) {
                Content content = tryOne(() -> recipient.getContent(way), recipient);
                if (content != null) {
                    return content;
                }
            }
        }
        return null;
    }

    private interface Decryption {
        byte[] run() throws CMSException;
    }

    private Content tryOne(Decryption way, RecipientInformation recipient) {
        try {
            byte[] octets = way.run();
            decryption = "good";
            layer.set("structure", "good");
            return new Content(octets, recipient == null ? null : recipient.getContentType());
        } catch (CMSException | RuntimeException error) {
            // That a second key does not fit says less of the message than why the first did not.
            if (words.isEmpty() && Reasons.speaksOf("structure", error)) {
                layer.set("structure", Reasons.bad("structure", "bad-parameters", error));
                decryption = "unchecked";
            } else if (words.isEmpty()) {
                decryption = Reasons.bad("decryption", "wrong-key", error);
            }
            words.add(Reasons.words(error));
            return null;
        }
    }

    /** Every way to open a recipient's part with what was given. */
    @SuppressWarnings("unchecked")
    private List<Recipient> ways(RecipientInformation recipient) {
        List<Recipient> ways = new ArrayList<>();
        for (Request.OwnKey own : request.keys) {
            if (own.key() == null || own.certificate() == null || !recipient.getRID().match(own.certificate())) {
                continue;
            }
            if (recipient instanceof KeyTransRecipientInformation) {
                ways.add(switch (kind) {
                    case "authenveloped" -> new JceKeyTransAuthEnvelopedRecipient(own.key()).setProvider("BC");
                    case "authenticated" -> new JceKeyTransAuthenticatedRecipient(own.key()).setProvider("BC");
                    default -> new JceKeyTransEnvelopedRecipient(own.key()).setProvider("BC");
                });
            } else if (recipient instanceof KeyAgreeRecipientInformation) {
                ways.add(switch (kind) {
                    case "authenveloped" -> new AuthEnveloped.KeyAgreement(own.key()).setProvider("BC");
                    case "authenticated" -> new JceKeyAgreeAuthenticatedRecipient(own.key()).setProvider("BC");
                    default -> new JceKeyAgreeEnvelopedRecipient(own.key()).setProvider("BC");
                });
            }
        }
        if (recipient instanceof PasswordRecipientInformation) {
            for (String password : request.passwords) {
                char[] letters = password.toCharArray();
                ways.add(switch (kind) {
                    case "authenveloped" -> new AuthEnveloped.Password(letters).setProvider("BC");
                    case "authenticated" -> new JcePasswordAuthenticatedRecipient(letters).setProvider("BC");
                    default -> new JcePasswordEnvelopedRecipient(letters).setProvider("BC");
                });
            }
        }
        if (recipient instanceof KEKRecipientInformation && recipient.getRID() instanceof KEKRecipientId id) {
            for (Request.SharedKey shared : request.sharedKeys) {
                if (Arrays.equals(id.getKeyIdentifier(), shared.id())) {
                    SecretKeySpec key = new SecretKeySpec(shared.key(), "AES");
                    ways.add(switch (kind) {
                        case "authenveloped" -> new AuthEnveloped.SharedKey(key).setProvider("BC");
                        case "authenticated" -> new JceKEKAuthenticatedRecipient(key).setProvider("BC");
                        default -> new JceKEKEnvelopedRecipient(key).setProvider("BC");
                    });
                }
            }
        }
        return ways;
    }

    /** RFC 5652 section 9.3: the code, and with attributes the digest among them. */
    private Content authenticated(CMSAuthenticatedData data) {
        for (RecipientInformation recipient : data.getRecipientInfos()) {
            for (Recipient way : ways(recipient)) {
                Content content = tryOne(() -> recipient.getContent(way), recipient);
                if (content != null) {
                    boolean fits = Arrays.equals(data.getMac(), recipient.getMac());
                    AttributeTable attributes = data.getAuthAttrs();
                    if (fits && attributes != null) {
                        var digest = attributes.get(CMSAttributes.messageDigest).getAttributeValues()[0];
                        byte[] stated = ASN1OctetString.getInstance(digest).getOctets();
                        fits = Arrays.equals(stated, recipient.getContentDigest());
                    }
                    layer.set("integrity", fits ? "good" : Layer.bad("tag-mismatch", "another code was computed"));
                    return content;
                }
            }
        }
        return null;
    }

    /** RFC 5652 section 8: no recipient is named. */
    private Content encryptedData(ContentInfo info) throws CMSException {
        CMSEncryptedData data = new CMSEncryptedData(info);
        ASN1ObjectIdentifier type =
                EncryptedData.getInstance(info.getContent()).getEncryptedContentInfo().getContentType();
        for (Request.SharedKey shared : request.sharedKeys) {
            var decryptors = new JceInputDecryptorProviderBuilder().setProvider("BC").build(shared.key());
            Content content = tryOne(() -> data.getContent(decryptors), null);
            if (content != null) {
                return new Content(content.octets(), type);
            }
        }
        return null;
    }
}
