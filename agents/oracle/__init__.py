"""The oracle recomputes every score from the log alone, written from the contract; it imports nothing of the product.

It is the second opinion behind `scorestream verify`: it shares no code with what it checks.
"""

from agents.oracle.alerts import Alert
from agents.oracle.compare import Difference, differences
from agents.oracle.log import LogRecord
from agents.oracle.recompute import Recomputed, recompute
from agents.oracle.rows import Contribution
from agents.oracle.units import Decided, UnitAlerts

__all__ = [
    "Alert", "Contribution", "Decided", "Difference", "LogRecord", "Recomputed", "UnitAlerts", "differences",
    "recompute",
]  # fmt: skip
