"""Play with an experiment: choose a dose, a speed, a blocker; two weeks follow in seconds."""

import marimo

app = marimo.App(width="medium", app_title="plastogen: play with an experiment")


@app.cell(hide_code=True)
def _():
    import io
    from pathlib import Path

    import marimo as mo

    import plastogen
    from plastogen.figures import plot_timeline

    mo.md(f"""
    # Play with an experiment

    One infusion of ketamine, from blood to spines. The network is replaced by an analytic stand-in
    (`method: formula`), which answers quickly and roughly: look at directions, not at digits.

    Nothing answers on a page that is only read. Open it with `marimo edit notebooks/play.py`: sliders act at
    once; after a change of code press Ctrl+Enter (⌘+Enter on a Mac) in its cell, and all that hangs on it follows.

    *{plastogen.SCOPE}*
    """)
    return Path, io, mo, plastogen, plot_timeline


@app.cell(hide_code=True)
def _(mo):
    dose = mo.ui.slider(
        steps=[0.1, 0.2, 0.5, 1, 2], value=0.5, label="dose, mg/kg", show_value=True
    )
    over = mo.ui.dropdown(["5 min", "40 min", "4 h"], value="40 min", label="given over")
    blocker = mo.ui.dropdown(["none", "nbqx", "rapamycin"], value="none", label="blocker before it")
    subject = mo.ui.dropdown(
        ["stressed_adult", "healthy_adult"], value="stressed_adult", label="subject"
    )
    mo.hstack([dose, over, blocker, subject], justify="start", gap=2, wrap=True)
    return blocker, dose, over, subject


@app.cell
def _(blocker, dose, over, subject):
    # This is the whole experiment: a question, who is treated, what each arm gets, what is read.
    held = (
        ""
        if blocker.value == "none"
        else f"\n      blocker: {{drug: {blocker.value}, occupancy: 0.9, at: -30 min, for: 8 h}}"
    )
    text = f"""\
question: What does this infusion leave behind?
model: {{subject: {subject.value}, circuit: prefrontal}}
course: {{duration: 14 d, seeds: 1, method: formula}}
arms:
  vehicle: {{}}
  ketamine:
    give:
      infusion: {{drug: ketamine, dose: {dose.value:g} mg/kg, route: iv, over: {over.value}, at: 0 h}}{held}
readouts:
  plasma_peak: {{of: plasma_ng_ml, species: ketamine, take: peak, title: peak ketamine in plasma}}
  block_peak: {{of: block, pool: SST.synaptic, take: peak, title: largest block on SST cells}}
  glutamate_peak: {{of: glutamate, take: peak, until: 6 h, title: peak glutamate}}
  weight_24h: {{of: weight, at: 24 h, title: synaptic weight at 24 h}}
  spines_24h: {{of: spine_density, at: 24 h, title: spine density at 24 h}}
  spines_14d: {{of: spine_density, at: 14 d, title: spine density at 14 d}}
"""
    return (text,)


@app.cell
def _(Path, plastogen, text):
    # A run that was made before is not made again: go back to a dose and it is there at once.
    folder = Path("results/notebooks/play")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "play.yaml").write_text(text)
    results = plastogen.run(folder / "play.yaml", out=folder, jobs=1)
    return (results,)


@app.cell(hide_code=True)
def _(io, mo, results, plot_timeline):
    picture = io.BytesIO()
    plot_timeline(results).savefig(picture)
    mo.image(picture.getvalue(), width="100%")
    return


@app.cell
def _(mo, results):
    names = [name for name in results.data_vars if results[name].attrs.get("readout")]
    table = [
        {
            "readout": results[name].long_name,
            **{
                arm: round(float(results[name].sel(arm=arm).mean()), 3)
                for arm in results.arm.values
            },
            "unit": "" if results[name].units == "1" else results[name].units,
        }
        for name in names
    ]
    rows = [
        f"| {row['readout']} | {row['vehicle']:.3g} | {row['ketamine']:.3g} | {row['unit']} |"
        for row in table
    ]
    mo.md("\n".join(["| readout | vehicle | ketamine | unit |", "|:--|--:|--:|:--|", *rows]))
    return (table,)


@app.cell(hide_code=True)
def _(mo, text):
    mo.vstack(
        [
            mo.md("""
    ## Try this

    1. Give twice the dose. Does twice as much grow?
    2. Give it over 4 h instead of 5 min. The dose is the same: what else is?
    3. Put NBQX before it, then rapamycin. Which link does each cut, and where in the picture does it show?
    4. Treat a healthy subject. Why is there so little to gain?
    """),
            mo.accordion({"The experiment as a file": mo.md(f"```yaml\n{text}```")}),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
