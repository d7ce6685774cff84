"""`scorestream access` and `scorestream audit`, as they are typed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from agents.access.audit import entries
from agents.access.directory import Directory
from agents.access.matrix import MATRIX, RIGHTS
from agents.cli.main import main
from agents.records.database import open_records


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """Flags for a store of its own."""
    return ["--data", str(tmp_path)]


def done(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What a command prints."""
    assert code == main(words), capsys.readouterr()
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.out + captured.err


def test_accounts_and_roles(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """Added, granted, revoked, disabled; the list says what holds now."""
    done(capsys, "access", "account", "add", "li.na", "--employee", "E0261", "--role", "supervisor", *data)
    done(capsys, "access", "role", "grant", "li.na", "hr", *data)
    done(capsys, "access", "role", "revoke", "li.na", "supervisor", *data)
    done(capsys, "access", "account", "add", "root", "--role", "admin", *data)
    done(capsys, "access", "account", "disable", "root", *data)
    lines = done(capsys, "access", "account", "list", "--format", "ndjson", *data).splitlines()
    rows = [orjson.loads(line) for line in lines]
    assert [("li.na", "E0261", "employee hr"), ("root", None, "admin")] == [
        (row["account"], row["employee"], row["roles"]) for row in rows
    ]
    assert [True, False] == [row["disabled_at"] is None for row in rows]


def test_a_disabled_account_is_enabled_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With its roles, for web processes that are running too, and in the audit log; not one that is not disabled."""
    data = ["--data", str(tmp_path)]
    done(capsys, "access", "account", "add", "li.na", "--role", "hr", *data)
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    directory, roles = Directory(records, lambda: 1 << 45), []
    for change in ("disable", "enable"):
        done(capsys, "access", "account", change, "li.na", *data)
        assert directory.refresh()
        viewer = directory.identities.of_account("li.na", 1 << 45)
        roles.append(None if viewer is None else sorted(viewer.roles))
    assert [None, ["hr"]] == roles
    said = done(capsys, "access", "account", "enable", "li.na", *data, code=2)
    assert "account 'li.na': it is not disabled" in said
    with records.reading() as connection:
        told = [(row.action, row.subject) for row in entries(connection)]
    records.close()
    assert [("account-disabled", "account:li.na"), ("account-enabled", "account:li.na")] == told[-2:]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["account", "add", "a b"], "account 'a b'"),
        (["account", "add", "x", "--role", "screen"], "role 'screen': it must be one of employee"),
        (["account", "add", "x", "--employee", "E 1"], "employee 'E 1'"),
        (["account", "disable", "nobody"], "account 'nobody': there is none"),
        (["account", "enable", "nobody"], "account 'nobody': there is none"),
        (["role", "grant", "nobody", "hr"], "account 'nobody': there is none"),
        (["role", "grant", "nobody", "hr", "--until", "soon"], "--until 'soon'"),
        (["token", "create"], "label ''"),
        (["token", "create", "x"], "needs a scope"),
        (["token", "create", "x", "--scope", "manage-access"], "scope 'manage-access'"),
        (["token", "create", "x", "--scope", "send-events", "--days", "0"], "days 0"),
        (["token", "revoke", "nothing"], "token 'nothing'"),
        (["token", "create", "--screen", "L1", "--distance", "0.1"], "distance 0.1: it is from 0.3 to 100"),
        (["token", "create", "--screen", "L1", "--diagonal", "500"], "diagonal 500: it is from 3 to 400"),
        (["token", "create", "x", "--scope", "send-events", "--distance", "5"], "only a screen's token has one"),
        (["policy", "set", "subtree", "maybe"], "value 'maybe'"),
        (["policy", "set", "other", "on"], "policy 'other'"),
    ],
)
def test_a_mistake_is_named(capsys: pytest.CaptureFixture[str], data: list[str], words: list[str], said: str) -> None:
    """Exit code 2, with the field, its value and what would be right."""
    assert said in done(capsys, "access", *words, *data, code=2)


def test_a_token_is_shown_once(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """It is printed alone, opens what it should, is nowhere in the store, and opens nothing once revoked."""
    look = ("--distance", "8", "--diagonal", "55")
    made = done(capsys, "access", "token", "create", "--screen", "L02", *look, *data).strip()
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    directory = Directory(records, lambda: 0)
    directory.refresh()
    viewer = directory.of_token(made)
    assert viewer is not None
    assert (frozenset(("screen",)), "L02") == (viewer.roles, viewer.unit)
    listed = done(capsys, "access", "token", "list", "--format", "ndjson", *data)
    row = orjson.loads(listed)
    assert made not in listed
    assert all(made.encode() not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    done(capsys, "access", "token", "revoke", row["token"], *data)
    directory.refresh()
    assert directory.of_token(made) is None
    records.close()


def test_the_matrix_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each right and role that has it."""
    rows = [orjson.loads(line) for line in done(capsys, "access", "matrix", "--format", "ndjson").splitlines()]
    found = [(row["right"], row["role"]) for row in rows]
    assert [(right, role) for right in RIGHTS for role in MATRIX[right]] == found
    assert "with a reason, which is logged" in done(capsys, "access", "matrix")


def test_states_are_compared(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """Exit code 1 and a row where rights differ, 0 where they do not."""
    before, after = str(tmp_path / "before.json"), str(tmp_path / "after.json")
    done(capsys, "access", "account", "add", "li.na", "--employee", "E0261", *data)
    done(capsys, "access", "export", before, *data)
    done(capsys, "access", "diff", before, before)
    done(capsys, "access", "role", "grant", "li.na", "auditor", *data)
    done(capsys, "access", "export", after, *data)
    lines = done(capsys, "access", "diff", before, after, "--format", "ndjson", code=1).splitlines()
    found = [(row["account"], row["change"], row["right"]) for row in map(orjson.loads, lines)]
    assert [("li.na", "gained", "read-audit")] == found  # there is nobody else in this store
    assert "it is no state" in done(capsys, "access", "diff", before, __file__, code=2)


def test_the_audit_log_is_listed_and_verified(
    capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path
) -> None:
    """Every change is in it; its head is found again later; a changed entry is named, with exit code 1."""
    done(capsys, "access", "account", "add", "li.na", *data)
    head = done(capsys, "audit", "verify", *data).strip()
    assert head.endswith("@1")
    done(capsys, "access", "role", "grant", "li.na", "hr", *data)
    done(capsys, "audit", "verify", "--head", head, *data)
    listed = done(capsys, "audit", "list", "--subject", "account:li.na", "--format", "ndjson", *data)
    rows = [orjson.loads(line) for line in listed.splitlines()]
    assert ["account-added", "role-granted"] == [row["action"] for row in rows]
    assert all(row["actor"].startswith("os:") for row in rows)
    assert "" == done(capsys, "audit", "list", "--since", "2999-01-01T00:00:00Z", "--format", "ndjson", *data)
    assert "--head 'x'" in done(capsys, "audit", "verify", "--head", "x", *data, code=2)
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    with records.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET actor = 'os:somebody' WHERE number = 1"))
    records.close()
    assert "entry 1 was changed" in done(capsys, "audit", "verify", *data, code=1)
