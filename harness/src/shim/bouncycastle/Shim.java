import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Bouncy Castle as a shim: requests on standard input, answers on standard output.
 *
 * <p>The protocol is harness/SHIM.md. Mail is read with bcmail and JavaMail, CMS with bcpkix; this
 * program adds only what Bouncy Castle leaves to its caller: which part of a mail to look at, which
 * key and which certificate to try.
 */
public final class Shim {
    /** What Bouncy Castle 1.72 has for CMS, by the names of the algorithm table. */
    private static final String ALGORITHMS =
            "md2 md5 sha-1 sha-224 sha-256 sha-384 sha-512 sha-512-224 sha-512-256"
                    + " sha3-224 sha3-256 sha3-384 sha3-512 ripemd-160 sm3"
                    + " rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-md2 rsa-pkcs1-v1_5-md5 rsa-pkcs1-v1_5-sha-1"
                    + " rsa-pkcs1-v1_5-sha-224 rsa-pkcs1-v1_5-sha-256 rsa-pkcs1-v1_5-sha-384"
                    + " rsa-pkcs1-v1_5-sha-512 rsa-pkcs1-v1_5-sha3-224 rsa-pkcs1-v1_5-sha3-256"
                    + " rsa-pkcs1-v1_5-sha3-384 rsa-pkcs1-v1_5-sha3-512 rsa-pkcs1-v1_5-ripemd-160"
                    + " rsassa-pss rsaes-oaep mgf1 dsa dsa-sha-1 dsa-sha-224 dsa-sha-256"
                    + " ec ecdsa ecdsa-sha-1 ecdsa-sha-224 ecdsa-sha-256 ecdsa-sha-384 ecdsa-sha-512"
                    + " ecdsa-sha3-224 ecdsa-sha3-256 ecdsa-sha3-384 ecdsa-sha3-512"
                    + " ed25519 ed448 p-192 p-224 p-256 p-384 p-521 secp256k1"
                    + " brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 sm2 sm2-sm3"
                    + " ecdh-std-sha-1-kdf ecdh-std-sha-224-kdf ecdh-std-sha-256-kdf"
                    + " ecdh-std-sha-384-kdf ecdh-std-sha-512-kdf ecdh-cofactor-sha-1-kdf"
                    + " ecdh-cofactor-sha-224-kdf ecdh-cofactor-sha-256-kdf"
                    + " ecdh-cofactor-sha-384-kdf ecdh-cofactor-sha-512-kdf"
                    + " aes-128-wrap aes-192-wrap aes-256-wrap 3des-wrap password-wrap pbkdf2"
                    + " camellia-128-wrap camellia-192-wrap camellia-256-wrap"
                    + " aes-128-cbc aes-192-cbc aes-256-cbc 3des-cbc des-cbc rc2-cbc cast5-cbc"
                    + " camellia-128-cbc camellia-192-cbc camellia-256-cbc seed-cbc"
                    + " aes-128-gcm aes-192-gcm aes-256-gcm aes-128-ccm aes-192-ccm aes-256-ccm"
                    + " hmac-sha-1 hmac-sha-224 hmac-sha-256 hmac-sha-384 hmac-sha-512 zlib"
                    + " chacha20-poly1305 shake256"
                    + " sm2-sha-256 sm2-encryption sm4-cbc sm4-gcm sm4-ccm hmac-sm3";

    private static final String FORMS =
            "signed encrypted authenveloped compressed certs-only digested encrypted-data"
                    + " authenticated data";

    private static final String ASPECTS = "structure decryption integrity chain";

    private Shim() {}

    /** Answers requests until the input ends. */
    public static void main(String[] arguments) throws Exception {
        BouncyCastleProvider provider = new BouncyCastleProvider();
        Sm.register(provider);
        Security.addProvider(provider);
        BufferedReader requests =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        // What a library prints must not stand between the answers.
        PrintStream answers = System.out;
        System.setOut(System.err);
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            if (!line.isBlank()) {
                answers.println(Json.write(answer(line)));
                answers.flush();
            }
        }
    }

    /** The answer to one request. An Error (no memory, no stack) ends the program: a crash. */
    private static Map<String, Object> answer(String line) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", 0);
        try {
            Map<String, Object> request = Json.object(line);
            answer.put("id", request.get("id"));
            Object operation = request.get("op");
            if ("hello".equals(operation)) {
                answer.put("protocol", 1);
                answer.put("hello", hello());
            } else if ("open".equals(operation)) {
                new Opening(new Request(request)).answer(answer);
            } else if ("sign".equals(operation)) {
                new Writing(request).sign(answer);
            } else if ("encrypt".equals(operation)) {
                new Writing(request).encrypt(answer);
            } else {
                answer.put("unsupported", "the operation " + operation + " is not offered");
            }
        } catch (Opening.NotOffered error) {
            answer.put("unsupported", error.getMessage());
        } catch (Exception error) {
            answer.put("error", error.toString());
            answer.put("native", Reasons.words(error));
        }
        return answer;
    }

    private static Map<String, Object> hello() {
        Map<String, Object> hello = new LinkedHashMap<>();
        hello.put("name", "bouncycastle");
        hello.put("version", Security.getProvider("BC").getVersionStr());
        hello.put("operations", List.of("open", "sign", "encrypt"));
        hello.put("algorithms", List.of(ALGORITHMS.split(" ")));
        hello.put("forms", List.of(FORMS.split(" ")));
        hello.put("aspects", List.of(ASPECTS.split(" ")));
        hello.put("dialects", List.of("cms", "gmt0010"));
        hello.put("deviations", false);
        hello.put("clock", "settable");
        hello.put("writes", List.of("cms"));
        hello.put("writes_forms", List.of("clear", "opaque", "encrypted"));
        hello.put("writes_algorithms", List.of(Writing.ALGORITHMS.split(" ")));
        return hello;
    }
}
