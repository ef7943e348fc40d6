"""How fast a machine trains and maps: measured in minutes, kept as tables that are read together.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
