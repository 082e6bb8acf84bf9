"""In: a resolved experiment and its results. Out: a methods section in words, ready to be pasted
into a paper.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plastogen._base.text import counted
from plastogen.analysis import Number, describe_evidence
from plastogen.experiment import Condition, OpenExperiment, title_of
from plastogen.model.pharmacology import Treatment
from plastogen.simulation import OF_SPINES, block_sites

if TYPE_CHECKING:
    import xarray as xr

ROUTES = {
    "iv": "intravenously", "im": "intramuscularly", "ip": "intraperitoneally",
    "sc": "subcutaneously", "oral": "orally", "intranasal": "intranasally",
    "sublingual": "sublingually", "rectal": "rectally",
}  # fmt: skip


def methods(
    opened: OpenExperiment,
    conditions: Sequence[Condition],
    ds: xr.Dataset,
    numbers: Sequence[Number],
    backends: Sequence[str] = (),
) -> list[str]:
    """Paragraphs: the model, what was given to whom, how it was followed, how it was judged, what
    the numbers rest on.

    `conditions`: every arm, the first being that of the first arm; `backends`: what ran the
    circuit, as the manifests say.
    """
    induced = conditions[0].kind == "induction"
    return [
        _rule(conditions[0], ds) if induced else _model(conditions[0], ds, backends),
        _given(opened, conditions),
        _induced(opened, conditions[0], ds) if induced else _followed(opened, conditions[0], ds),
        (
            f"The model uses {describe_evidence(numbers)}. Sources and ranges of each are listed"
            " with the results."
        ),
    ]


def treatment_text(treatment: Treatment, title: str) -> str:
    """One treatment in words: `ketamine 0.5 mg/kg intravenously over 40 min at 0 h`."""
    if treatment.dose is not None:
        text = (
            f"{title} {treatment.dose.text}"
            f" {ROUTES.get(treatment.route or '', treatment.route or '')}".rstrip()
        )
        text += f" over {treatment.over.text}" if treatment.over is not None else ""
    elif treatment.occupancy is not None:
        text = f"{title} held at an occupancy of {100 * float(treatment.occupancy):g} %"
    else:
        held = treatment.brain.text.replace("uM", "µM") if treatment.brain is not None else ""
        text = f"{title} held at {held} unbound in the brain"
    text += f" for {treatment.held.text}" if treatment.held is not None else ""
    text += (
        f" from {treatment.at.text}" if treatment.held is not None else f" at {treatment.at.text}"
    )
    if treatment.every is not None and treatment.times > 1:
        text += f", every {treatment.every.text}, {treatment.times} times"
    if treatment.escalate is not None:
        text += f", each dose {treatment.escalate.text} times the one before"
    return text


def given_text(condition: Condition) -> list[str]:
    """What an arm is given and what else makes it differ, a phrase each; empty when that is
    nothing.
    """
    told = [
        treatment_text(t, _plain(condition.drugs[t.drug].title))
        for t in condition.treatments.values()
    ]
    told += [
        f"stress of level {level:g} (0 to 1) from {_long(start)} to {_long(end)}"
        for start, end, level in condition.stress
    ]
    told += [one.words for one in condition.interventions.values()]
    told += [one.words for one in condition.stimulations.values()]
    if (induction := condition.setting.induction) is not None:
        told.append(f"{induction.words}, rule '{condition.setting.model.rule}'")
    return told + _switches(condition)


def given_by_arm(
    opened: OpenExperiment, conditions: Mapping[str, Condition]
) -> dict[str, list[str]]:
    """What each arm is given, and all else in which arms differ: models, subject, numbers set."""
    names = {arm: _named_models(condition) for arm, condition in conditions.items()}
    differ = {
        kind for one in names.values() for kind in one if len({n[kind] for n in names.values()}) > 1
    }
    return {
        arm: [
            *given_text(conditions[arm]),
            *(text for kind, text in names[arm].items() if kind in differ),
            *_set_in_words(settings),
        ]
        for arm, settings in _own_settings(opened).items()
    }


def in_all_arms(opened: OpenExperiment) -> list[str]:
    """Numbers that every arm sets alike."""
    every = list(_settings(opened).values())
    return _set_in_words({p: v for p, v in every[0].items() if _alike(p, every)})


def _named_models(condition: Condition) -> dict[str, str]:
    """Subject, circuit, plasticity and rule in words."""
    names = condition.setting.model
    return {
        "subject": f"{str(names.subject).replace('_', ' ')} ({condition.subject.species})",
        "circuit": f"circuit {names.circuit}",
        "plasticity": f"plasticity {names.plasticity}",
        "rule": f"rule {names.rule}",
    }


def _own_settings(opened: OpenExperiment) -> dict[str, dict[str, Any]]:
    """What each arm sets that not every arm sets alike."""
    every = _settings(opened)
    return {
        arm: {p: v for p, v in settings.items() if not _alike(p, list(every.values()))}
        for arm, settings in every.items()
    }


def _settings(opened: OpenExperiment) -> dict[str, Mapping[str, Any]]:
    """Arm -> the paths it sets, itself or by what it extends."""
    return {arm: opened.experiment.arm(arm).set for arm in opened.experiment.arms}


def _alike(path: str, every: Sequence[Mapping[str, Any]]) -> bool:
    return all(path in one and one[path] == every[0].get(path) for one in every)


def _set_in_words(settings: Mapping[str, Any]) -> list[str]:
    """`Mg2+ outside 0 mM`; models by name and switches are told elsewhere."""
    return [
        f"{title_of(path) or path} {value}"
        for path, value in settings.items()
        if path.partition(".")[0] not in ("model", "switches")
    ]


def _switches(condition: Condition) -> list[str]:
    """Links that are cut or scaled in this arm."""
    switches = condition.setting.switches
    factors = [
        (text, float(switches.block[site]))
        for site, text in block_sites(condition.circuit).items()
        if site in switches.block
    ]
    shut = [text for text, factor in factors if factor == 0]
    told = [f"no block on {_listed(shut)}"] if shut else []
    told += [f"block on {text} × {factor:g}" for text, factor in factors if factor not in (0, 1)]
    usual = type(switches)()
    told += [
        f"{name} {getattr(switches, name)}"
        for name in type(switches).model_fields
        if name != "block" and getattr(switches, name) != getattr(usual, name)
    ]
    return told


def _long(hours: float) -> str:
    """A time in the unit people use: 504 h is three weeks."""
    return f"{hours / 24:g} d" if hours and hours % 24 == 0 else f"{hours:g} h"


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _plain(title: str) -> str:
    """A drug's title inside a sentence: small, unless it is an abbreviation."""
    return title if title[1:2].isupper() or title[1:2].isdigit() else title[:1].lower() + title[1:]


def _model(condition: Condition, ds: xr.Dataset, backends: Sequence[str]) -> str:
    versions: Mapping[str, str] = json.loads(ds.attrs.get("versions", "{}"))
    circuit, names = condition.circuit, condition.setting.model
    cells = ", ".join(
        f"{population.count} {cls}" for cls, population in circuit.populations.items()
    )
    pathways = [name for name, share in condition.plasticity.pathways if float(share) > 0]
    tools = f"Brian2 {versions.get('brian2', '')}".strip() + (
        f", {' and '.join(backends)}" if backends else ""
    )
    network = (
        f"a circuit of {circuit.size:,} leaky integrate-and-fire cells ({cells}; '{names.circuit}')"
    )
    if ds.attrs.get("method") == "formula":
        network = f"an analytic stand-in (a formula, not the network) for {network}"
    subject = condition.subject
    return (
        f"Simulations were made with plastogen {versions.get('plastogen', '')} ({tools}). Drug"
        " concentrations follow linear compartments, solved exactly; NMDA receptors are blocked by"
        f" subunit, with Mg²⁺, voltage and use; the rest of the fast world is {network} with AMPA,"
        f" GABA and saturating NMDA synapses, step {circuit.step.text}. Calcium at the synapses"
        f" between principal cells follows '{names.rule}' and decides which are potentiated. All"
        " was coupled to differential equations for signalling, early and late potentiation and"
        " spines"
        f" ('{names.plasticity}'; pathways: {', '.join(pathways) or 'none'}). The subject was"
        f" '{names.subject}' ({subject.species}, {subject.weight.text}, ongoing stress"
        f" {float(subject.stress):g})."
    )


def _rule(condition: Condition, ds: xr.Dataset) -> str:
    versions: Mapping[str, str] = json.loads(ds.attrs.get("versions", "{}"))
    return (
        f"Simulations were made with plastogen {versions.get('plastogen', '')}. Two cells and the"
        " synapse between them were made to fire; calcium, raised by either spike and decaying in"
        " between, potentiates the synapse above one threshold and depresses it above a lower one"
        " (Graupner and Brunel 2012; Deperrois and Graupner 2020), followed exactly from spike to"
        " spike. Drug concentrations follow linear compartments, solved exactly; NMDA receptors are"
        " blocked by subunit, with Mg²⁺, voltage and use, and the presynaptic part of calcium is"
        f" cut by as much. The subject was '{condition.setting.model.subject}'"
        f" ({condition.subject.species})."
    )


def _induced(opened: OpenExperiment, condition: Condition, ds: xr.Dataset) -> str:
    done, expected = int(ds.attrs.get("n_complete", 0)), int(ds.attrs.get("n_expected", 0))
    seeds = len(opened.seeds)
    where = "Both cells were on their own. "
    if condition.setting.course.method == "direct":
        where = (
            f"The cells were driven in the spiking network '{condition.setting.model.circuit}', in"
            " which all cells fire by themselves as well; drugs were held as they were when the"
            " induction began, and amplitudes of calcium were those of a living brain. "
        )
    return (
        f"{where}Every synapse was followed for {condition.setting.course.duration.text}, with"
        f" {counted(seeds, 'seed')} for what is drawn at random. {done} of {expected} runs"
        " are complete."
    )


def _given(opened: OpenExperiment, conditions: Sequence[Condition]) -> str:
    arms = {condition.arm: condition for condition in reversed(conditions)}
    given = {
        arm: ", ".join(what) or "nothing given" for arm, what in given_by_arm(opened, arms).items()
    }
    common = in_all_arms(opened)
    told = "; ".join(f"{arm} ({text})" for arm, text in given.items())
    swept = " ".join(
        f"Each was run over {whole}: {'; '.join(paths)}." for whole, *paths in opened.sweep_in_words
    )
    told += f". In every arm: {', '.join(common)}" if common else ""
    return f"Arms were: {told}." + (
        f" {swept} Described is every arm as its file has it." if swept else ""
    )


def _each(condition: Condition) -> str:
    """How single spines were followed, where they were."""
    if condition.kind not in OF_SPINES:
        return ""
    return (
        "Every spine between principal cells was followed in steps of 6 h, on sites drawn from the"
        " circuit's connections: its size fluctuates on two time scales and captures protein, its"
        " hazard of death falls with size, and spines are born transient or lasting"
        f" ('{condition.setting.model.spines}'). Signals were those of the whole circuit; their"
        " mean size and their number, relative to those of the same sites in a healthy subject,"
        " entered the circuit as synaptic weight and spine density. "
    )


def _ensembles(condition: Condition) -> str:
    """How ensembles were taught and looked for, where they were."""
    ensembles = condition.setting.ensembles
    if ensembles is None:
        return ""
    spines = (
        " It had the single spines that stood at that time, with what each had learned."
        if condition.kind in OF_SPINES
        else ""
    )
    summed = "scaled so that their sum onto each cell was what it was before, then "
    return (
        f"Beside the course the spiking network held {ensembles.words}. While they were taught"
        " each synapse between principal cells followed the calcium rule and transmitted as its"
        f" efficacy said; weights were then {summed * (ensembles.scaling == 'on')}frozen. Block,"
        " drugs and the strength of recurrent synapses were those of the course at that time."
        f"{spines} "
    )


def _followed(opened: OpenExperiment, condition: Condition, ds: xr.Dataset) -> str:
    course = condition.setting.course
    seeds = opened.seeds
    which = (
        f"seed {seeds[0]}"
        if len(seeds) == 1
        else f"seeds {seeds[0]} to {seeds[-1]}, the same for all arms"
    )
    each = _each(condition) + _ensembles(condition)
    networks = counted(len(seeds), "network")
    text = f"Every arm was followed for {course.duration.text} in {networks} ({which}). "
    if course.method != "formula":
        text += (
            f"Along a course the circuit was simulated for {course.window.text} after"
            f" {course.settle.text} to settle, with drug and synapses held, as often as the error"
            f" of the slow state asked for (tolerance {course.tolerance.text}, at most"
            f" {course.max_probes} times"
        )
        if "probes" in ds and int(ds["probes"].max()) > 0:
            counts = ds["probes"].values[ds["probes"].values > 0]
            low, high = int(counts.min()), int(counts.max())
            text += f"; it was done {low if low == high else f'{low} to {high}'} times a course"
        capped = int(ds["cap_hit"].sum()) if "cap_hit" in ds else 0
        text += f", and {counted(capped, 'course')} met that limit). " if capped else "). "
    done, expected = int(ds.attrs.get("n_complete", 0)), int(ds.attrs.get("n_expected", 0))
    resolution = ds["time"].attrs.get("resolution", "") if "time" in ds.coords else ""
    if opened.axes and resolution:
        text += (
            f"Courses of the sweep are written down at {resolution}, straight in between; readouts"
            " are taken from each course as it was computed. "
        )
    return (
        text
        + each
        + "Activity enters the slow world relative to the same network's healthy, drug-free"
        " baseline. Values are means over networks with 95 % intervals (Student's t; Wilson's of"
        f" shares); arms are compared network by network. {done} of {expected} runs are complete."
    )
