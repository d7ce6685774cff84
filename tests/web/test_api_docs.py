"""docs/api.md shows requests that the API takes, and an answer that it gives."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from litestar.testing import TestClient

from dashboards.web.api_types import EventAnswers
from dashboards.web.app import create_app
from tests.web.shelf import Shelf

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
TEXT = PAGE.read_text("utf-8")
CALLS = [line for line in TEXT.splitlines() if line.startswith("curl ")]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The operations of the API, as it describes them."""
    with TestClient(create_app(Shelf(tmp_path_factory.mktemp("views")).reader())) as client:
        found: dict[str, Any] = client.get("/api/openapi.json").json()["paths"]
        return found


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_one_that_the_api_has(paths: dict[str, Any], call: str) -> None:
    """Its options are curl's, its address, parameters and content type are the API's."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    for flag in ("-s", "-S", "-i"):
        parser.add_argument(flag, action="store_true")
    for option in ("-D", "-o", "--data-binary"):
        parser.add_argument(option)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("url")
    given = parser.parse_args(shlex.split(call)[1:])
    address = urlsplit(given.url)
    (operations,) = [
        one for path, one in paths.items() if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address.path)
    ]
    operation = operations["get" if given.data_binary is None else "post"]
    known = {one["name"] for one in operation.get("parameters", [])}
    headers = dict(header.split(": ", 1) for header in given.H)
    assert {name for name, _ in parse_qsl(address.query)} <= known
    assert headers.keys() <= known | {"Content-Type", "If-None-Match"}
    if given.data_binary is not None:
        assert headers["Content-Type"] in operation["requestBody"]["content"]


def test_the_answer_that_is_shown_is_one() -> None:
    """Of the type that is given, with its numbers right."""
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    found = msgspec.json.decode(block, type=EventAnswers)
    told = [(one.status, one.in_log) for one in found.lines]
    assert (found.accepted, found.refused) == (told.count(("accepted", True)), len(told) - 1)
    assert found.in_log == sum(in_log for _, in_log in told)
    assert len(CALLS) >= 8
