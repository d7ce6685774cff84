"""What reading bytes that anybody may have written raises when they are not what they should be.

A text that is no UTF-8 is no error of msgspec's own, nor is one that is nested too deeply.
"""

from __future__ import annotations

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
