"""SignedData of Tongsuo, through its binding to Python.

    tongsuo.py sign KEY CERTIFICATE IN OUT [detached] [noattr]
    tongsuo.py verify IN OUT

IN of verify is DER with its content. It ends with 0 if PKCS7_verify said 1, with 3
if it said no; why stands on standard error.
"""

import sys

from tongsuopy.backends.tongsuo import binding

library, ffi = binding.Binding().lib, binding.Binding().ffi
kept = []


def source(name):
    with open(name, "rb") as file:
        octets = ffi.from_buffer(file.read())
    kept.append(octets)
    return library.BIO_new_mem_buf(octets, len(octets))


def sink():
    return library.BIO_new(library.BIO_s_mem())


def octets_of(bio):
    pointer = ffi.new("char **")
    size = library.BIO_get_mem_data(bio, pointer)
    return ffi.buffer(pointer[0], size)[:]


def done(result, what):
    if result == 1:
        return
    text = ffi.new("char[256]")
    code = library.ERR_get_error()
    while code:
        library.ERR_error_string_n(code, text, 256)
        print(what, ffi.string(text).decode(), file=sys.stderr)
        code = library.ERR_get_error()
    sys.exit(3)


def sign(key, certificate, name, out, *words):
    key = library.PEM_read_bio_PrivateKey(source(key), ffi.NULL, ffi.NULL, ffi.NULL)
    certificate = library.PEM_read_bio_X509(source(certificate), ffi.NULL, ffi.NULL, ffi.NULL)
    flags = library.PKCS7_BINARY | library.PKCS7_PARTIAL
    flags |= library.PKCS7_DETACHED if "detached" in words else 0
    flags |= library.PKCS7_NOATTR if "noattr" in words else 0
    content = source(name)
    message = library.PKCS7_sign(ffi.NULL, ffi.NULL, ffi.NULL, content, flags)
    digest = library.EVP_get_digestbyname(b"sm3")
    signer = library.PKCS7_sign_add_signer(message, certificate, key, digest, flags)
    done(int(signer != ffi.NULL), "PKCS7_sign_add_signer")
    done(library.PKCS7_final(message, content, flags), "PKCS7_final")
    written = sink()
    done(library.i2d_PKCS7_bio(written, message), "i2d_PKCS7_bio")
    with open(out, "wb") as file:
        file.write(octets_of(written))


def verify(name, out):
    message = library.d2i_PKCS7_bio(source(name), ffi.NULL)
    done(int(message != ffi.NULL), "d2i_PKCS7_bio")
    content, store = sink(), library.X509_STORE_new()
    flags = library.PKCS7_NOVERIFY | library.PKCS7_BINARY
    done(library.PKCS7_verify(message, library.sk_X509_new_null(), store, ffi.NULL, content, flags), "PKCS7_verify")
    with open(out, "wb") as file:
        file.write(octets_of(content))


{"sign": sign, "verify": verify}[sys.argv[1]](*sys.argv[2:])
