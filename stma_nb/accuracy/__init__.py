"""How good is the map? Error matrices, samples and areas, parcels, intervals, and the report.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
