import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.mail.Header;
import javax.mail.MessagingException;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.mail.smime.SMIMEEnvelopedGenerator;
import org.bouncycastle.mail.smime.SMIMESignedGenerator;

/** What {@code sign} and {@code encrypt} write. */
final class Writing {
    private static final Map<ASN1ObjectIdentifier, String> MICALGS =
            Map.of(GMObjectIdentifiers.sm3, "sm3", NISTObjectIdentifiers.id_sha256, "sha-256");

    private final Request request;
    private final Map<String, Object> fields;

    Writing(Map<String, Object> fields) throws IOException {
        this.fields = fields;
        request = new Request(fields);
    }

    /** A clear signature: SM3 with SM2, or SHA-256 with what the key is for. */
    void sign(Map<String, Object> answer) throws Exception {
        Request.OwnKey own = request.signer;
        if (own == null || own.key() == null || own.certificate() == null) {
            answer.put("unsupported", "Bouncy Castle does not know the key");
            return;
        }
        String scheme = switch (own.key().getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC", "ECDSA" -> isSm2(own.certificate()) ? "SM3withSM2" : "SHA256withECDSA";
            default -> own.key().getAlgorithm();
        };
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        attributes.add(new Attribute(CMSAttributes.signingTime, new DERSet(new Time(request.clock))));
        var signer = new JcaSimpleSignerInfoGeneratorBuilder()
                .setProvider("BC")
                .setSignedAttributeGenerator(new AttributeTable(attributes))
                .build(scheme, own.key(), new JcaX509CertificateConverter().setProvider("BC").getCertificate(own.certificate()));
        List<Object> sent = new ArrayList<>(List.of(own.certificate()));
        sent.addAll(request.certificates);
        sent.addAll(request.encryptionCertificates);
        // Of SM3 bcmail does not know the name that RFC 8551 section 3.5.3.2 wants in micalg.
        SMIMESignedGenerator generator = new SMIMESignedGenerator(MICALGS);
        generator.addSignerInfoGenerator(signer);
        generator.addCertificates(new org.bouncycastle.util.CollectionStore<>(sent));
        MimeMessage mail = mail();
        MimeMultipart parts = generator.generate(inner(mail));
        mail.setContent(parts, parts.getContentType());
        write(mail, answer);
    }

    /**
     * Encrypts for the certificates among {@code extra_certificates} that name the addresses: what was
     * read before is not remembered. SM2 takes SM4 with it.
     */
    @SuppressWarnings("unchecked")
    void encrypt(Map<String, Object> answer) throws Exception {
        List<X509CertificateHolder> recipients = new ArrayList<>();
        for (Object address : (List<Object>) fields.getOrDefault("to", List.of())) {
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
        ASN1ObjectIdentifier cipher = sm ? new ASN1ObjectIdentifier("1.2.156.10197.1.104.2") : CMSAlgorithm.AES128_CBC;
        SMIMEEnvelopedGenerator generator = new SMIMEEnvelopedGenerator();
        List<Object> serials = new ArrayList<>();
        for (X509CertificateHolder recipient : recipients) {
            generator.addRecipientInfoGenerator(transport(recipient));
            String serial = recipient.getSerialNumber().toString(16);
            serials.add(serial.length() % 2 == 0 ? serial : "0" + serial);
        }
        MimeMessage mail = mail();
        var encryptor = new JceCMSContentEncryptorBuilder(cipher, 128).setProvider("BC").build();
        MimeBodyPart object = generator.generate(inner(mail), encryptor);
        mail.setContent(object.getContent(), object.getContentType());
        mail.setHeader("Content-Transfer-Encoding", "base64");
        mail.setHeader("Content-Type", object.getContentType());
        write(mail, answer);
        Map<String, Object> wrote = new LinkedHashMap<>();
        wrote.put("cipher", sm ? "sm4-cbc" : "aes-128-cbc");
        wrote.put("recipients", serials);
        answer.put("wrote", wrote);
    }

    private static RecipientInfoGenerator transport(X509CertificateHolder recipient) throws Exception {
        var certificate = new JcaX509CertificateConverter().setProvider("BC").getCertificate(recipient);
        if (!isSm2(recipient)) {
            return new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
        }
        var algorithm = new AlgorithmIdentifier(GMObjectIdentifiers.sm2encrypt_with_sm3);
        return new JceKeyTransRecipientInfoGenerator(certificate, algorithm).setProvider("BC");
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
