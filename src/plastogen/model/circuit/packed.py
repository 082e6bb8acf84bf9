"""In: the C++ that Brian2 wrote of synapses that follow a rule. Out: the same, with the state of
each synapse in one line of the processor's cache.

Brian2 keeps an array a variable, so that a postsynaptic spike, whose synapses lie apart, misses the
cache once a variable and synapse. Here eight variables of a synapse lie side by side while the
network runs. No number changes, not in its last bit.
"""

from __future__ import annotations

import re
from pathlib import Path

STATES = (
    "by_nmda",
    "by_spike",
    "seen",
    "potentiation",
    "depression",
    "efficacy",
    "resources",
    "arrived",
)
BYTES = 8 * len(STATES)
AHEAD = 12  # synapses whose lines are asked for in advance

_OWN = (
    f"std::vector<double>* own[{len(STATES)}] = {{"
    + ", ".join(f"&brian::_dynamic_array_P_{name}" for name in STATES)
    + "}; const size_t many = own[0]->size();"
)
_EACH = f"for (size_t k = 0; k < many; k++) for (int j = 0; j < {len(STATES)}; j++)"
_PLACE = f"brian::_packed_P[{len(STATES)}*k + j]"
BEFORE = (
    f"{{ {_OWN} brian::_packed_P = (double*) aligned_alloc({BYTES}, {BYTES}*(many + 1));"
    f" {_EACH} {_PLACE} = (*own[j])[k]; }}\n        "
)
AFTER = f"\n        {{ {_OWN} {_EACH} (*own[j])[k] = {_PLACE}; }}"
_PREFETCH = (
    f"if (_spiking_synapse_idx + {AHEAD} < _num_spiking_synapses) __builtin_prefetch("
    f"brian::_packed_P + {len(STATES)}*(*_spiking_synapses)[_spiking_synapse_idx + {AHEAD}], 1);\n"
)


def pack(folder: Path) -> None:
    """Change the program in `folder`, before it is compiled. Raises RuntimeError where Brian2 wrote
    something else than is looked for.
    """
    names = "|".join(STATES)
    changed = 0
    for path in sorted((folder / "code_objects").glob("P_*_codeobject.cpp")):
        text = path.read_text()
        body, uses = re.subn(
            rf"_ptr_array_P_({names})\[_idx\]",
            rf"_ptr_array_P_\1[{len(STATES)}*_idx]",
            text,
        )
        if not uses:
            continue
        body, pointers = re.subn(
            rf"(_ptr_array_P_({names})) = _array_P_\2;",
            lambda found: f"{found[1]} = brian::_packed_P + {STATES.index(found[2])};",
            body,
        )
        line = "const size_t _vectorisation_idx = _idx;\n"
        if not pointers or body.count(line) != 1:
            raise RuntimeError(f"{path.name} is not written as its packing expects")
        body = body.replace(line, line + "        " + _PREFETCH)
        declared = "namespace brian { extern double* _packed_P; }"
        path.write_text(
            body.replace('#include "objects.h"', f'#include "objects.h"\n{declared}', 1)
        )
        changed += 1
    main = folder / "main.cpp"
    text, runs = re.subn(
        r"network\.run\(.*?\);", lambda found: f"{BEFORE}{found[0]}{AFTER}", main.read_text()
    )
    text, starts = re.subn(
        r"(?m)^int main\(", "namespace brian { double* _packed_P = nullptr; }\nint main(", text
    )
    if changed < 2 or runs != 1 or starts != 1:
        raise RuntimeError(f"{changed} parts packed, {runs} runs, {starts} beginnings")
    main.write_text(text)
