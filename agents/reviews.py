"""What people found right or wrong of alerts: the last word of each person on each alert counts, and no other.

It lies beside the states of its partition and is read again at a start, so that whoever says it again, or thinks
better of it, after a restart too, is counted once.
"""

from __future__ import annotations

from typing import Final

import msgspec

from agents.store import Store
from schemas.alerts import AlertReview
from stream.keys import REVIEWED, review_key

Counted = tuple[str, str, str]  # unit, rule, verdict
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Counted)


class Reviews:
    """Of one partition. `counts`: how many stand, by unit, rule and verdict."""

    def __init__(self, store: Store) -> None:
        self._standing: dict[bytes, Counted] = {}
        self._changes: list[tuple[bytes, bytes | None]] = []
        self.counts: dict[Counted, int] = {}
        for key, raw in store.items(REVIEWED):
            self._stand(key, _decoder.decode(raw))

    def take(self, review: AlertReview) -> None:
        """Takes the place of what the same person said of the same alert before."""
        key, found = review_key(review.alert_id, review.by), (review.unit, review.rule, review.verdict)
        if self._standing.get(key) != found:
            self._stand(key, found)
            self._changes.append((key, _encoder.encode(found)))

    def _stand(self, key: bytes, found: Counted) -> None:
        before = self._standing.get(key)
        if before is not None:
            self.counts[before] -= 1
        self._standing[key] = found
        self.counts[found] = self.counts.get(found, 0) + 1

    def take_out(self) -> list[tuple[bytes, bytes | None]]:
        """Keys and values for the next commit."""
        changes, self._changes = self._changes, []
        return changes
