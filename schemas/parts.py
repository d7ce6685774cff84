"""One employee's events of a chunk in parts, where they are very many: each is as if the chunk had been cut there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.columns import Copy, EventColumns


def parts(whole: EventColumns, many: int) -> Iterator[EventColumns]:
    """Parts of at most so many events each, in log order; copies are where the event is that they repeat."""
    for begin in range(0, len(whole), many):
        yield _Part(whole, begin, min(begin + many, len(whole)))


class _Part(EventColumns):
    """The events from one place to another."""

    __slots__ = ("_after", "_from", "_whole")

    def __init__(self, whole: EventColumns, begin: int, end: int) -> None:
        self._groups, self._number, self._begin = whole._groups, whole._number, whole._begin + begin
        self._ids = None
        self._whole = whole
        self._from = begin
        # Copies of the last event lie before the next one.
        self._after = whole.after if end == len(whole) else whole.offset(end)
        self.times = whole.times[begin:end]
        self.kinds = whole.kinds[begin:end]
        self.measures = whole.measures[begin:end]

    @property
    def first(self) -> int:
        return self.offset(0)

    @property
    def after(self) -> int:
        return self._after

    def copies(self) -> Sequence[Copy]:
        begin, end = self._from, self._from + len(self)
        found = (copy for copy in self._whole.copies() if begin <= copy.place < end)
        return [copy._replace(place=copy.place - begin) for copy in found]

    @property
    def ids(self) -> Sequence[str]:
        if self._ids is None:
            self._ids = self._whole.ids[self._from : self._from + len(self)]
        return self._ids

    @property
    def _text(self) -> str:
        return "\n".join((*self.ids, ""))
