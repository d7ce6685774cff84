"""Lines of Prometheus' text format, written by hand: thousands of them, made before they are asked for.

prometheus-client takes 10 us a series, in the loop: 20,000 of them would stand in the way of everything for 0.2 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from stream.metric_names import Name

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def head(name: Name) -> str:
    """The two lines before a family's samples."""
    full = _full(name)
    return f"# HELP {full} {name.help}\n# TYPE {full} {name.kind}\n"


def labels(names: Sequence[str], values: Iterable[str]) -> str:
    """Labels as they stand in braces; values may be any text without surrogates."""
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True))


def sample(name: Name, pairs: str, value: float) -> str:
    """One sample; `pairs` are its labels."""
    return f"{_full(name)}{{{pairs}}} {value!r}\n"


def histogram(name: Name, pairs: str, bounds: Sequence[float], counts: Sequence[int], total: float) -> str:
    """A histogram's samples; `counts` up to and including each bound, the last of all."""
    lines = [f'{name.name}_bucket{{{pairs},le="{bound}"}} {n}\n' for bound, n in zip(bounds, counts, strict=False)]
    whole = counts[-1]
    lines.append(f'{name.name}_bucket{{{pairs},le="+Inf"}} {whole}\n')
    return "".join((*lines, f"{name.name}_sum{{{pairs}}} {total!r}\n{name.name}_count{{{pairs}}} {whole}\n"))


def _full(name: Name) -> str:
    return f"{name.name}_total" if name.kind == "counter" else name.name
