# SPDX-License-Identifier: Apache-2.0
"""Times as LOOPHOUND_THRESHOLD has them: 100ms, 1.5s, 250us; a bare number is milliseconds."""

from __future__ import annotations

import re

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "": 1.0}


def duration_ms(value: str | int | float) -> float:
    """In milliseconds. ValueError: it is no time."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|)\s*", str(value))
    if not found:
        raise ValueError(f"{value!r} is no time: expected one as 100ms, 1.5s or 250us")
    return float(found.group(1)) * _UNITS_MS[found.group(2)]
