"""In: nothing. Out: what the machine has, and sizes as people say them."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_bytes(n: int) -> str:
    """1536 -> "1.5 kB"."""
    value, unit = float(n), UNITS[0]
    for unit in UNITS:
        if value < STEP or unit == UNITS[-1]:
            break
        value /= STEP
    return f"{value:.0f} {unit}" if unit == UNITS[0] else f"{value:.1f} {unit}"


UNITS = ("B", "kB", "MB", "GB", "TB")


STEP = 1024
