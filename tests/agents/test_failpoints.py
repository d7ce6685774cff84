"""A place that a test asks for exists and is reached; without a test nothing happens there."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents import failpoints
from agents.failpoints import PLACES, arm, reach
from agents.settings import SettingError

AGENTS = Path(failpoints.__file__).parent


def test_every_place_is_somewhere_and_no_other() -> None:
    """What the source reaches is what can be asked for."""
    found = re.findall(r'\breach(?:\(|, )"([a-z-]+)"', "".join(path.read_text() for path in AGENTS.rglob("*.py")))
    assert sorted(PLACES) == sorted(set(found))


def test_a_place_that_does_not_exist_is_refused() -> None:
    """A test with a misspelt place would wait for ever."""
    with pytest.raises(SettingError, match="no place 'after-lunch'; there are set-aside, "):
        arm("after-lunch:1")


def test_nothing_happens_where_nothing_is_armed() -> None:
    """The usual case."""
    for place in PLACES:
        reach(place)


def test_the_nth_time_is_the_last() -> None:
    """SIGKILL: nothing after it runs."""
    script = "from agents.failpoints import arm, reach\narm('after-store:3')\n" + "reach('after-store'); print(1)\n" * 4
    done = subprocess.run([sys.executable, "-c", script], cwd=AGENTS.parent, capture_output=True, check=False)
    assert -signal.SIGKILL == done.returncode
