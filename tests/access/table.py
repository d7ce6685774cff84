"""The permission matrix as the page on reliability has it, written down by hand a second time, and read by itself.

Nothing of agents/access is used here: where both agree, the product does what the page says.
"""

from __future__ import annotations

from typing import Final

PEOPLE: Final = ("own", "team", "subtree", "others")
ROLES: Final = ("employee", "supervisor", "hr", "auditor", "screen", "service", "admin")

# y: yes, -: no, p: by policy, r: with a logged reason, 5: units of five people or more, s: as the token's scopes say.
# A row: employee, supervisor, hr, auditor, screen, service, admin; each: own, team, subtree, others.
ABOUT_PEOPLE: Final = """
read-scores         y---  yyp-  yyyy  yyyy  -55-  -sss  ----
read-events         y---  yy--  yrrr  yyyy  ----  ----  ----
read-units          5---  5yy-  yyyy  yyyy  -55-  -sss  ----
read-alerts         y---  yyp-  yyyy  yyyy  -55-  -sss  ----
act-on-alerts       ----  -yp-  -yyy  ----  ----  ----  ----
review-alerts       ----  -yp-  -yyy  ----  ----  ----  ----
appeal              y---  y---  y---  y---  ----  ----  ----
answer-appeals      ----  -yp-  -yyy  ----  ----  ----  ----
propose-correction  ----  -yp-  -yyy  ----  ----  ----  ----
approve-correction  ----  ----  -yyy  ----  ----  ----  ----
read-people         y---  yyp-  yyyy  yyyy  ----  ----  ----
send-events         ----  ----  ----  ----  ----  -sss  ----
send-people         ----  ----  ----  ----  ----  ---s  ----
export              y---  yyp-  yyyy  yyyy  ----  -sss  ----
"""
# employee, supervisor, hr, auditor, screen, service, admin
ABOUT_NOBODY: Final = """
read-templates      y y y y - s -
propose-template    - - y - - - -
publish-template    - - y - - - -
edit-organisation   - - y - - - -
manage-access       - - - - - - y
read-audit          - - y y - - -
operate             - - - - - s y
"""
# What is seen of a person, where the right to it is there; (P): under a pseudonym. A name only where the person's unit
# shows names, but for one's own; a screen needs no further right to it than to the numbers.
FIELDS: Final = """
employee    own      id name values sample alerts events contact
supervisor  own      id name values sample alerts events contact
supervisor  team     id name values sample alerts events contact
supervisor  subtree  id name values sample alerts
hr          own      id name values sample alerts events contact
hr          team     id name values sample alerts events contact
hr          subtree  id name values sample alerts events contact
hr          others   id name values sample alerts events contact
auditor     own      id name values sample alerts events contact
auditor     team     id name values sample alerts events
auditor     subtree  id name values sample alerts events
auditor     others   id name values sample alerts events
screen      team     (P) name values sample alerts
screen      subtree  (P) name values sample alerts
service     team     id values sample alerts
service     subtree  id values sample alerts
service     others   id values sample alerts
"""


def cells() -> dict[tuple[str, str, str], str]:
    """(role, relation, right) to the letter; `none` is the relation of what is about nobody."""
    found: dict[tuple[str, str, str], str] = {}
    for line in ABOUT_PEOPLE.strip().splitlines():
        right, *groups = line.split()
        for role, group in zip(ROLES, groups, strict=True):
            found |= {(role, relation, right): letter for relation, letter in zip(PEOPLE, group, strict=True)}
    for line in ABOUT_NOBODY.strip().splitlines():
        right, *letters = line.split()
        found |= {(role, "none", right): letter for role, letter in zip(ROLES, letters, strict=True)}
    return found


def visible() -> dict[tuple[str, str], set[str]]:
    """(role, relation) to the fields that are seen."""
    rows = [line.split() for line in FIELDS.strip().splitlines()]
    return {(role, relation): set(fields) for role, relation, *fields in rows}
