import pytest

from svckit.rpc import CallNext, Interceptor, RpcCall, run_intercepted


async def test_the_first_interceptor_is_the_outermost() -> None:
    steps: list[str] = []
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="server")

    async def innermost() -> None:
        steps.append("handler")

    await run_intercepted([_noting("outer", steps), _noting("inner", steps)], call, innermost)

    assert steps == ["outer in", "inner in", "handler", "inner out", "outer out"]


async def test_without_interceptors_only_the_handler_runs() -> None:
    steps: list[str] = []

    async def innermost() -> None:
        steps.append("handler")

    await run_intercepted([], RpcCall(method="a.B/C", side="client"), innermost)

    assert steps == ["handler"]


@pytest.mark.parametrize(
    ("method", "is_infrastructure"),
    [
        ("auth.AuthService/ValidateLocal", False),
        ("grpc.health.v1.Health/Check", True),
        ("grpcish.Service/Check", False),
    ],
)
def test_health_and_reflection_are_infrastructure(method: str, *, is_infrastructure: bool) -> None:
    assert RpcCall(method=method, side="server").is_infrastructure is is_infrastructure


def _noting(name: str, steps: list[str]) -> Interceptor:
    async def noting(_: RpcCall, call_next: CallNext, /) -> None:
        steps.append(f"{name} in")
        await call_next()
        steps.append(f"{name} out")

    return noting
