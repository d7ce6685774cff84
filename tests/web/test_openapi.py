"""What OpenAPI promises holds, whatever somebody sends: each answer is one that it describes, and none is a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from agents.intake.intake import Intake
from agents.records.database import open_records
from dashboards.web.acting import Acting
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.event_schema import JSON, NDJSON
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, PARTITIONS
from tests.web.factories import alert, line
from tests.web.gates import OPEN, Company
from tests.web.hr import close, desk_of
from tests.web.intake import At, Client
from tests.web.shelf import Shelf

CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.missing_required_header,
    checks.unsupported_method,
]
# What no schema can say of an event: whether it is in the future, of another kind of JSON number, or adds up.
BEYOND: Final = {"bad_time", "in_future", "bad_measure", "inconsistent"}


@schemathesis.serializer(NDJSON)
def lines(_: Any, value: Any) -> bytes:
    """A text goes as it is, anything else is a line."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the process, over a unit with an alert, a log and a store of keys."""
    folder: Path = tmp_path_factory.mktemp("api")
    shelf = Shelf(folder / "views")
    shelf.apply([*line(people=3), alert("8dbc851137371ff246c7")])
    with new_log(folder / "log", PARTITIONS) as log:
        app = create_app(
            shelf.reader(),
            clock=lambda: NOON,
            intake=Intake(At(log), lambda: NOON),
            records=lambda: open_records(f"sqlite:///{folder / 'records.sqlite'}"),
            acting=Acting(lambda: nullcontext(log), lambda: NOON, patience=0),
            access=OPEN,
        )
        with TestClient(app) as client:
            yield client


@pytest.fixture(scope="module")
def hr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody of HR, signed in, over a company with closed results."""
    folder: Path = tmp_path_factory.mktemp("hr")
    company = Company(folder, NOON)
    company.records.write(close)
    shelf = Shelf(folder / "views")
    shelf.apply([*line("L1", people=3), alert("8dbc851137371ff246c7", unit="L1")])
    app = create_app(shelf.reader(), clock=lambda: NOON, access=company.gate(), desk=desk_of(company.url))
    with TestClient(app) as client:
        client.cookies.set(SESSION, company.session("personnel"))
        yield client


@pytest.fixture(scope="module")
def api(client: Client) -> Any:
    """The description as the process gives it."""
    found = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
    found.config.generation.update(with_security_parameters=False)  # who asks is the client's to say
    return found


def call(client: Client, case: schemathesis.Case[Any]) -> Response:
    """The answer to a request."""
    asked = case.as_transport_kwargs(base_url=str(client.base_url))
    given: dict[str, Any] = {name: asked.get(name) for name in ("params", "headers", "json")}
    return Response.from_any(client.request(asked["method"], asked["url"], content=asked.get("data"), **given))


OPERATIONS: Final = [
    ("POST", "/api/v1/events"),
    ("GET", "/api/v1/units"),
    ("GET", "/api/v1/units/{unit}"),
    ("GET", "/api/v1/employees/{employee_id}"),
    ("GET", "/api/v1/scores"),
    ("GET", "/api/v1/alerts"),
    ("GET", "/api/v1/alerts/{alert_id}"),
    ("POST", "/api/v1/alerts/{alert_id}/actions"),
    ("GET", "/api/v1/alerts/{alert_id}/commands/{command}"),
    ("POST", "/api/v1/alerts/{alert_id}/reviews"),
    ("GET", "/api/v1/people"),
    ("GET", "/api/v1/results"),
    ("GET", "/api/v1/results/{key}"),
    ("GET", "/api/v1/audit"),
    ("GET", "/healthz"),
]
OF_HR: Final = {"/api/v1/people", "/api/v1/results", "/api/v1/results/{key}", "/api/v1/audit"}


def test_all_operations_are_tried(api: Any) -> None:
    """An address that is added is added here."""
    assert {(one.ok().method.upper(), one.ok().path) for one in api.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_described(
    client: Client, hr: Client, api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    """Of right requests and of wrong ones; an event of the schema is refused only for what no schema can say."""
    operation = api[path][method]
    if mode == GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
        return  # there is nothing about it that could be wrong

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=50, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def tried(case: schemathesis.Case[Any]) -> None:
        answer = call(hr if path in OF_HR else client, case)
        case.validate_response(answer, checks=CHECKS)
        events = path == OPERATIONS[0][1] and answer.status_code == 202 and case.media_type == JSON
        if events and mode == GenerationMode.POSITIVE:
            reasons = {one["reason"] for one in answer.json()["lines"]}
            assert reasons - {None} <= BEYOND, answer.text

    tried()
