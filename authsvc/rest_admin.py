"""Administration over REST, whole."""

from collections.abc import Sequence

from authsvc.refusals import Refusals
from authsvc.rest_admin_audit import AuditRest
from authsvc.rest_admin_door import AdminDoor, Identify
from authsvc.rest_admin_entities import EntitiesRest
from authsvc.rest_admin_shapes import NOUNS
from authsvc.rest_admin_users import HoldingsRest
from authsvc.store import Administration
from svckit.rest import Endpoint

__all__ = ["admin_endpoints"]


def admin_endpoints(
    administration: Administration, *, identify: Identify, refusals: Refusals
) -> Sequence[Endpoint]:
    door = AdminDoor(identify=identify, refusals=refusals)
    return (
        *(e for noun in NOUNS for e in EntitiesRest(noun, administration, door).endpoints()),
        *HoldingsRest(administration, door).endpoints(),
        *AuditRest(administration, door).endpoints(),
    )
