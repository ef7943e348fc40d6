"""Code of others, run behind a fence: in a process of its own with limits, without files, network
or other programs.

It is a fence and not a jail. It keeps a class's mistakes and pranks from a lecturer's computer:
code is looked at before it runs (``look``); the process may not take more time or memory than
given, nor open, write or remove a file outside a folder of its own, start a program or reach the
network. On Linux the kernel itself holds to the rules on files and connections (Landlock, Linux
5.13 and later); elsewhere Python's audit hooks do, which compiled code gets round. Whoever wants
out and knows how may get out. For people whom you do not trust at all, grade in a container or a
virtual machine that you throw away.
"""

import ast
import builtins
import ctypes
import json
import os
import re
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NoReturn

import psutil

from stma_nb import machine

# Of Python's own modules only the public names are within reach (``_public``), not the modules that
# they import themselves.
STANDARD = {
    "cmath", "collections", "collections.abc", "copy", "dataclasses", "functools", "itertools",
    "json", "math", "statistics", "time", "typing", "warnings",
}  # fmt: skip
IMPORTS = STANDARD | {
    "matplotlib", "numpy", "pandas", "scipy", "sklearn", "stma_nb", "torch", "xarray",
}  # fmt: skip
# Ways to files, programs and the inside of Python: functions by name, and these and modules as an
# attribute or import. A variable may have the name of a module: none is within reach.
NAMES = {
    "breakpoint", "compile", "delattr", "exec", "exercises", "get_ipython", "getattr", "globals",
    "locals", "open", "setattr", "vars",
}  # fmt: skip
PARTS = NAMES | {
    "bltns", "builtins", "codecs", "course", "cpp_extension", "ctypes", "ctypeslib", "distributed",
    "f2py", "gc", "hub", "importlib", "inspect", "io", "linecache", "memmap", "multiprocessing",
    "os", "pathlib", "pickle", "posix", "shutil", "socket", "subprocess", "sys", "tempfile",
    "threading", "tofile",
    # of harmless modules: what takes attributes by name, runs text, reads a file, sets the clock
    "ForwardRef", "attrgetter", "clock_settime", "clock_settime_ns", "formatwarning",
    "get_type_hints", "make_dataclass", "methodcaller", "operator", "singledispatch",
    "singledispatchmethod", "update_wrapper", "warn_explicit", "wraps",
}  # fmt: skip
# json.dumps() and array.dumps() make text and bytes only.
FILES = re.compile(
    r"(save|dump(?!s$))\w*|to_(csv|excel|hdf|html|json|netcdf|parquet|pickle|sql|zarr)"
)
FRAMES = re.compile(r"(f|tb|gi|cr|ag)_(back|builtins|code|frame|globals|locals|next)")
# The methods with two underscores that a class may define: Python calls others behind the back of
# ``look`` (__reduce__ when something is copied, __setattr__ with names as text).
SPECIAL = re.compile(
    "__(init|post_init|call|len|iter|next|contains|getitem|setitem|enter|exit|repr|str|hash"
    "|bool|int|float|neg|pos|abs|[ri]?(add|sub|mul|matmul|truediv|floordiv|mod|pow|and|or|xor)"
    "|lt|le|eq|ne|gt|ge)__"
)
EMPTY = {"eval", "load"}  # network.eval() and season.load() are harmless, eval(text) is not
LONGEST = 20_000  # letters of a cell
# What Jupyter understands and Python does not.
JUPYTER = {
    "the shell": r"^[ \t]*(\w+[ \t]*=[ \t]*)?!.*",
    "Jupyter": r"^[ \t]*(\w+[ \t]*=[ \t]*)?%.*",
    "help": r"""^[ \t]*\?.*|^[^#\n"']*[\w.)\]]\?\??[ \t]*;?$""",
}
SAID = 60_000  # bytes that are read of what a process tells
SYSTEM = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/proc/self", "/sys/devices/system", "/usr")


@dataclass(frozen=True)
class Limits:
    """What a piece of code may take: seconds, and bytes beyond what the process has."""

    seconds: float = 60
    memory: int = 2 * 10**9


class Refused(RuntimeError):
    """Code that is not run; says why ("imports os")."""


class Stopped(RuntimeError):
    """Code did not come to its end; says why."""


# -------------------------------------------------------------------------------- before it is run


def parse(source: str) -> ast.Module:
    """The statements of a cell.

    Raises Refused if it is too long, or has a line that is Jupyter's and not Python's.
    """
    if len(source) > LONGEST:
        raise Refused(f"is longer than {LONGEST} letters")
    try:
        return ast.parse(source)
    except SyntaxError:
        for what, line in JUPYTER.items():
            if found := re.search(line, source, re.MULTILINE):
                raise Refused(f"has a line for {what}: {found[0].strip()[:40]}") from None
        raise


def look(tree: ast.Module) -> None:
    """Raise Refused if statements import or use what they may not."""
    harmless = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and not node.args and not node.keywords
    }
    for node in ast.walk(tree):
        if wrong := [path for path in _imported(node) if not _may_import(path)]:
            raise Refused(f"imports {wrong[0]}")
        if id(node) in harmless and isinstance(node, ast.Attribute) and node.attr in EMPTY:
            continue
        if wrong := [name for name in _words(node) if not _may_stand(name, node)]:
            raise Refused(f"uses {wrong[0]}")


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module, names):
            return [f"{module}.{alias.name}" for alias in names]
    return []


def _words(node: ast.AST) -> list[str]:
    """All names and texts that stand in a node itself."""
    values = [value for _, value in ast.iter_fields(node)]
    listed = [value if isinstance(value, list) else [value] for value in values]
    return [word for words in listed for word in words if isinstance(word, str)]


def _may_stand(word: str, node: ast.AST) -> bool:
    match node:
        case ast.Name():
            return _may_use(word, NAMES)
        case ast.Attribute() | ast.MatchClass():  # case object(name=x) takes an attribute
            return _may_use(word)
        case ast.Constant():
            return not re.fullmatch(r"__[a-zA-Z]\w*__", word) or not _inside(word)
    return not _inside(word)


def _may_import(path: str) -> bool:
    first, *others = path.split(".")
    if first not in STANDARD:
        return first in IMPORTS and all(map(_may_use, others))
    within, _, name = path.rpartition(".")
    known = within in STANDARD and (name == "*" or hasattr(_public(import_module(within)), name))
    return path in STANDARD or known


def _may_use(name: str, refused: set[str] = PARTS) -> bool:
    files = name in EMPTY or FILES.fullmatch(name) or FRAMES.fullmatch(name)
    return not (_inside(name) or name.lstrip("_") in refused or files)


def _inside(name: str) -> bool:
    return name.startswith("__") and not SPECIAL.fullmatch(name)


@cache
def _public(module: ModuleType) -> ModuleType:
    """Of a module of Python's own what anybody may use, without the modules that it imports."""
    part = ModuleType(f"public {module.__name__}")
    for name in getattr(module, "__all__", dir(module)):
        if _may_use(name) and not isinstance(getattr(module, name), ModuleType):
            setattr(part, name, getattr(module, name))
    for name in STANDARD:
        within, _, last = name.rpartition(".")
        if within == module.__name__:
            setattr(part, last, _public(import_module(name)))
    return part


def _import(name: str, *others: Any) -> ModuleType:
    """What ``import`` does in code of others."""
    module = builtins.__import__(name, *others)
    return _public(module) if module.__name__ in STANDARD else module


def within_reach(space: dict[str, Any]) -> dict[str, Any]:
    """The names of a notebook that code of others gets: no modules but those it may import, and
    Python's own functions without those that ``look`` refuses.
    """
    kept = {"__build_class__", "__name__"}
    own = {name: one for name, one in vars(builtins).items() if name in kept or _may_use(name)}
    theirs = {
        name: _public(one) if isinstance(one, ModuleType) and one.__name__ in STANDARD else one
        for name, one in space.items()
        if not name.startswith("_") and name not in NAMES and _may_have(one)
    }
    own["__import__"] = _import
    return {**theirs, "__builtins__": own, "__name__": "handed_in"}


def _may_have(value: object) -> bool:
    if not isinstance(value, ModuleType):
        return True
    name = value.__name__
    return name in STANDARD or name.partition(".")[0] in IMPORTS - STANDARD


# ------------------------------------------------------------------------------------------ the run


def calm() -> None:
    """Prepare a fresh process, before it loads NumPy or PyTorch, from which ``run`` is to fork.

    A fork has one thread only and waits for ever for others that its libraries believe in. So they
    get none.
    """
    os.environ.update(dict.fromkeys(machine.THREADS, "1"))
    os.environ["MPLBACKEND"] = "agg"
    os.environ["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"  # macOS


def run(
    work: Callable[[], dict[str, Any]], limits: Limits, readable: Iterable[Path] = ()
) -> dict[str, Any]:
    """What ``work`` returns (as JSON) in a fork of this process, behind the fence.

    It may read Python's own files and those in ``readable``, and write into an empty folder only,
    its current one. Raises Stopped if it takes too much, or ends without a word.
    """
    with TemporaryDirectory(prefix="stma_nb_") as folder:
        receiving, sending = os.pipe()
        child = os.fork()
        if child == 0:
            _work(work, limits, os.path.realpath(folder), [*_own_files(), *readable], sending)
        os.close(sending)
        try:
            return _hear(receiving, child, limits)
        finally:
            os.close(receiving)
            _end(child)


def _hear(receiving: int, child: int, limits: Limits) -> dict[str, Any]:
    """What a child tells before it ends."""
    told = b""
    end = time.monotonic() + limits.seconds
    allowed = psutil.Process().memory_info().rss + limits.memory
    while True:
        if select.select([receiving], [], [], 0.1)[0]:
            piece = os.read(receiving, SAID)
            told += piece
            if not piece or len(told) > SAID:
                break
        elif time.monotonic() > end:
            raise Stopped(f"took longer than {limits.seconds:g} s")
        elif _resident(child) > allowed:  # macOS sets no limit
            raise Stopped(_too_much(limits))
    try:
        heard: dict[str, Any] = json.loads(told)
    except ValueError:
        raise Stopped(f"ended without an answer (it may need more than {_size(limits)})") from None
    if "stopped" in heard:
        raise Stopped(heard["stopped"])
    return heard


def _resident(child: int) -> int:
    try:
        return int(psutil.Process(child).memory_info().rss)
    except psutil.Error:  # it has ended
        return 0


def _end(child: int) -> None:
    for kill in (os.killpg, os.kill):  # it may have started others; it may not lead a group yet
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    os.waitpid(child, 0)


def _work(
    work: Callable[[], dict[str, Any]],
    limits: Limits,
    folder: str,
    readable: list[Path],
    sending: int,
) -> NoReturn:
    """The child's whole life."""
    try:
        _limit(limits, folder)
        _landlock(folder, readable)
        sys.addaudithook(_hook((folder, *map(os.path.realpath, readable)), folder))
        told = work()
    except BaseException as error:  # whatever code of others raises, SystemExit as well
        told = {"stopped": why(error, limits)}
    try:
        os.write(sending, json.dumps(told).encode()[:SAID])
    finally:
        os._exit(0)


def why(error: BaseException, limits: Limits) -> str:
    """An error in a line of words."""
    text = " ".join(str(error).split())[:200]
    if isinstance(error, MemoryError) or "allocate memory" in text:
        return _too_much(limits)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _too_much(limits: Limits) -> str:
    return f"needed more than {_size(limits)} of memory"


def _size(limits: Limits) -> str:
    return f"{limits.memory / 1e9:g} GB"


def _limit(limits: Limits, folder: str) -> None:
    """Limits of the system, an empty environment, nothing to read and nowhere to print."""
    import resource

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(HOME=folder, TMPDIR=folder, PATH="/usr/bin:/bin")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    seconds = int(limits.seconds) + 1
    at_most = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 50_000_000,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: _threads_of_user() + 50,
    }
    if sys.platform == "linux":
        at_most[resource.RLIMIT_AS] = psutil.Process().memory_info().vms + limits.memory
    for kind, most in at_most.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _threads_of_user() -> int:
    """The system counts these against the limit of processes."""
    found = psutil.process_iter(["uids", "num_threads"])
    mine = [process.info for process in found if process.info["uids"]]
    return sum(one["num_threads"] or 0 for one in mine if one["uids"].real == os.getuid())


def _own_files() -> list[Path]:
    """Where Python, its packages and the system's libraries lie."""
    here = Path(__file__).resolve().parent.parent  # the package; not the repository around it
    listed = [Path(entry).resolve() for entry in sys.path if entry]
    packages = [path for path in listed if path.is_dir() and not here.is_relative_to(path)]
    installed = [here.parent] if here.parent.name in ("site-packages", "dist-packages") else []
    python = [Path(sys.prefix), Path(sys.base_prefix)]
    return [here, *packages, *installed, *python, *map(Path, SYSTEM)]


# ------------------------------------------------------------------------------------ its two walls

NEVER = (
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn",
    "os.system", "pty.spawn", "socket.", "subprocess.",
)  # fmt: skip
CHANGES = (
    "os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename",
    "os.rmdir", "os.setxattr", "os.symlink", "os.truncate", "os.utime", "shutil.",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def _hook(readable: tuple[str, ...], folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Python's own gate: refuses what would leave the folder."""

    def within(path: Any, places: tuple[str, ...]) -> bool:
        if isinstance(path, int):
            return False
        real = os.path.realpath(os.fsdecode(path))
        return any(real == place or real.startswith(place + os.sep) for place in places)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(NEVER):
            raise PermissionError(f"not allowed here: {event}")
        if event.startswith(CHANGES):
            paths = [one for one in arguments if isinstance(one, str | bytes | os.PathLike)]
            if not all(within(path, (folder,)) for path in paths):
                raise PermissionError(f"not allowed here: {event}")
        if event == "open":
            path, _, flags = arguments
            if not within(path, (folder,) if (flags or 0) & WRITING else readable):
                raise PermissionError(f"not allowed here: open {path}")

    return hook


def _landlock(folder: str, readable: list[Path]) -> None:
    """The kernel's gate, for compiled code as well; nothing where there is none.

    The numbers are those of linux/landlock.h; the system calls have the same numbers everywhere.
    """
    if sys.platform != "linux":
        return
    create, add, restrict = 444, 445, 446
    execute, read_file, read_folder, refer, truncate, write_file = 1, 4, 8, 1 << 13, 1 << 14, 2
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(create, None, 0, 1)
    if version < 1:
        return
    files = (1 << 13) - 1 | (refer if version >= 2 else 0) | (truncate if version >= 3 else 0)
    handled = struct.pack("QQ", files, 3) if version >= 4 else struct.pack("Q", files)  # 3: TCP
    rules = kernel.syscall(create, handled, len(handled), 0)
    reading = execute | read_file | read_folder
    allowed = {str(path): reading for path in readable} | {folder: files}
    for path, rights in (*allowed.items(), (os.devnull, read_file | write_file)):
        if not os.path.exists(path):
            continue
        place = os.open(path, os.O_RDONLY)
        if not os.path.isdir(path):
            rights &= execute | read_file | write_file
        kernel.syscall(add, rules, 1, struct.pack("=Qi", rights, place), 0)
        os.close(place)
    kernel.prctl(38, 1, 0, 0, 0)  # no new privileges: the kernel asks for it
    if kernel.syscall(restrict, rules, 0):
        raise OSError(ctypes.get_errno(), "the kernel's fence (Landlock) could not be put up")
    os.close(rules)
