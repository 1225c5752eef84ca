"""Reads a status list token that is a CWT, with `cwt`, `cbor2` and `cryptography`, which know nothing of ours. By COSE alone: the
library's own `decode` of CWTs wants every one to name its key by `kid`, which no specification does.

Reads {"cwt": base64url, "anchors": [DER in base64]} on standard input; writes {"ok": true, "sub", "exp", "ttl", "bits", "size",
"set": [[index, status]]}, the entries that are not 0, or {"ok": false, "error": ...}.
"""

import base64
import json
import sys
import time
import zlib

import cbor2
import cwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

X5CHAIN, TYP = 33, 16
SUB, EXP, STATUS_LIST, TTL = 2, 4, 65533, 65534


def certified(chain, anchors):
    """The signer's certificate, if one of the authorities issued it."""
    leaf = x509.load_der_x509_certificate(chain if isinstance(chain, bytes) else chain[0])
    for anchor in anchors:
        try:
            leaf.verify_directly_issued_by(x509.load_der_x509_certificate(base64.b64decode(anchor)))
            return leaf
        except Exception:  # Another authority: a name or a signature that does not fit.
            continue
    raise ValueError("no anchor issued the certificate")


def read(step):
    token = base64.urlsafe_b64decode(step["cwt"] + "==")
    protected, unprotected, _, _ = cbor2.loads(token).value
    typ = cbor2.loads(protected)[TYP]
    if typ != "application/statuslist+cwt":
        raise ValueError(f"typ is {typ}")
    leaf = certified(unprotected[X5CHAIN], step["anchors"])
    key = cwt.COSEKey.from_pem(leaf.public_bytes(Encoding.PEM), alg="ES256")
    claims = cbor2.loads(cwt.COSE.new().decode(token, key))
    if claims[EXP] < time.time():
        raise ValueError("expired")
    bits, packed = claims[STATUS_LIST]["bits"], claims[STATUS_LIST]["lst"]
    statuses = [
        byte >> shift & (1 << bits) - 1 for byte in zlib.decompress(packed) for shift in range(0, 8, bits)
    ]
    return {
        "sub": claims[SUB],
        "exp": claims[EXP],
        "ttl": claims[TTL],
        "bits": bits,
        "size": len(statuses),
        "set": [[index, status] for index, status in enumerate(statuses) if status],
    }


try:
    answer = {"ok": True, **read(json.load(sys.stdin))}
except Exception as error:  # Whatever it is that the library refuses with.
    answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
json.dump(answer, sys.stdout)
