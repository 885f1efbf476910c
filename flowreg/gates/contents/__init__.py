"""What files are by their bytes, never by their names; nothing of them is ever loaded or run.

``contents_of(folder, scanner)`` looks at all files of an artifact.
"""

from .files import contents_of

__all__ = ["contents_of"]
