"""Errors to be found, planted in a state."""

from __future__ import annotations

from stream.state import State


def a_millionth_more(state: State) -> bool:
    """One measure's sum of each calendar window is a millionth too large; False where there is none."""
    vectors = [calendar.vector for s in state.segments for cells in s.groups for calendar in cells.calendars]
    counting = [vector for vector in vectors if vector[0] and len(vector) == 3]
    for vector in counting:
        vector[1] += 1
    return bool(counting)
