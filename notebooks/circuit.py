"""Build a circuit: how much does each class lean on NMDA receptors, and who falls silent then?"""

import marimo

app = marimo.App(width="medium", app_title="plastogen: build a circuit")


@app.cell(hide_code=True)
def _():
    from pathlib import Path

    import marimo as mo
    import matplotlib.pyplot as plt

    import plastogen

    mo.md(f"""
    # Build a circuit

    A spiking network of 250 cells: 200 excitatory (E), 30 PV and 20 SST. Ketamine blocks the NMDA receptors of all
    three about equally. What each class makes of it depends on how much it *relies* on them. Set that here, give
    ketamine to a rat, and see.

    Nothing answers on a page that is only read. Open it with `marimo edit notebooks/circuit.py`: sliders act at
    once; after a change of code press Ctrl+Enter (⌘+Enter on a Mac) in its cell, and all that hangs on it follows.

    *{plastogen.SCOPE}*
    """)
    return Path, mo, plastogen, plt


@app.cell(hide_code=True)
def _(mo):
    usual = {"E": 4, "PV": 8, "SST": 8}
    tonic = mo.ui.dictionary(
        {
            name: mo.ui.slider(0, 12, step=1, value=nS, label=name, show_value=True)
            for name, nS in usual.items()
        }
    )
    dose = mo.ui.slider(steps=[3, 10, 30, 100], value=10, label="ketamine, mg/kg", show_value=True)
    sliders = mo.hstack([tonic[name] for name in usual], justify="start", gap=2, wrap=True)
    mo.vstack([mo.md("Tonic NMDA conductance, nS"), sliders, dose])
    return dose, tonic


@app.cell
def _(dose, tonic):
    # `--set` on the command line takes the same paths. The network is compiled once; numbers are handed to it.
    settings = {
        f"circuit.populations.{name}.tonic_nmda": f"{value} nS"
        for name, value in tonic.value.items()
    }
    settings |= {
        "model.circuit": "small",
        "course.duration": "1 h",
        "arms.ketamine.give.dose.dose": f"{dose.value} mg/kg",
    }
    return (settings,)


@app.cell
def _(Path, plastogen, settings):
    # The question as a file: two arms, and 20 s of spikes before and during.
    folder = Path("results/notebooks/circuit")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "circuit.yaml").write_text("""\
question: Who falls silent, and who speaks?
model: {subject: healthy_rat, circuit: small}
course: {duration: 1 h, seeds: 1}
arms:
  vehicle: {}
  ketamine:
    give:
      dose: {drug: ketamine, dose: 10 mg/kg, route: ip, at: 0 h}
snapshots: {before: -10 min, during: 15 min}
readouts:
  rate_E: {of: rate_hz, class: E, at: 15 min, relative_to: start}
  rate_PV: {of: rate_hz, class: PV, at: 15 min, relative_to: start}
  rate_SST: {of: rate_hz, class: SST, at: 15 min, relative_to: start}
figures: [circuit, raster]
""")
    results = plastogen.run(folder / "circuit.yaml", set=settings, out=folder, jobs=1, figures=True)
    return folder, results


@app.cell(hide_code=True)
def _(plt, results):
    with plt.style.context("plastogen.figures.slide"):
        fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
        colours = {"E": "#D55E00", "PV": "#0072B2", "SST": "#009E73"}
        one = results.sel(arm="ketamine").mean("seed")
        minutes = 60 * results.time
        for name, colour in colours.items():
            rate = one.rate_hz.sel({"class": name})
            left.plot(minutes, 100 * one.block.sel(pool=f"{name}.tonic"), color=colour, label=name)
            right.plot(minutes, 100 * rate / rate[0], color=colour, label=name)
        left.set(xlim=(-15, 60), xlabel="time, min", ylabel="%", title="Tonic receptors blocked")
        right.set(xlim=(-15, 60), xlabel="time, min", ylabel="% of baseline", title="Firing rate")
        right.axhline(100, color="#7B8794", lw=1)
        left.legend()
    fig  # noqa: B018
    return


@app.cell(hide_code=True)
def _(folder, mo, results):
    assert results.attrs["inputs"]  # drawn again when the results are others
    pictures = [(folder / "figures" / f"{name}.png").read_bytes() for name in ("raster", "circuit")]
    mo.vstack([mo.image(picture, width="100%") for picture in pictures])
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Try this

    1. Give E, PV and SST the same conductance. What is left of disinhibition?
    2. Let PV cells lean on it most and SST cells least. Which rhythm of the raster changes?
    3. Give 100 mg/kg. E cells need NMDA receptors too: do they still speak?
    4. Which of these conductances was measured? Ask `plastogen show small`.

    Keep a circuit you like: `plastogen new circuit mine` makes a file to put its numbers into.
    """)
    return


if __name__ == "__main__":
    app.run()
