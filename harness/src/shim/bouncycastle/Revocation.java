import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.CRL;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathParameters;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.jcajce.PKIXExtendedBuilderParameters;
import org.bouncycastle.jcajce.PKIXExtendedParameters;

/** CRLs and OCSP responses, beside the message and in it. */
final class Revocation {
    private final boolean wanted;
    private final List<byte[]> crls;
    private final List<byte[]> ocsp;

    Revocation(Request request, CMSSignedData data) throws GeneralSecurityException {
        crls = new ArrayList<>(request.crls);
        ocsp = new ArrayList<>(request.ocsp);
        try {
            for (X509CRLHolder crl : data.getCRLs().getMatches(null)) {
                crls.add(crl.getEncoded());
            }
            for (Object sent : data.getOtherRevocationInfo(CMSObjectIdentifiers.id_ri_ocsp_response).getMatches(null)) {
                ocsp.add(((ASN1Encodable) sent).toASN1Primitive().getEncoded());
            }
        } catch (IOException error) {
            throw new GeneralSecurityException("information about revocation in the message", error);
        }
        // It knows only to ask of every certificate, or of none.
        wanted = request.requireRevocation || !request.crls.isEmpty() || !request.ocsp.isEmpty();
    }

    /** The same parameters with what is known of revoked certificates. */
    CertPathParameters parameters(PKIXBuilderParameters parameters, CertPathBuilder builder, X509Certificate signer)
            throws GeneralSecurityException {
        parameters.setRevocationEnabled(wanted);
        if (!wanted) {
            return parameters;
        }
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        List<CRL> lists = new ArrayList<>();
        for (byte[] crl : crls) {
            lists.add(factory.generateCRL(new ByteArrayInputStream(crl)));
        }
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists), "BC"));
        if (!ocsp.isEmpty()) {
            PKIXRevocationChecker checker = (PKIXRevocationChecker) builder.getRevocationChecker();
            // One answer for a certificate: that is how it takes them.
            checker.setOcspResponses(Map.of(signer, ocsp.get(0)));
            parameters.addCertPathChecker(checker);
        }
        PKIXExtendedParameters extended = new PKIXExtendedParameters.Builder(parameters).setUseDeltasEnabled(true).build();
        return new PKIXExtendedBuilderParameters.Builder(extended).build();
    }
}
