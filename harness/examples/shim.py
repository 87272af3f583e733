#!/usr/bin/env python3
"""A shim in sixty lines: it lets Waxseal ask `openssl cms` whether a signed mail is good."""
import datetime, json, os, pathlib, shutil, subprocess, sys
# What the implementation says, and what that means: one table, tried in order.
REASONS = [("expired", "chain", "expired"), ("not yet valid", "chain", "not-yet-valid"), ("Verify error", "chain", "no-path"),
           ("attribute error", "structure", "missing-attribute"), ("no signers", "structure", "no-signers"),
           ("not found", "integrity", "signer-certificate-not-found"), ("bad signature", "integrity", "signature-mismatch"),
           ("content verify error", "integrity", "digest-mismatch"), ("verification failure", "integrity", "signature-mismatch")]

def openssl(request, *arguments):
    result = subprocess.run(["openssl", "cms", *arguments, "-in", request["message"]], cwd=request["dir"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode < 0:  # It crashed: so does this shim, and the run has a crash.
        sys.exit(f"openssl was ended by signal {-result.returncode}")
    return None if result.returncode == 0 else result.stderr  # What it said, unless all was well.

def bad(said, name, otherwise):  # The value of an aspect, if what was said is about it.
    reason = next((reason for words, aspect, reason in REASONS if aspect == name and words in said), otherwise)
    return reason and {"bad": reason, "detail": said.strip().splitlines()[0]}

def hello(request):
    if shutil.which("openssl") is None:
        return {"unsupported": "the program openssl is not on PATH"}
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.split()[1]
    return {"protocol": 1, "hello": {"name": "example", "version": version, "operations": ["open"], "forms": ["signed"],
        "algorithms": ["rsa", "rsa-pkcs1-v1_5", "rsa-pkcs1-v1_5-sha-256", "sha-256", "sha-384", "sha-512"],
        "aspects": ["structure", "integrity", "chain"], "deviations": False, "clock": "settable"}}

def open_message(request):
    for field in ("content", "extra_certificates", "crls", "ocsp", "require_revocation"):
        if request.get(field):  # What it does not look at it says, instead of passing over it.
            return {"unsupported": f"this shim takes no {field}"}
    mail = pathlib.Path(request["dir"], request["message"]).read_bytes()
    if b"pkcs7" not in mail:
        return verdict("unprotected", [], None)
    layer = {"path": "1/signed-data", "kind": "signed", "form": "clear" if b"multipart/signed" in mail else "opaque",
             "structure": "good", "integrity": "unchecked", "chain": "unchecked"}
    unread = openssl(request, "-cmsout", "-out", os.devnull)
    said = unread or openssl(request, "-verify", "-noverify", "-out", request["out"])
    layer["structure"] = said and bad(said, "structure", unread and "not-cms") or "good"
    if layer["structure"] == "good":
        layer["integrity"] = bad(said, "integrity", "signature-mismatch") if said else "good"
        layer["chain"] = chain(request) if request.get("anchors") else {"unchecked": "no-anchor"}
    values = [value for value in layer.values() if isinstance(value, dict)]
    return verdict("invalid" if any("bad" in value for value in values) else "undetermined" if values else "valid", [layer], said)

def chain(request):  # The certificate alone, at the time of the request, with its anchors and no others.
    at = [str(int(datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp())) for at in [request.get("clock")] if at]
    said = openssl(request, "-verify", "-no_content_verify", "-no_attr_verify", "-purpose", "smimesign", "-CAfile", request["anchors"],
                   "-no-CApath", "-no-CAstore", "-partial_chain", *(["-attime", *at] if at else []), "-out", os.devnull)
    return bad(said, "chain", None) or "unchecked" if said else "good"

def verdict(overall, layers, native):
    said = {"format": 1, "overall": overall, "provider": "example", "dialect": "cms", "layers": layers}
    return {"verdict": said, "native": native or None}

for request in map(json.loads, sys.stdin):
    operation = {"hello": hello, "open": open_message}.get(request["op"])
    answer = operation(request) if operation else {"unsupported": f"the operation {request['op']} is not offered"}
    print(json.dumps({"id": request["id"], **answer}), flush=True)
