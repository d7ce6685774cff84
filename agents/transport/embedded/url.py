"""`embedded:///DIR` names a folder: absolute, but `/./` and `/../` begin where the process is, `/~/` at home."""

from pathlib import Path
from urllib.parse import quote, unquote

SCHEME = "embedded"


def folder_of(url: str) -> Path:
    """The folder of an `embedded:` URL, percent-encoding undone. Raises ValueError for another scheme or no folder."""
    scheme, colon, rest = url.partition(":")
    if scheme != SCHEME or not colon:
        raise ValueError(f"{url!r} is no embedded:///DIR")
    path = rest
    if rest.startswith("//"):
        host, slash, below = rest[2:].partition("/")
        if host:
            raise ValueError(f"{url!r} names a host {host!r}; write three slashes, {SCHEME}:///{host}{slash}{below}")
        path = slash + below
    path = unquote(path)
    if path.startswith(("/./", "/../", "/~/")) or path in ("/.", "/..", "/~"):
        path = path[1:]
    if not path.strip("/"):
        raise ValueError(f"{url!r} names no folder; write e.g. {SCHEME}:///./scorestream-data")
    if path.startswith("/"):
        path = "/" + path.lstrip("/")  # a path that begins with two names something else to SQLite
    return Path(path).expanduser()


def url_of(folder: Path) -> str:
    """The URL of a folder, absolute, safe for Faust (which splits at `,` and `;`)."""
    return f"{SCHEME}://{quote(str(folder.absolute()))}"
