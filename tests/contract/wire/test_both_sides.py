"""What Auth and its client each spell out, for neither may import the other, is the same."""

import authsvc.decision
import authsvc.tokens
import catalogsvc.authz
import catalogsvc.authz.client


def test_both_sides_have_the_same_reasons_in_the_same_order() -> None:
    # The client's last one is for servers that give none of these.
    *known, unknown = catalogsvc.authz.Reason

    assert unknown is catalogsvc.authz.Reason.DENIED
    assert [(reason.name, reason.value) for reason in known] == [
        (reason.name, reason.value) for reason in authsvc.decision.Reason
    ]


def test_both_sides_take_tokens_of_the_same_size() -> None:
    assert catalogsvc.authz.client.TOKEN_BYTES_MAX == authsvc.tokens.TOKEN_BYTES_MAX
