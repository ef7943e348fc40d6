"""A contest of forms of one computation: they take turns, and each is told by its median.

Other load on the machine then falls on all of them, and their ratios hold where their times do not.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

ROUNDS = 9  # at most
LEAST = 3  # rounds, even if the time is up: two would show no spread
LONG_ENOUGH = 0.2  # seconds of a turn: a shorter step is repeated
COMPILING = 45.0  # seconds to allow for a compilation before one has been seen

Row = dict[str, Any]
Step = Callable[[], object]


@dataclass
class Form:
    """One way to compute something.

    ``names`` tell it from others; ``build`` gives its step, which may have a method ``facts`` that
    tells more for its row.
    """

    names: Row
    build: Callable[[], Step]


def label(names: Row) -> str:
    """The names of a form in a few words."""
    words = [f"batch {v}" if k == "batch" else f"{v}" for k, v in names.items() if k != "compile"]
    return ", ".join([*filter(None, words), *["compiled"] * bool(names.get("compile"))])


@dataclass
class Entrant:
    """A form that is built, and what its turns took."""

    form: Form
    step: Step
    first: float  # seconds of the first step, with compilation
    memory: float | None  # bytes at the peak
    repeats: int
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def row(self) -> Row:
        low, _, high = statistics.quantiles(self.wall, n=4, method="inclusive")
        return self.form.names | {
            "rounds": len(self.wall),
            "seconds": statistics.median(self.wall),
            "low": low,
            "high": high,
            "cpu_seconds": statistics.median(self.cpu),
            "first_seconds": self.first,
            "memory_mb": self.memory and self.memory / 1e6,
            **getattr(self.step, "facts", dict)(),
        }


@dataclass
class Contest:
    """Lets forms take turns on a device, and keeps to a time.

    ``compiling`` is the longest compilation so far: one is not begun that would end too late.
    """

    device: torch.device
    tell: Callable[[str], object]
    compiling: float = COMPILING

    def rows(self, forms: Iterable[Form], until: float) -> list[Row]:
        """A row for each form that can be built before ``until`` (of ``time.perf_counter``).

        A form that this device cannot do, or that does not fit the time, is told and left out.
        """
        gc.collect()  # what an earlier contest held
        entrants = []
        for form in forms:
            entrant = self._built(form, until)
            entrants += [entrant] if entrant else []
        for number in range(ROUNDS if entrants else 0):
            if number >= LEAST and time.perf_counter() > until:
                break
            for entrant in entrants:
                self._turn(entrant)
        if self.device.type == "cpu":
            self._weigh(entrants, until)
        return [entrant.row() for entrant in entrants]

    def _built(self, form: Form, until: float) -> Entrant | None:
        compiled = bool(form.names.get("compile"))
        left = until - time.perf_counter()
        if left < (self.compiling if compiled else 0):
            self.tell(f"left out, for lack of time: {label(form.names)}")
            return None
        before = self._allocated()
        try:
            step = form.build()
            first = self._seconds(step)
            usual = self._seconds(step)
        except Exception as error:  # drivers and compilers raise errors without a common base
            why = " ".join(str(error).split())[:200] or type(error).__name__
            self.tell(f"left out, not possible here: {label(form.names)} ({why})")
            return None
        if compiled:
            self.compiling = max(self.compiling, first)
        memory = None if before is None else torch.cuda.max_memory_allocated(self.device) - before
        return Entrant(form, step, first, memory, max(1, round(LONG_ENOUGH / usual)))

    def _turn(self, entrant: Entrant) -> None:
        started = time.process_time()
        wall = self._seconds(entrant.step, entrant.repeats)
        entrant.wall.append(wall / entrant.repeats)
        entrant.cpu.append((time.process_time() - started) / entrant.repeats)

    def _seconds(self, step: Step, repeats: int = 1) -> float:
        self._wait()
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        """Let a device finish: it works on while Python does not wait."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def _allocated(self) -> int | None:
        """Bytes allocated on a CUDA device, from which on the peak is noted anew."""
        if self.device.type != "cuda":
            return None
        torch.cuda.reset_peak_memory_stats(self.device)
        return torch.cuda.memory_allocated(self.device)

    def _weigh(self, entrants: list[Entrant], until: float) -> None:
        """The peak memory of each form in a fresh process, as far as the time allows."""
        for entrant in entrants:
            if entrant.form.names.get("compile"):
                continue  # the compiler's own memory would be counted
            if time.perf_counter() + 2 * entrant.first + 10 > until:
                return
            entrant.memory = _in_fresh_process(entrant.form)


def _in_fresh_process(form: Form) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_peak_of, form.build, torch.get_num_threads()).result()


def _peak_of(build: Callable[[], Step], threads: int) -> float:
    """Bytes at the peak of this process after two steps."""
    torch.set_num_threads(threads)
    step = build()
    step(), step()
    return peak_memory()


def peak_memory() -> float:
    """Bytes that this process held at its peak."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would tell the parent's peak as well
        return float(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset)
    import resource

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS
