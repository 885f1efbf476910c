"""Bytes on a filesystem: the store (create-if-absent), the journal over it, blobs, and the caches that may vanish."""
