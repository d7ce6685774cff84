"""The process that writes results for a worker: beside it, and after everything else.

It is told the settings on its standard input, and says on its standard output, as JSON, what became of it.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from typing import Final

import msgspec

from agents.limits import limits_in_force
from agents.records.opening import records_of
from agents.results import close
from agents.transport.opening import opened
from stream.topics import TOPICS

NICE: Final = 15


def main() -> None:
    """Closes once."""
    os.nice(NICE)
    settings = pickle.load(sys.stdin.buffer)
    names = [topic.name for topic in TOPICS]
    with opened(settings.broker, names, create=False, access=settings.access) as log:
        records = records_of(settings)
        try:
            closing = close(log, records, limits_in_force(log, settings), round(time.time() * 1000))
        finally:
            records.close()
    sys.stdout.buffer.write(msgspec.json.encode(closing))


if __name__ == "__main__":
    main()
