"""The attack table: tokens that must be refused, each with its reason, and beside each one that is taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.contract.callers import ALIAS, BASE, EHR, JKU, Signer, part, public_jwk, secret_key, signed
from tests.contract.requests import SERVICE

Make = Callable[[Signer], str]
HOUR = 3600
DISCOVERY = f"{BASE}/cds-services"
HERE = f"{BASE}{SERVICE}"
ATTACKER = "p384-attacker"


def pem(name: str) -> bytes:
    return (
        secret_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )  # type: ignore[no-any-return]


def honest(signer: Signer) -> str:
    return signer.token()


def claims(**changes: Any) -> Make:
    return lambda signer: signer.token(**changes)


def header(**changes: Any) -> Make:
    return lambda signer: signer.token(header=changes)


def payload(change: Callable[[dict[str, Any]], Any]) -> Make:
    """Signed with an honest key over whatever that makes of the honest claims."""
    return lambda signer: signer.token(payload=change(signer.claims()))


def late(seconds: float, **changes: Any) -> Make:
    """Signed now and sent that much later."""

    def make(signer: Signer) -> str:
        token = signer.token(**changes)
        signer.clock.now += seconds
        return token

    return make


def unsigned(alg: str, signature: str) -> Make:
    return lambda signer: f"{part(signer.header(alg=alg))}.{part(signer.claims())}.{signature}"


def with_signature(change: Callable[[str], str]) -> Make:
    def make(signer: Signer) -> str:
        text, _, signature = signer.token().rpartition(".")
        return f"{text}.{change(signature)}"

    return make


def with_payload_of(**changes: Any) -> Make:
    def make(signer: Signer) -> str:
        head, _, signature = signer.token().split(".")
        return f"{head}.{part(signer.claims(**changes))}.{signature}"

    return make


def with_header_of(**changes: Any) -> Make:
    def make(signer: Signer) -> str:
        _, body, signature = signer.token().split(".")
        return f"{part(signer.header(**changes))}.{body}.{signature}"

    return make


def hmac_of(secret: Callable[[], bytes], alg: str, kid: str = "rsa-ehr") -> Make:
    return lambda signer: signer.token(header={"alg": alg, "kid": kid}, key=secret(), algorithm=alg)


def twice(name: str, value: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda c: json.dumps(c)[:-1].encode() + f", {json.dumps(name)}: {json.dumps(value)}}}".encode()


def raw(name: str, text: str) -> Callable[[dict[str, Any]], bytes]:
    """That claim written as that JSON text."""
    return lambda c: json.dumps({**c, name: "@"}).replace('"@"', text).encode()


def rs384(signer: Signer) -> str:
    return signer.token(header={"alg": "RS384", "kid": "rsa-ehr"}, key="rsa-ehr")


# name: (reason, the attack, the control beside it)
ATTACKS: dict[str, tuple[str, Make, Make]] = {
    # No signature, or one anybody could make
    **{
        f"alg {alg}, no signature": ("not-bearer", unsigned(alg, ""), honest)
        for alg in ("none", "None", "nOnE")
    },
    **{
        f"alg {alg!r}": ("algorithm", unsigned(alg, "AAAA"), honest)
        for alg in ("none", "None", "NONE", "nOnE", "", " none", "es384", "ES384 ", "ES256K", "HS384")
    },
    "alg missing": ("algorithm", header(alg=None), honest),
    "alg a list": ("algorithm", header(alg=["ES384"]), honest),
    "HS256 with the public key in PEM": ("algorithm", hmac_of(lambda: pem("rsa-ehr"), "HS256"), rs384),
    "HS384 with the public key in PEM": ("algorithm", hmac_of(lambda: pem("rsa-ehr"), "HS384"), rs384),
    "HS256 with the key as JWK": (
        "algorithm",
        hmac_of(lambda: json.dumps(public_jwk("rsa-ehr")).encode(), "HS256"),
        rs384,
    ),
    "HS512 with an empty secret": ("algorithm", hmac_of(lambda: b"", "HS512"), rs384),
    # Algorithms
    "RS256 where it was not asked for": (
        "algorithm",
        lambda s: s.token(header={"alg": "RS256", "kid": "rsa-ehr"}, key="rsa-ehr", algorithm="RS256"),
        lambda s: s.token(header={"alg": "PS512", "kid": "rsa-ehr"}, key="rsa-ehr", algorithm="PS512"),
    ),
    "ES256 where it was not asked for": (
        "algorithm",
        lambda s: s.token(header={"alg": "ES256", "kid": "p256-ehr"}, key="p256-ehr"),
        lambda s: s.token(header={"alg": "ES512", "kid": "p521-ehr"}, key="p521-ehr"),
    ),
    "ES384 with a key of P-256": (
        "key-algorithm",
        lambda s: s.token(header={"kid": "p256-ehr"}, key="p256-ehr", algorithm="ES256"),
        honest,
    ),
    "ES384 with a key of P-521": ("key-algorithm", header(kid="p521-ehr"), honest),
    "ES384 with an RSA key": ("key-algorithm", header(kid="rsa-ehr"), honest),
    "RS384 with an EC key": (
        "key-algorithm",
        lambda s: s.token(header={"alg": "RS384"}, key="rsa-ehr"),
        rs384,
    ),
    "EdDSA with an EC key": (
        "key-algorithm",
        lambda s: s.token(header={"alg": "EdDSA"}, key="ed-ehr"),
        lambda s: s.token(header={"alg": "EdDSA", "kid": "ed-ehr"}, key="ed-ehr"),
    ),
    "PS384 signed as RS384": (
        "signature",
        lambda s: s.token(header={"alg": "PS384", "kid": "rsa-ehr"}, key="rsa-ehr", algorithm="RS384"),
        lambda s: s.token(header={"alg": "PS384", "kid": "rsa-ehr"}, key="rsa-ehr", algorithm="PS384"),
    ),
    # Signatures
    "signature cut off": ("not-bearer", with_signature(lambda s: ""), honest),
    "signature shortened": ("signature", with_signature(lambda s: s[:-4]), honest),
    "signature altered": (
        "signature",
        with_signature(lambda s: ("B" if s[0] == "A" else "A") + s[1:]),
        honest,
    ),
    "signature of zeros": ("signature", with_signature(lambda s: part(b"\0" * 96)), honest),
    "signature in DER": (
        "signature",
        with_signature(lambda s: part(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
        honest,
    ),
    "signature of the attacker": ("signature", lambda s: s.token(key=ATTACKER), honest),
    "payload altered": ("signature", with_payload_of(tenant="north"), honest),
    "header altered": ("signature", with_header_of(extra=1), honest),
    # Keys
    "kid missing": ("kid", header(kid=None), honest),
    "kid empty": ("kid", header(kid=""), honest),
    "kid a number": ("kid", header(kid=5), honest),
    "kid a list": ("kid", header(kid=["p384-ehr"]), honest),
    "kid huge": ("kid", header(kid="k" * 257), honest),
    **{
        f"kid {kid!r}": ("key", header(kid=kid), honest)
        for kid in (
            "unknown",
            "../../../../dev/null",
            "/dev/null",
            "file:///dev/null",
            "x' UNION SELECT 'secret' --",
            "p384-ehr\x00",
            "p384-ehr ",
            "P384-EHR",
            "p384-ehr\n",
            "\ud800",
            "__class__",
        )
    },
    "kid of another issuer": (
        "key",
        lambda s: s.token(header={"alg": "RS384", "kid": "rsa-clinic"}, key="rsa-clinic"),
        rs384,
    ),
    "another issuer's key under our kid": (
        "signature",
        lambda s: s.token(header={"alg": "RS384", "kid": "rsa-ehr"}, key="rsa-clinic"),
        rs384,
    ),
    "a key of its own in jwk": (
        "signature",
        lambda s: s.token(header={"jwk": public_jwk(ATTACKER)}, key=ATTACKER),
        lambda s: s.token(header={"jwk": public_jwk(ATTACKER)}),
    ),
    "a key of its own in jwk, named so": (
        "key",
        lambda s: s.token(header={"jwk": public_jwk(ATTACKER), "kid": ATTACKER}, key=ATTACKER),
        honest,
    ),
    "certificates of its own in x5c": (
        "signature",
        lambda s: s.token(header={"x5c": ["MIIB"], "x5t": "AAAA"}, key=ATTACKER),
        lambda s: s.token(header={"x5c": ["MIIB"], "x5t": "AAAA"}),
    ),
    "jku not a text": ("jku", header(jku=[JKU]), header(jku=JKU)),
    "jku null": ("jku", lambda s: signed({**s.header(), "jku": None}, s.claims(), s.key, "ES384"), honest),
    "jku that only begins so": ("jku", header(jku=JKU + "/../evil"), header(jku=JKU)),
    "jku with a user": ("jku", header(jku=JKU.replace("//", "//ehr.example@")), header(jku=JKU)),
    # Header
    "typ missing": ("typ", header(typ=None), header(typ="jwt")),
    "typ JOSE": ("typ", header(typ="JOSE"), header(typ="Jwt")),
    "typ at+jwt": ("typ", header(typ="at+jwt"), honest),
    "typ a list": ("typ", header(typ=["JWT"]), honest),
    "crit": ("header", header(crit=["exp"]), honest),
    "crit empty": ("header", header(crit=[]), honest),
    "crit b64": ("header", header(crit=["b64"], b64=False), honest),
    "b64 false": ("header", header(b64=False), honest),
    "b64 true": ("header", header(b64=True), honest),
    "header twice alg": (
        "malformed",
        lambda s: signed(
            json.dumps(s.header())[:-1].encode() + b', "alg": "none"}', s.claims(), s.key, "ES384"
        ),
        honest,
    ),
    "header no object": ("malformed", lambda s: signed(["ES384"], s.claims(), s.key, "ES384"), honest),
    "header in UTF-16": (
        "malformed",
        lambda s: signed(json.dumps(s.header()).encode("utf-16"), s.claims(), s.key, "ES384"),
        honest,
    ),
    # Issuer
    "iss missing": ("issuer", claims(iss=None), honest),
    "iss unknown": ("issuer", claims(iss="https://evil.example"), honest),
    "iss a list": ("issuer", claims(iss=[EHR]), honest),
    "iss an object": ("issuer", claims(iss={"a": 1}), honest),
    "iss with a slash more": ("issuer", claims(iss=EHR + "/"), honest),
    "iss in capitals": ("issuer", claims(iss=EHR.upper()), honest),
    # Audience
    "aud missing": ("audience", claims(aud=None), honest),
    "aud null": ("audience", payload(lambda c: {**c, "aud": None}), honest),
    "aud another service": ("audience", claims(aud=f"{DISCOVERY}/another"), claims(aud=[HERE])),
    "aud discovery": ("audience", claims(aud=DISCOVERY), honest),
    "aud feedback": ("audience", claims(aud=HERE + "/feedback"), honest),
    "aud evaluate": ("audience", claims(aud=BASE + "/evaluate"), honest),
    "aud the base alone": ("audience", claims(aud=BASE), honest),
    "aud http": ("audience", claims(aud=HERE.replace("https", "http")), honest),
    "aud in capitals": ("audience", claims(aud=HERE.replace("cds", "CDS", 1)), honest),
    "aud with a slash more": ("audience", claims(aud=HERE + "/"), honest),
    "aud with a query": ("audience", claims(aud=HERE + "?a=b"), honest),
    "aud with a port": ("audience", claims(aud=HERE.replace("example", "example:443", 1)), honest),
    "aud localhost": ("audience", claims(aud="http://localhost:8000" + SERVICE), honest),
    "aud 127.0.0.1": ("audience", claims(aud="http://127.0.0.1:8000" + SERVICE), honest),
    "aud the path alone": ("audience", claims(aud=SERVICE), honest),
    "aud that only ends so": ("audience", claims(aud="https://evil.example/" + HERE), honest),
    "aud a longer host": ("audience", claims(aud=HERE.replace(".example", ".example.evil", 1)), honest),
    "aud a list without it": ("audience", claims(aud=[DISCOVERY, BASE]), claims(aud=[DISCOVERY, HERE])),
    "aud an empty list": ("audience", claims(aud=[]), honest),
    "aud a list of a list": ("audience", claims(aud=[[HERE]]), honest),
    "aud a list with a number": ("audience", claims(aud=[HERE, 5]), honest),
    "aud an object": ("audience", claims(aud={HERE: 1}), honest),
    "aud another issuer's way to us": (
        "audience",
        claims(aud="https://gateway.example" + SERVICE),
        claims(aud=ALIAS + SERVICE),
    ),
    # Times
    "expired": ("expired", late(330), honest),
    "expired long ago": ("expired", claims(iat=1_500_000_000, exp=1_500_000_300), honest),
    "exp missing": ("exp", claims(exp=None), honest),
    "iat missing": ("iat", claims(iat=None), honest),
    "exp a text": ("exp", claims(exp="1800000300"), honest),
    "exp true": ("exp", claims(exp=True), honest),
    "exp infinite": ("exp", payload(raw("exp", "1e400")), honest),
    "exp NaN": ("malformed", payload(raw("exp", "NaN")), honest),
    "exp Infinity": ("malformed", payload(raw("exp", "Infinity")), honest),
    "exp of 4,000 digits": ("exp", payload(raw("exp", "9" * 4000)), honest),
    "exp of 5,000 digits": ("malformed", payload(raw("exp", "9" * 5000)), honest),
    "exp negative": ("exp", claims(exp=-1), honest),
    "nbf a text": ("nbf", claims(nbf="now"), honest),
    "nbf null": ("nbf", payload(lambda c: {**c, "nbf": None}), honest),
    "nbf in the future": (
        "future",
        lambda s: s.token(nbf=int(s.clock()) + 31),
        lambda s: s.token(nbf=int(s.clock()) + 30),
    ),
    "iat in the future": (
        "future",
        lambda s: s.token(iat=int(s.clock()) + 31, exp=int(s.clock()) + 300),
        lambda s: s.token(iat=int(s.clock()) + 30, exp=int(s.clock()) + 300),
    ),
    "iat in the future, nbf not": (
        "future",
        lambda s: s.token(iat=int(s.clock()) + 31, nbf=int(s.clock()), exp=int(s.clock()) + 300),
        lambda s: s.token(iat=int(s.clock()) + 30, nbf=int(s.clock()), exp=int(s.clock()) + 300),
    ),
    "lifetime too long": (
        "lifetime",
        lambda s: s.token(exp=int(s.clock()) + 301),
        lambda s: s.token(exp=int(s.clock()) + 300.0),
    ),
    "lifetime of a year": ("lifetime", lambda s: s.token(exp=int(s.clock()) + 365 * 24 * HOUR), honest),
    "ends before it begins": ("lifetime", lambda s: s.token(exp=int(s.clock()) - 1), honest),
    # First use
    "jti missing": ("jti", claims(jti=None), honest),
    "jti a number": ("jti", claims(jti=5), honest),
    "jti empty": ("jti", claims(jti=""), honest),
    "jti huge": ("jti", claims(jti="j" * 513), claims(jti="\ud800" + "j" * 511)),
    # Form
    "claims that stand twice": ("malformed", payload(twice("aud", HERE)), honest),
    "claims that stand twice, written otherwise": (
        "malformed",
        payload(lambda c: json.dumps(c)[:-1].encode() + b', "\\u0069ss": "https://evil.example"}'),
        honest,
    ),
    "inner members that stand twice": (
        "malformed",
        payload(lambda c: json.dumps(c)[:-1].encode() + b', "x": {"a": 1, "a": 2}}'),
        payload(lambda c: {**c, "x": {"a": 1, "b": 2}}),
    ),
    "payload a list": ("malformed", payload(lambda c: [c]), honest),
    "payload null": ("malformed", payload(lambda c: b"null"), honest),
    "payload a text": ("malformed", payload(lambda c: "text"), honest),
    "payload no JSON": ("malformed", payload(lambda c: b"\xff\xfe{"), honest),
    "payload in UTF-16": ("malformed", payload(lambda c: json.dumps(c).encode("utf-16-le")), honest),
    "payload very deep": ("malformed", payload(lambda c: b"[" * 4000 + b"]" * 1000), honest),
    "payload a token": (
        "malformed",
        lambda s: s.token(payload=s.token().encode(), header={"cty": "JWT"}),
        honest,
    ),
    "payload not base64url": (
        "malformed",
        lambda s: ".".join((part(s.header()), "A", "AAAA")),
        honest,
    ),
    "oversized": ("too-long", header(pad="p" * 6000), header(pad="p" * 5000)),
}
