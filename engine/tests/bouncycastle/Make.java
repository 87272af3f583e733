import java.io.*; import java.math.BigInteger; import java.nio.file.*; import java.security.*; import java.security.cert.*; import java.security.spec.*; import java.util.*;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.*; import org.bouncycastle.asn1.cms.*; import org.bouncycastle.asn1.ess.*; import org.bouncycastle.asn1.pkcs.*; import org.bouncycastle.asn1.x500.X500Name; import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.*; import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cms.*; import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.operator.*; import org.bouncycastle.operator.jcajce.*; import org.bouncycastle.operator.OutputEncryptor;

public class Make {
    static final byte[] CONTENT = "Content-Type: text/plain\r\n\r\nhello\r\n".getBytes();
    static X509Certificate cert(String n) throws Exception { return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new FileInputStream(n + ".crt")); }
    static PrivateKey key(String n, String alg) throws Exception { return KeyFactory.getInstance(alg, "BC").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Paths.get(n + ".p8")))); }
    static void out(String n, byte[] b) throws Exception { Files.write(Paths.get("out/" + n), b); System.out.println(n + " " + b.length); }
    interface Job { void run() throws Exception; }
    static void attempt(String n, Job j) { try { j.run(); } catch (Throwable e) { System.out.println("FAILED " + n + ": " + e); e.printStackTrace(System.out); } }
    static DigestCalculatorProvider dig() throws Exception { return new JcaDigestCalculatorProviderBuilder().setProvider("BC").build(); }
    static SignerInfoGenerator signer(String n, String alg, String sig, boolean direct, AttributeTable signed, AttributeTable unsigned) throws Exception {
        JcaSignerInfoGeneratorBuilder b = new JcaSignerInfoGeneratorBuilder(dig());
        b.setDirectSignature(direct);
        if (signed != null) b.setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(signed));
        if (unsigned != null) b.setUnsignedAttributeGenerator(new SimpleAttributeTableGenerator(unsigned));
        return b.build(new JcaContentSignerBuilder(sig).setProvider("BC").build(key(n, alg)), cert(n));
    }
    static CMSSignedData sign(SignerInfoGenerator g, String... certs) throws Exception {
        CMSSignedDataGenerator gen = new CMSSignedDataGenerator();
        gen.addSignerInfoGenerator(g);
        for (String c : certs) gen.addCertificate(new JcaX509CertificateHolder(cert(c)));
        return gen.generate(new CMSProcessableByteArray(CONTENT), true);
    }
    static void auth(String n, RecipientInfoGenerator r, String mac, boolean attrs) throws Exception {
        CMSAuthenticatedDataGenerator gen = new CMSAuthenticatedDataGenerator();
        gen.addRecipientInfoGenerator(r);
        MacCalculator m = new JceCMSMacCalculatorBuilder(new ASN1ObjectIdentifier(mac)).setProvider("BC").build();
        CMSTypedData data = new CMSProcessableByteArray(CONTENT);
        CMSAuthenticatedData ad = attrs ? gen.generate(data, m, dig().get(new AlgorithmIdentifier(org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_sha256))) : gen.generate(data, m);
        out(n, ad.getEncoded());
    }
    public static void main(String[] a) throws Exception {
        Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());
        new File("out").mkdirs();
        attempt("ed25519-direct", () -> out("ed25519-direct.p7m", sign(signer("ed25519", "Ed25519", "Ed25519", true, null, null), "ed25519").getEncoded("DER")));
        attempt("detached", () -> {
            CMSSignedDataGenerator gen = new CMSSignedDataGenerator(); gen.addSignerInfoGenerator(signer("ed25519", "Ed25519", "Ed25519", true, null, null)); gen.addCertificate(new JcaX509CertificateHolder(cert("ed25519")));
            out("ed25519-direct-detached.p7s", gen.generate(new CMSProcessableByteArray(CONTENT), false).getEncoded("DER"));
        });
        attempt("ed25519", () -> out("ed25519-attributes.p7m", sign(signer("ed25519", "Ed25519", "Ed25519", false, null, null), "ed25519").getEncoded("DER")));
        attempt("ed448-direct", () -> out("ed448-direct.p7m", sign(signer("ed448", "Ed448", "Ed448", true, null, null), "ed448").getEncoded("DER")));
        attempt("ed448", () -> out("ed448-attributes.p7m", sign(signer("ed448", "Ed448", "Ed448", false, null, null), "ed448").getEncoded("DER")));
        for (String[] m : new String[][] {{"sha1", "1.2.840.113549.2.7"}, {"sha1-other", "1.3.6.1.5.5.8.1.2"}, {"sha256", "1.2.840.113549.2.9"}, {"sha512", "1.2.840.113549.2.11"}})
            for (boolean attrs : new boolean[] {false, true})
                attempt("auth " + m[0], () -> auth("authenticated-rsa-hmac-" + m[0] + (attrs ? "-attributes" : "") + ".p7m", new JceKeyTransRecipientInfoGenerator(cert("rsa")).setProvider("BC"), m[1], attrs));
        attempt("auth kek", () -> auth("authenticated-kek.p7m", new JceKEKRecipientInfoGenerator(new KEKIdentifier("kek".getBytes(), null, null), new SecretKeySpec("0123456789abcdef".getBytes(), "AES")).setProvider("BC"), "1.2.840.113549.2.9", true));
        attempt("auth pwri", () -> auth("authenticated-password.p7m", new JcePasswordRecipientInfoGenerator(CMSAlgorithm.AES128_CBC, "secret".toCharArray()).setProvider("BC"), "1.2.840.113549.2.9", true));
        attempt("auth kari", () -> { JceKeyAgreeRecipientInfoGenerator g = new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, key("ec", "EC"), cert("ec").getPublicKey(), CMSAlgorithm.AES128_WRAP); g.addRecipient(cert("ec")).setProvider("BC"); auth("authenticated-ecdh.p7m", g, "1.2.840.113549.2.9", true); });
        // Countersignatures: two on one signer, one of which is countersigned itself.
        attempt("counter", () -> {
            CMSSignedData sd = sign(signer("rsa", "RSA", "SHA256withRSA", false, null, null), "rsa", "ec", "ed25519");
            SignerInformation si = sd.getSignerInfos().getSigners().iterator().next();
            CMSSignedDataGenerator c1 = new CMSSignedDataGenerator(); c1.addSignerInfoGenerator(signer("ec", "EC", "SHA256withECDSA", false, null, null));
            SignerInformation counter = c1.generateCounterSigners(si).getSigners().iterator().next();
            CMSSignedDataGenerator c2 = new CMSSignedDataGenerator(); c2.addSignerInfoGenerator(signer("rsa", "RSA", "SHA256withRSA", false, null, null));
            SignerInformation nested = SignerInformation.addCounterSigners(counter, c2.generateCounterSigners(counter));
            CMSSignedDataGenerator c3 = new CMSSignedDataGenerator(); c3.addSignerInfoGenerator(signer("ec", "EC", "SHA256withECDSA", true, null, null));
            SignerInformation direct = c3.generateCounterSigners(si).getSigners().iterator().next();
            SignerInformation both = SignerInformation.addCounterSigners(si, new SignerInformationStore(Arrays.asList(nested, direct)));
            out("countersigned.p7m", CMSSignedData.replaceSigners(sd, new SignerInformationStore(both)).getEncoded("DER"));
        });
        // Attribute certificate, CRL and OCSP-shaped other revocation information.
        attempt("attribute certificate", () -> {
            X509v2AttributeCertificateBuilder ab = new X509v2AttributeCertificateBuilder(new AttributeCertificateHolder(new JcaX509CertificateHolder(cert("rsa"))), new AttributeCertificateIssuer(new X500Name("CN=attribute authority")), BigInteger.valueOf(4711), new Date(1700000000000L), new Date(1900000000000L));
            ab.addAttribute(new ASN1ObjectIdentifier("2.5.4.72"), new RoleSyntax(new GeneralName(GeneralName.uniformResourceIdentifier, "urn:role:tester")));
            X509AttributeCertificateHolder ac = ab.build(new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key("ec", "EC")));
            X509v2CRLBuilder cb = new X509v2CRLBuilder(new X500Name("CN=ec"), new Date(1700000000000L)); cb.setNextUpdate(new Date(1900000000000L)); cb.addCRLEntry(BigInteger.valueOf(7), new Date(1700000000000L), 1);
            X509CRLHolder crl = cb.build(new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key("ec", "EC")));
            CMSSignedDataGenerator gen = new CMSSignedDataGenerator();
            gen.addSignerInfoGenerator(signer("rsa", "RSA", "SHA256withRSA", false, null, null));
            gen.addCertificate(new JcaX509CertificateHolder(cert("rsa")));
            gen.addAttributeCertificate(ac); gen.addCRL(crl);
            gen.addOtherRevocationInfo(CMSObjectIdentifiers.id_ri_ocsp_response, new DERSequence(new ASN1Enumerated(6)));
            out("attribute-certificate.p7m", gen.generate(new CMSProcessableByteArray(CONTENT), true).getEncoded("DER"));
            OriginatorInfoGenerator og = new OriginatorInfoGenerator(new JcaX509CertificateHolder(cert("rsa")));
            CMSEnvelopedDataGenerator eg = new CMSEnvelopedDataGenerator(); eg.setOriginatorInfo(og.generate());
            eg.addRecipientInfoGenerator(new JceKeyTransRecipientInfoGenerator(cert("rsa")).setProvider("BC"));
            out("originator.p7m", eg.generate(new CMSProcessableByteArray(CONTENT), new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES128_CBC).setProvider("BC").build()).getEncoded());
        });
        // ESS attributes by BC's own types.
        attempt("ess", () -> {
            ASN1EncodableVector v = new ASN1EncodableVector();
            v.add(new org.bouncycastle.asn1.cms.Attribute(PKCSObjectIdentifiers.id_aa_contentHint, new DERSet(new ContentHints(CMSObjectIdentifiers.envelopedData, new DERUTF8String("a hint")))));
            v.add(new org.bouncycastle.asn1.cms.Attribute(PKCSObjectIdentifiers.id_aa_contentIdentifier, new DERSet(new ContentIdentifier("id-1".getBytes()))));
            v.add(new org.bouncycastle.asn1.cms.Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(new SigningCertificateV2(new ESSCertIDv2(MessageDigest.getInstance("SHA-256").digest(cert("rsa").getEncoded()), new IssuerSerial(new GeneralNames(new GeneralName(new JcaX509CertificateHolder(cert("rsa")).getIssuer())), cert("rsa").getSerialNumber()))))));
            out("ess-attributes.p7m", sign(signer("rsa", "RSA", "SHA256withRSA", false, new AttributeTable(v), null), "rsa").getEncoded("DER"));
        });
    }
}
