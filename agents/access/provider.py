"""The identity provider, by OpenID Connect: authorization code with PKCE. What it signs is checked (id_token.py).

All of a sign-in follows from one secret that a browser keeps in a cookie while it is away: state, nonce and the PKCE
verifier. So nothing is kept here, any web process finishes what another has begun, and a stranger's answer fits nobody.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
from joserfc.jwk import KeySet

from agents.access.id_token import Expected, InvalidToken, UnknownKey, claims_of, keys_of
from agents.access.secrets import derived, same
from agents.access.signing_in import Client, Provider, ProviderError, SignedIn, SignInRefused

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
LARGEST: Final = 1_000_000  # bytes of an answer
KEPT: Final = 3_600  # seconds that the provider's documents are kept
PAUSE: Final = 10  # seconds between two looks for a new key
JSON: Final = {"accept": "application/json"}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
log: Final = logging.getLogger(__name__)


class OpenId(Provider):
    """One provider. `clock` gives wall time in ms."""

    def __init__(self, client: Client, clock: Callable[[], int]) -> None:
        self.client = client
        self._clock = clock
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._read_at = self._keys_at = float("-inf")
        self._lock = asyncio.Lock()

    async def address(self, seed: str, back: str) -> str:
        metadata = await self._known()
        challenge = hashlib.sha256(derived(seed, "verifier").encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": derived(seed, "state"),
            "nonce": derived(seed, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return _with_query(metadata["authorization_endpoint"], query)

    async def finish(self, seed: str, back: str, answer: Mapping[str, str]) -> SignedIn:
        metadata = await self._known()
        if not same(answer.get("state", ""), derived(seed, "state")):
            raise SignInRefused("state: this answer is of another sign-in")
        if answer.get("iss", self.client.issuer) != self.client.issuer:
            raise SignInRefused(f"iss {answer['iss'][:200]!r}: this answer is of another provider")
        if "error" in answer:
            raise SignInRefused(f"the provider says {answer['error'][:200]!r}")
        if not answer.get("code"):
            raise SignInRefused("code is missing")
        tokens = await self._exchange(metadata, answer["code"], seed, back)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise SignInRefused("the provider gave no ID token")
        claims = await self._claims(id_token, derived(seed, "nonce"))
        name = claims.get(self.client.claim)
        return SignedIn(self.client.issuer, claims["sub"], name if isinstance(name, str) else None, id_token)

    async def farewell(self, id_token: str | None, back: str) -> str | None:
        end = (await self._known()).get("end_session_endpoint")
        if not isinstance(end, str) or not _secure(end, self.client.issuer):
            return None
        query = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return _with_query(end, query if id_token is None else {**query, "id_token_hint": id_token})

    async def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        expected = Expected(self.client.issuer, self.client.client_id, nonce, self._clock() / 1000)
        try:
            try:
                return claims_of(id_token, await self._known_keys(), expected)
            except UnknownKey:
                return claims_of(id_token, await self._known_keys(anew=True), expected)
        except InvalidToken as error:
            raise SignInRefused(f"ID token: {error}") from None

    async def _exchange(self, metadata: Mapping[str, Any], code: str, seed: str, back: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": derived(seed, "verifier"),
        }
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        headers = dict(JSON)
        if self.client.secret is not None and "client_secret_basic" in methods:
            named = f"{_quoted(self.client.client_id)}:{_quoted(self.client.secret)}"
            headers["authorization"] = "Basic " + base64.b64encode(named.encode()).decode()
        else:
            form["client_id"] = self.client.client_id
            if self.client.secret is not None:
                form["client_secret"] = self.client.secret
        status, answer = await self._ask("POST", metadata["token_endpoint"], form, headers)
        if status == 200:
            return answer
        if status in (400, 401):
            raise SignInRefused(f"the provider takes the code not: {str(answer.get('error'))[:200]}")
        raise ProviderError(f"{metadata['token_endpoint']}: status {status}")

    async def _known(self) -> Mapping[str, Any]:
        async with self._lock:
            if self._metadata is None or self._clock() / 1000 - self._read_at > KEPT:
                self._metadata = await self._discover()
                self._read_at = self._clock() / 1000
            return self._metadata

    async def _discover(self) -> Mapping[str, Any]:
        issuer = self.client.issuer
        address = issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, found = await self._ask("GET", address)
        if status != 200:
            raise ProviderError(f"{address}: status {status}")
        if found.get("issuer") != issuer:
            raise ProviderError(f"{address}: its issuer is {found.get('issuer')!r}, not {issuer!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str) or not _secure(found[name], issuer):
                raise ProviderError(f"{address}: {name} {found.get(name)!r} is no https address")
        if "S256" not in (found.get("code_challenge_methods_supported") or ["S256"]):
            raise ProviderError(f"{address}: it does not take PKCE with S256")
        return found

    async def _known_keys(self, anew: bool = False) -> KeySet:
        address = (await self._known())["jwks_uri"]
        async with self._lock:
            age = self._clock() / 1000 - self._keys_at
            if self._keys is None or age > KEPT or (anew and age >= PAUSE):
                status, document = await self._ask("GET", address)
                if status != 200:
                    raise ProviderError(f"{address}: status {status}")
                self._keys, self._keys_at = keys_of(document), self._clock() / 1000
            return self._keys

    async def _ask(
        self, method: str, address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] = JSON
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of an answer; an answer that is none is empty."""
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, auto_decompress=True) as session,
                session.request(method, address, data=form, allow_redirects=False, headers=headers) as answer,
            ):
                text = await answer.content.read(LARGEST + 1)
                while len(text) <= LARGEST and (more := await answer.content.read(LARGEST)):
                    text += more
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderError(f"{address}: {type(error).__name__}: {error}") from None
        if len(text) > LARGEST:
            raise ProviderError(f"{address}: more than {LARGEST} bytes")
        try:
            found = orjson.loads(text)
        except ValueError:
            found = {}
        return answer.status, found if isinstance(found, dict) else {}


def _secure(address: str, issuer: str) -> bool:
    """Whether an address of the provider is as safe as the provider: https, or on this machine where that is too."""
    parts, base = urlsplit(address), urlsplit(issuer)
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and base.scheme == "http" and parts.hostname in _LOOPBACK


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def _quoted(text: str) -> str:
    """As RFC 6749 wants names and secrets in an Authorization header."""
    return urlencode({"": text})[1:]
