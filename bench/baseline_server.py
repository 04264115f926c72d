"""The seed's Auth, as it writes it: grpc.aio, one unary call a check, a table in memory.

On asyncio's own event loop, which is what grpc.aio is made for. Its other two calls are left out:
nothing here asks them.
"""

import asyncio
import logging
import sys
from typing import Any

import grpc
import msgspec

from bench.jobs import BaselineServerJob
from bench.shape import Shape
from bench.stubs import Stubs, load_stubs

__all__ = ["main"]

logger = logging.getLogger(__name__)


class UserService:
    """What the seed's servicer asks."""

    def __init__(self, shape: Shape) -> None:
        self._names = {
            (user_id, organization_id, local_id): name
            for user in range(shape.users)
            for user_id, organization_id, local_id, name in shape.assigned(user)
        }

    async def validate_local(
        self, user_id: str, organization_id: str, local_id: str
    ) -> tuple[bool, str | None]:
        name = self._names.get((user_id, organization_id, local_id))
        return name is not None, name


def make_servicer(stubs: Stubs, user_service: UserService) -> Any:
    base: Any = stubs.services.AuthServiceServicer

    class AuthServicer(base):  # type: ignore[misc] # made at run time
        async def ValidateLocal(self, request: Any, context: Any) -> Any:  # noqa: N802 # gRPC's name
            try:
                is_valid, local_name = await user_service.validate_local(
                    user_id=request.user_id,
                    organization_id=request.organization_id,
                    local_id=request.local_id,
                )
                return stubs.messages.ValidateLocalResponse(
                    is_valid=is_valid, local_name=local_name or ""
                )
            except Exception as e:
                logger.exception("ValidateLocal error")
                context.set_code(grpc.StatusCode.INTERNAL)
                context.set_details(str(e))
                return stubs.messages.ValidateLocalResponse(is_valid=False, error_message=str(e))

    return AuthServicer()


async def serve(job: BaselineServerJob) -> None:
    stubs = load_stubs(job.stubs)
    server = grpc.aio.server()
    stubs.services.add_AuthServiceServicer_to_server(
        make_servicer(stubs, UserService(job.shape)), server
    )
    server.add_insecure_port(f"127.0.0.1:{job.port}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=BaselineServerJob)))


if __name__ == "__main__":
    main()
