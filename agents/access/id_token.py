"""An ID token is what it says only when the provider's key signed it, for us, for this sign-in, and it is not over.

Pure: keys, expectations and the instant come in.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")  # by a key that only the provider has; never none, never HS
SKEW: Final = 60  # seconds by which clocks may differ


class InvalidToken(Exception):
    """Not to be believed; the text says why, for the log of the web process."""


class UnknownKey(InvalidToken):
    """Signed with a key that is not among those known: perhaps the provider has a new one."""


class Expected(NamedTuple):
    """What a token must say. `at`: now, in seconds since 1970 UTC."""

    issuer: str
    client_id: str
    nonce: str
    at: float


def keys_of(document: Mapping[str, Any]) -> KeySet:
    """The provider's public keys for signatures; others, and kinds that nobody here knows, are passed over."""
    usable = []
    for key in document.get("keys") or ():
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig":
            try:
                usable += KeySet.import_key_set({"keys": [key]}).keys
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return KeySet(usable)


def claims_of(token: str, keys: KeySet, expected: Expected) -> dict[str, Any]:
    """The claims of a token that is to be believed; InvalidToken for any other."""
    header = _header(token)
    if header.get("alg") not in ALGORITHMS:
        raise InvalidToken(f"alg {header.get('alg')!r} is none of {', '.join(ALGORITHMS)}")
    kid = header.get("kid")
    if kid is None and len(keys.keys) != 1:
        raise InvalidToken("it does not say which of the provider's keys signed it")
    if kid is not None and all(key.kid != kid for key in keys.keys):
        raise UnknownKey(f"kid {kid!r} is no key of the provider")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of the name EdDSA, which providers still use
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidToken(f"{type(error).__name__}: {error}") from None
    _check(claims, expected)
    return claims


def _header(token: str) -> Mapping[str, Any]:
    try:
        header: Mapping[str, Any] = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidToken(f"it is no token: {error}") from None
    return header


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    azp = claims.get("azp")
    if claims.get("iss") != expected.issuer:
        raise InvalidToken(f"iss {claims.get('iss')!r} is not {expected.issuer!r}")
    if expected.client_id not in audiences:
        raise InvalidToken(f"aud {audience!r} is not {expected.client_id!r}")
    if (azp is not None or len(audiences) > 1) and azp != expected.client_id:
        raise InvalidToken(f"azp {azp!r} is not {expected.client_id!r}")
    if claims.get("nonce") != expected.nonce:
        raise InvalidToken("nonce: it is of another sign-in")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidToken("sub is missing")
    _check_times(claims, expected.at)


def _check_times(claims: Mapping[str, Any], at: float) -> None:
    for name in ("exp", "iat"):
        if not _is_time(claims.get(name)):
            raise InvalidToken(f"{name} is missing or no number")
    if claims["exp"] <= at - SKEW:
        raise InvalidToken("exp: it is over")
    for name in ("iat", "nbf"):
        if name in claims and (not _is_time(claims[name]) or claims[name] > at + SKEW):
            raise InvalidToken(f"{name}: it lies in the future")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
