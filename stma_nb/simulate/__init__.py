"""A season from physics: phenology of crops, fields of a landscape, weather, and the radar that
looks at them.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
