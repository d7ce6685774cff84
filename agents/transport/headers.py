"""Headers travel as one packed value: an ordered list of (name, bytes or None); no headers are None."""

from collections.abc import Mapping, Sequence

import msgspec

Headers = list[tuple[str, bytes | None]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Headers).decode


def pack_headers(headers: Sequence[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None) -> bytes | None:
    """Pack names and values, in order, doublets kept. Raises TypeError for a name not str or a value not bytes."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, bytes | None):
            raise TypeError(f"header {name!r}: {value!r}; a header is a str name with a bytes value or None")
    return _encode(pairs) if pairs else None


def unpack_headers(packed: bytes | None) -> Headers:
    """The pairs that `pack_headers` was given; an empty list for None."""
    return _decode(packed) if packed else []
