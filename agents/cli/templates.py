"""`scorestream templates`: what is wrong with a template is said before it is published; afterwards it stays."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from cyclopts import App

from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, InputFile
from agents.cli.opening import existing_log, now_ms, writable_log
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import say
from agents.cli.reports import local_time, print_report, read_text
from agents.publishing import PublicationRefused, publish
from agents.rules import Publication, publications
from stream.template import Template
from stream.template import check as check_template

app = App(name="templates", help="Check, publish and show assessment templates.", help_format="plaintext")

_ROW: Final = (
    "template",
    "version",
    "effective_from",
    "published_at",
    "timezone",
    "applies_to",
    "title",
    "state",
)


@app.command
def check(file: InputFile, /, *, format: FormatFlag = "table") -> int:
    """Check a template file and print every error with its line, value and remedy.

    Warnings are printed too; the exit code is 1 only for errors. No log is needed;
    what depends on versions published before is checked by `publish`.

    For example

        scorestream templates check production-operator.yaml
        scorestream templates check production-operator.yaml --format ndjson

    Parameters
    ----------
    file
        YAML file, - for standard input
    """
    report = check_template(read_text(file))
    print_report(report, file, format)
    if report.template is None:
        return 1
    if format == "table":
        sys.stdout.write(f"{file}: fine: {_name(report.template)}, {_effect(report.template)}\n")
    return 0


@app.command(name="publish")
def publish_(file: InputFile, /, *, flags: Flags = NO_FLAGS) -> int:
    """Publish a template version; from then on it never changes.

    Refused when the file has errors, when the version is published already, and
    when it would begin in the past although it is not the template's first one.

    For example

        scorestream templates publish production-operator.yaml

    Parameters
    ----------
    file
        YAML file, - for standard input
    """
    settings = flags.settings()
    text = read_text(file)
    with writable_log(settings) as (log, _):
        try:
            published = publish(log, text, now_ms())
        except PublicationRefused as refused:
            print_report(refused.report, file, "table")
            return 1
    for warning in published.report.warnings:
        say(f"warning: {warning}")
    sys.stdout.write(f"published {_name(published.template)}, {_effect(published.template)}\n")
    return 0


@app.command(name="list")
def list_(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """List all published template versions and which of them are in force now.

    For example

        scorestream templates list
        scorestream templates list --format csv
    """
    settings = flags.settings()
    with existing_log(settings) as log:
        found = publications(log)
    states = _states(found, now_ms())
    rows = (
        {
            "template": template.template,
            "version": template.version,
            "effective_from": local_time(template.effective_from, template.timezone),
            "published_at": time_text(at),
            "timezone": template.timezone,
            "applies_to": "everyone" if template.roles is None else ", ".join(sorted(template.roles)),
            "title": template.title.zh if settings.language == "zh" else template.title.en,
            "state": states[template.template, template.version],
        }
        for at, _, _, template in sorted(found, key=lambda entry: (entry.template.template, entry.template.version))
    )
    print_rows(rows, _ROW, format)
    return 0


@app.command
def show(template: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """Print a published template as it was published.

    For example

        scorestream templates show production-operator
        scorestream templates show production-operator@2

    Parameters
    ----------
    template
        ID or ID@VERSION; without a version the one in force, else the newest
    """
    settings = flags.settings()
    name, at, number = template.partition("@")
    if at and not number.isdecimal():
        raise UsageError(f"template {template!r}: write ID or ID@VERSION, e.g. production-operator@2")
    with existing_log(settings) as log:
        every = publications(log)
    found = _pick([entry.template for entry in every if entry.template.template == name], number, now_ms())
    if found is None:
        names = sorted({_name(entry.template) for entry in every})
        raise CommandError(f"template {template!r} is not published; there are {', '.join(names) or 'none'}")
    sys.stdout.write(found.text if found.text.endswith("\n") else found.text + "\n")
    return 0


def _name(template: Template) -> str:
    return f"{template.template}@{template.version}"


def _effect(template: Template) -> str:
    return f"in force from {local_time(template.effective_from, template.timezone)} ({template.timezone})"


def _states(found: Iterable[Publication], now: int) -> dict[tuple[str, int], str]:
    """The state of each version at `now`: in force, upcoming or superseded."""
    states: dict[tuple[str, int], str] = {}
    by_name: dict[str, list[Template]] = {}
    for entry in found:
        by_name.setdefault(entry.template.template, []).append(entry.template)
    for versions in by_name.values():
        current = _in_force(versions, now)
        for version in versions:
            upcoming = version.effective_from > now
            state = "in force" if version is current else "upcoming" if upcoming else "superseded"
            states[version.template, version.version] = state
    return states


def _in_force(versions: Iterable[Template], now: int) -> Template | None:
    begun = [version for version in versions if version.effective_from <= now]
    return max(begun, key=_succession, default=None)


def _succession(version: Template) -> tuple[int, int]:
    return version.effective_from, version.version


def _pick(versions: list[Template], number: str, now: int) -> Template | None:
    if number:
        return next((version for version in versions if version.version == int(number)), None)
    return _in_force(versions, now) or max(versions, key=_succession, default=None)
