"""pyca/cryptography as a shim: it signs, encrypts and decrypts; it verifies no signature."""

import shim
from shim import Refused, Unsupported, pems, slurp, spit

try:
    import cryptography
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers import algorithms
    from cryptography.hazmat.primitives.serialization import pkcs7
except ImportError as error:
    absent = f"pyca/cryptography cannot be loaded: {error}"
    shim.serve({"hello": lambda request: {"unsupported": absent}})
    raise SystemExit(0)

DIGESTS = {"sha-224": hashes.SHA224, "sha-256": hashes.SHA256, "sha-384": hashes.SHA384, "sha-512": hashes.SHA512}
CIPHERS = {"aes-128-cbc": algorithms.AES128, "aes-256-cbc": algorithms.AES256}
DECRYPT = {"mail": pkcs7.pkcs7_decrypt_smime, "der": pkcs7.pkcs7_decrypt_der, "pem": pkcs7.pkcs7_decrypt_pem}

# What it says, and what that stands for: words, aspect, reason.
WORDS = [
    ("No recipient found", "decryption", "no-key"),
    ("The PKCS7 data does not contain", "structure", "unsupported-content-type"),
    ("not an enveloped data structure", "structure", "unsupported-content-type"),
    ("Not an S/MIME enveloped message", "structure", "type-mismatch"),
    ("Only RSA", "structure", "unsupported-algorithm"),
    ("Only AES", "structure", "unsupported-algorithm"),
    ("not supported", "structure", "unsupported-algorithm"),
    ("UnsupportedAlgorithm", "structure", "unsupported-algorithm"),
    ("ShortData", "structure", "truncated"),
    ("error parsing asn1 value", "structure", "bad-ber"),
    ("Incorrect padding", "structure", "bad-base64"),
    ("Invalid base64", "structure", "bad-base64"),
    ("Unable to decrypt", "decryption", "wrong-key"),
    ("Decryption failed", "decryption", "wrong-key"),
    ("Invalid key size", "decryption", "wrong-key"),
    ("Invalid padding bytes", "decryption", "bad-padding"),
    ("multiple of the block length", "decryption", "bad-padding"),
]


def hello(request):
    return {
        "protocol": 1,
        "hello": {
            "name": "pyca",
            "version": cryptography.__version__,
            "operations": ["open", "sign", "encrypt"],
            "algorithms": ["rsa", "rsa-pkcs1-v1_5", *CIPHERS],
            "forms": ["encrypted"],
            "aspects": ["structure", "decryption"],
            "deviations": False,
            "clock": "faketime" if shim.can_set_clock() else "system",
            "writes_forms": ["clear", "opaque", "encrypted"],
            "writes_algorithms": [*DIGESTS, "rsa-pkcs1-v1_5", "rsassa-pss", "ecdsa", *CIPHERS],
        },
    }


def open_message(request):
    def judge(entity, layer, words):
        def decrypt(own):
            key = serialization.load_pem_private_key(slurp(request, own["key"]), None)
            certificate = x509.load_pem_x509_certificate(slurp(request, own["certificate"]))
            try:
                # Without options: with Text it would take the header off.
                return DECRYPT[entity.encoding](entity.octets, certificate, key, []), None
            except (ValueError, TypeError, UnsupportedAlgorithm, AttributeError) as error:
                words.append(f"{type(error).__name__}: {error}")
                return None, words[-1:]

        if entity.kind == "signed":
            # Of a signature it can only list the certificates: nothing is judged.
            layer["integrity"] = layer["chain"] = "unchecked"
            return None
        return shim.judge_encrypted(layer, request.get("keys", []), decrypt, translate)

    shim.refuse_fields(request, "pyca/cryptography", "passwords", "symmetric_keys")
    return shim.peel(request, "pyca", judge)


def translate(words):
    for known, aspect, reason in WORDS:
        if any(known in text for text in words):
            return aspect, reason
    return None, None


def sign(request):
    digest = DIGESTS.get(request.get("digest") or "sha-256")
    if digest is None:
        raise Unsupported(f"pyca/cryptography does not sign with {request['digest']}")
    if request.get("announces") is not None:
        raise Unsupported("pyca/cryptography cannot be told what SMIMECapabilities lists")
    key = serialization.load_pem_private_key(slurp(request, request["key"]["key"]), None)
    certificate = x509.load_pem_x509_certificate(slurp(request, request["key"]["certificate"]))
    scheme = request.get("scheme")
    pss = padding.PSS(padding.MGF1(digest()), padding.PSS.DIGEST_LENGTH) if scheme == "rsassa-pss" else None
    outer, inner = shim.split_mail(slurp(request, request["message"]))
    try:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(inner)
        builder = builder.add_signer(certificate, key, digest(), rsa_padding=pss)
    except TypeError as error:
        raise Unsupported(f"pyca/cryptography would not sign: {error}") from error
    # Last: set_data and add_signer of this version forget the certificates that were added before.
    for name in ("certificates", "encryption_certificate"):
        for pem in pems(request, request.get(name)):
            builder = builder.add_certificate(x509.load_pem_x509_certificate(pem))
    options = [pkcs7.PKCS7Options.Binary]
    with shim.at(request.get("clock")):
        if request.get("form", "clear") == "clear":
            options.append(pkcs7.PKCS7Options.DetachedSignature)
            written = builder.sign(serialization.Encoding.SMIME, options)
            mail = outer + shim.crlf_around(written, inner)
        else:
            mail = shim.object_mail(outer, builder.sign(serialization.Encoding.DER, options), "signed-data")
    spit(request, request["out"], mail)
    return {"wrote": {}}


def encrypt(request):
    if request.get("key_encryption"):
        raise Unsupported("pyca/cryptography encrypts keys with RSA PKCS #1 v1.5 alone")
    name = request.get("cipher") or "aes-128-cbc"
    if name not in CIPHERS:
        raise Unsupported(f"pyca/cryptography encrypts no mail with {name}")
    outer, inner = shim.split_mail(slurp(request, request["message"]))
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(inner).set_content_encryption_algorithm(CIPHERS[name])
    serials = []
    for pem in recipients(request):
        certificate = x509.load_pem_x509_certificate(pem)
        try:
            builder = builder.add_recipient(certificate)
        except TypeError as error:
            raise Unsupported(f"pyca/cryptography would not encrypt: {error}") from error
        number = f"{certificate.serial_number:x}"
        serials.append(number.zfill(len(number) + len(number) % 2))
    written = builder.encrypt(serialization.Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
    spit(request, request["out"], outer + shim.crlf_around(written, None))
    return {"wrote": {"cipher": name, "recipients": serials, "why": f"pyca/cryptography was told {name}"}}


def recipients(request):
    """The certificates to encrypt for: those named, or those that name the addresses."""
    found = [pem for name in request.get("recipients", []) for pem in pems(request, name)]
    if not found:
        known = pems(request, request.get("extra_certificates"))
        for address in request["to"]:
            names = [pem for pem in known if address.lower() in addresses(pem)]
            if not names:
                raise Refused("not-known", f"no certificate names {address}")
            found.append(names[0])
    return found + pems(request, request.get("copy_for"))


def addresses(pem):
    try:
        names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.value.get_values_for_type(x509.RFC822Name)]


shim.serve({"hello": hello, "open": open_message, "sign": sign, "encrypt": encrypt})
