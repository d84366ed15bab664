"""Builds the objects of one process and connects them; `core.services` hands them out."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.access.admission import Admission
from core.access.invites import Invites
from core.access.password import Access
from core.access.phone_links import PhoneLinks
from core.access.request_limit import RequestLimit
from core.access.tokens import Tokens
from core.alerts.watch import AlertWatch
from core.background import Periodic
from core.figures.fold_worker import TICK as FOLD_TICK
from core.figures.fold_worker import FoldWorker
from core.lab.endings import SandboxEndings
from core.lab.sandbox_client import SandboxClient
from core.lab.sessions.recording import Recordings
from core.lab.sessions.store import TestSessions
from core.ledger.exchanges import Exchanges
from core.ledger.explorer import Explorer
from core.ledger.ledger import Ledger
from core.ledger.loss_check import TICK as LOSS_TICK
from core.model.clock import Clock, SystemClock
from core.once import Once
from core.panels.chaos_watch import ChaosWatch
from core.plivo.callback_address import CallbackAddress
from core.plivo.callback_verifier import CallbackVerifier
from core.plivo.client import PlivoClients
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.reset.reset import SandboxReset
from core.sample.control import SampleControl
from core.services import Services
from core.settings.credentials import auth_token, secret_key
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.store.client import Client
from core.store.connection import RedisConnection, connect
from core.store.keys import Keys
from core.store.probe import Probe
from core.store.refusals import RefusalCounter
from core.store.scripts import Scripts
from core.tracking.attempt_poller import TICK as POLLER_TICK
from core.tracking.attempt_poller import AttemptPoller
from core.tracking.log_sync import LogSync
from core.verification.call import CallDialogue
from core.verification.policy import Policy
from core.verification.records import VerificationRecords
from core.verification.sending import Provider
from core.verification.service import Verifications
from core.webhooks.alert_event import alert_receivers
from core.webhooks.expiry import Expiries
from core.webhooks.queue import Outbox

if TYPE_CHECKING:
    from core.alerts.notifications import Announcer
    from core.reports import Reports

log = logging.getLogger(__name__)

#: The scheduled log sync, by the name of its thread.
LOG_SYNC = "log sync"
LOGS_AFTER_START = timedelta(minutes=1)
TRIM_TICK = timedelta(minutes=1)
#: How soon another process goes on with sample traffic; a click wakes the worker.
SAMPLE_TICK = timedelta(seconds=5)
#: How long sample traffic waits for a backlog of the journal.
SAMPLE_SETTLE_SECONDS = 60


class _Base(NamedTuple):
    """What most objects are made of."""

    settings: Settings
    clock: Clock
    connection: RedisConnection
    client: Client
    scripts: Scripts
    keys: Keys
    keyring: Keyring

    @property
    def keep(self) -> timedelta:
        """How long the record of an attempt is kept."""
        return timedelta(days=self.settings.attempt_retention_days)

    @property
    def webhooks_enabled(self) -> bool:
        return self.settings.webhook_url is not None


class _Plivo(NamedTuple):
    """Plivo, or the sandbox in its place."""

    auth_token: str
    address: CallbackAddress
    sandbox: SandboxClient
    clients: PlivoClients
    exchanges: Exchanges
    provider: PlivoProvider


class _Figures(NamedTuple):
    """What reads figures, and the sample traffic among them."""

    reports: "Once[Reports]"
    sample_control: SampleControl
    sample_worker: Periodic
    alert_watch: AlertWatch


def build(
    settings: Settings, clock: Clock | None = None, *, provider: Provider | None = None
) -> Services:
    """Connect to Redis and wire everything. `provider` takes the sends in place of Plivo. Raises
    SettingsRefused, StoreUnavailable."""
    base = _base(settings, clock or SystemClock())
    _, clock, connection, client, scripts, keys, keyring = base
    probe = Probe(client, scripts, keys)
    for warning in probe.warnings():
        log.warning("redis: %s", warning.cause, extra={"remedy": warning.remedy})
    plivo = _plivo(base)
    ledger = Ledger(client, scripts, keys, clock, base.keep, webhooks_enabled=base.webhooks_enabled)
    fold = FoldWorker(connection.raw, keys, clock, ledger)
    figures = _figures(base, plivo.address, ledger, fold)
    reports = figures.reports
    log_sync = LogSync(client, scripts, keys, clock, keyring, ledger, plivo.clients)
    poller = AttemptPoller(client, scripts, keys, clock, ledger, plivo.clients, plivo.exchanges)
    verifications = _verifications(
        base, ledger, provider or plivo.provider, poller.forget, figures.alert_watch.wake
    )
    access = Access(
        settings.admin_password_hash,
        is_open=settings.operator_pages_open,
        client=client,
        keys=keys,
        keyring=keyring,
        clock=clock,
    )
    invites = Invites(client, keys, keyring, clock)
    outbox = Outbox(client, scripts, keys, clock, settings.webhook_host)
    background = [
        *_always_running(settings, poller, fold, ledger, log_sync),
        figures.alert_watch.background,
    ]
    if settings.is_sandbox:
        background.append(figures.sample_worker)
    if base.webhooks_enabled or settings.alert_urls:
        expiries = Expiries(client, scripts, keys, clock) if base.webhooks_enabled else None
        background.append(_webhook_worker(settings, keyring, clock, outbox, expiries))
    return Services(
        settings=settings,
        auth_token=plivo.auth_token,
        clock=clock,
        connection=connection,
        keys=keys,
        probe=probe,
        keyring=keyring,
        ledger=ledger,
        explorer=Explorer(ledger),
        fold=fold,
        reports=reports,
        reset=SandboxReset(
            client,
            keys,
            lambda: reports().sample.remove(),
            outbox.remove_verification_events,
            lambda: reports().alerts.forget(),
            plivo.sandbox,
            lambda: reports().queries.forget(),
        ),
        sample_control=figures.sample_control,
        sandbox=plivo.sandbox,
        chaos=ChaosWatch(plivo.sandbox),
        endings=SandboxEndings(plivo.sandbox, verifications.numbers),
        test_sessions=TestSessions(client, scripts, keys, clock),
        recordings=Recordings(client, keys, keyring),
        log_sync=log_sync,
        access=access,
        invites=invites,
        admission=Admission(settings, access, invites),
        phone_links=PhoneLinks(
            client, keys, keyring, clock, settings.public_url, lambda: plivo.address.local
        ),
        tokens=Tokens(client, keys, keyring, clock, in_sandbox=settings.is_sandbox),
        request_limit=RequestLimit(client, keys, clock, settings.api_requests_per_minute),
        exchanges=plivo.exchanges,
        address=plivo.address,
        callback_verifier=CallbackVerifier(keyring, plivo.auth_token, plivo.address),
        clients=plivo.clients,
        prices=Prices(plivo.clients, clock),
        poller=poller,
        outbox=outbox,
        verifications=verifications,
        provider=plivo.provider,
        calls=CallDialogue(verifications, ledger, settings, clock),
        background=tuple(background),
    )


def _base(settings: Settings, clock: Clock) -> _Base:
    connection = connect(settings)
    client = connection.client
    scripts = Scripts(client, connection.own, checks_rights=not connection.is_embedded)
    keys = Keys(settings.mode.value)
    return _Base(settings, clock, connection, client, scripts, keys, Keyring(secret_key(settings)))


def _plivo(base: _Base) -> _Plivo:
    settings = base.settings
    address = CallbackAddress(
        settings.public_url,
        local_allowed=settings.is_sandbox,
        file=settings.data_dir / "sandbox" / "address" if settings.is_sandbox else None,
    )

    def sandbox_url() -> str:
        return settings.sandbox_url or f"{address.beside}/sandbox"

    token = auth_token(settings)
    clients = PlivoClients(
        settings.auth_id,
        token,
        timeout=settings.plivo_timeout,
        base=sandbox_url if settings.is_sandbox else None,
    )
    exchanges = Exchanges(base.client, base.keys, base.keep)
    provider = PlivoProvider(clients, settings, base.keyring, address, exchanges.record)
    # A template that cannot be sent is refused now, not with the first message.
    provider.preview(settings.lifetime_minutes)
    sandbox = SandboxClient(sandbox_url, (settings.auth_id, token))
    return _Plivo(token, address, sandbox, clients, exchanges, provider)


def _figures(base: _Base, address: CallbackAddress, ledger: Ledger, fold: FoldWorker) -> _Figures:
    """The reports and sample traffic need each other, so each gets the other by a function."""
    settings, clock, connection, client, scripts, keys, keyring = base

    def is_sample_changing() -> bool:
        return sample_control.state().status.has_work

    def go_on_with_sample() -> None:
        if is_sample_changing():
            reports().sample.work(sample_worker.stopping.is_set)

    sample_worker = Periodic("sample traffic", go_on_with_sample, SAMPLE_TICK, first=timedelta())
    sample_control = SampleControl(client, scripts, keys, clock, sample_worker.wake)

    def make_reports() -> "Reports":
        from core.reports import build_reports

        return build_reports(
            client,
            connection.raw,
            keys,
            clock,
            ledger,
            fold.settle,
            _announcer(settings, keyring, address),
            timedelta(seconds=settings.lifetime_seconds),
            sample_control,
            lambda: fold.settle(SAMPLE_SETTLE_SECONDS),
        )

    reports = Once(make_reports)

    def check_alerts(at_once: bool) -> None:
        # While sample traffic is loaded or removed, it is not known what is usual.
        if not (settings.is_sandbox and is_sample_changing()):
            reports().alerts.check(at_once=at_once)

    return _Figures(reports, sample_control, sample_worker, AlertWatch(check_alerts))


def _verifications(
    base: _Base,
    ledger: Ledger,
    provider: Provider,
    stop_polling: Callable[[str], None],
    on_unclear: Callable[[], None],
) -> Verifications:
    settings, clock, _, client, scripts, keys, keyring = base
    policy = Policy(settings)
    records = VerificationRecords(
        client,
        scripts,
        keys,
        keyring,
        policy,
        base.keep,
        webhooks_enabled=base.webhooks_enabled,
    )
    return Verifications(
        settings,
        keyring,
        policy,
        records,
        ledger,
        RefusalCounter(scripts, keys, clock),
        provider,
        stop_polling,
        clock,
        on_unclear,
    )


def _always_running(
    settings: Settings, poller: AttemptPoller, fold: FoldWorker, ledger: Ledger, logs: LogSync
) -> list[Periodic]:
    """What runs in the background of every process that serves the product."""
    log_sync_every = timedelta(minutes=settings.log_sync_minutes)
    return [
        Periodic("polling", poller.poll_due, POLLER_TICK),
        Periodic("fold", fold.run, FOLD_TICK),
        Periodic("loss check", ledger.losses.run, LOSS_TICK, first=timedelta()),
        Periodic("trimming", lambda: ledger.trim(settings.attempts_kept), TRIM_TICK),
        # A run that is cut off by the end of the process is resumed by the next.
        Periodic(LOG_SYNC, logs.run, log_sync_every, first=LOGS_AFTER_START, patience=timedelta()),
    ]


def _announcer(settings: Settings, keyring: Keyring, address: CallbackAddress) -> "Announcer":
    """What writes the notifications of alerts. Imported late: it loads numpy."""
    from core.alerts.notifications import Announcer
    from core.wording.alert_messages import PageAddress, alert_message, test_alert_message

    def pages() -> PageAddress:
        return PageAddress(settings.public_url, address.beside)

    return Announcer(
        alert_receivers(settings, keyring),
        lambda item, now: alert_message(item.kind, item.status, now, settings.mode, pages()),
        lambda: test_alert_message(settings.mode, pages()),
    )


def _webhook_worker(
    settings: Settings, keyring: Keyring, clock: Clock, outbox: Outbox, expiries: Expiries | None
) -> Periodic:
    """What posts the events. Imported late: httpx is slow to load, and most processes send none."""
    from core.webhooks.notifier import Notifier
    from core.webhooks.receivers import Receivers
    from core.webhooks.sender import WebhookSender, signing_secret
    from core.webhooks.worker import WebhookWorker

    sender = None
    if settings.webhook_url is not None:
        sender = WebhookSender(settings.webhook_url, signing_secret(settings, keyring), clock)
    receivers = Receivers(sender, Notifier(settings.alert_urls, keyring))
    return WebhookWorker(outbox, expiries, receivers).background
