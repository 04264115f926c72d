"""Auth's data at rest: who and what exists, who holds what, and the keys that sign tokens."""

from authsvc.store.administration import Administration, Change, Scene
from authsvc.store.admission import Rejection
from authsvc.store.keys import KeyChange
from authsvc.store.login_store import LoginStore
from authsvc.store.session_store import SessionStore
from authsvc.store.store import Store
from authsvc.store.strangers import Strangers
from authsvc.stored_key import StoredKey

__all__ = [
    "Store",
    "Administration",
    "SessionStore",
    "LoginStore",
    "Strangers",
    "Change",
    "Scene",
    "StoredKey",
    "KeyChange",
    "Rejection",
]
