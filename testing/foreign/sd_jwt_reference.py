"""Issues, shows and verifies SD-JWTs with `sd-jwt`, the reference implementation of RFC 9901, which knows nothing of ours.

Reads a step on standard input, writes {"ok": true, ...} or {"ok": false, "error": ...}:
  {"as": "issue", "claims": {...}, "hidden": [names, or lists of names and numbers], "header": {...}, "issuer": JWK, "holder": JWK}
  {"as": "show", "sd_jwt": ..., "disclose": {...}, "nonce": ..., "audience": ..., "holder": JWK}
  {"as": "verify", "sd_jwt": ..., "issuer": JWK, "nonce"?: ..., "audience"?: ...}
"""

import json
import sys

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier


def key(jwk):
    return JWK(**jwk)


def marked(value, hidden, path=()):
    """The value, with what is to be disclosed selectively marked for the library."""
    if isinstance(value, dict):
        members = [(path + (name,), name, inner) for name, inner in value.items()]
        return {SDObj(name) if at in hidden else name: marked(inner, hidden, at) for at, name, inner in members}
    if isinstance(value, list):
        elements = [(path + (index,), marked(inner, hidden, path + (index,))) for index, inner in enumerate(value)]
        return [SDObj(inner) if at in hidden else inner for at, inner in elements]
    return value


def issue(step):
    hidden = {(entry,) if isinstance(entry, str) else tuple(entry) for entry in step["hidden"]}
    claims = marked(step["claims"], hidden)
    issuer = SDJWTIssuer(
        claims,
        key(step["issuer"]),
        key(step["holder"]),
        sign_alg="ES256",
        add_decoy_claims=True,
        extra_header_parameters=step["header"],
    )
    return {"sd_jwt": issuer.sd_jwt_issuance}


def show(step):
    holder = SDJWTHolder(step["sd_jwt"])
    holder.create_presentation(
        step["disclose"], step["nonce"], step["audience"], key(step["holder"]), sign_alg="ES256"
    )
    return {"sd_jwt": holder.sd_jwt_presentation}


def verify(step):
    verifier = SDJWTVerifier(
        step["sd_jwt"], lambda issuer, header: key(step["issuer"]), step.get("audience"), step.get("nonce")
    )
    return {"payload": verifier.get_verified_payload()}


step = json.load(sys.stdin)
try:
    answer = {"ok": True, **{"issue": issue, "show": show, "verify": verify}[step["as"]](step)}
except Exception as error:  # Whatever it is that the library refuses with.
    answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
json.dump(answer, sys.stdout)
