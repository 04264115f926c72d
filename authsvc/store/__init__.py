"""Auth's data at rest: who and what exists, who holds what, and the keys that sign tokens."""

from authsvc.store.admission import Rejection
from authsvc.store.keys import StoredKey
from authsvc.store.store import Store

__all__ = ["Store", "StoredKey", "Rejection"]
