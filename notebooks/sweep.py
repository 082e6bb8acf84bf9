"""Read a sweep: dose against readout, with and without block on SST cells. marimo edit notebooks/sweep.py"""

import marimo

app = marimo.App(width="medium", app_title="plastogen: read a sweep")


@app.cell(hide_code=True)
def _():
    import json
    from pathlib import Path

    import marimo as mo
    import matplotlib.pyplot as plt

    import plastogen

    mo.md(f"""
    # Read a sweep

    The same two arms at five doses, with the drug's block of tonic receptors on SST cells as it is and switched off:
    ten points. Results are labelled arrays (xarray): every swept number is a dimension.

    Nothing answers on a page that is only read. Open it with `marimo edit notebooks/sweep.py`: sliders act at
    once; after a change of code press Ctrl+Enter (⌘+Enter on a Mac) in its cell, and all that hangs on it follows.

    *{plastogen.SCOPE}*
    """)
    return Path, json, mo, plastogen, plt


@app.cell
def _(Path, plastogen):
    folder = Path("results/notebooks/sweep")
    folder.mkdir(parents=True, exist_ok=True)
    text = """\
question: Does more ketamine always leave more, and through SST cells?
model: {subject: stressed_adult, circuit: prefrontal}
course: {duration: 1 d, seeds: 1, method: formula}
arms:
  vehicle: {}
  ketamine:
    give:
      infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}
sweep:
  arms.ketamine.give.infusion.dose: {from: 0.1 mg/kg, to: 3 mg/kg, points: 5, spacing: log}
  switches.block.tonic_SST: [0, 1]
readouts:
  glutamate_peak: {of: glutamate, take: peak, until: 6 h, title: peak glutamate}
  rate_SST: {of: rate_hz, class: SST, at: 40 min, relative_to: start, title: SST rate at 40 min}
  weight_24h: {of: weight, at: 24 h, title: synaptic weight at 24 h}
  spines_24h: {of: spine_density, at: 24 h, title: spine density at 24 h}
expect:
  - {claim: the more the stronger, readout: weight_24h, arm: ketamine, minus: vehicle, rises: dose, slack: 0.1}
  - claim: half a mg/kg raises glutamate where SST cells are blocked
    readout: glutamate_peak
    more: ketamine
    than: vehicle
    where: {dose: [0.4 mg/kg, 1 mg/kg], tonic_SST: 1}
"""
    (folder / "sweep.yaml").write_text(text)
    results = plastogen.run(folder / "sweep.yaml", out=folder, jobs=1)
    return results, text


@app.cell(hide_code=True)
def _(mo, results):
    titles = {
        results[name].long_name: name
        for name in results.data_vars
        if results[name].attrs.get("readout")
    }
    chosen = mo.ui.dropdown(titles, value=next(reversed(titles)), label="readout")
    less = mo.ui.switch(label="less vehicle")
    mo.hstack([chosen, less], justify="start", gap=2)
    return chosen, less


@app.cell
def _(chosen, less, plt, results):
    # One readout is an array over (arm, dose, tonic_SST, seed); pick, subtract, draw.
    readout = results[chosen.value].mean("seed")
    shown = (
        readout.sel(arm="ketamine") - readout.sel(arm="vehicle")
        if less.value
        else readout.sel(arm="ketamine")
    )
    with plt.style.context("plastogen.figures.slide"):
        fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
        for factor, line, words in (
            (1, "o-", "as it is"),
            (0, "s--", "no block on SST cells' tonic receptors"),
        ):
            ax.plot(
                results.dose,
                shown.sel(tonic_SST=factor),
                line,
                color="#0072B2",
                label=words,
                clip_on=False,
            )
        unit = "" if results[chosen.value].units == "1" else f", {results[chosen.value].units}"
        ax.set(
            xscale="log", xlabel="dose, mg/kg", ylabel=f"{results[chosen.value].long_name}{unit}"
        )
        ax.set_xticks(
            results.dose.values, [f"{dose:.2g}" for dose in results.dose.values], minor=False
        )
        ax.minorticks_off()
        ax.legend()
    fig  # noqa: B018
    return (shown,)


@app.cell
def _(json, mo, results):
    # What became of the claims, at how many of the points.
    claims = json.loads(results.attrs["claims"])
    mo.md(
        "| claim | outcome |\n|:--|:--|\n"
        + "\n".join(f"| {one['claim']} | {one['outcome']} |" for one in claims)
    )
    return (claims,)


@app.cell(hide_code=True)
def _(mo, text):
    mo.vstack(
        [
            mo.accordion({"The sweep as a file": mo.md(f"```yaml\n{text}```")}),
            mo.md("""
    ## Try this

    1. Which readouts turn over or level off with the dose, and which go on rising?
    2. How much of the effect goes through SST cells, and does that share hang on the dose?
    3. Add a claim of your own to the file (`marimo edit` lets you). Is it met?
    4. A sweep of yours: `plastogen new sweep mine`, then put its folder into `plastogen.load`.
    """),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
