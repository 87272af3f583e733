"""What a shim in Python needs, whatever it drives: the loop over JSON lines, a look at
a mail, and the verdict. harness/SHIM.md is the manual of the protocol.
"""

import base64
import contextlib
import datetime
import json
import os
import pathlib
import re
import sys

MOST_LAYERS = 16

# Object identifiers of content types as DER, kinds of layers, names.
KINDS = [
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "signed", "signed-data"),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", "encrypted", "enveloped-data"),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", "digested", "digested-data"),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", "encrypted-data", "encrypted-data"),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", "authenticated", "authenticated-data"),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", "compressed", "compressed-data"),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", "authenveloped", "authEnveloped-data"),
]


class Unsupported(Exception):
    """What cannot be done as it was asked."""


class Refused(Exception):
    """Something that correspondents should be told: a stable word, and a sentence."""


def serve(operations):
    """Answers requests until the input ends. The operations, by name, return what stands beside `id`."""
    # What a library prints must not stand between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            request = json.loads(line)
            answer = {"id": request["id"]} | answer_to(request, operations)
        except (ValueError, KeyError, TypeError) as error:
            answer = {"id": 0, "error": f"the request is not understood: {error!r}"}
        print(json.dumps(answer), file=answers, flush=True)


def answer_to(request, operations):
    operation = operations.get(request["op"])
    if operation is None:
        return {"unsupported": f"the operation {request['op']} is not offered"}
    if request.get("settings"):
        return {"unsupported": "there are no settings"}
    try:
        return operation(request)
    except Unsupported as why:
        return {"unsupported": str(why)}
    except Refused as why:
        return {"refused": {"reason": why.args[0], "detail": why.args[1]}}
    except Exception as error:  # A fault of this shim: said, and the next request is served.
        return {"error": f"{type(error).__name__}: {error}"}


# --- files and time


def path(request, name):
    return str(pathlib.Path(request["dir"]) / name)


def slurp(request, name):
    return pathlib.Path(request["dir"], name).read_bytes()


def spit(request, name, octets):
    pathlib.Path(request["dir"], name).write_bytes(octets)


def pems(request, name):
    """The certificates of a file, one PEM each."""
    if name is None:
        return []
    return re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", slurp(request, name), re.S)


def der_of(pem):
    """The octets of the first object of a PEM file."""
    return base64.b64decode(b"".join(pem.split(b"-----")[2].split()))


def can_set_clock():
    """Whether libfaketime was loaded into this process."""
    return "libfaketime" in os.environ.get("LD_PRELOAD", "")


def time_of(clock):
    return datetime.datetime.fromisoformat(clock.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)


@contextlib.contextmanager
def at(clock):
    """Lets something run at another time, which libfaketime makes of a variable."""
    if clock is None:
        yield
        return
    if not can_set_clock():
        raise Unsupported("the time cannot be set: libfaketime is not here")
    os.environ["FAKETIME"] = time_of(clock).strftime("%Y-%m-%d %H:%M:%S")
    try:
        yield
    finally:
        del os.environ["FAKETIME"]


# --- mail


class Entity:
    """What the beginning of a message says."""

    def __init__(self, octets):
        self.octets = octets
        self.encoding, self.type, self.claims, self.announced, self.form = "mail", "", True, None, None
        if octets.startswith(b"\x30"):
            self.encoding = "der"
        elif octets.startswith(b"-----BEGIN "):
            self.encoding = "pem"
        else:
            self._read_content_type()
        self.kind, self.name = self._kind()

    def _read_content_type(self):
        head = re.sub(rb"\r?\n[ \t]+", b" ", head_and_body(self.octets)[0])
        found = re.search(rb"^Content-Type[ \t]*:[ \t]*([^\r\n]*)", head, re.I | re.M)
        value = found[1].decode("latin-1").lower() if found else ""
        self.type = value.split(";")[0].strip()
        self.claims = (
            self.type in ("multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime")
            or self.type == "application/octet-stream"
            and re.search(r"\.p7[msz]\b", value) is not None
        )
        smime_type = re.search(r'smime-type="?([a-z-]+)', value)
        if self.type == "multipart/signed":
            self.announced, self.form = "signed", "clear"
        elif smime_type:
            self.announced = next((kind for _, kind, name in KINDS if name.lower() == smime_type[1]), None)

    def _kind(self):
        """Kind and name, by the content type that stands in the object, or else by what is announced."""
        if self.form == "clear":
            return "signed", "signed-data"
        start = (self.object() or b"")[:64]
        found = next(((kind, name) for identifier, kind, name in KINDS if identifier in start), None)
        return found or (self.announced or "unknown", self.announced or "unknown")

    def object(self):
        """The object of a mail that is nothing else, or of a file; None if it is no base64."""
        octets = self.octets
        if self.encoding == "pem":
            return decoded(re.sub(rb"-----[^\n]*", b"", octets))
        if self.encoding == "mail":
            head, body = head_and_body(octets)
            encoding = re.search(rb"^Content-Transfer-Encoding[ \t]*:\s*base64", head, re.I | re.M)
            return decoded(body) if encoding else body
        return octets

    def is_shown(self, outermost):
        """Whether the peer is asked about it. The message itself is shown to it unless it is mere text; what
        comes out of a layer only if it claims to be S/MIME."""
        if not outermost:
            return self.encoding == "mail" and self.claims
        return bool(self.claims or not (self.type == "" or self.type.startswith("text/")))


def decoded(text):
    try:
        return base64.b64decode(re.sub(rb"\s+", b"", text), validate=True)
    except ValueError:
        return None


def head_and_body(mail):
    """Header, with its last line end, and body."""
    found = re.search(rb"\r?\n\r?\n", mail)
    return (mail[: found.start()] + b"\r\n", mail[found.end() :]) if found else (mail, b"")


def split_mail(mail):
    """Takes a mail apart for protection (RFC 8551 section 3.1): the fields that stay outside, and the entity."""
    head, body = head_and_body(mail)
    fields = re.findall(rb"^[^\r\n]+\r?\n(?:[ \t][^\r\n]*\r?\n)*", head, re.M)
    inner = b"".join(field for field in fields if field.lower().startswith(b"content-"))
    outer = [field for field in fields if not field.lower().startswith((b"content-", b"mime-version:"))]
    return b"".join(outer), inner + b"\r\n" + body


def object_mail(outer, der, smime_type):
    """The mail around an object."""
    lines = base64.encodebytes(der).replace(b"\n", b"\r\n")
    return (
        outer
        + b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type="
        + smime_type.encode()
        + b"; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n"
        + b"Content-Disposition: attachment; filename=smime.p7m\r\n\r\n"
        + lines
    )


def clear_mail(outer, entity, signature, micalg):
    """A mail with a clear signature around an entity (RFC 8551 section 3.5.3)."""
    boundary = b"=_" + os.urandom(12).hex().encode()
    return (
        outer
        + b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg="
        + micalg.encode()
        + b'; boundary="'
        + boundary
        + b'"\r\n\r\n'
        + b"\r\n".join([b"--" + boundary, entity, b"--" + boundary, b"Content-Type: application/pkcs7-signature; name=smime.p7s"])
        + b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n"
        + base64.encodebytes(signature).replace(b"\n", b"\r\n")
        + b"--" + boundary + b"--\r\n"
    )


def crlf_around(mail, signed):
    """A mail as a library wrote it, with the line ends of a mail; those of what was signed are left alone."""
    before, middle, after = mail.partition(signed) if signed else (mail, b"", b"")
    return re.sub(rb"\r?\n", b"\r\n", before) + middle + re.sub(rb"\r?\n", b"\r\n", after)


# --- the verdict


def bad(reason, detail):
    return {"bad": reason, "detail": detail}


def peel(request, provider, judge):
    """Lets `judge` (entity, layer, outermost) fill one layer after the other; it returns what was inside, or None."""
    octets, layers, words = slurp(request, request["message"]), [], []
    while len(layers) < MOST_LAYERS:
        entity = Entity(octets)
        if not entity.is_shown(not layers):
            break
        outside = f"{layers[-1]['path']}/1" if layers else "1"
        layer = {"path": f"{outside}/{entity.name}", "kind": entity.kind, "structure": "good"}
        if entity.kind == "signed":
            layer["form"] = entity.form or "opaque"
        layers.append(layer)
        inside = judge(entity, layer, words)
        if inside is None:
            break
        octets = inside
    aspects = [layer.get(name) for layer in layers for name in ("structure", "decryption", "integrity", "chain")]

    def some(word):
        return any(value == word or isinstance(value, dict) and word in value for value in aspects)

    overall = "invalid" if some("bad") else "undetermined" if some("unchecked") else "valid"
    overall = overall if layers else "unprotected"
    if overall in ("valid", "undetermined"):
        spit(request, request["out"], octets)
    verdict = {"format": 1, "overall": overall, "provider": provider, "dialect": "cms", "layers": layers}
    return {"verdict": verdict} | ({"native": " | ".join(words)} if words else {})


def refuse_fields(request, library, *fields):
    """What a library has no place for is not passed over."""
    for field in fields:
        if request.get(field):
            raise Unsupported(f"{library} takes no {field}")


# --- libraries on OpenSSL


class Openssl:
    """The table that all scripts on OpenSSL share."""

    _table = json.loads((pathlib.Path(__file__).parent.parent / "openssl.json").read_text())

    @classmethod
    def algorithms(cls, *lists):
        return [name for each in lists for name in cls._table[each].split()]

    @classmethod
    def translate(cls, words):
        """Aspect and reason of the first of the words that the table knows; the table goes first, then the words."""
        for text in words:
            for known, aspect, reason in cls._table["words"]:
                if known in text:
                    return aspect, reason
        return None, None


def judge_signed(layer, anchored, check):
    """Fills a signed layer. `check` (certificate, signature) checks the one, the other, both or neither, and
    returns what was signed and what was said: None if nothing was wrong."""
    inside, words = check(False, True)
    aspect, reason = Openssl.translate(words or [])
    # The message was read before; what is no ASN.1 now is in the signature.
    if aspect == "structure" and reason not in ("bad-ber", "truncated"):
        layer["structure"] = bad(reason, "; ".join(words))
        layer["integrity"] = "unchecked"
        layer["chain"] = "unchecked" if anchored else {"unchecked": "no-anchor"}
        return None
    if words is None:
        layer["integrity"] = "good"
    else:
        layer["integrity"] = bad(reason if aspect == "integrity" else "signature-mismatch", "; ".join(words))
    if not anchored:
        layer["chain"] = {"unchecked": "no-anchor"}
    elif reason == "signer-certificate-not-found":
        layer["chain"] = "unchecked"
    else:
        _, why = check(True, False)
        said, reason = Openssl.translate(why or [])
        # Nothing else was checked: whatever is said that is no fault of the message is said of a certificate.
        if why is None:
            layer["chain"] = "good"
        elif said == "structure":
            layer["chain"] = "unchecked"
        else:
            layer["chain"] = bad(reason if said == "chain" else "untrusted", "; ".join(why))
    # What a bad signature covers comes out too: the layers inside it can be told.
    return inside if words is None else check(False, False)[0]


def judge_encrypted(layer, keys, decrypt, translate=Openssl.translate):
    """Fills an encrypted layer. `decrypt` (key) returns content and what was said: None if nothing was wrong."""
    layer["decryption"] = bad("no-key", "no key with a certificate was given")
    for key in keys:
        if not key.get("certificate"):
            continue
        inside, words = decrypt(key)
        if words is None:
            # In the place of a key that does not fit OpenSSL takes a random one (RFC 3218
            # section 2.3.2), and one in 256 of these gives a right padding.
            if decrypt(key)[0] == inside:
                layer["decryption"] = "good"
                return inside
            words = ["what comes out is another thing each time"]
        aspect, reason = translate(words)
        if aspect == "structure":
            layer["structure"] = bad(reason, "; ".join(words))
            layer["decryption"] = "unchecked"
            return None
        # That another key is not a recipient's says nothing of this message.
        if layer["decryption"]["bad"] == "no-key":
            layer["decryption"] = bad(reason if aspect == "decryption" else "wrong-key", "; ".join(words))
    return None
