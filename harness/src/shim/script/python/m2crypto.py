"""M2Crypto as a shim: OpenSSL's PKCS #7 for Python.

As with every PKCS #7: no signers by key identifier, no RSASSA-PSS and OAEP, no key
agreement, no AuthEnvelopedData. A store takes no time: this process is started under
libfaketime.
"""

import base64

import shim
from shim import Openssl, Unsupported, path, pems, slurp, spit

try:
    import M2Crypto
    from M2Crypto import BIO, EVP, SMIME, X509, m2
except ImportError as error:
    absent = f"M2Crypto cannot be loaded: {error}"
    shim.serve({"hello": lambda request: {"unsupported": absent}})
    raise SystemExit(0)

CIPHERS = {
    "aes-128-cbc": "aes_128_cbc",
    "aes-192-cbc": "aes_192_cbc",
    "aes-256-cbc": "aes_256_cbc",
    "3des-cbc": "des_ede3_cbc",
}
OLD_CIPHERS = {"des-cbc": "des_cbc", "rc2-cbc-40": "rc2_40_cbc"}
DIGESTS = {"sha-1": "sha1", "sha-224": "sha224", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}


def has_legacy():
    try:
        EVP.Cipher("rc2_40_cbc", b"k" * 5, b"i" * 8, 1).update(b"x" * 8)
        return True
    except (EVP.EVPError, ValueError, AttributeError):
        return False


def ciphers():
    return CIPHERS | (OLD_CIPHERS if has_legacy() else {})


def hello(request):
    lists = ["pkcs7", "legacy"] if has_legacy() else ["pkcs7"]
    return {
        "protocol": 1,
        "hello": {
            "name": "m2crypto",
            "version": M2Crypto.__version__,
            "operations": ["open", "sign", "encrypt"],
            "algorithms": Openssl.algorithms(*lists),
            "forms": ["signed", "encrypted"],
            "aspects": ["structure", "decryption", "integrity", "chain"],
            "deviations": False,
            "clock": "faketime" if shim.can_set_clock() else "system",
            "writes_forms": ["clear", "opaque", "encrypted"],
            "writes_algorithms": [*DIGESTS, "rsa-pkcs1-v1_5", "ecdsa", *ciphers()],
        },
    }


# --- reading


def open_message(request):
    shim.refuse_fields(request, "M2Crypto", "ocsp", "passwords", "symmetric_keys")

    def judge(entity, layer, words):
        def attempt(do):
            try:
                return do(), None
            except (SMIME.SMIME_Error, SMIME.PKCS7_Error, X509.X509Error, EVP.EVPError, BIO.BIOError, ValueError) as error:
                words.append(f"{type(error).__name__}: {error}")
                return None, words[-1:]

        def check(certificate, signature):
            def verify():
                message, data = load(entity)
                if request.get("content") and entity.encoding != "mail":
                    data = BIO.MemoryBuffer(slurp(request, request["content"]))
                reader = SMIME.SMIME()
                reader.set_x509_stack(stack(pems(request, request.get("extra_certificates"))))
                reader.set_x509_store(store(request))
                flags = m2.PKCS7_BINARY | (0 if certificate else m2.PKCS7_NOVERIFY) | (0 if signature else m2.PKCS7_NOSIGS)
                return reader.verify(message, data, flags)

            return attempt(verify)

        def decrypt(own):
            def do():
                reader = SMIME.SMIME()
                reader.load_key(path(request, own["key"]), path(request, own["certificate"]))
                return reader.decrypt(load(entity)[0])

            return attempt(do)

        _, unread = attempt(lambda: load(entity))
        if unread is not None:
            layer["structure"] = shim.bad(Openssl.translate(unread)[1] or "bad-ber", unread[0])
            return None
        if layer["kind"] == "encrypted":
            return shim.judge_encrypted(layer, request.get("keys", []), decrypt)
        return shim.judge_signed(layer, bool(request.get("anchors")), check)

    with shim.at(request.get("clock")):
        return shim.peel(request, "m2crypto", judge)


def load(entity):
    """The message, and the content of a clear signature."""
    buffer = BIO.MemoryBuffer(entity.octets)
    if entity.encoding == "mail":
        return SMIME.smime_load_pkcs7_bio(buffer)
    return (SMIME.load_pkcs7_bio_der if entity.encoding == "der" else SMIME.load_pkcs7_bio)(buffer), None


def stack(certificates):
    made = X509.X509_Stack()
    for pem in certificates:
        made.push(X509.load_cert_string(pem))
    return made


def crl_of(der):
    """M2Crypto reads lists in PEM alone."""
    body = base64.encodebytes(der).decode()
    return X509.load_crl_string(f"-----BEGIN X509 CRL-----\n{body}-----END X509 CRL-----\n")


def store(request):
    made = X509.X509_Store()
    flags = m2.X509_V_FLAG_PARTIAL_CHAIN
    for pem in pems(request, request.get("anchors")):
        made.add_x509(X509.load_cert_string(pem))
    for name in request.get("crls", []):
        made.add_crl(crl_of(slurp(request, name)))
        flags |= m2.X509_V_FLAG_CRL_CHECK
    if request.get("require_revocation"):
        flags |= m2.X509_V_FLAG_CRL_CHECK | m2.X509_V_FLAG_CRL_CHECK_ALL
    if flags & m2.X509_V_FLAG_CRL_CHECK:
        # As `openssl cms` is started: a delta CRL counts beside the complete one (RFC 5280 section 5.2.4).
        flags |= m2.X509_V_FLAG_USE_DELTAS | m2.X509_V_FLAG_EXTENDED_CRL_SUPPORT
    made.set_flags(flags)
    return made


# --- writing


def sign(request):
    digest = DIGESTS.get(request.get("digest") or "sha-256")
    if digest is None or request.get("scheme") == "rsassa-pss":
        raise Unsupported("M2Crypto signs with SHA-1 and SHA-2, and not with RSASSA-PSS")
    if request.get("announces") is not None:
        raise Unsupported("M2Crypto cannot be told what SMIMECapabilities lists")
    outer, inner = shim.split_mail(slurp(request, request["message"]))
    writer = SMIME.SMIME()
    writer.load_key(path(request, request["key"]["key"]), path(request, request["key"]["certificate"]))
    sent = [pem for name in ("certificates", "encryption_certificate") for pem in pems(request, request.get(name))]
    if sent:
        writer.set_x509_stack(stack(sent))
    is_clear = request.get("form", "clear") == "clear"
    flags = m2.PKCS7_BINARY | (m2.PKCS7_DETACHED if is_clear else 0)
    out = BIO.MemoryBuffer()
    with shim.at(request.get("clock")):
        try:
            message = writer.sign(BIO.MemoryBuffer(inner), flags, digest)
            writer.write(out, message, BIO.MemoryBuffer(inner) if is_clear else None, flags)
        except (SMIME.SMIME_Error, SMIME.PKCS7_Error) as error:
            raise Unsupported(f"M2Crypto would not sign: {error}") from error
    spit(request, request["out"], outer + shim.crlf_around(out.read(), inner if is_clear else None))
    return {"wrote": {}}


def encrypt(request):
    if request.get("key_encryption"):
        raise Unsupported("M2Crypto encrypts keys with RSA PKCS #1 v1.5 alone")
    name = request.get("cipher") or "aes-128-cbc"
    if name not in ciphers():
        raise Unsupported(f"M2Crypto encrypts no mail with {name}")
    recipients = [pem for file in request.get("recipients", []) for pem in pems(request, file)]
    if not recipients:
        raise Unsupported("M2Crypto remembers no correspondents: it has to be given their certificates")
    recipients += pems(request, request.get("copy_for"))
    outer, inner = shim.split_mail(slurp(request, request["message"]))
    writer = SMIME.SMIME()
    writer.set_x509_stack(stack(recipients))
    writer.set_cipher(SMIME.Cipher(ciphers()[name]))
    out = BIO.MemoryBuffer()
    try:
        writer.write(out, writer.encrypt(BIO.MemoryBuffer(inner), m2.PKCS7_BINARY), None, 0)
    except (SMIME.SMIME_Error, SMIME.PKCS7_Error) as error:
        raise Unsupported(f"M2Crypto would not encrypt: {error}") from error
    spit(request, request["out"], outer + shim.crlf_around(out.read(), None))
    numbers = [f"{X509.load_cert_string(pem).get_serial_number():x}" for pem in recipients]
    serials = [number.zfill(len(number) + len(number) % 2) for number in numbers]
    return {"wrote": {"cipher": name, "recipients": serials, "why": f"M2Crypto was told {name}"}}


shim.serve({"hello": hello, "open": open_message, "sign": sign, "encrypt": encrypt})
