import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import javax.mail.MessagingException;
import javax.mail.internet.ContentType;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import javax.mail.internet.MimePart;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.CompressedData;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.cms.CMSCompressedData;
import org.bouncycastle.cms.CMSDigestedData;
import org.bouncycastle.cms.CMSProcessable;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;
import org.bouncycastle.mail.smime.SMIMESigned;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.io.pem.PemReader;

/** One message on its way through the layers. */
final class Opening {
    /** Layers that are peeled at most; no mail of the corpus comes near. */
    private static final int MOST_LAYERS = 16;

    private static final ASN1ObjectIdentifier GM_DATA = new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.1");

    /** Object identifiers of content types, as messages have them, and kinds of layers. */
    private static final Map<ASN1ObjectIdentifier, String> KINDS =
            Map.ofEntries(
                    // Bouncy Castle reads these under the object identifiers of GM/T 0010 too.
                    Map.entry(GM_DATA, "data"),
                    Map.entry(new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.2"), "signed"),
                    Map.entry(new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.3"), "encrypted"),
                    Map.entry(new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.5"), "encrypted-data"),
                    Map.entry(CMSObjectIdentifiers.data, "data"),
                    Map.entry(CMSObjectIdentifiers.signedData, "signed"),
                    Map.entry(CMSObjectIdentifiers.envelopedData, "encrypted"),
                    Map.entry(CMSObjectIdentifiers.authEnvelopedData, "authenveloped"),
                    Map.entry(CMSObjectIdentifiers.compressedData, "compressed"),
                    Map.entry(CMSObjectIdentifiers.digestedData, "digested"),
                    Map.entry(CMSObjectIdentifiers.encryptedData, "encrypted-data"),
                    Map.entry(CMSObjectIdentifiers.authenticatedData, "authenticated"));

    /** Something that Bouncy Castle has no class for. */
    static final class NotOffered extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotOffered(String what) {
            super("Bouncy Castle offers no " + what);
        }
    }

    private final Request request;
    private final List<Layer> layers = new ArrayList<>();
    private final List<String> words = new ArrayList<>();
    /** What is inside every layer so far. */
    private byte[] content;

    Opening(Request request) {
        this.request = request;
        content = request.message;
    }

    /** Puts the verdict into an answer. */
    void answer(Map<String, Object> answer) throws IOException {
        String pem = "-----BEGIN ";
        if (content.length > 0 && content[0] == 0x30) {
            object("1", content, null);
        } else if (new String(content, StandardCharsets.ISO_8859_1).startsWith(pem)) {
            pem();
        } else {
            entity("1", true);
        }
        boolean bad = layers.stream().anyMatch(layer -> layer.any("bad"));
        if (!bad && !layers.isEmpty()) {
            Files.write(request.out, content);
        }
        boolean unchecked = layers.stream().anyMatch(layer -> layer.any("unchecked"));
        String overall = bad ? "invalid" : unchecked ? "undetermined" : layers.isEmpty() ? "unprotected" : "valid";
        List<Object> told = layers.stream().map(layer -> layer.json).collect(Collectors.toList());
        answer.put(
                "verdict",
                Map.of("format", 1, "overall", overall, "provider", "bouncycastle", "dialect", "cms", "layers", told));
        if (!words.isEmpty()) {
            answer.put("native", String.join("; ", words));
        }
    }

    /** Bare CMS in PEM. */
    private void pem() {
        try {
            String text = new String(content, StandardCharsets.US_ASCII);
            object("1", new PemReader(new StringReader(text)).readPemObject().getContent(), null);
        } catch (Exception error) {
            malformed("1", "unknown", error);
        }
    }

    /** Looks into an entity. */
    private void entity(String path, boolean mail) {
        try {
            ByteArrayInputStream octets = new ByteArrayInputStream(content);
            part(path, mail ? new MimeMessage(null, octets) : new MimeBodyPart(octets));
        } catch (Exception error) {
            malformed(path, "unknown", error);
        }
    }

    /** Whether a part is a layer, or one of its own parts is; it is then peeled. */
    private boolean part(String path, MimePart part) throws MessagingException, IOException {
        if (layers.size() >= MOST_LAYERS) {
            return false;
        }
        ContentType type = type(part);
        if (type.match("multipart/signed") && !"application/pgp-signature".equalsIgnoreCase(type.getParameter("protocol"))) {
            clear(path, part);
            return true;
        }
        if (isObject(part, type)) {
            byte[] octets;
            try {
                octets = part.getInputStream().readAllBytes();
            } catch (Exception error) {
                malformed(path, announced(type), error);
                return true;
            }
            object(path, octets, type);
            return true;
        }
        if (type.match("multipart/*")) {
            MimeMultipart parts = (MimeMultipart) part.getContent();
            for (int number = 0; number < parts.getCount(); number++) {
                if (part(path + "." + (number + 1), (MimePart) parts.getBodyPart(number))) {
                    return true;
                }
            }
        }
        return type.match("message/rfc822") && part(path + ".1", (MimePart) part.getContent());
    }

    private static ContentType type(MimePart part) throws MessagingException {
        try {
            return new ContentType(part.getContentType());
        } catch (MessagingException error) {
            return new ContentType("application", "octet-stream", null);
        }
    }

    /** RFC 8551 section 3.10: the media types of S/MIME, and the file name of a type that says nothing. */
    private static boolean isObject(MimePart part, ContentType type) throws MessagingException {
        boolean named = false;
        try {
            String name = part.getFileName();
            named = name != null && name.toLowerCase(Locale.ROOT).matches(".*\\.p7[mzs]");
        } catch (MessagingException error) {
            // A Content-Disposition that cannot be read names nothing.
        }
        return type.match("application/pkcs7-mime")
                || type.match("application/x-pkcs7-mime")
                || type.match("application/octet-stream") && named;
    }

    private static String announced(ContentType type) {
        String smimeType = String.valueOf(type.getParameter("smime-type")).toLowerCase(Locale.ROOT);
        return switch (smimeType) {
            case "signed-data" -> "signed";
            case "enveloped-data" -> "encrypted";
            case "authenveloped-data" -> "authenveloped";
            case "compressed-data" -> "compressed";
            default -> "unknown";
        };
    }

    /** A multipart/signed, as bcmail reads it. */
    private void clear(String path, MimePart part) {
        SMIMESigned data;
        try {
            data = new SMIMESigned((MimeMultipart) part.getContent());
        } catch (Exception error) {
            malformed(path, "signed", error);
            return;
        }
        Layer layer = layer(path + ".2/signed-data", "signed", "clear");
        try {
            words.addAll(new Signatures(request, data).judge(layer));
            content = bytes(data.getSignedContent());
        } catch (Exception error) {
            structure(layer, error);
            return;
        }
        entity(path + ".1", false);
    }

    /** A CMS object. */
    private void object(String path, byte[] octets, ContentType type) {
        try (ASN1InputStream input = new ASN1InputStream(octets)) {
            ASN1Primitive object = input.readObject();
            if (object == null) {
                throw new IOException("No content found.");
            }
            object(path, ContentInfo.getInstance(object));
        } catch (Exception error) {
            malformed(path, type == null ? "unknown" : announced(type), error);
        }
    }

    private void object(String path, ContentInfo info) {
        String kind = KINDS.getOrDefault(info.getContentType(), "unknown");
        Layer layer = layer(path + "/" + kind, kind, null);
        Recipients.Content inside;
        try {
            inside = open(layer, info);
        } catch (NotOffered error) {
            throw error;
        } catch (Exception error) {
            structure(layer, error);
            return;
        }
        if (inside == null) {
            return;
        }
        content = inside.octets();
        boolean data = inside.type().equals(CMSObjectIdentifiers.data) || inside.type().equals(GM_DATA);
        if (data || !KINDS.containsKey(inside.type())) {
            entity(path + "/1", false);
        } else {
            // RFC 5652 allows an object in an object, without a mail around it.
            try {
                object(path + "/1", new ContentInfo(inside.type(), ASN1Primitive.fromByteArray(content)));
            } catch (IOException error) {
                malformed(path + "/1", KINDS.get(inside.type()), error);
            }
        }
    }

    /** Judges a layer; the result is what is inside, null if nothing came out. */
    private Recipients.Content open(Layer layer, ContentInfo info) throws Exception {
        switch (layer.kind()) {
            case "signed": {
                CMSSignedData data = new CMSSignedData(info);
                if (request.content != null && layers.size() == 1) {
                    data = new CMSSignedData(new CMSProcessableByteArray(request.content), info);
                }
                if (data.isCertificateManagementMessage()) {
                    layer.set("kind", "certs-only");
                    return null;
                }
                layer.set("form", "opaque");
                words.addAll(new Signatures(request, data).judge(layer));
                return new Recipients.Content(
                        bytes(data.getSignedContent()), new ASN1ObjectIdentifier(data.getSignedContentTypeOID()));
            }
            case "compressed": {
                CMSCompressedData data = new CMSCompressedData(info);
                // CMSCompressedData.getContentType is the type of the layer, not of what is inside.
                var type = CompressedData.getInstance(info.getContent()).getEncapContentInfo().getContentType();
                return new Recipients.Content(data.getContent(new ZlibExpanderProvider()), type);
            }
            case "digested": {
                CMSDigestedData data = new CMSDigestedData(info);
                boolean fits = data.verify(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
                layer.set("integrity", fits ? "good" : Layer.bad("digest-mismatch", "verify returned false"));
                return new Recipients.Content(bytes(data.getDigestedContent()), CMSObjectIdentifiers.data);
            }
            case "data":
                return new Recipients.Content(
                        ASN1OctetString.getInstance(info.getContent()).getOctets(), CMSObjectIdentifiers.data);
            case "unknown":
                layer.set("structure", Layer.bad("unsupported-content-type", info.getContentType().getId()));
                return null;
            default:
                return new Recipients(request, layer, words).open(info);
        }
    }

    private static byte[] bytes(CMSProcessable processable) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        processable.write(out);
        return out.toByteArray();
    }

    private Layer layer(String path, String kind, String form) {
        Layer layer = new Layer(path, kind, form);
        layers.add(layer);
        return layer;
    }

    /** A layer that cannot be read at all. What is not offered is no fault of the message. */
    private void malformed(String path, String kind, Exception error) {
        if (error instanceof NotOffered notOffered) {
            throw notOffered;
        }
        structure(layer(path + "/" + kind, kind, null), error);
    }

    private void structure(Layer layer, Exception error) {
        layer.set("structure", Reasons.bad("structure", "bad-ber", error));
        words.add(Reasons.words(error));
    }
}
