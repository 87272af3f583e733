"""Tongsuo as a shim, through tongsuopy: SignedData, with SM2 or without.

The binding has PKCS7_sign and PKCS7_verify of OpenSSL 1.1.1, from which Tongsuo comes;
it has no functions that encrypt or decrypt.
"""

import shim
from shim import Openssl, Unsupported, pems, slurp, spit

try:
    import tongsuopy
    from tongsuopy.backends.tongsuo import binding

    lib, ffi = binding.Binding().lib, binding.Binding().ffi
except ImportError as error:
    absent = f"tongsuopy cannot be loaded: {error}"
    shim.serve({"hello": lambda request: {"unsupported": absent}})
    raise SystemExit(0)

DIGESTS = {"sha-1": b"sha1", "sha-256": b"sha256", "sha-384": b"sha384", "sha-512": b"sha512", "sm3": b"sm3"}
PARTIAL_CHAIN = 0x80000


class Failed(Exception):
    """A function of Tongsuo failed: its error queue."""


class Memory:
    """What is given to Tongsuo, for as long as it looks at it."""

    def __init__(self):
        self._kept = []

    def source(self, octets):
        buffer = ffi.from_buffer(octets)
        self._kept.append(buffer)
        return self.collected(lib.BIO_new_mem_buf(buffer, len(buffer)), lib.BIO_free)

    def sink(self):
        return self.collected(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free)

    def collected(self, pointer, free):
        if pointer == ffi.NULL:
            raise Failed(queue())
        kept = ffi.gc(pointer, free)
        self._kept.append(kept)
        return kept

    def certificate(self, pem):
        return self.collected(lib.PEM_read_bio_X509(self.source(pem), ffi.NULL, ffi.NULL, ffi.NULL), lib.X509_free)

    def stack(self, certificates):
        made = self.collected(lib.sk_X509_new_null(), lib.sk_X509_free)
        for pem in certificates:
            lib.sk_X509_push(made, self.certificate(pem))
        return made


def octets_of(bio):
    pointer = ffi.new("char **")
    size = lib.BIO_get_mem_data(bio, pointer)
    return ffi.buffer(pointer[0], size)[:] if size > 0 else b""


def queue():
    words, text = [], ffi.new("char[256]")
    while code := lib.ERR_get_error():
        lib.ERR_error_string_n(code, text, 256)
        words.append(ffi.string(text).decode())
    return words


def hello(request):
    # X25519, SM9 and the like it has, but not in SignedData.
    algorithms = [name for name in Openssl.algorithms("pkcs7") if not name.endswith(("-cbc", "-wrap"))]
    return {
        "protocol": 1,
        "hello": {
            "name": "tongsuo",
            "version": f"{tongsuopy.__version__} ({ffi.string(lib.OpenSSL_version(0)).decode()})",
            "operations": ["open", "sign"],
            "algorithms": [*algorithms, "sm2", "sm2-sm3", "sm3"],
            "forms": ["signed"],
            "aspects": ["structure", "integrity", "chain"],
            "deviations": False,
            "clock": "settable",
            "dialects": ["cms"],
            "writes": ["cms"],
            "writes_forms": ["clear", "opaque"],
            "writes_algorithms": [*DIGESTS, "rsa-pkcs1-v1_5", "ecdsa", "sm2"],
        },
    }


def open_message(request):
    shim.refuse_fields(request, "this shim of Tongsuo", "crls", "ocsp", "passwords", "symmetric_keys", "require_revocation")

    def judge(entity, layer, words):
        def attempt(do):
            lib.ERR_clear_error()
            try:
                return do(), None
            except Failed as error:
                said = error.args[0] or ["no error was left"]
                words.append("; ".join(said))
                return None, said

        def check(certificate, signature):
            return attempt(lambda: verify(request, entity, certificate, signature))

        _, unread = attempt(lambda: load(Memory(), entity))
        if unread is not None:
            layer["structure"] = shim.bad(Openssl.translate(unread)[1] or "bad-ber", "; ".join(unread))
            return None
        if layer["kind"] == "encrypted":
            layer["decryption"] = "unchecked"
            return None
        return shim.judge_signed(layer, bool(request.get("anchors")), check)

    return shim.peel(request, "tongsuo", judge)


def load(memory, entity):
    """The message, and the content of a clear signature."""
    content = ffi.new("BIO **")
    source = memory.source(entity.octets)
    if entity.encoding == "mail":
        message = lib.SMIME_read_PKCS7(source, content)
    elif entity.encoding == "der":
        message = lib.d2i_PKCS7_bio(source, ffi.NULL)
    else:
        message = lib.PEM_read_bio_PKCS7(source, ffi.NULL, ffi.NULL, ffi.NULL)
    message = memory.collected(message, lib.PKCS7_free)
    return message, content[0]


def verify(request, entity, certificate, signature):
    memory = Memory()
    message, content = load(memory, entity)
    if not lib.PKCS7_type_is_signed(message):
        raise Failed(["PKCS7 routines::wrong content type"])
    if request.get("content") and entity.encoding != "mail":
        content = memory.source(slurp(request, request["content"]))
    store = memory.collected(lib.X509_STORE_new(), lib.X509_STORE_free)
    for pem in pems(request, request.get("anchors")):
        lib.X509_STORE_add_cert(store, memory.certificate(pem))
    lib.X509_STORE_set_flags(store, PARTIAL_CHAIN)
    if request.get("clock"):
        seconds = int(shim.time_of(request["clock"]).timestamp())
        lib.X509_VERIFY_PARAM_set_time(lib.X509_STORE_get0_param(store), seconds)
    flags = lib.PKCS7_BINARY | (0 if certificate else lib.PKCS7_NOVERIFY) | (0 if signature else lib.PKCS7_NOSIGS)
    extra, out = memory.stack(pems(request, request.get("extra_certificates"))), memory.sink()
    if lib.PKCS7_verify(message, extra, store, content, out, flags) != 1:
        raise Failed(queue())
    return octets_of(out)


def sign(request):
    if request.get("dialect", "cms") != "cms" or request.get("scheme") == "rsassa-pss":
        raise Unsupported("Tongsuo signs in the dialect cms, and not with RSASSA-PSS")
    if request.get("announces") is not None:
        raise Unsupported("Tongsuo cannot be told what SMIMECapabilities lists")
    memory = Memory()
    lib.ERR_clear_error()
    source = memory.source(slurp(request, request["key"]["key"]))
    key = memory.collected(lib.PEM_read_bio_PrivateKey(source, ffi.NULL, ffi.NULL, ffi.NULL), lib.EVP_PKEY_free)
    certificate = memory.certificate(slurp(request, request["key"]["certificate"]))
    # An SM2 key is one of an EC curve to it, until it is told.
    is_sm2 = b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d" in shim.der_of(slurp(request, request["key"]["certificate"]))
    name = request.get("digest") or ("sm3" if is_sm2 else "sha-256")
    if name not in DIGESTS or is_sm2 != (name == "sm3"):
        raise Unsupported(f"Tongsuo does not sign with {name} and this key")
    outer, inner = shim.split_mail(slurp(request, request["message"]))
    is_clear = request.get("form", "clear") == "clear"
    flags = lib.PKCS7_BINARY | lib.PKCS7_PARTIAL | (lib.PKCS7_DETACHED if is_clear else 0)
    sent = [pem for field in ("certificates", "encryption_certificate") for pem in pems(request, request.get(field))]
    with shim.at(request.get("clock")):
        content = memory.source(inner)
        try:
            message = lib.PKCS7_sign(ffi.NULL, ffi.NULL, memory.stack(sent), content, flags)
            message = memory.collected(message, lib.PKCS7_free)
            digest = lib.EVP_get_digestbyname(DIGESTS[name])
            if lib.PKCS7_sign_add_signer(message, certificate, key, digest, flags) == ffi.NULL:
                raise Failed(queue())
            if lib.PKCS7_final(message, content, flags) != 1:
                raise Failed(queue())
        except Failed as error:
            raise Unsupported(f"Tongsuo would not sign: {'; '.join(error.args[0])}") from error
    written = memory.sink()
    lib.i2d_PKCS7_bio(written, message)
    der = octets_of(written)
    mail = shim.clear_mail(outer, inner, der, name) if is_clear else shim.object_mail(outer, der, "signed-data")
    spit(request, request["out"], mail)
    return {"wrote": {}}


shim.serve({"hello": hello, "open": open_message, "sign": sign})
