"""The process that learns for a worker what kinds of work usually give: beside it, and after everything else.

It is told on its standard input which log, and says on its standard output, as JSON, what became of it.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from typing import Final

import msgspec

from agents.learning import learn
from agents.transport.opening import opened
from stream.topics import TOPICS

NICE: Final = 15


def main() -> None:
    """Learns once."""
    os.nice(NICE)
    broker, access = pickle.load(sys.stdin.buffer)
    with opened(broker, [topic.name for topic in TOPICS], create=False, access=access) as log:
        lessons = learn(log, round(time.time() * 1000))
    sys.stdout.buffer.write(msgspec.json.encode(lessons))


if __name__ == "__main__":
    main()
