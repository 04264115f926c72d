"""Auth's data at rest: who and what exists, who holds what, and the keys that sign tokens."""

from authsvc.store.admission import Rejection
from authsvc.store.keys import KeyChange
from authsvc.store.store import Store
from authsvc.stored_key import StoredKey

__all__ = ["Store", "StoredKey", "KeyChange", "Rejection"]
