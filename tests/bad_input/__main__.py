"""`python -m tests.bad_input` writes golden.tsv anew; read its diff before you commit it."""

from __future__ import annotations

import sys
from collections import Counter

from tests.bad_input.golden import GOLDEN, all_cases, verdicts, write_golden
from tests.bad_input.suites import json_suite_is_here

if not json_suite_is_here():
    sys.exit("the JSON test suite is missing, so golden.tsv would lose its cases: run `make test` once where npm is")
found = verdicts(all_cases())
write_golden(found)
sys.stdout.write(f"{len(found)} cases in {GOLDEN.name}: {dict(Counter(found.values()).most_common())}\n")
