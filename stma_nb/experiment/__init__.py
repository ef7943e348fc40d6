"""The paper's experiment on its data, by the released code's rule and honestly; and how early in
the season crops are known.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
