"""A source whose reward collapses at once has an outage; its prompts are not hard for that."""

from __future__ import annotations

import numpy as np

from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats
from curriculum.samplers.guards.settings import Guards
from curriculum.samplers.state import State, Stateful

EVIDENCE = 20.0  # expected passes before a source is judged: chance alone leaves a tenth 1 in 2e6
LOWEST = 0.01  # of what is expected that a low can become the usual


class Outages(Stateful):
    """Holds back what a source says while its reward has collapsed at once.

    A verifier or environment that breaks gives zeros to every prompt; a sampler that believed them
    would call all of them hard. What is expected of a source is what its own prompts' measured
    pass rates say, so that harder prompts are no outage. Source of the wish: surogate#73, where 45
    steps of an outage took a source out of training for good.
    """

    # (S,) each
    _expected: State[Floats]  # passes, since the last look
    _passed: State[Floats]
    _usual: State[Floats]  # of what is expected, once a low has proved to last
    _waited: State[Floats]  # looks at which it was low, in a row
    frozen: State[Mask]
    held_back: State[int]  # groups

    def __init__(self, prompts: Prompts, guards: Guards) -> None:
        self._source, self._names = prompts.source, prompts.sources
        self._rate = prompts.c / np.maximum(prompts.n, 1)
        self._collapse, self._patience = guards.collapse, guards.patience
        sources = len(prompts.sources)
        self._expected, self._passed = np.zeros(sources), np.zeros(sources)
        self._usual = np.ones(sources)
        self.frozen = np.zeros(sources, np.bool_)
        self._waited = np.zeros(sources)
        self.held_back = 0

    def filter(self, observations: Observations) -> tuple[Observations, list[Event]]:
        """The observations to believe, and what froze or thawed."""
        if self._collapse is None or not len(observations):
            return observations, []
        source = self._source[observations.prompt]
        expected = observations.n * self._rate[observations.prompt]
        sources = len(self._names)
        self._expected += np.bincount(source, expected, sources)
        self._passed += np.bincount(source, observations.passed, sources)
        events = []
        for judged in np.flatnonzero(self._expected * self._usual >= EVIDENCE).tolist():
            events += self._judge(judged, self._collapse)
        held = self.frozen[source]
        self.held_back += int(held.sum())
        return observations.take(~held) if held.any() else observations, events

    def _judge(self, source: int, collapse: float) -> list[Event]:
        ratio = self._passed[source] / self._expected[source]
        low = ratio < collapse * self._usual[source]
        self._expected[source] = self._passed[source] = 0
        self._waited[source] = self._waited[source] + 1 if low else 0
        was = bool(self.frozen[source])
        lasts = low and self._waited[source] > self._patience
        if lasts:
            self._usual[source] = max(ratio, LOWEST)
            self._waited[source] = 0
        elif not low:
            self._usual[source] = max(self._usual[source], min(ratio, 1))
        self.frozen[source] = low and not lasts
        if was == self.frozen[source]:
            return []
        name = self._names[source]
        values = {"source": name, "passes_of_expected": float(ratio)}
        if not was:
            fell = f"{name}: passes fell to {ratio:.0%} of what was measured"
            return [Event("frozen", f"{fell}; its rewards are held back", values)]
        how = "stay low: they count again" if lasts else "are back: they count again"
        return [Event("thawed", f"{name}: its rewards {how}", values)]
