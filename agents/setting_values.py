"""Texts of settings become values here; ValueError says what would be right, the caller says which setting it was."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Parser = Callable[[str], Any]

EMBEDDED: Final = "embedded://"
PROTOCOLS: Final = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
_KAFKA_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_REDIS: Final = re.compile(
    r"(rediss?)://(?:([^/@]*)@)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})(?:/([0-9]{1,4}))?/?"
)
_RECORDS: Final = re.compile(r"sqlite:///.+|postgresql://(?:([^/@]*)@)?[^/@:]+(?::[0-9]{1,5})?/[^/?]+")
_ORIGIN: Final = re.compile(r"https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ISSUER: Final = re.compile(r"(https?)://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?")
_SIZES: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BACKLOG_WORTH: Final = 4_000  # records in a chunk: the way to another process and back costs as much as some hundred


def broker_folder(url: str) -> Path:
    """The folder of an `embedded:///DIR` URL: `/./x`, `/../x` are relative to here, `/~/x` to home, else absolute."""
    path = url.removeprefix(EMBEDDED)
    if path.startswith(("/./", "/../", "/~/")) or path in ("/.", "/..", "/~"):
        path = path[1:]
    return Path("/" + path.lstrip("/") if path.startswith("/") else path).expanduser()


def folder_broker(folder: str) -> str:
    """The `embedded:///DIR` URL of a folder."""
    if folder.startswith(("/", "~/", "./", "../")):
        return EMBEDDED + ("" if folder.startswith("/") else "/") + folder
    return f"{EMBEDDED}/./{folder}"


def parse_broker(text: str) -> str:
    """`embedded:///DIR` or `kafka://host:port[,host:port]`, as written."""
    if text.startswith(EMBEDDED):
        if not text.startswith(EMBEDDED + "/") or text.strip("/") == EMBEDDED.strip("/"):
            raise ValueError(
                "embedded:///DIR with three slashes, e.g. embedded:///./scorestream-data or embedded:///var/lib/x"
            )
        return text
    if text.startswith("kafka://"):
        if "@" in text:
            raise ValueError("kafka://host:port without a name or password: a URL is no place for secrets")
        hosts = [_KAFKA_HOST.fullmatch(host) for host in text.removeprefix("kafka://").split(",")]
        if all(host is not None and 0 < int(host[2]) < 65536 for host in hosts):
            return text
    raise ValueError("embedded:///DIR or kafka://host:port[,host:port]")


def whole(low: int, high: int | None = None) -> Parser:
    """Parser of whole numbers from `low` to `high`, in plain digits."""

    def parse(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,18}", text) and low <= int(text) and (high is None or int(text) <= high):
            return int(text)
        raise ValueError(
            f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"
        )

    return parse


def seconds(low: float, high: float) -> Parser:
    """Parser of a number of seconds from `low` to `high`."""

    def parse(text: str) -> float:
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) and low <= float(text) <= high:
            return float(text)
        raise ValueError(f"a number of seconds from {low} to {high}")

    return parse


def one_of(*choices: str) -> Parser:
    """Parser of one of these words."""

    def parse(text: str) -> str:
        if text in choices:
            return text
        raise ValueError("one of " + ", ".join(choices))

    return parse


def optional(word: str, parser: Parser) -> Parser:
    """As `parser`, and `word` for None."""

    def parse(text: str) -> Any:
        try:
            return None if text == word else parser(text)
        except ValueError as problem:
            raise ValueError(f"{problem}, or {word!r}") from None

    return parse


def parse_decoder(text: str) -> int | None:
    """How many records make it worth another process: `auto` where this one may use two processors; None: nothing."""
    worth = {"auto": BACKLOG_WORTH if len(os.sched_getaffinity(0)) > 1 else None, "always": 1, "off": None}
    if text not in worth:
        raise ValueError("one of auto, always, off")
    return worth[text]


def parse_size(text: str) -> int:
    """A number of bytes: `5000000`, `500MB`, `20GB` (powers of a thousand)."""
    match = re.fullmatch(r"([0-9]{1,15})(|KB|MB|GB|TB)", text)
    if match is None or int(match[1]) == 0:
        raise ValueError("a number of bytes, e.g. 500MB or 20GB")
    return int(match[1]) * _SIZES[match[2]]


def parse_host(text: str) -> str:
    """A host name or address to listen on."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", text):
        raise ValueError("a host name or an IP address, e.g. 127.0.0.1, or 0.0.0.0 for every network")
    return text


def parse_fail_points(text: str) -> str:
    """`PLACE:N,PLACE:N`, or nothing; see agents/failpoints.py."""
    if not re.fullmatch(r"([a-z-]+(:[1-9][0-9]{0,8})?(,|$))*", text):
        raise ValueError("PLACE:N,PLACE:N, e.g. after-transaction:3")
    return text


def parse_folder(text: str) -> Path:
    """A folder, not necessarily there yet."""
    if not text or "\0" in text:
        raise ValueError("the path of a folder")
    return Path(text).expanduser()


def parse_file(text: str) -> Path:
    """A file that is there."""
    path = Path(text).expanduser()
    if not text or "\0" in text or not path.is_file():
        raise ValueError("the path of a file that exists")
    return path


def parse_username(text: str) -> str:
    """A name to sign in with, or none."""
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{0,255}", text):
        raise ValueError("a name of at most 255 characters, without control characters")
    return text


def parse_prefix(text: str) -> str:
    """The beginning of keys: nothing in it that separates keys or means something in a pattern."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError("1 to 64 letters, digits, dots, dashes or underscores")
    return text


def parse_redis(text: str) -> str:
    """`redis://[user@]host:port[/db]` or `rediss://...`, as written."""
    match = _REDIS.fullmatch(text)
    if match is not None and ":" in (match[2] or ""):
        raise ValueError("redis://[user@]host:port[/db] without a password: that stands in redis_password_file")
    if match is None or not 0 < int(match[4]) < 65536:
        raise ValueError("redis://[user@]host:port[/db], or rediss:// for TLS")
    return text


def parse_records(text: str) -> str:
    """`sqlite:///FILE` or `postgresql://[user@]host[:port]/database`, as written."""
    match = _RECORDS.fullmatch(text)
    if match is None:
        raise ValueError("sqlite:///FILE, or postgresql://[user@]host[:port]/database")
    if ":" in (match[1] or ""):
        raise ValueError(
            "postgresql://[user@]host[:port]/database without a password: that stands in records_password_file"
        )
    return text


def parse_origin(text: str) -> str:
    """`https://host[:port]`, where browsers find the web process: without a path, and without a slash at the end."""
    if _ORIGIN.fullmatch(text.removesuffix("/")) is None:
        raise ValueError("https://host[:port] (http:// for tests on one machine), without a path")
    return text.removesuffix("/").lower()


def parse_issuer(text: str) -> str:
    """`https://host[:port][/path]`, exactly as the identity provider calls itself."""
    parts = _ISSUER.fullmatch(text)
    if parts is None or (parts[1] == "http" and parts[2] not in ("localhost", "127.0.0.1", "[::1]")):
        raise ValueError("https://host[:port][/path], as the provider calls itself (http:// on this machine only)")
    return text


def parse_word(text: str) -> str:
    """A name without spaces."""
    if not re.fullmatch(r"[!-~]{1,200}", text):
        raise ValueError("1 to 200 printable characters without a space")
    return text


def without_secret(text: str) -> str:
    """The text with a password in a URL blanked out."""
    return re.sub(r"//[^/@]*@", "//***@", text)
