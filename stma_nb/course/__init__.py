"""What the course needs around the library: the runner of notebooks, checks of exercises, editions,
the site, the doctor.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
