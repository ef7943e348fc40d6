"""The extras of pyproject.toml: packages that only some rooms need, and a sentence without them."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(extra: str = "") -> Iterator[None]:
    """Import packages of an extra within: where one is missing, ImportError says how to get it.

    Without a name, the packages that ``pip install stma_nb`` brings by itself are meant.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        what = f"'stma_nb[{extra}]'" if extra else "stma_nb"
        raise ImportError(
            f"This needs {error.name}, which is not installed: pip install {what}"
        ) from error
