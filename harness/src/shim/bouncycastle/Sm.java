import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.Key;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.AlgorithmParameterSpec;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.BadPaddingException;
import javax.crypto.CipherSpi;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.modes.CBCBlockCipher;
import org.bouncycastle.crypto.modes.CCMBlockCipher;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.jcajce.provider.symmetric.util.BaseBlockCipher;
import org.bouncycastle.util.Arrays;

/**
 * Object identifiers of the GM algorithms that Bouncy Castle 1.72 has, but does not know by number.
 *
 * <p>Of SM4 its CMS classes know no identifier, of SM2 encryption only 1.2.156.10197.1.301.3.2.1,
 * whose octets it takes for C1 C2 C3. What is added here is names and encodings; the arithmetic is
 * Bouncy Castle's own.
 */
public final class Sm {
    private static final String SM4 = "1.2.156.10197.1.104";

    private Sm() {}

    /** Adds the names to the provider. */
    static void register(Provider provider) {
        // CFCA writes the bare identifier for CBC.
        cipher(provider, SM4, Cbc.class, "SM4");
        cipher(provider, SM4 + ".2", Cbc.class, "SM4");
        cipher(provider, SM4 + ".8", Gcm.class, "GCM");
        cipher(provider, SM4 + ".9", Ccm.class, "CCM");
        provider.put("Cipher.1.2.156.10197.1.301.3", Transport.class.getName());
    }

    private static void cipher(Provider provider, String id, Class<?> type, String parameters) {
        provider.put("Cipher." + id, type.getName());
        provider.put("Alg.Alias.KeyGenerator." + id, "SM4");
        provider.put("Alg.Alias.AlgorithmParameters." + id, parameters);
    }

    /** SM4 in CBC. */
    public static final class Cbc extends BaseBlockCipher {
        public Cbc() {
            super(new CBCBlockCipher(new SM4Engine()), 128);
        }
    }

    /** SM4 in GCM. */
    public static final class Gcm extends BaseBlockCipher {
        public Gcm() {
            super(new GCMBlockCipher(new SM4Engine()));
        }
    }

    /** SM4 in CCM. */
    public static final class Ccm extends BaseBlockCipher {
        public Ccm() {
            super(new CCMBlockCipher(new SM4Engine()), false, 16);
        }
    }

    /**
     * SM2 encryption in every encoding in which a key was seen: SM2Cipher of GB/T 35276, and raw in
     * both orders, with and without the octet that says of a point that it is not compressed. C3 is
     * a digest: it fits one of them at most.
     */
    public static final class Transport extends CipherSpi {
        private static final int POINT = 65;
        private static final int DIGEST = 32;
        private ECPrivateKey key;

        @Override
        protected void engineInit(int mode, Key key, SecureRandom random) {
            this.key = (ECPrivateKey) key;
        }

        @Override
        protected void engineInit(int mode, Key key, AlgorithmParameterSpec parameters, SecureRandom random) {
            engineInit(mode, key, random);
        }

        @Override
        protected void engineInit(int mode, Key key, AlgorithmParameters parameters, SecureRandom random) {
            engineInit(mode, key, random);
        }

        @Override
        protected byte[] engineDoFinal(byte[] input, int offset, int length) throws BadPaddingException {
            byte[] octets = Arrays.copyOfRange(input, offset, offset + length);
            var curve = GMNamedCurves.getByName("sm2p256v1");
            var domain = new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN(), curve.getH());
            var own = new ECPrivateKeyParameters(key.getS(), domain);
            for (byte[] raw : raw(octets)) {
                for (SM2Engine.Mode order : SM2Engine.Mode.values()) {
                    try {
                        SM2Engine engine = new SM2Engine(order);
                        engine.init(false, own);
                        return engine.processBlock(raw, 0, raw.length);
                    } catch (InvalidCipherTextException | RuntimeException error) {
                        // Another encoding may fit.
                    }
                }
            }
            throw new BadPaddingException("unable to process block");
        }

        /** The value as C1, then the rest, in every way in which it can be read. */
        private static List<byte[]> raw(byte[] octets) {
            List<byte[]> ways = new ArrayList<>();
            try {
                var cipher = ASN1Sequence.getInstance(octets);
                byte[] digest = ASN1OctetString.getInstance(cipher.getObjectAt(2)).getOctets();
                byte[] text = ASN1OctetString.getInstance(cipher.getObjectAt(3)).getOctets();
                byte[] point = Arrays.concatenate(new byte[] {4}, coordinate(cipher, 0), coordinate(cipher, 1));
                ways.add(Arrays.concatenate(point, digest, text));
            } catch (RuntimeException error) {
                // It is not SM2Cipher.
            }
            int head = octets.length == 0 ? 0 : octets[0];
            if (head == 4 && octets.length > POINT + DIGEST) {
                ways.add(octets);
            }
            if ((head == 2 || head == 3) && octets.length > POINT / 2 + 1 + DIGEST) {
                byte[] point = Arrays.copyOf(octets, POINT / 2 + 1);
                try {
                    byte[] whole = GMNamedCurves.getByName("sm2p256v1").getCurve().decodePoint(point).getEncoded(false);
                    ways.add(Arrays.concatenate(whole, Arrays.copyOfRange(octets, point.length, octets.length)));
                } catch (RuntimeException error) {
                    // The octet was one of a coordinate.
                }
            }
            ways.add(Arrays.prepend(octets, (byte) 4));
            return ways;
        }

        private static byte[] coordinate(ASN1Sequence cipher, int index) {
            BigInteger number = ASN1Integer.getInstance(cipher.getObjectAt(index)).getPositiveValue();
            return org.bouncycastle.util.BigIntegers.asUnsignedByteArray(DIGEST, number);
        }

        @Override
        protected int engineDoFinal(byte[] input, int from, int length, byte[] output, int to)
                throws BadPaddingException {
            byte[] plain = engineDoFinal(input, from, length);
            System.arraycopy(plain, 0, output, to, plain.length);
            return plain.length;
        }

        @Override
        protected byte[] engineUpdate(byte[] input, int offset, int length) {
            throw new IllegalStateException("a key comes in one piece");
        }

        @Override
        protected int engineUpdate(byte[] input, int from, int length, byte[] output, int to) {
            throw new IllegalStateException("a key comes in one piece");
        }

        @Override
        protected void engineSetMode(String mode) {}

        @Override
        protected void engineSetPadding(String padding) {}

        @Override
        protected int engineGetBlockSize() {
            return 0;
        }

        @Override
        protected int engineGetOutputSize(int length) {
            return length;
        }

        @Override
        protected byte[] engineGetIV() {
            return null;
        }

        @Override
        protected AlgorithmParameters engineGetParameters() {
            return null;
        }
    }
}
