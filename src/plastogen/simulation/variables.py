"""Every variable of results.nc: its dimensions, its unit, its name on an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from plastogen.model.circuit import Circuit, Role

Kind: TypeAlias = Literal["course", "induction"]


@dataclass(frozen=True)
class Variable:
    """One variable of results.nc: its dimensions after (arm, seed), its unit, its name, and what a
    1 means if it has no unit. `role`: the role of the classes without which there is no such thing;
    `error`: the variable that holds its standard error; `of`: the kinds of runs that have it.
    """

    dims: tuple[str, ...]
    unit: str
    long_name: str
    scale: str = ""
    role: Role | None = None
    error: str = ""
    of: tuple[Kind, ...] = ("course",)

    @property
    def size(self) -> float:
        """What is much of it, in its unit: a millionth of this is nothing."""
        return 100 if self.unit == "%" else 1.0

    @property
    def place(self) -> str | None:
        """The dimension a readout must pick from ("class", "pool", "species"), if there is one."""
        return next((dim for dim in self.dims if dim in ("class", "pool", "species")), None)

    @property
    def of_snapshot(self) -> bool:
        return "snapshot" in self.dims


_TIME, _SNAP = ("time",), ("snapshot",)
_BOTH: tuple[Kind, ...] = ("course", "induction")
_INDUCED: tuple[Kind, ...] = ("induction",)
VARIABLES: dict[str, Variable] = {
    "plasma_ng_ml": Variable((*_TIME, "species"), "ng/mL", "plasma concentration", of=_BOTH),
    "brain_uM": Variable((*_TIME, "species"), "uM", "unbound brain concentration", of=_BOTH),
    "occupancy": Variable(
        _TIME, "1", "receptor occupancy ([3H]MK-801 readout)", "share of receptors", of=_BOTH
    ),
    "block": Variable(
        (*_TIME, "pool"), "1", "blocked share of NMDA receptors", "share of receptors", of=_BOTH
    ),
    "rate_hz": Variable((*_TIME, "class"), "Hz", "firing rate", error="rate_se_hz"),
    "rate_se_hz": Variable((*_TIME, "class"), "Hz", "standard error of the firing rate"),
    "glutamate": Variable(_TIME, "%", "extracellular glutamate, % of baseline"),
    "ampa_throughput": Variable(
        _TIME, "1", "AMPA throughput onto E, ratio to baseline", "ratio to baseline"
    ),
    "dissociation": Variable(
        _TIME,
        "1",
        "dissociation proxy: SST inhibition lost per E spike",
        "share lost",
        role="dendritic",
    ),
    "pattern_shift": Variable(
        _TIME, "1", "shift of the pattern of E cells from baseline", "1 - correlation"
    ),
    "calcium": Variable(
        _TIME,
        "1",
        "calcium entry through NMDA receptors of E, ratio to baseline",
        "ratio to baseline",
    ),
    "stress": Variable(_TIME, "1", "stress", "level"),
    "bdnf": Variable(_TIME, "1", "BDNF", "relative to healthy"),
    "eef2k": Variable(_TIME, "1", "eEF2 kinase activity", "relative to healthy"),
    "mtorc1": Variable(_TIME, "1", "mTORC1 activity", "relative to healthy"),
    "protein": Variable(_TIME, "1", "synaptic proteins", "relative to healthy"),
    "weight": Variable(_TIME, "1", "synaptic weight", "relative to healthy"),
    "scaling": Variable(_TIME, "1", "homeostatic scaling", "relative to healthy"),
    "recurrent": Variable(_TIME, "1", "recurrent strength J", "relative to healthy"),
    "spine_density": Variable(_TIME, "1", "spine density", "relative to healthy"),
    "vacant": Variable(_TIME, "1", "vacant sites (spines lost to stress)", "relative to healthy"),
    "spine_formation": Variable(_TIME, "1/d", "spine formation"),
    "spine_elimination": Variable(_TIME, "1/d", "spine elimination"),
    "pv_integrity": Variable(_TIME, "1", "PV integrity", "relative to healthy", "perisomatic"),
    "tolerance": Variable(_TIME, "1", "tolerance (NMDA receptor up-regulation)", "share added"),
    "tone": Variable(_TIME, "1", "serotonergic tone", "level"),
    "clinical_effect": Variable(
        _TIME, "1", "clinical effect, Hedges g (negative is better)", "Hedges g"
    ),
    "epsp_change": Variable(_TIME, "1", "change of the EPSP", "0: none; 1: doubled", of=_INDUCED),
    "efficacy": Variable(_TIME, "1", "efficacy of the synapse", "0 to 1", of=_INDUCED),
    "potentiation": Variable(_TIME, "1", "potentiation so far", "time constants", of=_INDUCED),
    "depression": Variable(_TIME, "1", "depression so far", "time constants", of=_INDUCED),
    "peak_calcium": Variable(
        _TIME,
        "1",
        "highest calcium so far",
        "threshold of depression",
        of=_INDUCED,
    ),
    "gamma_power": Variable(_SNAP, "Hz^2", "gamma power, 30-80 Hz"),
    "delta_power": Variable(_SNAP, "Hz^2", "slow-delta power"),
    "gamma_peak_hz": Variable(_SNAP, "Hz", "gamma peak frequency"),
    "snapshot_rate_hz": Variable((*_SNAP, "class"), "Hz", "firing rate in the snapshot"),
    "spectrum": Variable((*_SNAP, "frequency"), "Hz^2/Hz", "spectrum of the E population rate"),
}
READABLE = tuple(name for name, variable in VARIABLES.items() if "frequency" not in variable.dims)


def variables_of(circuit: Circuit, kind: Kind = "course") -> dict[str, Variable]:
    """Those of a circuit's runs of a kind: all whose role, if they need one, some class of it
    has.
    """
    return {
        name: variable
        for name, variable in VARIABLES.items()
        if kind in variable.of and (variable.role is None or circuit.of_role(variable.role))
    }
