"""In: the drives that one course meets. Out: what its circuit does under each, the circuit asked as
seldom as a tolerance allows.

At first a drive within `resolution` of one already asked gets the same answer, so that noise does
not make a resting state drift. Once there are `ENOUGH` answers, and they have the noise of a
window, all of them together say what the circuit does (`Emulator`): it is asked again only where
they are not sure, or where nothing near was asked, for whether a number matters is not known before
it was moved.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import PRINCIPAL, Activity, Drive
from plastogen.simulation.emulator import Emulator
from plastogen.simulation.probe import CachedProbe

Array = npt.NDArray[np.float64]

RESOLUTION_SHARE = 0.125  # of the tolerance: drives this close get the same answer
UNSURE_SHARE = 0.5  # of the tolerance: a log rate is asked again where it is less sure
DRIVE_STEP_SHARE = 2  # of the tolerance: the most a drive moves without being asked
FEWEST, ENOUGH = 8, 24  # answers that show how what a circuit does goes with a drive


class ProbeScheduler:
    """Asks the circuit for one course, never twice about the same drive, and no more than `most`
    times. `measured`: drives and what the circuit answered.
    """

    def __init__(self, probe: CachedProbe, seed: int, *, tolerance: float, most: int) -> None:
        self.probe, self.seed, self.most = probe, seed, most
        self.resolution = RESOLUTION_SHARE * tolerance
        self._unsure, self._near = UNSURE_SHARE * tolerance, DRIVE_STEP_SHARE * tolerance
        self.measured: list[tuple[Array, Activity]] = []
        self.drives: list[Array] = []  # those measured, and those adopted
        self.answers: list[Activity] = []
        self.furthest = 0.0  # of a drive that was wanted from the one whose answer stood in for it
        self.frozen: Activity | None = None
        self._together: Emulator | None = None

    @property
    def cap_hit(self) -> bool:
        """Whether an answer stood in for one that could not be asked for any more."""
        return self.furthest > 0

    @property
    def noisy(self) -> bool:
        """Whether what the circuit says, of synapses too, has the noise of a window."""
        if not self.measured:
            return False
        _, first = self.measured[0]
        return bool(np.isfinite(first.potentiation).all() and first.rate_se_hz.any())

    @property
    def smooth(self) -> bool:
        """Whether answers go smoothly with the drive: a resting state can be found exactly."""
        return self._together is not None

    def answer(self, drives: Array) -> Activity:
        """What the circuit does under a drive, (1, numbers)."""
        if self.frozen is not None:
            return self.frozen
        if self._together is None and self.noisy and len(self.measured) >= ENOUGH:
            self._learn(refit=True)
        if self._together is not None:
            return self._from_all(self._together, drives)
        return self._nearest(drives)

    def _nearest(self, drives: Array) -> Activity:
        """The answer to the nearest drive asked, if it is near enough; else one more."""
        (wanted,) = drives
        if self.drives:
            distance = np.abs(np.array(self.drives) - wanted).max(axis=1)
            nearest = int(distance.argmin())
            if distance[nearest] <= self.resolution:
                return self.answers[nearest]
            if len(self.measured) >= self.most:
                self.furthest = max(self.furthest, float(distance[nearest]))
                return self.answers[nearest]
        self._measure(wanted)
        return self.answers[-1]

    def _from_all(self, known: Emulator, drives: Array) -> Activity:
        """What all answers say together, with one more if they are not sure."""
        (wanted,) = drives
        distance = float(np.abs(known.drives - wanted).max(axis=1).min())
        unsure = known.error(drives, self.seed)[0, PRINCIPAL] > self._unsure
        if distance > self._near or (unsure and distance > self.resolution):
            if len(self.measured) < self.most:
                self._measure(wanted)
                known = self._learn(refit=False)
            else:
                self.furthest = max(self.furthest, distance)
        return known.measure(Drive.from_array(known.circuit, drives), np.array([self.seed]))

    def _measure(self, drive: Array) -> None:
        found = self.probe.measure(Drive.from_array(self.probe.circuit, drive), self.seed)
        self.measured.append((drive, found))
        self.adopt(drive[None], _as_batch(found))

    def adopt(self, drives: Array, answer: Activity) -> None:
        """Take `answer` for what the circuit does under this drive, as long as answers stand one by
        one.
        """
        self.drives.append(drives[0])
        self.answers.append(answer)

    def start_again(self) -> bool:
        """Whether the course gains by being followed again, from here on by all answers together:
        where they have noise, and enough of them are there.
        """
        if not self.noisy or len(self.measured) < FEWEST:
            return False
        self.furthest, self.frozen = 0.0, None
        self._learn(refit=True)
        return True

    def _learn(self, *, refit: bool) -> Emulator:
        """What all answers so far say together; `refit`: how alike they are is sought anew."""
        drives, answers = zip(*self.measured, strict=True)
        known = self._together
        self._together = Emulator.fit(
            self.probe.circuit,
            np.array(drives),
            np.full(len(drives), self.seed),
            answers,
            None if known is None else known.theta,
            None if known is None else known.drift_theta,
            refit=refit,
        )
        return self._together


def _as_batch(activity: Activity) -> Activity:
    """The activity of one course as that of a batch of one."""
    return Activity(**{name: x[None] for name, x in activity.arrays().items()})  # type: ignore[arg-type]
