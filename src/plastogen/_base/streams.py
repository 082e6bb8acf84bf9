"""In: a master seed and the name of a random stream. Out: the seed of that stream."""

from __future__ import annotations

import hashlib


def stream(seed: int, name: str) -> int:
    """A 32-bit seed for the random stream `name` ("structure", "input", "noise") of master seed
    `seed`.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big")
