"""What this process may use of the machine: cores, threads, memory, and the device of networks."""

import ctypes
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

CGROUPS, LISTING = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MOST_THREADS = 4  # by default: a compact network gains little from more, and neighbours lose
# What OpenMP (PyTorch), the libraries of linear algebra (NumPy) and Dask read when they load.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "DASK_NUM_WORKERS",
)


def pick_device(device: str | None = None) -> str:
    """The device asked for, or by default the NVIDIA or AMD GPU where there is one, else the CPU.

    Apple's GPU ("mps") is taken only when it is asked for, to map: nobody has measured it yet.

    Raises ValueError for one that PyTorch does not know or that is not there.
    """
    import torch  # here, so that what asks for cores alone loads no PyTorch

    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        apple = ["mps"] if torch.backends.mps.is_available() else []
        cards = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
        there = ", ".join(["cpu", *cards, *apple])
        raise ValueError(
            f"The device '{chosen}' is not to be had here; expected one of {there}."
        ) from error
    return chosen


def processor() -> str:
    """The name that the processor gives itself, or what the system calls its kind."""
    listing = Path("/proc/cpuinfo")
    named = listing.exists() and re.search(r"(?m)^model name\s*: (.+)$", listing.read_text())
    return " ".join(named[1].split()) if named else platform.processor() or platform.machine()


def usable_cores(root: Path = CGROUPS, listing: Path = LISTING) -> float:
    """Cores that this process may use, by its affinity and by the quota of its container."""
    allowed = float(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    for group in _groups("cpu", root, listing):
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        elif (group / "cpu.cfs_quota_us").exists():
            quota, period = (
                (group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        else:
            continue
        if quota not in ("max", "-1"):
            allowed = min(allowed, int(quota) / int(period))
    return allowed


def whole_cores() -> int:
    """Whole cores that this process may use; at least one."""
    return max(1, int(usable_cores()))


def threads() -> int:
    """How many threads to compute with: what the user set in OMP_NUM_THREADS, else MOST_THREADS,
    and never more than the cores that this process may use.
    """
    return min(_set_in("OMP_NUM_THREADS") or MOST_THREADS, whole_cores())


def _set_in(variable: str) -> int | None:
    """The number above 0 that a variable of the environment holds, if it does."""
    given = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP takes one for each level
    return int(given) or None if given.isdecimal() else None


def limit_threads() -> dict[str, str]:
    """Set the environment so that libraries and processes that start from here on use ``threads``,
    or what the user set for one of them, if there are so many cores.

    A PyTorch that has been loaded already is held to that number as well. Returns what was set.
    """
    cores, number = whole_cores(), threads()
    settings = {name: str(min(_set_in(name) or number, cores)) for name in THREADS}
    # Threads that wait for work must not spin without end: beside two other busy programs (another
    # notebook, a classmate on the same server) a training step can then take a hundred times as
    # long. 10000 rounds cost nothing on a quiet machine and bound the worst case to some times the
    # quiet one. With 1000, or sleeping at once (OMP_WAIT_POLICY=PASSIVE), the bound is lower, but
    # threads that must be woken at every step make it two to four times slower on some quiet
    # virtual machines. What a user has set stands. GNU's runtime (PyTorch's wheels on Linux) reads
    # this. LLVM's and Intel's (macOS, Windows) read KMP_BLOCKTIME instead; measured with Intel's on
    # Linux, 0 bounds the worst case as well (2.0 s to 0.14 s a step), but makes a quiet machine
    # three times slower, so it is left to those who share theirs.
    if "OMP_WAIT_POLICY" not in os.environ:
        settings["GOMP_SPINCOUNT"] = os.environ.get("GOMP_SPINCOUNT", "10000")
    os.environ.update(settings)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(min(torch.get_num_threads(), number))
    return settings


@contextmanager
def memory_kept() -> Iterator[None]:
    """Let the C library keep what is freed for the next arrays, and give it back at the end.

    Dask starts its workers with MALLOC_TRIM_THRESHOLD_=65536: they return memory after every layer
    of a network and take each page anew for the next, and a map costs more than twice the processor
    time. Only glibc (Linux) is like this; elsewhere nothing is done.
    """
    if libc := _glibc():
        libc.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD: the most that every version takes
        libc.mallopt(-1, 256 << 20)  # M_TRIM_THRESHOLD
    try:
        yield
    finally:
        give_memory_back()


def give_memory_back() -> None:
    """Let the C library return what it holds and nobody uses; glibc keeps it until it is asked."""
    if libc := _glibc():
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """GNU's C library, where it is the one of this process."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None


def memory_limit(root: Path = CGROUPS, listing: Path = LISTING) -> tuple[float, float]:
    """Bytes that the container may use, and those of them that are free; both infinite without a
    limit.
    """
    limit = free = float("inf")
    for group in _groups("memory", root, listing):
        for bound, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            if (group / bound).exists() and (text := (group / bound).read_text().strip()) != "max":
                limit, free = (
                    min(limit, float(text)),
                    min(free, float(text) - float((group / used).read_text())),
                )
    return limit, free


class Watched(NamedTuple):
    """What a piece of work took."""

    seconds: float  # on the clock
    processor: float  # seconds of this process, its threads summed
    megabytes: list[float]  # memory of this process, from before the work to after it


def watch(work: Callable[[], object], every: float = 0.1) -> Watched:
    """Run ``work()`` while a thread looks at the memory of this process ``every`` so many seconds.

    What ``work`` raises is raised after the thread has ended.
    """
    import psutil  # here, so that what asks for cores alone does not load it

    process = psutil.Process()
    levels: list[float] = []
    done = threading.Event()

    def look() -> None:
        levels.append(process.memory_info().rss / 1e6)

    def keep_looking() -> None:
        while not done.wait(every):
            look()

    look()
    thread = threading.Thread(target=keep_looking)
    thread.start()
    start = time.perf_counter(), time.process_time()
    try:
        work()
        taken = time.perf_counter() - start[0], time.process_time() - start[1]
    finally:
        done.set()
        thread.join()
    look()
    return Watched(*taken, levels)


def _groups(controller: str, root: Path, listing: Path) -> list[Path]:
    """Folders of the control groups (version 2 or 1) that bind this process on Linux, from its own
    to the topmost.
    """
    found = []
    for line in listing.read_text().splitlines() if listing.exists() else []:
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            top = root / controller if controllers else root
            own = top / path.strip("/")
            found += [folder for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return found
