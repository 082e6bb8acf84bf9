// Words of the field, explained where they stand: press the word, and what it means appears below.

const ROLES = {
  principal: "the cells that excite; most cells of a cortex. The drug’s lasting traces are at the synapses between them",
  perisomatic: "inhibitory cells that hold other cells back at their bodies, close to where spikes begin",
  dendritic: "inhibitory cells that hold other cells back at their dendrites, where input arrives",
  other: "inhibitory cells that act neither at bodies nor at dendrites alone",
};
const TERMS = {
  block: "Share of a class’s NMDA receptors that pass no current, as a drug in the pore keeps them closed. It counts those at synapses and the tonic ones alike.",
  tonic: "Tonic receptors lie outside synapses. Glutamate that is always around keeps some of them open, so that they let a small steady current into the cell.",
  level: "Drug that is free in the water between the cells; only this part can reach a receptor. Most of a dose is bound or elsewhere.",
  mg: "Magnesium ions outside the cells. At rest one of them plugs the pore of an NMDA receptor; when the cell is excited it leaves.",
  background: "Spikes that reach the cells from other parts of the brain, at random; as a share of the usual.",
  seed: "Wiring and input drawn anew: another member of the same kind of circuit.",
  raster: "Each row is a cell, each dot one of its spikes.",
  gamma: () => `How strongly the principal cells beat together between ${GAMMA[0]} and ${GAMMA[1]} times a second: the variance of their common rate in that band, so its unit is that of a rate squared, Hz².`,
  spectrum: "How the variance of the principal cells’ common rate is spread over frequencies; its area between two frequencies is the power there.",
  glutamate: "Glutamate outside the cells, compared with its level before the course.",
  bdnf: "BDNF, a growth factor that active cells release; it strengthens synapses.",
  mtorc1: "mTORC1, a switch inside cells; a rise of it makes new protein.",
  eef2k: "eEF2 kinase, an enzyme that holds the making of proteins back; it rests when NMDA receptors do.",
  balance: "Where calcium drives synapses between principal cells to: potentiation over potentiation and depression, compared with a healthy circuit.",
  tag: "Early potentiation: synapses that calcium has just strengthened. Without new protein it is gone within hours.",
  free_protein: "Newly made protein that nothing has taken up yet. Synapses hold on to their early potentiation by capturing it.",
  protein: "All the proteins from which synapses are built.",
  weight: "Late strength of one synapse between principal cells: early potentiation that captured new protein, and lasts for days.",
  structure: "What lasts at synapses: the late strength of one, times their number. Early potentiation and homeostatic scaling are left out.",
  recurrent: "J is how strongly the principal cells excite each other: the weight of a synapse, times their number, times homeostatic scaling.",
  spine_density: "Spines are the small heads on dendrites on which excitatory synapses sit.",
  pv_integrity: "How much of the inhibition of perisomatic cells is intact; long deep block damages it.",
  tolerance: "NMDA receptors that cells add when theirs are blocked for long.",
  clinical_effect: "What a rating scale of depression would show, by one labelled map from early potentiation (the onset) and lasting structure (the days after) to the scale; a negative number is better.",
  calcium: "Ions that enter the receiver’s spine, most of them through NMDA receptors, the rest with the receiver’s own spike. Counted in units of the level from which they weaken the synapse.",
  ltp: "LTP, long-term potentiation: the synapse is stronger afterwards, for long.",
  ltd: "LTD, long-term depression: the synapse is weaker afterwards, for long.",
  thresholds: "While calcium is in the lower band the synapse only weakens; in the upper one it strengthens faster than it weakens. Below both nothing changes.",
  pair_rate: () => `How many pairs of spikes a second. ${PAIR.spikes} pairs make a train; ${PAIR.trains} trains follow each other every ${say(PAIR.every_s)} s, or as soon as the last is over.`,
  pair_interval: "From the sender’s spike to the receiver’s, in thousandths of a second. To the left the receiver fires first.",
  pair_block: "Share of the NMDA receptors of this one synapse that a blocker takes out; both cells still fire as the electrodes make them.",
  plasma_ng_ml: "Drug in the liquid part of blood.",
  brain_uM: "Drug that is free in the brain.",
};
// `name` is a key of TERMS, or `class NAME` for one of the circuit's classes.
function termText(name) {
  const [, own] = name.match(/^class (.*)/) ?? [], words = own ? `${own}: ${ROLES[MODEL.roles[own]]}.` : TERMS[name] ?? "";
  return typeof words === "function" ? words() : words;
}

// A word that explains itself in the element `place`, and hides that again.
function term(name, text, place) {
  const button = el("button", { type: "button", class: "term", "aria-expanded": "false", "aria-controls": place }, text);
  button.onclick = () => {
    const note = $(place), open = button.getAttribute("aria-expanded") === "true";
    for (const other of document.querySelectorAll(`.term[aria-controls="${place}"]`)) other.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-expanded", !open);
    note.hidden = open;
    setText(place, open ? "" : termText(name));
  };
  return button;
}

function startTerms() {
  for (const found of document.querySelectorAll("[data-term]")) found.replaceWith(term(found.dataset.term, found.textContent, found.dataset.note));
}
