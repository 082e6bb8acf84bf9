"""In: the mean number of external spikes a step, a seed. Out: how many reach each cell in a step,
as a block in Brian2's language, and what it calls.

Every cell has a generator of its own, xoshiro128+ of Blackman and Vigna (2021): four words of 32
bits, moved on by shifts and xors, so that the loop over cells is vectorised together with the rest
of a step. Of each sum of two words the upper 24 bits are used, all that a float holds; the lowest
bits are the weak ones. The words begin with numbers drawn from the Mersenne twister, by the same
rule in C++ and in numpy: one seed gives the same external spikes in both, whatever the drive is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.int32]

STATE = ("r_0", "r_1", "r_2", "r_3")  # of each cell's generator
MOST_EXTERNAL_SPIKES = 8  # in one step; `n_ext` must stay at most 1 for the rest to be negligible
DRAW = """
u = uniform(r_0, r_3)
r_2 = xor(r_2, r_0)
r_3 = xor(r_3, r_1)
r_1 = xor(r_1, r_2)
r_0 = xor(r_0, r_3)
r_2 = xor(r_2, moved(xor(r_1, r_2)))
r_3 = turned(r_3)
"""  # in the sixth, xor(r_1, r_2) is r_1 as it was: a variable for it would be 64 bits wide
CPP = {
    "uniform": """
static inline float _uniform(const int32_t a, const int32_t b)
{
    return (float)(int32_t)(((uint32_t)a + (uint32_t)b) >> 8) * (1.0f/16777216.0f);
}
""",
    "xor": """
static inline int32_t _xor(const int32_t a, const int32_t b)
{
    return a ^ b;
}
""",
    "moved": """
static inline int32_t _moved(const int32_t a)
{
    return (int32_t)((uint32_t)a << 9);
}
""",
    "turned": """
static inline int32_t _turned(const int32_t a)
{
    return (int32_t)(((uint32_t)a << 11) | ((uint32_t)a >> 21));
}
""",
}


def uniform(a: Words, b: Words) -> npt.NDArray[np.float32]:
    """Uniform in [0, 1), in steps of 2**-24."""
    upper = (a.view(np.uint32) + b.view(np.uint32)) >> np.uint32(8)
    return upper.astype(np.float32) / np.float32(2**24)


def xor(a: Words, b: Words) -> Words:
    """Bits that are set in exactly one."""
    return a ^ b


def moved(a: Words) -> Words:
    """Shifted to the left by 9 bits."""
    return a << np.int32(9)


def turned(a: Words) -> Words:
    """Rotated to the left by 11 bits."""
    bits = a.view(np.uint32)
    return ((bits << np.uint32(11)) | (bits >> np.uint32(21))).view(np.int32)


def functions() -> dict[str, Any]:
    """What `DRAW` calls, for Brian2."""
    import brian2 as b2

    found = {}
    called = {"uniform": uniform, "xor": xor, "moved": moved, "turned": turned}
    for name, function in called.items():
        takes = 2 if name in ("uniform", "xor") else 1
        found[name] = b2.Function(
            function,
            arg_units=[1] * takes,
            arg_types=["integer"] * takes,
            return_unit=1,
            return_type="float" if name == "uniform" else "integer",
        )
        found[name].implementations.add_numpy_implementation(function, discard_units=True)
        found[name].implementations.add_implementation("cpp", CPP[name], name=f"_{name}")
    return found


def begun(n: int, seed: int) -> dict[str, Words]:
    """The words of `n` cells' generators before the first step, by name."""
    drawn = np.random.RandomState(seed).random_sample((len(STATE), n))
    words = (2**32 * drawn).astype(np.uint32).view(np.int32)
    return dict(zip(STATE, words, strict=True))


def begin(arrays: Sequence[str], n: int) -> str:
    """C++ that sets the words as `begun` does, from Brian2's generator, seeded just before."""
    return (
        f"for (int32_t* words : {{{', '.join(arrays)}}}) for (int i = 0; i < {n}; i++)"
        " words[i] = (int32_t)(uint32_t)(4294967296.0*brian::_random_generators[0].rand());"
    )


def equations() -> list[str]:
    """All that is written in Brian2's language, and in C++, of external spikes."""
    return [DRAW, *CPP.values(), begin(STATE, 1), external()]


def external() -> str:
    """The update that adds a Poisson number (mean `n_ext`) of external spikes to every cell.

    One uniform number `u` gives the count: how many of the cumulative probabilities it exceeds.
    """
    terms, lines = "1", ["p_0 = exp(-n_ext)"]
    counts = []
    for k in range(MOST_EXTERNAL_SPIKES):
        if k:
            terms += f" + n_ext**{k}/{math.factorial(k)}"
        lines.append(f"upto_{k} = p_0*({terms})")
        counts.append(f"int(u > upto_{k})")
    return "\n".join([*lines, "x_ext = x_ext + " + " + ".join(counts)])
