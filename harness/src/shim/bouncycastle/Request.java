import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.util.encoders.Hex;

/** What {@code open} is given, read from the case directory. */
final class Request {
    final byte[] message;
    /** What a bare detached signature is over; null if there is none. */
    final byte[] content;
    final List<OwnKey> keys = new ArrayList<>();
    /** Who signs, what is sent along, and for whom a copy is; only when something is written. */
    final OwnKey signer;

    final List<X509CertificateHolder> certificates;
    final List<X509CertificateHolder> encryptionCertificates;
    final List<X509CertificateHolder> copyFor;
    /** For whom exactly is encrypted; empty if the certificates are to be found. */
    final List<X509CertificateHolder> recipients = new ArrayList<>();
    /** Null if nothing is to be trusted. */
    final List<X509CertificateHolder> anchors;
    final List<X509CertificateHolder> extraCertificates;
    /** CRLs in DER. */
    final List<byte[]> crls;
    /** OCSP responses in DER. */
    final List<byte[]> ocsp;
    /** Whether each certificate has to have a status. */
    final boolean requireRevocation;
    final List<String> passwords;
    final List<SharedKey> sharedKeys = new ArrayList<>();
    final Date clock;
    /** Where the innermost entity goes. */
    final Path out;

    /** A private key and its certificate. */
    record OwnKey(PrivateKey key, X509CertificateHolder certificate) {}

    /** A key that both sides have; the identifier is empty for EncryptedData. */
    record SharedKey(byte[] id, byte[] key) {}

    private final Path directory;

    @SuppressWarnings("unchecked")
    Request(Map<String, Object> fields) throws IOException {
        directory = Path.of((String) fields.get("dir"));
        message = read(fields.get("message"));
        content = fields.containsKey("content") ? read(fields.get("content")) : null;
        anchors = fields.containsKey("anchors") ? certificates(fields.get("anchors")) : null;
        extraCertificates = certificates(fields.get("extra_certificates"));
        crls = files(fields.get("crls"));
        ocsp = files(fields.get("ocsp"));
        requireRevocation = Boolean.TRUE.equals(fields.get("require_revocation"));
        passwords = (List<String>) fields.getOrDefault("passwords", List.of());
        Object at = fields.get("clock");
        clock = at == null ? new Date() : Date.from(Instant.parse((String) at));
        out = directory.resolve((String) fields.get("out"));
        for (Object pair : (List<Object>) fields.getOrDefault("keys", List.of())) {
            keys.add(ownKey((Map<String, Object>) pair));
        }
        signer = fields.containsKey("key") ? ownKey((Map<String, Object>) fields.get("key")) : null;
        certificates = certificates(fields.get("certificates"));
        encryptionCertificates = certificates(fields.get("encryption_certificate"));
        copyFor = certificates(fields.get("copy_for"));
        for (Object name : (List<Object>) fields.getOrDefault("recipients", List.of())) {
            recipients.addAll(certificates(name));
        }
        for (Object shared : (List<Object>) fields.getOrDefault("symmetric_keys", List.of())) {
            Map<String, Object> pair = (Map<String, Object>) shared;
            String id = (String) pair.getOrDefault("id", "");
            sharedKeys.add(new SharedKey(Hex.decode(id), Hex.decode((String) pair.get("key"))));
        }
    }

    private OwnKey ownKey(Map<String, Object> files) throws IOException {
        List<X509CertificateHolder> own = certificates(files.get("certificate"));
        return new OwnKey(key(files.get("key")), own.isEmpty() ? null : own.get(0));
    }

    private byte[] read(Object name) throws IOException {
        return Files.readAllBytes(directory.resolve((String) name));
    }

    @SuppressWarnings("unchecked")
    private List<byte[]> files(Object names) throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (Object name : names == null ? List.of() : (List<Object>) names) {
            files.add(read(name));
        }
        return files;
    }

    private List<X509CertificateHolder> certificates(Object name) throws IOException {
        List<X509CertificateHolder> certificates = new ArrayList<>();
        if (name != null) {
            PEMParser pem = pem(name);
            for (Object object = pem.readObject(); object != null; object = pem.readObject()) {
                if (object instanceof X509CertificateHolder certificate) {
                    certificates.add(certificate);
                }
            }
        }
        return certificates;
    }

    /** A key that Bouncy Castle does not know opens nothing: null. */
    private PrivateKey key(Object name) throws IOException {
        try {
            JcaPEMKeyConverter converter = new JcaPEMKeyConverter().setProvider("BC");
            return converter.getPrivateKey((PrivateKeyInfo) pem(name).readObject());
        } catch (IOException error) {
            System.err.println(name + ": " + Reasons.words(error));
            return null;
        }
    }

    private PEMParser pem(Object name) throws IOException {
        return new PEMParser(new StringReader(new String(read(name), StandardCharsets.US_ASCII)));
    }
}
