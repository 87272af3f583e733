import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** The signers of a SignedData, and the paths from their certificates. */
final class Signatures {
    private static final String EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    private static final String ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

    private final Request request;
    private final CMSSignedData data;
    private final JcaX509CertificateConverter converter = new JcaX509CertificateConverter().setProvider("BC");
    private final List<X509CertificateHolder> certificates = new ArrayList<>();
    private final List<String> words = new ArrayList<>();

    Signatures(Request request, CMSSignedData data) {
        this.request = request;
        this.data = data;
        certificates.addAll(data.getCertificates().getMatches(null));
        certificates.addAll(request.extraCertificates);
    }

    /** Sets integrity and chain; the result is what Bouncy Castle said. */
    List<String> judge(Layer layer) {
        // What ends this early leaves nothing behind that nobody looked at.
        layer.set("integrity", "unchecked").set("chain", "unchecked");
        // CMSSignedData.verifySignatures is true of no signer, and so is this.
        Judged all = new Judged("good", "good");
        for (SignerInformation signer : data.getSignerInfos()) {
            all = all.worse(judge(layer, signer));
        }
        layer.set("integrity", all.integrity).set("chain", all.chain);
        return words;
    }

    /** What is said of one signer, or of all. */
    private record Judged(Object integrity, Object chain) {
        Judged worse(Judged other) {
            return new Judged(Layer.worse(integrity, other.integrity), Layer.worse(chain, other.chain));
        }
    }

    private Judged judge(Layer layer, SignerInformation signer) {
        Object integrity = Layer.bad("signer-certificate-not-found", "no certificate has the signer's identifier");
        Object chain = "unchecked";
        for (X509CertificateHolder certificate : certificates) {
            if (!signer.getSID().match(certificate)) {
                continue;
            }
            try {
                integrity = verify(signer, certificate);
            } catch (Exception error) {
                words.add(Reasons.words(error));
                integrity = Reasons.bad("integrity", "signature-mismatch", error);
                if (Reasons.aspect(error).equals("structure")) {
                    layer.set("structure", Reasons.bad("structure", "bad-ber", error));
                    integrity = "unchecked";
                }
            }
            chain = chain(certificate);
            if (integrity.equals("good")) {
                break;
            }
        }
        return new Judged(integrity, chain);
    }

    private Object verify(SignerInformation signer, X509CertificateHolder certificate) throws Exception {
        // With the key alone: a verifier with a certificate also asks whether it was valid at the
        // signing time that the signer claims, and that belongs to the chain.
        JcaPEMKeyConverter keys = new JcaPEMKeyConverter().setProvider("BC");
        var key = keys.getPublicKey(certificate.getSubjectPublicKeyInfo());
        boolean fits = signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(key));
        return fits ? "good" : Layer.bad("signature-mismatch", "SignerInformation.verify returned false");
    }

    private Object chain(X509CertificateHolder holder) {
        if (request.anchors == null) {
            return Layer.unchecked("no-anchor");
        }
        try {
            X509Certificate signer = converter.getCertificate(holder);
            if (request.anchors.contains(holder)) {
                // PKIX knows no path without a certificate: one that is trusted itself is looked at alone.
                signer.checkValidity(request.clock);
            } else {
                build(signer);
            }
            return usage(signer);
        } catch (Exception error) {
            // A certificate that is not as Bouncy Castle takes it for granted ends in a RuntimeException.
            words.add(Reasons.words(error));
            return Reasons.bad("chain", "no-path", error);
        }
    }

    private void build(X509Certificate signer) throws GeneralSecurityException {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509CertificateHolder anchor : request.anchors) {
            anchors.add(new TrustAnchor(converter.getCertificate(anchor), null));
        }
        List<X509Certificate> known = new ArrayList<>();
        for (X509CertificateHolder certificate : certificates) {
            known.add(converter.getCertificate(certificate));
        }
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(signer);
        PKIXBuilderParameters parameters;
        try {
            parameters = new PKIXBuilderParameters(anchors, target);
        } catch (InvalidAlgorithmParameterException error) {
            throw new GeneralSecurityException("Unable to find certificate chain: no anchor", error);
        }
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(known), "BC"));
        parameters.setDate(request.clock);
        CertPathBuilder builder = CertPathBuilder.getInstance("PKIX", "BC");
        builder.build(new Revocation(request, data).parameters(parameters, builder, signer));
    }

    /** The two questions that SignedMailValidator of bcmail asks of a signer's certificate. */
    private static Object usage(X509Certificate signer) throws GeneralSecurityException {
        boolean[] usage = signer.getKeyUsage();
        if (usage != null && !usage[0] && !usage[1]) {
            return Layer.bad("key-usage", "neither digitalSignature nor nonRepudiation");
        }
        List<String> extended = signer.getExtendedKeyUsage();
        if (extended != null && !extended.contains(EMAIL_PROTECTION) && !extended.contains(ANY_EXTENDED_KEY_USAGE)) {
            return Layer.bad("extended-key-usage", "no emailProtection");
        }
        return "good";
    }
}
