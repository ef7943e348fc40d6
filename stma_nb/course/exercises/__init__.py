"""The checks behind the notebooks' exercises: each tells right from wrong, and why it is wrong.

A check prints a sentence and returns a Verdict: True (right), False (wrong), None (not attempted).
There are three kinds: a number (``check``), a function to write (``build``), and a number to
predict, to find and to explain (``predict``). A module holds the checks of one notebook; they load
when first used, so that a notebook without networks loads no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
