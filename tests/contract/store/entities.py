"""A small world to put into a store: two organizations that must never meet."""

from authsvc.model import Entity, Local, LocalQuery, Organization, Role, Status, User

__all__ = ["WORLD", "ANA", "BEA", "query"]

ANA = User(
    id="ana",
    organization_id="acme",
    email="ana@acme.test",
    roles=frozenset({"cashier", "manager"}),
    locals=frozenset({"centro", "norte"}),
)
BEA = User(id="bea", organization_id="bazar", email="bea@bazar.test", locals=frozenset({"puerto"}))

WORLD: tuple[Entity, ...] = (
    Organization(id="acme", name="Acme"),
    Organization(id="bazar", name="Bazar", status=Status.INACTIVE),
    Local(id="centro", organization_id="acme", name="Centro", code="C1"),
    Local(id="norte", organization_id="acme", name="Norte", status=Status.INACTIVE),
    Local(id="sur", organization_id="acme", name="Sur"),
    Local(id="puerto", organization_id="bazar", name="Puerto"),
    Role(
        id="cashier",
        organization_id="acme",
        name="Cashier",
        permissions=frozenset({"catalog:read", "sale:make"}),
    ),
    Role(
        id="manager",
        organization_id="acme",
        name="Manager",
        permissions=frozenset({"catalog:read", "catalog:edit"}),
    ),
    Role(id="idle", organization_id="acme", name="Idle"),
    ANA,
    BEA,
)


def query(user_id: str, organization_id: str, local_id: str) -> LocalQuery:
    return LocalQuery(user_id=user_id, organization_id=organization_id, local_id=local_id)
