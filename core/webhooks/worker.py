"""Sends the webhook events that are due, in the background."""

import asyncio
import logging
from datetime import timedelta

import httpx

from core.background import Periodic
from core.log import logged_id
from core.model.errors import StoreUnavailable
from core.webhooks.answer import Answer, Verdict
from core.webhooks.expiry import Expiries
from core.webhooks.queue import CLAIM, Claim, Outbox
from core.webhooks.receivers import Receivers

log = logging.getLogger(__name__)

#: Between two checks of the queue.
TICK = timedelta(milliseconds=250)
#: Between two sweeps of expired verifications.
SWEEP = timedelta(seconds=1)
#: Concurrent tries in one process. A slow receiver delays these and no other work.
AT_ONCE = 8
#: How long a stop waits for them. The next process sends the unanswered ones again.
_STOP_SECONDS = 2.0
_PATIENCE = timedelta(seconds=_STOP_SECONDS + 1)
_RETRY_SECONDS = 0.5
_FAILED = Answer(Verdict.REFUSED, None, "This app could not send the event: see its log.")


class WebhookWorker:
    """Sends events while `background` runs. Any number of processes may run one: each event is
    claimed by one of them. The order of events is not kept: a refused event does not delay the
    next. `expiries` is None where no event of a verification is sent."""

    def __init__(self, outbox: Outbox, expiries: Expiries | None, receivers: Receivers) -> None:
        self._outbox = outbox
        self._expiries = expiries
        self._receivers = receivers
        #: Sends until it is stopped.
        self.background = Periodic("webhooks", self._run, timedelta(), patience=_PATIENCE)

    def _run(self) -> None:
        asyncio.run(self._send_until_stopped())

    async def _send_until_stopped(self) -> None:
        # Redis calls run in threads: while Redis is slow, the deadlines of the tries still hold.
        loop = asyncio.get_running_loop()
        under_way: set[asyncio.Task[None]] = set()
        swept = -SWEEP.total_seconds()
        async with self._receivers.client() as http:
            try:
                while not self.background.stopping.is_set():
                    if self._expiries and loop.time() - swept >= SWEEP.total_seconds():
                        swept = loop.time()
                        await asyncio.to_thread(self._expiries.sweep)
                    free = AT_ONCE - len(under_way)
                    claims = await asyncio.to_thread(self._outbox.claim, free) if free else []
                    under_way |= {asyncio.create_task(self._send(http, claim)) for claim in claims}
                    under_way = await _wait(under_way, full=len(under_way) >= AT_ONCE)
            finally:
                # Where this ends because Redis is away, their answers wait for it: see `_settle`.
                while under_way and not self.background.stopping.is_set():
                    under_way = await _wait(under_way, full=True)
                await _finish(under_way)

    async def _send(self, http: httpx.AsyncClient, claim: Claim) -> None:
        try:
            answer = await self._receivers.send(http, claim.event)
        except Exception:
            # A bug in the handling of an event must not stop the others. It counts as a failed try.
            log.exception("event failed", extra={"event": logged_id(claim.event.id)})
            answer = _FAILED
        try:
            await self._settle(claim, answer)
        except Exception:
            # The event is due again when its claim ends.
            log.exception("event not settled", extra={"event": logged_id(claim.event.id)})

    async def _settle(self, claim: Claim, answer: Answer) -> None:
        """Record the answer, with retries until the claim is over: without a record, an accepted
        event would be sent again."""
        fields = {"event": logged_id(claim.event.id), "status": answer.status, "tries": claim.tries}
        if answer.verdict is Verdict.ACCEPTED:
            log.info("event delivered", extra=fields)
        else:
            log.warning("event not delivered", extra=fields | {"cause": answer.cause})
        async with asyncio.timeout(CLAIM.total_seconds()):
            while True:
                try:
                    await asyncio.to_thread(self._outbox.settle, claim, answer)
                except StoreUnavailable as error:
                    log.warning("event not settled", extra={"cause": error.cause})
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    return


async def _wait(under_way: set[asyncio.Task[None]], *, full: bool) -> set[asyncio.Task[None]]:
    """Wait until the next check of the queue or, if all places are in use, until one is free.
    Returns the tries that are still under way."""
    seconds = TICK.total_seconds()
    if not full:
        await asyncio.sleep(seconds)
        return {task for task in under_way if not task.done()}
    _, running = await asyncio.wait(under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return running


async def _finish(under_way: set[asyncio.Task[None]]) -> None:
    if not under_way:
        return
    _, running = await asyncio.wait(under_way, timeout=_STOP_SECONDS)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
