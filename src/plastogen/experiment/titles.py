"""In: the path of a number in a model or an experiment. Out: what a person calls it: `Mg2+
outside`, not `concentration`.

One table: the path below its model, `*` for a name the file makes up (a class, a drug, a species, a
route) -> the title, {0}, {1}, ... for those names in order. Every number of models/ has a row, and
every one of an experiment that a sweep may vary (tests/test_titles.py).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plastogen.experiment.definition import Experiment

# how drugs, their species and molecules are written, where that is not their name in the files
SPELLED = {
    "mk801": "MK-801",
    "s_ketamine": "S-ketamine",
    "r_ketamine": "R-ketamine",
    "s_norketamine": "S-norketamine",
    "r_norketamine": "R-norketamine",
    "cpp": "CPP",
    "d_ap5": "D-AP5",
    "ro_25_6981": "Ro 25-6981",
    "ciq": "CIQ",
    "ssri": "SSRI",
    "nbqx": "NBQX",
    "anti_bdnf": "anti-BDNF",
    "gaba_antagonist": "GABA-A antagonist",
    "hydroxynorketamine": "HNK",
    "hnk": "HNK",
    "bdnf": "BDNF",
}
_MAGNESIUM = {
    "magnesium.concentration": "Mg2+ outside",
    "magnesium.half.*": "Mg2+ that halves current of {0} at 0 mV",
    "magnesium.efold": "voltage over which Mg2+ block changes e-fold",
}
_FILTER = {
    "volume": "volume of {0}", "clearance": "clearance of {0}",
    "unbound_fraction": "unbound share of {0} in plasma",
    "brain_partition": "unbound brain over plasma of {0}",
    "fraction": "share of clearance that forms {0}",
}  # fmt: skip
TITLES: dict[str, dict[str, str]] = {
    "arms": {
        "*.give.*.at": "begin",
        "*.give.*.brain": "concentration in the brain",
        "*.give.*.dose": "dose",
        "*.give.*.drug": "drug",
        "*.give.*.escalate": "factor from dose to dose",
        "*.give.*.every": "interval between doses",
        "*.give.*.for": "time held",
        "*.give.*.occupancy": "occupancy",
        "*.give.*.over": "length of the infusion",
        "*.give.*.route": "route",
        "*.give.*.times": "number of doses",
        "*.intervene.*.at": "time of the intervention",
        "*.intervene.*.born_since": "birth after which spines are taken",
        "*.intervene.*.ensemble": "ensemble within which spines are taken",
        "*.intervene.*.every": "time between stimulations",
        "*.intervene.*.for": "length of the intervention",
        "*.intervene.*.rate": "rate of stimulation",
        "*.intervene.*.share": "share of spines",
        "*.stress.at": "begin of stress",
        "*.stress.for": "length of stress",
        "*.stress.level": "level of stress",
        "*.switches.block.*": "block that counts on {1}",
    },
    "switches": {"block.*": "block that counts on {0}"},
    "induction": {
        "at": "begin of the induction",
        "block": "share of NMDA receptors taken out",
        "every": "time between trains",
        "initial": "efficacy to begin with",
        "interval": "interval from pre to post",
        "jitter": "jitter of presynaptic spikes",
        "rate": "rate of spikes",
        "repeat_every": "time between repeats",
        "repeats": "number of repeats",
        "spikes": "spikes of a train",
        "spread": "spread of efficacies to begin with",
        "synapses": "number of synapses",
        "trains": "number of trains",
    },
    "ensembles": {
        "cells": "cells of an ensemble",
        "groups": "number of ensembles",
        "recall.at.*": "time of recall",
        "recall.delay.0": "begin of the delay",
        "recall.delay.1": "end of the delay",
        "recall.block": "share of NMDA receptors taken out at recall",
        "recall.cue": "share of an ensemble that the cue drives",
        "recall.every": "time between cues",
        "recall.for": "length of a cue",
        "recall.rate": "rate of a cue",
        "recall.repeats": "number of cues",
        "teaching.at": "time of teaching",
        "teaching.block": "share of NMDA receptors taken out at teaching",
        "teaching.every": "time between presentations",
        "teaching.for": "length of a presentation",
        "teaching.presentations": "number of presentations",
        "teaching.rate": "rate at teaching",
    },
    "circuit": {
        "agonist.ambient": "share of tonic receptors filled by ambient glutamate",
        "agonist.mini_rate": "rate of spontaneous release",
        "agonist.resting.concentration": "ambient glutamate at resting synapses",
        "agonist.resting.half.*": "glutamate that fills half of {0} receptors",
        "agonist.saturation": "share of receptors filled by one release",
        "agonist.vesicular.bound": "share of synaptic receptors bound at baseline",
        "agonist.vesicular.share": "share of ambient glutamate that synapses release",
        "background.rate": "rate of background input",
        "background.spread": "spread of background input between cells",
        "connections.*.ampa": "AMPA conductance {0}",
        "connections.*.gaba": "GABA-A conductance {0}",
        "connections.*.nmda": "NMDA conductance {0}",
        "connections.*.probability": "probability of a synapse {0}",
        "decays.adaptation": "decay of adaptation",
        "decays.ampa": "decay of AMPA current",
        "decays.nmda": "decay of NMDA current",
        "decays.gaba.*": "decay of inhibition by {0}",
        "delay": "synaptic delay",
        "formula.baseline_hz.*": "resting rate of {0} in the formula",
        "formula.gain.*.*": "sensitivity of {0} to {1} in the formula",
        "formula.voltage.*": "mean voltage of {0} in the formula",
        "formula.voltage_spread": "spread of voltage in the formula",
        "populations.*.adaptation": "adaptation a spike of {0}",
        "populations.*.background": "background conductance of {0}",
        "populations.*.capacitance": "membrane capacitance of {0}",
        "populations.*.leak": "leak conductance of {0}",
        "populations.*.nmdar.rest.*": "share of {1} at resting synapses of {0}",
        "populations.*.nmdar.synaptic.*": "share of {1} at synapses of {0}",
        "populations.*.nmdar.tonic.*": "share of {1} outside synapses of {0}",
        "populations.*.refractory": "refractory time of {0}",
        "populations.*.reset": "reset voltage of {0}",
        "populations.*.rest": "resting voltage of {0}",
        "populations.*.threshold": "spike threshold of {0}",
        "populations.*.tonic_nmda": "tonic NMDA conductance of {0}",
        "reversals.excitatory": "reversal of excitation",
        "reversals.inhibitory": "reversal of inhibition",
        "reversals.potassium": "reversal of potassium",
        "silencing": "conductance that silences spikes",
        "step": "time step of the network",
        **_MAGNESIUM,
    },
    "drugs": {
        "actions.nmdar.*.escape_time": "escape time of {0} that is not trapped",
        "actions.nmdar.*.ic50.*": "IC50 {1} of {0}",
        "actions.nmdar.*.reference_mg": "Mg2+ of {0}'s IC50s",
        "actions.nmdar.*.reference_voltage": "voltage of {0}'s IC50s",
        "actions.nmdar.*.trapped": "share of {0} that is trapped",
        "actions.nmdar.*.unblocking_rate": "unblocking rate of {0}",
        "actions.nmdar.*.voltage_efold": "voltage over which block by {0} changes e-fold",
        "actions.occupancy_half": "concentration of half occupancy ([3H]MK-801)",
        "kinetics.*.*.brain_partition": "unbound brain over plasma",
        "kinetics.*.*.central_volume": "central volume",
        "kinetics.*.*.clearance": "clearance",
        "kinetics.*.*.clearance_exponent": "power of weight that clearance goes with",
        "kinetics.*.*.effect_site_half_life": "half-life from arterial plasma to brain",
        **{f"kinetics.*.*.metabolites.*.{k}": v.replace("{0}", "{2}") for k, v in _FILTER.items()},
        "kinetics.*.*.peripheral.*.flow": "flow to peripheral compartment {2}",
        "kinetics.*.*.peripheral.*.volume": "volume of peripheral compartment {2}",
        "kinetics.*.*.venous.*.share": "share of venous delay {2}",
        "kinetics.*.*.venous.*.time": "time of venous delay {2}",
        "kinetics.*.*.reference_weight": "weight that the kinetics are for",
        "kinetics.*.*.routes.*.absorption": "absorption rate ({2})",
        "kinetics.*.*.routes.*.bioavailability": "bioavailability ({2})",
        "kinetics.*.*.routes.*.first_pass.*": "share that arrives as {3} ({2})",
        "kinetics.*.*.routes.*.swallowed": "share swallowed ({2})",
        "kinetics.*.*.unbound_fraction": "unbound share in plasma",
        "species.*.molar_mass": "molar mass of {0}",
        "targets.*.emax": "largest effect on {0}",
        "targets.*.*.emax": "largest effect of {1} on {0}",
        "targets.*.*.half": "concentration of half the effect of {1} on {0}",
        "targets.*.half": "concentration of half the effect on {0}",
        "targets.nmdar.*.emax": "largest effect on {0} receptors",
        "targets.nmdar.*.half": "concentration of half the effect on {0} receptors",
        "usual_doses.*.*": "usual dose, {0}, {1}",
    },
    "plasticity": {
        "clinical.effect_per_log_strength": "clinical effect an e-fold of synaptic strength",
        "clinical.largest_effect": "largest clinical effect",
        "comparator.tone_time": "time for serotonergic tone to follow",
        "misuse.pv_half": "block beyond which PV cells lose parvalbumin",
        "misuse.pv_loss": "loss of PV integrity under full block",
        "misuse.pv_recovery": "recovery time of PV integrity",
        "misuse.pv_steepness": "steepness of PV loss",
        "misuse.tolerance_gain": "receptors added by tolerance",
        "misuse.tolerance_time": "time for tolerance to follow",
        "pathways.disinhibition": "strength of the disinhibition pathway",
        "pathways.spontaneous": "strength of the spontaneous-release pathway",
        "signalling.adaptation_fall": "time to unlearn a level of activity",
        "signalling.adaptation_rise": "time to get used to more activity",
        "signalling.bdnf_time": "time constant of BDNF",
        "signalling.coincidence_half": "AMPA throughput at which TrkB half answers",
        "signalling.desensitisation_time": "time in which TrkB desensitises",
        "signalling.eef2k_cooperativity": "cooperativity of eEF2K",
        "signalling.eef2k_time": "time constant of eEF2K",
        "signalling.free_protein_time": "lifetime of free new protein",
        "signalling.mtorc1_ceiling": "TrkB signal that half saturates mTORC1",
        "signalling.mtorc1_floor": "mTORC1 without TrkB",
        "signalling.mtorc1_gain": "gain of mTORC1",
        "signalling.mtorc1_time": "time constant of mTORC1",
        "signalling.protein_made": "rate at which synaptic proteins are made",
        "signalling.protein_time": "lifetime of synaptic proteins",
        "signalling.release_gain": "gain of BDNF release",
        "signalling.release_half": "calcium that half releases BDNF",
        "signalling.steepness": "steepness of saturation in signalling",
        "signalling.translation_basal": "new protein that is free at rest",
        "signalling.translation_gain": "gain of translation by eEF2K",
        "signalling.translation_half": "rise of mTORC1 that half makes new protein",
        "spine.delay": "delay of new spines",
        "spine.formation_gain": "gain of spine formation",
        "spine.growth": "rate at which captured protein restores spines",
        "spine.persistent_loss": "loss rate of persistent spines",
        "spine.rescue": "rate at which lost spines come back",
        "spine.restorable": "share of lost spines that can be restored",
        "spine.stress_loss": "loss rate of spines under stress",
        "spine.tone_gain": "gain of serotonergic tone",
        "spine.transient_lifetime": "lifetime of transient spines",
        "spine.turnover": "share of spines that turn over",
        "spine.turnover_interval": "interval of that turnover",
        "synapse.accustomed_time": "time to get used to a lasting balance",
        "synapse.capture": "rate at which captured protein strengthens synapses",
        "synapse.late_time": "decay of late potentiation",
        "synapse.quiet": "potentiation and depression too little to move a synapse",
        "synapse.inhibition_range": "range of inhibitory plasticity",
        "synapse.inhibition_steepness": "steepness of inhibitory plasticity",
        "synapse.inhibition_time": "time constant of inhibitory plasticity",
        "synapse.scaling_range": "range of homeostatic scaling",
        "synapse.scaling_steepness": "steepness of homeostatic scaling",
        "synapse.scaling_time": "time constant of homeostatic scaling",
        "synapse.slots": "most late potentiation of a synapse",
        "synapse.tag_half": "early potentiation that half captures protein",
        "synapse.tag_time": "decay of early potentiation",
    },
    "rule": {
        "calcium_time": "decay of calcium",
        "coincidence": "boost of presynaptic calcium by a postsynaptic spike",
        "delay": "delay from presynaptic spike to calcium",
        "depression": "rate of depression",
        "efficacy_time": "time constant of efficacy",
        "formula.*.baseline.*.*": "baseline of {0}, {1} to {2} rate (formula)",
        "formula.*.left": "slope of log {0} on log NMDA conductance (formula)",
        "formula.*.rate": "slope of log {0} on log rate (formula)",
        "in_vivo": "factor on calcium in vivo",
        "initial": "efficacy before",
        "magnesium.concentration": "Mg2+ outside where the rule was measured",
        "magnesium.resting": "resting voltage of the rule",
        "magnesium.spike": "voltage of a spike in the rule",
        "postsynaptic": "calcium of a postsynaptic spike",
        "potentiation": "rate of potentiation",
        "potentiation_threshold": "calcium threshold of potentiation",
        "presynaptic": "calcium of a presynaptic spike",
        "release.recovery": "recovery of release",
        "release.share": "share of resources a spike uses up",
    },
    "spines": {
        "places.branch_length": "length of a branch",
        "places.filling": "share of sites with a spine",
        "preparations.*.births": "factor on transient births, {0}",
        "published.*.parts.*.ln_mean": "mean of ln, {0}, part {1}",
        "published.*.parts.*.ln_spread": "spread of ln, {0}, part {1}",
        "published.*.parts.*.share": "share, {0}, part {1}",
        "sizes.birth_size": "size at birth",
        "sizes.fast_share": "fast share of the variance of ln size",
        "sizes.fast_time": "fast time of sizes",
        "sizes.slow_time": "slow time of sizes",
        "sizes.spread": "spread of ln size",
        "homeostasis.lower": "AMPA throughput below which spines are lost",
        "homeostasis.rate": "rate of spines against activity",
        "turnover.branch_spread": "spread of stress between branches",
        "turnover.lasting_loss": "loss rate of lasting spines",
        "turnover.memory": "memory of a lost spine's site",
        "turnover.slope": "slope of death against size",
        "turnover.transient_births": "births of transient spines",
        "turnover.transient_lifetime": "lifetime of a transient spine",
    },
    "subject": {
        "glun2b": "share of GluN2B",
        "inhibition": "strength of inhibition",
        "stress": "stress",
        "varies.*.cv": "variation between people of {0}",
        "weight": "body weight",
    },
}  # fmt: skip


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """Rows as patterns; the last `*` may hold dots where what it stands for is a path."""
    return {
        root: [
            (re.compile(re.escape(path).replace(r"\*", _name(path))), title)
            for path, title in rows.items()
        ]
        for root, rows in TITLES.items()
    }


def _name(path: str) -> str:
    return r"(.+)" if path.startswith("varies.") else r"([^.]+)"


def title_of(path: str) -> str | None:
    """What the number at `path` (`circuit.magnesium.concentration`, `drugs.ketamine.actions...`,
    `arms.ketamine.give.infusion.dose`) is called; None of a path that leads to none.
    """
    root, _, below = path.partition(".")
    if root == "drugs":
        below = below.partition(".")[2]
    for pattern, title in _rows().get(root, ()):
        if match := pattern.fullmatch(below):
            names = (title_of(name) or name for name in match.groups())
            return title.format(*map(spelled if root == "drugs" else _in_words, names))
    return None


def title_in(experiment: Experiment, path: str) -> str | None:
    """The same, and of which drug where an arm of `experiment` is given several."""
    title, words = title_of(path), path.split(".")
    if title is None or words[0] != "arms" or words[2] != "give" or words[1] not in experiment.arms:
        return title
    given = experiment.arm(words[1]).give
    several = len({treatment.drug for treatment in given.values()}) > 1
    if not several or words[3] not in given or words[-1] == "drug":
        return title
    return f"{title} of {spelled(given[words[3]].drug)}"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def spelled(name: str) -> str:
    """How a drug, a species or a molecule is written: S-ketamine, of s_ketamine."""
    return SPELLED.get(name, name.replace("_", " "))
