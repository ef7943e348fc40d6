"""What this process may use of the machine: cores, memory, and the device that networks run on."""

import os
from pathlib import Path

CGROUPS, LISTING = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def pick_device(device: str | None = None) -> str:
    """The device asked for, or by default the GPU where there is one, else the CPU.

    Raises ValueError for one that PyTorch does not know or that is not there.
    """
    import torch  # here, so that what asks for cores alone loads no PyTorch

    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        there = ", ".join(["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))])
        raise ValueError(
            f"The device '{chosen}' is not to be had here; expected one of {there}."
        ) from error
    return chosen


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
