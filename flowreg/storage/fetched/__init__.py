"""The local cache: what was fetched from afar is kept on this machine under its digest, for every process of this user.

- ``place``    where it lies and how large it may become: ``cache_here()``
- ``cache``    the folder: what is in it, taking in, copying out, making room
- ``through``  one file of an artifact: from the cache, else from the store and into the cache

Rule 1: a cache is never believed: what comes out is verified as if it came from afar, and what fails is removed and fetched again.
Rule 2: a cache is never needed: full, read-only or gone, the file is fetched as if there were none.
"""

from .cache import Cache
from .folder import Cached
from .place import cache_here

__all__ = ["Cache", "Cached", "cache_here"]
