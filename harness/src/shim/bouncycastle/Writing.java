import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.activation.DataHandler;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.mail.Header;
import javax.mail.MessagingException;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import javax.mail.util.ByteArrayDataSource;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.mail.smime.SMIMEEnvelopedGenerator;
import org.bouncycastle.mail.smime.SMIMESignedGenerator;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;

/** What {@code sign} and {@code encrypt} write. */
final class Writing {
    /** Of SM3 bcmail does not know the name that RFC 8551 section 3.5.3.2 wants in micalg; the others are spelled so there. */
    private static final Map<ASN1ObjectIdentifier, String> MICALGS = Map.of(
            GMObjectIdentifiers.sm3, "sm3",
            OIWObjectIdentifiers.idSHA1, "sha-1",
            NISTObjectIdentifiers.id_sha224, "sha-224",
            NISTObjectIdentifiers.id_sha256, "sha-256",
            NISTObjectIdentifiers.id_sha384, "sha-384",
            NISTObjectIdentifiers.id_sha512, "sha-512");

    /** A content cipher, by its name in the algorithm table. */
    private record Cipher(ASN1ObjectIdentifier oid, int bits, boolean authenticates) {}

    private static final Map<String, Cipher> CIPHERS = Map.of(
            "aes-128-cbc", new Cipher(CMSAlgorithm.AES128_CBC, 128, false),
            "aes-192-cbc", new Cipher(CMSAlgorithm.AES192_CBC, 192, false),
            "aes-256-cbc", new Cipher(CMSAlgorithm.AES256_CBC, 256, false),
            "aes-128-gcm", new Cipher(CMSAlgorithm.AES128_GCM, 128, true),
            "aes-256-gcm", new Cipher(CMSAlgorithm.AES256_GCM, 256, true),
            "3des-cbc", new Cipher(CMSAlgorithm.DES_EDE3_CBC, 192, false),
            "rc2-cbc-128", new Cipher(CMSAlgorithm.RC2_CBC, 128, false),
            "rc2-cbc-40", new Cipher(CMSAlgorithm.RC2_CBC, 40, false),
            "sm4-cbc", new Cipher(new ASN1ObjectIdentifier("1.2.156.10197.1.104.2"), 128, false));

    /** What can be chosen, for {@code hello}. */
    static final String ALGORITHMS = "sha-1 sha-224 sha-256 sha-384 sha-512 sm3 rsa-pkcs1-v1_5 rsassa-pss ecdsa sm2 ec"
            + " rsaes-oaep aes-128-cbc aes-192-cbc aes-256-cbc aes-128-gcm aes-256-gcm 3des-cbc rc2-cbc-128 rc2-cbc-40"
            + " sm4-cbc";

    private final Request request;
    private final Map<String, Object> fields;

    Writing(Map<String, Object> fields) throws IOException {
        this.fields = fields;
        request = new Request(fields);
    }

    /** What of a request cannot be done; null if all can. */
    private String beyond() {
        if (fields.get("settings") instanceof Map<?, ?> settings && !settings.isEmpty()) {
            return "not every setting is known: " + settings.keySet();
        }
        Object dialect = fields.getOrDefault("dialect", "cms");
        return "cms".equals(dialect) ? null : "Bouncy Castle writes the structures of CMS, not " + dialect;
    }

    /** Without another wish a clear signature: SM3 with SM2, or SHA-256 with what the key is for. */
    void sign(Map<String, Object> answer) throws Exception {
        Request.OwnKey own = request.signer;
        String beyond = beyond();
        if (beyond != null || own == null || own.key() == null || own.certificate() == null) {
            answer.put("unsupported", beyond != null ? beyond : "Bouncy Castle does not know the key");
            return;
        }
        String algorithm = algorithm(own);
        if (algorithm == null) {
            String wish = fields.get("scheme") + " with " + fields.get("digest");
            answer.put("unsupported", "Bouncy Castle does not sign so with a key for " + own.key().getAlgorithm() + ": " + wish);
            return;
        }
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        attributes.add(new Attribute(CMSAttributes.signingTime, new DERSet(new Time(request.clock))));
        var signer = new JcaSimpleSignerInfoGeneratorBuilder()
                .setProvider("BC")
                .setSignedAttributeGenerator(new AttributeTable(attributes))
                .build(algorithm, own.key(), new JcaX509CertificateConverter().setProvider("BC").getCertificate(own.certificate()));
        List<Object> sent = new ArrayList<>(List.of(own.certificate()));
        sent.addAll(request.certificates);
        sent.addAll(request.encryptionCertificates);
        SMIMESignedGenerator generator = new SMIMESignedGenerator(MICALGS);
        generator.addSignerInfoGenerator(signer);
        generator.addCertificates(new org.bouncycastle.util.CollectionStore<>(sent));
        MimeMessage mail = mail();
        if ("opaque".equals(fields.get("form"))) {
            put(mail, generator.generateEncapsulated(inner(mail)));
        } else {
            MimeMultipart parts = generator.generate(inner(mail));
            mail.setContent(parts, parts.getContentType());
        }
        write(mail, answer);
    }

    /** The signature algorithm as Java names it; null if there is none for this key. */
    private String algorithm(Request.OwnKey own) {
        boolean sm2 = isSm2(own.certificate());
        String digest = (String) fields.getOrDefault("digest", sm2 ? "sm3" : "sha-256");
        String key = own.key().getAlgorithm();
        String habit = key.equals("RSA") ? "rsa-pkcs1-v1_5" : !key.startsWith("EC") ? key : sm2 ? "sm2" : "ecdsa";
        String scheme = (String) fields.getOrDefault("scheme", habit);
        if (scheme.equals("sm2") && sm2) {
            return digest.equals("sm3") ? "SM3withSM2" : null;
        }
        if (!digest.startsWith("sha-")) {
            return null;
        }
        String hash = "SHA" + digest.substring("sha-".length());
        return switch (scheme) {
            case "rsa-pkcs1-v1_5" -> key.equals("RSA") ? hash + "withRSA" : null;
            case "rsassa-pss" -> key.equals("RSA") ? hash + "withRSAandMGF1" : null;
            case "ecdsa" -> key.startsWith("EC") && !sm2 ? hash + "withECDSA" : null;
            default -> scheme.equals(key) ? key : null;
        };
    }

    /**
     * Encrypts for the certificates that are named, else for those among {@code extra_certificates} that
     * name the addresses: what was read before is not remembered. SM2 takes SM4 with it.
     */
    @SuppressWarnings("unchecked")
    void encrypt(Map<String, Object> answer) throws Exception {
        List<X509CertificateHolder> recipients = new ArrayList<>(request.recipients);
        List<Object> addresses = (List<Object>) fields.getOrDefault("to", List.of());
        for (Object address : recipients.isEmpty() ? addresses : List.of()) {
            X509CertificateHolder found = null;
            for (X509CertificateHolder certificate : request.extraCertificates) {
                found = found == null && names(certificate, (String) address) ? certificate : found;
            }
            if (found == null) {
                Map<String, Object> refused = Map.of("reason", "not-known", "detail", "no certificate names " + address);
                answer.put("refused", refused);
                return;
            }
            recipients.add(found);
        }
        recipients.addAll(request.copyFor);
        boolean sm = recipients.stream().anyMatch(Writing::isSm2);
        String name = (String) fields.getOrDefault("cipher", sm ? "sm4-cbc" : "aes-128-cbc");
        Cipher cipher = CIPHERS.get(name);
        String beyond = beyond();
        if (cipher == null || beyond != null || fields.get("signer") != null) {
            String other = cipher == null ? "Bouncy Castle is not told to encrypt with " + name : "it signs and encrypts in two steps";
            answer.put("unsupported", beyond != null ? beyond : other);
            return;
        }
        List<Object> serials = new ArrayList<>();
        List<RecipientInfoGenerator> generators = new ArrayList<>();
        for (X509CertificateHolder recipient : recipients) {
            generators.add(recipientInfo(recipient, cipher));
            String serial = recipient.getSerialNumber().toString(16);
            serials.add(serial.length() % 2 == 0 ? serial : "0" + serial);
        }
        MimeMessage mail = mail();
        var encryptor = new JceCMSContentEncryptorBuilder(cipher.oid, cipher.bits).setProvider("BC").build();
        if (cipher.authenticates) {
            putAuthenticated(mail, generators, (OutputAEADEncryptor) encryptor);
        } else {
            SMIMEEnvelopedGenerator generator = new SMIMEEnvelopedGenerator();
            generators.forEach(generator::addRecipientInfoGenerator);
            put(mail, generator.generate(inner(mail), encryptor));
        }
        write(mail, answer);
        Map<String, Object> wrote = new LinkedHashMap<>();
        wrote.put("cipher", name);
        wrote.put("recipients", serials);
        answer.put("wrote", wrote);
    }

    /** AuthEnvelopedData (RFC 5083): bcmail 1.72 has no generator of mails with it, bcpkix has the structure. */
    private void putAuthenticated(MimeMessage mail, List<RecipientInfoGenerator> recipients, OutputAEADEncryptor encryptor)
            throws Exception {
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        recipients.forEach(generator::addRecipientInfoGenerator);
        ByteArrayOutputStream entity = new ByteArrayOutputStream();
        inner(mail).writeTo(entity);
        byte[] object = generator.generate(new CMSProcessableByteArray(entity.toByteArray()), encryptor).getEncoded();
        String type = "application/pkcs7-mime; name=\"smime.p7m\"; smime-type=authEnveloped-data";
        mail.setDataHandler(new DataHandler(new ByteArrayDataSource(object, type)));
        mail.setHeader("Content-Type", type);
        mail.setHeader("Content-Transfer-Encoding", "base64");
        mail.setHeader("Content-Disposition", "attachment; filename=\"smime.p7m\"");
    }

    private RecipientInfoGenerator recipientInfo(X509CertificateHolder recipient, Cipher cipher) throws Exception {
        var certificate = new JcaX509CertificateConverter().setProvider("BC").getCertificate(recipient);
        if (isSm2(recipient)) {
            var algorithm = new AlgorithmIdentifier(GMObjectIdentifiers.sm2encrypt_with_sm3);
            return new JceKeyTransRecipientInfoGenerator(certificate, algorithm).setProvider("BC");
        }
        if (certificate.getPublicKey() instanceof ECPublicKey key) {
            // A key pair for this mail alone (RFC 5753 section 3.1).
            KeyPairGenerator pairs = KeyPairGenerator.getInstance("EC", "BC");
            pairs.initialize(key.getParams());
            KeyPair pair = pairs.generateKeyPair();
            ASN1ObjectIdentifier wrap = cipher.bits == 256 ? CMSAlgorithm.AES256_WRAP : CMSAlgorithm.AES128_WRAP;
            return new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, pair.getPrivate(), pair.getPublic(), wrap)
                    .addRecipient(certificate)
                    .setProvider("BC");
        }
        if ("rsaes-oaep".equals(fields.get("key_encryption"))) {
            var oaep = new OAEPParameterSpec("SHA-256", "MGF1", new MGF1ParameterSpec("SHA-256"), PSource.PSpecified.DEFAULT);
            AlgorithmIdentifier algorithm =
                    new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, oaep);
            return new JceKeyTransRecipientInfoGenerator(certificate, algorithm).setProvider("BC");
        }
        return new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
    }

    /** Puts a whole CMS object into a mail. */
    private static void put(MimeMessage mail, MimeBodyPart object) throws MessagingException, IOException {
        mail.setContent(object.getContent(), object.getContentType());
        mail.setHeader("Content-Transfer-Encoding", "base64");
        mail.setHeader("Content-Type", object.getContentType());
    }

    private static boolean isSm2(X509CertificateHolder certificate) {
        AlgorithmIdentifier algorithm = certificate.getSubjectPublicKeyInfo().getAlgorithm();
        return algorithm.getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)
                && GMObjectIdentifiers.sm2p256v1.equals(algorithm.getParameters());
    }

    private static boolean names(X509CertificateHolder certificate, String address) {
        Extension extension = certificate.getExtension(Extension.subjectAlternativeName);
        if (extension == null) {
            return false;
        }
        for (GeneralName name : GeneralNames.getInstance(extension.getParsedValue()).getNames()) {
            if (name.getTagNo() == GeneralName.rfc822Name && address.equalsIgnoreCase(name.getName().toString())) {
                return true;
            }
        }
        return false;
    }

    private MimeMessage mail() throws MessagingException {
        return new MimeMessage(null, new ByteArrayInputStream(request.message)) {
            @Override
            protected void updateMessageID() {
                // The mail has one.
            }
        };
    }

    /** The entity that is protected: what describes the content, and the content; the mail loses it. */
    private MimeBodyPart inner(MimeMessage mail) throws MessagingException, IOException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        List<String> moved = new ArrayList<>();
        for (Enumeration<Header> headers = mail.getAllHeaders(); headers.hasMoreElements(); ) {
            Header header = headers.nextElement();
            if (header.getName().toLowerCase(Locale.ROOT).startsWith("content-")) {
                octets.write((header.getName() + ": " + header.getValue() + "\r\n").getBytes("ISO-8859-1"));
                moved.add(header.getName());
            }
        }
        octets.write("\r\n".getBytes("ISO-8859-1"));
        mail.getRawInputStream().transferTo(octets);
        for (String name : moved) {
            mail.removeHeader(name);
        }
        return new MimeBodyPart(new ByteArrayInputStream(octets.toByteArray()));
    }

    private void write(MimeMessage mail, Map<String, Object> answer) throws IOException, MessagingException {
        try (OutputStream out = Files.newOutputStream(request.out)) {
            mail.saveChanges();
            mail.writeTo(out);
        }
        answer.put("wrote", Map.of());
    }
}
