"""The worker's backlog is read and decoded by processes beside it: its own loop only scores.

They decide nothing and keep nothing: whatever happens to them, the worker reads and decodes the same by itself. They
are started when there is a backlog, end when nobody has asked for a while, and with the worker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Final

from agents.decoded import DecodedChunk, unpack_chunk
from agents.decoder_link import DecoderLink
from agents.transport.access import PLAIN, Access
from agents.transport.hooks import Wanted
from agents.transport.log import READ_BYTES, Log, TopicPartition
from schemas.event import INPUT_TOPICS

logger: Final = logging.getLogger(__name__)
PROCESSES: Final = 2  # with the loop they use two processors up, though each of them waits now and then
PAUSE: Final = 10.0  # s before others are started after one failed


class Decoder:
    """Is asked for chunks of `worth` records or more, by one thread at a time.

    What will probably be wanted next is asked for, of another process, before the answer is there.
    """

    def __init__(
        self, broker: str, worth: int, access: Access = PLAIN, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker = broker
        self._access = access
        self._worth = worth
        self._clock = clock
        self.links: list[DecoderLink] = []
        self._readers: dict[TopicPartition, DecoderLink] = {}  # who was asked for a partition last
        self._not_before = 0.0
        self._over = Event()

    def warm(self, log: Log, records: int) -> None:
        """Starts the processes when there is a backlog, one with what a round of so many records begins with.

        Where workers share the log, none is asked: which partitions are this one's is not known yet.
        """
        known = log.committed()
        for (topic, partition), (start, end) in sorted(log.bounds().items()):
            first = Wanted(topic, partition, max(start, known.get((topic, partition), 0)), end, records, READ_BYTES)
            if self._takes(first):
                try:
                    ready = self._started()[0]
                    if not log.shared:
                        ready.ask(first)
                except OSError as error:
                    self._gone(error)
                return

    def read(self, wanted: Wanted, following: Sequence[Wanted] = ()) -> DecodedChunk | None:
        """Decoded records; None: better read them yourself."""
        if self._over.is_set() or not self._takes(wanted) or self._clock() < self._not_before:
            return None
        try:
            link = self._asked(wanted)
            for guess in following:
                if self._takes(guess):
                    self._asked(guess)
            if self._over.is_set():  # since the look above: `end` may not have seen a process that was started here
                return None
            while not link.begins(wanted):
                link.receive()  # nobody wants it any more
            answer = link.receive()
        except (OSError, EOFError) as error:
            self._gone(error)
            return None
        return unpack_chunk(answer) if answer else None

    def worth(self, topic: str, records: int) -> bool:
        """Whether so many records are worth asking for, and processes are ready; starts them when only that is missing.

        For who has another way to read meanwhile.
        """
        enough = topic in INPUT_TOPICS and records >= self._worth
        if not enough or self._over.is_set() or self._clock() < self._not_before:
            return False
        try:
            return all(link.ready for link in self._started())
        except (OSError, EOFError) as error:
            self._gone(error)
            return False

    def _takes(self, wanted: Wanted) -> bool:
        return wanted.topic in INPUT_TOPICS and wanted.end - wanted.start >= self._worth

    def _asked(self, wanted: Wanted) -> DecoderLink:
        """The process that was asked for this, before or now."""
        links = self._started()
        for link in links:
            if link.has(wanted):
                return link
        place = wanted[:2]
        # Who has read the records before these stands there already, unless that would leave another without work.
        link = min(links, key=lambda link: (len(link.asked) - (self._readers.get(place) is link), len(link.asked)))
        self._readers[place] = link
        link.ask(wanted)
        return link

    def _started(self) -> list[DecoderLink]:
        for link in [link for link in self.links if link.over]:
            self.links.remove(link)
            link.close()
            self._readers.clear()
        while len(self.links) < PROCESSES:
            self.links.append(DecoderLink(self._broker, self._access))
        return self.links

    def _gone(self, error: Exception) -> None:
        if self._over.is_set():
            return
        logger.warning("a process that decodes is gone (%s): the worker decodes by itself", str(error) or "no answer")
        self.close()
        self._not_before = self._clock() + PAUSE

    def end(self) -> None:
        """From any thread: nobody is asked any more, and who waits for an answer waits no longer."""
        self._over.set()
        for link in self.links[:]:
            link.interrupt()

    def close(self) -> None:
        """Ends the processes; the next `read` would start others."""
        for link in self.links:
            link.close()
        self.links.clear()
        self._readers.clear()
