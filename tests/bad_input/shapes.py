"""Bytes, fields, texts and places: what is no JSON, no object, no text, or stands where it does not belong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.bad_input.case import (
    EMPLOYEE,
    GOOD,
    HOME,
    INSPECTION,
    NOW,
    TOPIC,
    Case,
    encode,
    of_employee,
    spliced,
    without,
)

LIMIT: Final = 65_536

BYTES: Final[dict[str, bytes | None]] = {
    "tombstone": None,
    "empty": b"",
    "spaces": b" \t\r\n ",
    "nul": b"\x00",
    "bom_alone": b"\xef\xbb\xbf",
    "bom": b"\xef\xbb\xbf" + encode(GOOD),
    "bom_utf16": encode(GOOD).decode().encode("utf-16"),
    "utf16": encode(GOOD).decode().encode("utf-16-le"),
    "utf32": encode(GOOD).decode().encode("utf-32-le"),
    "latin1": spliced("source", '"Montage süd"'.encode("latin-1")),
    "gb18030": spliced("source", '"三号线"'.encode("gb18030")),
    "utf8": spliced("source", '"三号线"'.encode()),
    "overlong_slash": spliced("source", b'"\xc0\xaf"'),
    "overlong_nul": spliced("source", b'"\xc0\x80"'),
    "truncated": spliced("source", b'"\xe4\xb8"'),
    "lone_continuation": spliced("source", b'"\x80"'),
    "encoded_surrogate": spliced("source", b'"\xed\xa0\x80"'),
    "encoded_surrogate_pair": spliced("source", b'"\xed\xa0\xbd\xed\xb8\x80"'),
    "beyond_unicode": spliced("source", b'"\xf4\x90\x80\x80"'),
    "ff": spliced("source", b'"\xff"'),
    "invalid_in_unknown": spliced("unknown", b'"\xff"'),
    "invalid_in_unknown_name": encode(GOOD)[:-1] + b', "a\xff": 1}',
    "invalid_deep_in_unknown": spliced("unknown", b'[{"a": ["\xe4\xb8"]}]'),
    "surrogate_bytes_in_unknown": spliced("unknown", b'"\xed\xa0\x80"'),
    "invalid_after": encode(GOOD) + b"\xff",
    "raw_control_in_text": spliced("source", b'"a\x01b"'),
    "raw_newline_in_text": spliced("source", b'"a\nb"'),
    "raw_del_in_text": spliced("source", b'"a\x7fb"'),
    "raw_control_in_unknown": spliced("unknown", b'"a\x01b"'),
    "newline_after": encode(GOOD) + b"\n",
    "spaces_around": b" \r\n\t" + encode(GOOD) + b" \r\n\t",
    "newlines_inside": encode(GOOD).replace(b", ", b",\n"),
    "form_feed_around": b"\x0c" + encode(GOOD),
    "nbsp_around": b"\xc2\xa0" + encode(GOOD),
    "twice": encode(GOOD) + encode(GOOD),
    "two_lines": encode(GOOD) + b"\n" + encode(GOOD),
    "half": encode(GOOD)[:-20],
    "trailing_comma": encode(GOOD)[:-1] + b",}",
    "comment": encode(GOOD)[:-1] + b"/* ok */}",
    "single_quotes": encode(GOOD).replace(b'"', b"'"),
    "nan_in_unknown": spliced("unknown", b"NaN"),
    "infinity_in_unknown": spliced("unknown", b"[-Infinity]"),
    "1e400_in_unknown": spliced("unknown", b"1e400"),
    "huge_integer_in_unknown": spliced("unknown", b"9" * 5000),
    "surrogate_in_unknown": spliced("unknown", b'"\\ud800"'),
    "bad_escape_in_unknown": spliced("unknown", b'"\\x41"'),
    "largest": encode(GOOD).ljust(LIMIT),
    "too_large": encode(GOOD).ljust(LIMIT + 1),
    "too_large_no_json": b"x" * (LIMIT + 1),
    "largest_no_json": b"x" * LIMIT,
}

TEXTS: Final = (
    "", "x", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "中" * 128, "中" * 129, "😀" * 128, "😀" * 129, " ",
    "  padded  ", "a b", "a/b", "E0261\n", "\x00", "a\x00b", "\t", "\x1f", "\x7f", "\x80", "\x9f", "\xa0", "\xad",
    "\u200b", "\u200e", "\u202e", "\u2028", "\ue000", "\ufeff", "\ufffe", "\uffff", "\ud800", "\udfff", "a\ud83d",
    "\ude00\ud83d", "\U0010ffff", "e\u0301", "Ⅷ", "é", "E0261\u0301", "..", "-", "a:b", "A.b-c_d:e", "__proto__",
    "${jndi}", "<script>", "=1+1", "%00", "\\", '"',
)  # fmt: skip

TYPES: Final = (
    "business.purchase", "business.", "business", "business..", "business.a.b", "business._", "business.Purchase",
    "business.a b", "business.ä", "business.a\n", ".business.a", "Business.a", "qc.inspection", "qc.",
    "qc.inspection.extra", "people.assignment", "people.target", "people.x", "sales.a", "", "business.a-b",
    "business.a:b", "business." + "a" * 5000,
)  # fmt: skip

WRONG: Final = (
    b"null",
    b"true",
    b"0",
    b"1.5",
    b'""',
    b'"x"',
    b"[]",
    b"[1]",
    b"{}",
    b'{"a":"b"}',
    b'{"a":1}',
    b'{"a":null}',
)


def _named(text: str) -> str:
    return ascii(text)[1:-1] if len(text) < 50 else f"{ascii(text[0])[1:-1]} x {len(text)}"


def byte_cases() -> Iterator[Case]:
    """What reaches the parser, and how deep it nests."""
    for name, value in BYTES.items():
        yield Case(f"bytes/{name}", value)
    for depth in (10, 64, 100, 400, 2000, 30_000):
        yield Case(f"depth/arrays/{depth}", spliced("unknown", b"[" * depth + b"]" * depth))
        yield Case(f"depth/objects/{depth}", spliced("unknown", b'{"":' * (depth // 3) + b"0" + b"}" * (depth // 3)))


def field_cases() -> Iterator[Case]:
    """Every field absent, of every wrong JSON type, and twice."""
    for field in (*GOOD, "corrects"):
        if field in GOOD:
            yield Case(f"field/{field}/absent", encode(without(field)))
        for text in WRONG:
            yield Case(f"field/{field}/{text.decode()}", spliced(field, text))
    for text in WRONG:
        yield Case(f"field/dim/{text.decode()}", spliced("dims", b'{"line":' + text + b"}"))
    for many in (31, 32, 33):
        yield Case(f"field/dims/{many}", encode({**GOOD, "dims": {f"d{n}": "x" for n in range(many)}}))
    twice = encode(GOOD)[:-1]
    yield Case("twice/event_id_good_last", b'{"event_id":7,' + encode(GOOD)[1:])
    yield Case("twice/event_id_bad_last", twice + b',"event_id":7}')
    yield Case("twice/measures_bad_last", twice + b',"measures":{"amount":"x"}}')
    yield Case("twice/measure_good_last", spliced("measures", b'{"amount":"x","amount":1}'))
    yield Case("twice/measure_bad_last", spliced("measures", b'{"amount":1,"amount":"x"}'))
    yield Case("twice/dim_good_last", spliced("dims", b'{"line":7,"line":"L03"}'))
    yield Case("twice/dim_33_of_one_name", spliced("dims", b"{" + b",".join([b'"line":"L03"'] * 33) + b"}"))
    yield Case("twice/escaped_name", twice + b',"event\\u005fid":7}')


def text_cases() -> Iterator[Case]:
    """Every text in every place that takes text."""
    for text in TEXTS:
        name = _named(text)
        yield Case(f"text/event_id/{name}", encode({**GOOD, "event_id": text}))
        yield Case(f"text/corrects/{name}", encode({**GOOD, "corrects": text}))
        yield Case(f"text/source/{name}", encode({**GOOD, "source": text}))
        yield Case(f"text/dim/{name}", encode({**GOOD, "dims": {"line": text}}))
        yield Case(f"text/dim_name/{name}", encode({**GOOD, "dims": {text: "L03"}}))
        yield Case(f"text/unknown/{name}", encode({**GOOD, text: text}))
        yield of_employee(f"text/employee_id/{name}", text)
    for kind in TYPES:
        yield Case(f"type/{_named(kind)}", encode({**GOOD, "type": kind}))


def place_cases() -> Iterator[Case]:
    """Key, partition and topic, and which reason is given when several hold."""
    good, inspection = encode(GOOD), encode(INSPECTION)
    for name, key in (("none", None), ("empty", b""), ("other", b"E0262"), ("space", b"E0261 "), ("not_utf8", b"\xff")):
        yield Case(f"place/key/{name}", good, key=key)
    yield Case("place/key/quoted", good, key=b'"E0261"')
    yield Case("place/partition/other", good, partition=(HOME + 1) % 4)
    for topic in ("business-events", "qc-events", "people-events"):
        yield Case(f"place/{topic}/business", good, topic=topic)
        yield Case(f"place/{topic}/qc", inspection, topic=topic)
        yield Case(f"place/{topic}/people", encode({**GOOD, "type": "people.target"}), topic=topic)
    breaks: list[tuple[str, dict[str, object]]] = [
        ("schema", {"source": ""}), ("bad_id", {"event_id": ""}), ("bad_time", {"occurred_at": -1}),
        ("in_future", {"occurred_at": NOW + 10**9}), ("bad_measure", {"measures": {"X": 1}}),
        ("inconsistent", {"type": "qc.inspection", "measures": {}}), ("unknown_type", {"type": "x"}),
        ("wrong_topic", {"type": "people.target"}),
    ]  # fmt: skip
    for first, one in breaks:
        yield Case(f"order/{first}+key_mismatch", encode({**GOOD, **one}), key=None)
        for second, other in breaks:
            if first != second and not one.keys() & other.keys():
                yield Case(f"order/{first}+{second}", encode({**GOOD, **one, **other}), topic=TOPIC)
    yield Case("order/employee", encode({**GOOD, "employee_id": EMPLOYEE.lower()}))
