"""The sandbox inside the product: it is loaded when it is first needed."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from core.sandbox.api.endings import listing
from core.sandbox.app import Sandbox
from core.sandbox.errors import FileInUse
from core.sandbox.on_demand import OnDemandSandbox
from core.sandbox.storage import Storage

from .support import AUTH_ID, AUTH_TOKEN, SPEED, Product, number, sandbox_on, serving, wait_for
from .test_restart import pull_forward


@dataclass
class Host:
    """A process that mounts a sandbox. `made` lists the sandboxes that were built."""

    data: Path
    made: list[Sandbox] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[str]:
        mounted = OnDemandSandbox(self.data, self._make)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with mounted.running():
                yield

        app = Starlette(routes=[Mount("/", mounted.asgi)], lifespan=lifespan)
        with serving(app) as address:
            yield address

    def _make(self, storage: Storage) -> Sandbox:
        sandbox = Sandbox(data=storage, auth_id=AUTH_ID, auth_token=AUTH_TOKEN, speed=SPEED)
        self.made.append(sandbox)
        return sandbox


def test_the_state_is_locked_at_the_start_and_the_routes_are_made_once_by_the_first_requests(
    tmp_path: Path,
) -> None:
    host = Host(tmp_path)
    with host.serving() as address, ThreadPoolExecutor(8) as threads:
        assert httpx.get(f"{address}/endings").json() == listing()
        assert host.made == []
        with pytest.raises(FileInUse):
            OnDemandSandbox(tmp_path, host._make).claim()
        path = f"{address}/handset/{number('5555')}"
        statuses = threads.map(lambda _: httpx.get(path).status_code, range(8))
        assert set(statuses) == {200}
        assert len(host.made) == 1
    # The lock has ended with the run.
    with sandbox_on(tmp_path) as api:
        assert api.phone(number("5555")).texts == []


def test_a_message_that_an_earlier_run_left_is_delivered_before_any_request(
    tmp_path: Path, product: Product, path: str
) -> None:
    with sandbox_on(tmp_path, speed=0.01) as slow:
        slow.send(number("5555"), text="kept", url=product.url(path))
    pull_forward(tmp_path)
    with Host(tmp_path).serving():
        wait_for(lambda: product.values(path, "Status")[-1:] == ["delivered"])
