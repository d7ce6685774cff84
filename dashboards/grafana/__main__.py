"""`python -m dashboards.grafana`, which is `make dashboards`: the generated files written anew."""

from __future__ import annotations

from dashboards.grafana.files import write

write()
