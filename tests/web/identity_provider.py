"""An identity provider in this process: it signs what it is told to, and breaks the rules that a test names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

CLIENT, SECRET = "scorestream", "s3cret/with+signs"
KEYS: dict[str, Any] = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed-1", "use": "sig"}),
}
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})  # another's key under the same name


class IdentityProvider:
    """`claims` are put into tokens over the right ones; `alg`, `key` sign them; `published` are its keys."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.alg = "RS256"
        self.key: Any = None
        self.published = dict(KEYS)
        self.metadata: dict[str, Any] = {}
        self.now = 0.0
        self.token: str | None = None  # given as it is
        self.reads_of_keys = 0
        self._codes: dict[str, dict[str, str]] = {}
        self.issuer = ""

    def authorize(self, address: str, name: str = "lead", **answer: str) -> str:
        """What a browser brings back from the address that it was sent to: path and query."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert ("code", CLIENT, "S256") == (query["response_type"], query["client_id"], query["code_challenge_method"])
        code = base64.urlsafe_b64encode(hashlib.sha256(address.encode()).digest()).decode()[:20]
        self._codes[code] = {**query, "name": name}
        back = {"code": code, "state": query["state"], "iss": self.issuer, **answer}
        pairs = "&".join(f"{key}={value}" for key, value in back.items() if value)
        return f"{urlsplit(query['redirect_uri']).path}?{pairs}"

    async def _configuration(self, _: web.Request) -> web.Response:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "code_challenge_methods_supported": ["plain", "S256"],
        }
        return web.json_response({**found, **self.metadata})

    async def _keys(self, _: web.Request) -> web.Response:
        self.reads_of_keys += 1
        keys = [key.as_dict(private=False) for key in self.published.values()]
        return web.json_response({"keys": [*keys, {"kty": "oct", "k": "AAAA", "kid": "oct-1"}]})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        basic = base64.b64encode(f"{CLIENT}:s3cret%2Fwith%2Bsigns".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return web.json_response({"error": "invalid_client"}, status=401)
        grant = self._codes.pop(str(form["code"]), None)  # good once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if (
            grant is None
            or grant["redirect_uri"] != form["redirect_uri"]
            or grant["code_challenge"] != challenge.rstrip(b"=").decode()
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.issuer, "aud": CLIENT, "azp": CLIENT, "sub": f"id-of-{grant['name']}",
            "preferred_username": grant["name"], "nonce": grant["nonce"], "iat": self.now, "exp": self.now + 300,
        }  # fmt: skip
        claims = {key: value for key, value in {**claims, **self.claims}.items() if value is not None}
        return web.json_response({"id_token": self.token or self._signed(claims), "token_type": "Bearer"})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.alg in ("none", "HS256"):
            parts = [_packed(json.dumps(part).encode()) for part in ({"alg": self.alg, "kid": "rsa-1"}, claims)]
            # The trick: the public key as if it were a shared secret.
            signature = hmac.digest(KEYS["RS256"].as_pem(private=False), ".".join(parts).encode(), "sha256")
            return ".".join([*parts, "" if self.alg == "none" else _packed(signature)])
        key = self.key or KEYS[self.alg]
        return jwt.encode({"alg": self.alg, "kid": key.kid or "rsa-1"}, claims, key, algorithms=[self.alg])


def _packed(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """One on a port of its own, in a thread."""
    provider, ready, loop = IdentityProvider(), threading.Event(), asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", provider._configuration)
        app.router.add_get("/keys", provider._keys)
        app.router.add_post("/token", provider._token)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
