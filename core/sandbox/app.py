"""Wires the sandbox: the ASGI application, and the schedule that carries messages and calls."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route

from core.sandbox.api.account import AccountApi
from core.sandbox.api.answers import error_response
from core.sandbox.api.callbacks import CallbackApi
from core.sandbox.api.calls import CallApi
from core.sandbox.api.chaos import ChaosApi
from core.sandbox.api.endings import EndingsApi
from core.sandbox.api.faults import Faults
from core.sandbox.api.gate import ApiGate
from core.sandbox.api.handset import HandsetApi
from core.sandbox.api.handset_view import HandsetView
from core.sandbox.api.inbox import InboxApi
from core.sandbox.api.inbox_view import InboxView
from core.sandbox.api.leases import LeaseApi
from core.sandbox.api.limits import RateLimit
from core.sandbox.api.log_routes import LogRoutes
from core.sandbox.api.messages import MessageApi
from core.sandbox.api.not_simulated import NotSimulatedApi
from core.sandbox.api.phlo import PhloApi
from core.sandbox.api.sends import SendsApi
from core.sandbox.api.slashes import with_optional_slash
from core.sandbox.api.streams import Streams
from core.sandbox.api.waiting import WaitApi
from core.sandbox.arrivals import Arrivals
from core.sandbox.callbacks import Callbacks
from core.sandbox.calls.fetch import Fetcher
from core.sandbox.calls.script import CallScript
from core.sandbox.calls.switchboard import Switchboard
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import NotRunning, Refusal, StorageFailed
from core.sandbox.handsets import Handsets
from core.sandbox.inbox import Inbox
from core.sandbox.leases import Leases
from core.sandbox.messages.carrier import Carrier
from core.sandbox.outgoing import Outgoing
from core.sandbox.plans import Plans
from core.sandbox.schedule import Schedule
from core.sandbox.shutdown import stop_on_signals
from core.sandbox.signature import Signatures
from core.sandbox.storage import Storage

#: The time zone of the account. It is not UTC, so that mistakes with time zones show.
KOLKATA = timezone(timedelta(hours=5, minutes=30), "Asia/Kolkata")


def is_auth_id(text: str) -> bool:
    """Whether it has the form of an Auth ID of Plivo."""
    return re.fullmatch("MA[A-Z0-9]{18}", text) is not None


class Sandbox:
    """A simulated Plivo for one account, with its state in `data`: a folder, or an open storage.

    `speed` divides simulated durations. Rate limits and time-outs stay in real seconds, as does
    `silent_seconds`: how long the answer to a time-out number is delayed.
    """

    def __init__(
        self,
        *,
        data: Path | Storage,
        auth_id: str,
        auth_token: str,
        speed: float = 1.0,
        signatures: Signatures | str = Signatures.BOTH,
        requests_per_5_seconds: int = 300,
        lists_per_minute: int = 20,
        silent_seconds: float = 60.0,
    ) -> None:
        if not is_auth_id(auth_id):
            raise ValueError("auth_id must be MA and 18 capital letters or digits")
        if not auth_token:
            raise ValueError("auth_token must not be empty")
        self._clock = SandboxClock(speed)
        self._storage = data if isinstance(data, Storage) else Storage(data)
        self._schedule = Schedule(self._storage, self._clock)
        self._outgoing = Outgoing(auth_token, Signatures(signatures))
        self._faults = Faults(silent_seconds)
        self._handsets = Handsets(self._storage, self._clock)
        self._callbacks = Callbacks(self._storage, self._schedule, self._clock, self._outgoing)
        self._plans = Plans(self._storage)
        self._carrier = Carrier(
            self._storage,
            self._schedule,
            self._clock,
            self._callbacks,
            self._plans,
            self._handsets.notify,
        )
        self._switchboard = Switchboard(
            auth_id,
            self._storage,
            self._schedule,
            self._clock,
            self._callbacks,
            self._plans,
            self._handsets.notify,
            lambda number: self._handsets.auto_answer(number).on,
        )
        self._script = CallScript(
            self._storage,
            self._schedule,
            self._clock,
            self._switchboard,
            Fetcher(auth_id, self._outgoing),
            self._handsets,
        )
        self._switchboard.on_answer = self._script.begin
        self._streams = Streams(self._handsets)
        gate = ApiGate(
            auth_id,
            auth_token,
            RateLimit(requests_per_5_seconds, 5),
            RateLimit(lists_per_minute, 60),
        )
        chaos = Chaos(self._storage)
        routes = [
            *self._plivo_routes(auth_id, gate, chaos),
            *self._own_routes(chaos),
            *NotSimulatedApi(gate).routes(),
        ]
        kinds = (HTTPException, Refusal, NotRunning, StorageFailed, Exception)
        self.asgi = Starlette(
            routes=[with_optional_slash(route) for route in routes],
            exception_handlers={kind: error_response for kind in kinds},
        )
        self.asgi.router.redirect_slashes = False

    def _plivo_routes(self, auth_id: str, gate: ApiGate, chaos: Chaos) -> list[Route]:
        """Plivo's API, and the log of callbacks, with Plivo's credentials."""

        def log_routes(name: str) -> LogRoutes:
            return LogRoutes(name, auth_id, KOLKATA, self._clock, gate, self._faults)

        return [
            *MessageApi(log_routes("Message"), self._carrier, chaos).routes(),
            *CallApi(log_routes("Call"), self._switchboard, chaos).routes(),
            *PhloApi(gate, self._faults, self._carrier, self._switchboard, chaos).routes(),
            *AccountApi(auth_id, KOLKATA, gate).routes(),
            *CallbackApi(gate, self._callbacks).routes(),
        ]

    def _own_routes(self, chaos: Chaos) -> list[BaseRoute]:
        """What the sandbox offers testers, without credentials."""
        messages, calls = self._carrier.messages, self._switchboard.calls
        arrivals = Arrivals(self._storage)
        handset_view = HandsetView(self._handsets, messages, calls)
        inbox_view = InboxView(messages, calls)
        return [
            *EndingsApi().routes(),
            *ChaosApi(chaos).routes(),
            *SendsApi(self._carrier, self._switchboard, self._plans).routes(),
            *WaitApi(arrivals, self._handsets, messages, calls, self._streams).routes(),
            *HandsetApi(
                self._handsets, handset_view, self._switchboard, self._script, self._streams
            ).routes(),
            *InboxApi(Inbox(self._storage), inbox_view, self._streams).routes(),
            *LeaseApi(Leases(self._storage, self._clock, self._handsets)).routes(),
        ]

    def claim(self) -> None:
        """Lock the state file now, before anything is served.

        Raises FileInUse when another sandbox has locked it.
        """
        self._storage.open(self._clock.now())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the schedule, beginning with the jobs that an earlier run left in the state file.

        Raises FileInUse when another sandbox has locked the state file.
        """
        self.claim()
        self._outgoing.open()
        self._faults.start()
        self._streams.start()
        work = asyncio.create_task(self._schedule.run())
        try:
            with stop_on_signals(self.stop):
                yield
        finally:
            self.stop()
            work.cancel()
            await asyncio.wait([work])
            await self._outgoing.close()
            self._storage.close()
            if not work.cancelled():
                work.result()  # it ends by itself only with an error, which this raises

    def stop(self) -> None:
        """End event streams, waits and delayed answers at once.

        Call it on the event loop of `running`. A host that stops without a signal calls this before
        it waits for open responses.
        """
        self._faults.stop()
        self._streams.stop()
