"""In: an experiment. Out: a film of one run, as HTML, GIF or MP4: raster, rates and dendrite
through what is given.

Every frame is a snapshot of the network at a moment of the course, asked for like any other;
nothing is interpolated but the curves. The small circuit is followed, one seed, one arm, unless
said otherwise.
"""

from __future__ import annotations

import base64
import io
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from plastogen._base.files import atomic_write, explained
from plastogen._base.scope import SCOPE
from plastogen._base.text import any_of, counted, nearest, show
from plastogen.errors import InputError, StoreError
from plastogen.publish.workflow import publish_results
from plastogen.runs import (
    RESULTS,
    SMALL_CIRCUIT,
    Request,
    RunOptions,
    Store,
    Watcher,
    make_request,
    run_missing,
    silent,
    without_result,
)

if TYPE_CHECKING:
    import xarray as xr
    from PIL import Image

KINDS = (".html", ".gif", ".mp4")
FRAMES, FEWEST, MOST = 40, 2, 200
BEFORE_MIN, DENSE_MIN, H_MIN, LATE_SHARE = (
    20,
    120,
    60,
    3,
)  # a third of the frames show what comes after two hours
FRAME_MS, LAST_MS, COLOURS = 250, 2000, 128
NAMED = "frame_"


def make_film(
    name: str,
    settings: Mapping[str, object] | None = None,
    *,
    arm: str | None = None,
    frames: int = FRAMES,
    out: Path | None = None,
    say: Callable[[str], None] = print,
    watcher: Watcher | None = None,
    **options: Unpack[RunOptions],
) -> Path:
    """Write the film to `out`, whose ending says what it is. Raises InputError, StoreError,
    EngineError.
    """
    out = out or RESULTS / f"film_{Path(name).stem}" / "film.html"
    writer = _writer(out)
    if not FEWEST <= frames <= MOST:
        raise InputError.one(
            file="--frames", found=str(frames), wanted=f"a number from {FEWEST} to {MOST}"
        )
    request, arm, minutes = _frames_request(
        name, settings or {}, arm, frames, RESULTS / f"film_{Path(name).stem}", say
    )
    seed = request.opened.seeds[0]
    wanted = request.ids[arm, (), seed]
    runs = [run for run in request.runs if run.id == wanted]
    say(
        f"{arm}, {counted(len(minutes), 'moment')} of 20 s in"
        f" {request.conditions[0].circuit.size} cells ({runs[0].plan.backend})"
    )
    results = run_missing(request, runs, say=say, watcher=watcher, **options)
    if without_result(results):
        raise StoreError(f"no film: the run failed: {without_result(results)[0].note}")
    outcome = publish_results(request, results, say=say, figures=False)
    spikes, cells = request.store.spikes(wanted), request.store.load(wanted).manifest["classes"]
    followed = runs[0].plan.spines is not None
    branch = _branch(request.store, wanted) if followed else None
    pictures = []
    for k, at in enumerate(minutes):
        moment = {
            "arm": arm,
            "seed": seed,
            "at_h": at / H_MIN,
            "said": _said(at),
            "branch": branch,
        }
        pictures.append(_picture(outcome.ds, spikes[f"{NAMED}{k:03}"], cells, moment))
        if watcher is not None:
            watcher.moved("film", 0, "drawing frames", k / len(minutes))
    if watcher is not None:
        watcher.finished("film", 0)
    with explained(out, "write"):
        out.parent.mkdir(parents=True, exist_ok=True)
        title = f"{outcome.ds.attrs['title']}: {arm}"
        writer(out, pictures, [_said(at) for at in minutes], title)
    return out


def _frames_request(
    name: str,
    settings: Mapping[str, object],
    arm: str | None,
    frames: int,
    folder: Path,
    say: Callable[[str], None],
) -> tuple[Request, str, list[int]]:
    """The experiment with a snapshot a frame, the arm that is followed, and when the snapshots are,
    in minutes.
    """
    own = {"model.circuit": SMALL_CIRCUIT, "course.seeds": 1} | dict(settings)
    opened = make_request(name, own, out=folder, say=say).opened
    if opened.sweep_in_words:
        wanted = "one without a sweep; fix a dose with --set instead"
        raise InputError.one(file=name, found="an experiment over many points", wanted=wanted)
    if opened.experiment.course.method != "direct":
        wanted = "direct, for a film shows spikes"
        raise InputError.one(
            file=name, path="course.method", found=opened.experiment.course.method, wanted=wanted
        )
    arms = list(opened.experiment.arms)
    if arm is not None and arm not in arms:
        raise InputError.one(
            file="--arm",
            found=show(arm),
            wanted=any_of(arms),
            nearest=nearest(arm, arms),
        )
    arm = arm or next((each for each in arms if opened.experiment.arm(each).give), arms[-1])
    minutes = moments(float(opened.experiment.course.duration) * H_MIN, frames)
    shots = {moment: at.text for moment, at in opened.experiment.snapshots.items()}
    shots |= {f"{NAMED}{k:03}": f"{at} min" for k, at in enumerate(minutes)}
    return make_request(name, {**own, "snapshots": shots}, out=folder, say=silent), arm, minutes


def moments(end_min: float, frames: int) -> list[int]:
    """When frames are: evenly through the first two hours, then further and further apart to the
    end; minutes.
    """
    late = frames // LATE_SHARE if end_min > DENSE_MIN else 0
    early, last = frames - late, min(end_min, DENSE_MIN)
    times = [-BEFORE_MIN + k * (last + BEFORE_MIN) / (early - 1) for k in range(early)]
    times += [
        DENSE_MIN * math.exp((k + 1) / late * math.log(end_min / DENSE_MIN)) for k in range(late)
    ]
    steps = [1 if at <= DENSE_MIN else H_MIN // 2 if at < 24 * H_MIN else H_MIN for at in times]
    return sorted(
        {
            min(round(at / step) * step, math.floor(end_min))
            for at, step in zip(times, steps, strict=True)
        }
    )


def _said(minutes: int) -> str:
    """A moment in words."""
    from plastogen.figures import H_PER_DAY, time_text

    if minutes == 0:
        return "now it begins"
    days, hours = divmod(abs(minutes) // H_MIN, H_PER_DAY)
    late = f"{days} d" + (f" {hours} h" if hours else "")
    text = late if days else time_text(abs(minutes) / H_MIN)
    return f"{text} before" if minutes < 0 else f"after {text}"


def _branch(store: Store, run: str) -> xr.Dataset:
    """The spines of one branch of a run."""
    from plastogen.figures import one_branch

    with store.spines(run) as spines:
        return one_branch(spines)


def _picture(ds: Any, spikes: Any, cells: Any, moment: Mapping[str, Any]) -> Image.Image:
    """One frame as an image."""
    from plastogen.figures import image, plot_frame

    return image(plot_frame(ds, spikes, cells, **moment))


def _writer(out: Path) -> Callable[[Path, Sequence[Image.Image], Sequence[str], str], None]:
    """What writes such a file; found before anything runs. Raises InputError."""
    if out.suffix not in KINDS:
        raise InputError.one(
            file="--out", found=show(out.name), wanted=f"a name that ends in {', '.join(KINDS)}"
        )
    if out.suffix == ".mp4":
        program = ffmpeg()
        return lambda path, pictures, said, title: _mp4(path, pictures, program)
    return _gif if out.suffix == ".gif" else _html


def ffmpeg() -> str:
    """The program that makes MP4. Raises InputError when there is none."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        wanted = "ffmpeg on PATH, or pip install 'plastogen[film]'; .gif and .html need neither"
        raise InputError.one(
            file="--out", found="no ffmpeg, which makes .mp4", wanted=wanted
        ) from None


def _mp4(path: Path, pictures: Sequence[Image.Image], program: str) -> None:
    width, height = (side - side % 2 for side in pictures[0].size)
    partial = path.with_name(f".{path.name}.partial.mp4")
    rate = f"1000/{FRAME_MS}"
    command = [
        program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
        f"{width}x{height}", "-r", rate, "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p",
        "-movflags", "+faststart", "-metadata", f"comment={SCOPE}", str(partial),
    ]  # fmt: skip
    raw = b"".join(picture.crop((0, 0, width, height)).tobytes() for picture in pictures)
    made = subprocess.run(command, input=raw, capture_output=True, check=False)
    if made.returncode or not partial.is_file():
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"ffmpeg could not write {path}: {made.stderr.decode(errors='replace').strip()[-300:]}"
        )
    partial.replace(path)


def _gif(path: Path, pictures: Sequence[Image.Image], said: Sequence[str], title: str) -> None:
    del said, title
    first, *rest = [picture.quantize(COLOURS) for picture in pictures]
    with io.BytesIO() as kept:
        first.save(
            kept,
            format="GIF",
            save_all=True,
            append_images=rest,
            loop=0,
            comment=SCOPE.encode(),
            duration=[*[FRAME_MS] * len(rest), LAST_MS],
        )
        atomic_write(path, kept.getvalue())


def _html(path: Path, pictures: Sequence[Image.Image], said: Sequence[str], title: str) -> None:
    """A page with a slider and a button; plays by itself only when asked, and holds every frame."""
    from importlib import resources

    from plastogen.publish.report.html import Html, document, el

    frames = []
    for k, (picture, text) in enumerate(zip(pictures, said, strict=True)):
        with io.BytesIO() as kept:
            picture.quantize(COLOURS).save(kept, format="PNG", optimize=True)
            data = base64.b64encode(kept.getvalue()).decode("ascii")
        alt = f"{title}, {text}: spikes, rates, concentration and dendrite"
        frames.append(
            el("img", src=f"data:image/png;base64,{data}", alt=alt, data_said=text, hidden=k > 0)
        )
    slider = el(
        "input",
        type="range",
        min="0",
        max=str(len(said) - 1),
        value="0",
        step="1",
        aria_label="moment",
    )
    bar = el(
        "p",
        el("button", "Play", type="button"),
        slider,
        el("output", said[0]),
        class_="bar",
        data_ms=str(FRAME_MS),
    )
    files = resources.files("plastogen.figures")
    script = el("script", Html((files / "film.js").read_text(encoding="utf-8")))
    body = el(
        "body",
        el("h1", title),
        el("div", *frames, class_="film"),
        bar,
        el("p", SCOPE, class_="scope"),
        script,
    )
    css = (files / "film.css").read_text(encoding="utf-8")
    atomic_write(path, document(title, css, body, scripts=True))
