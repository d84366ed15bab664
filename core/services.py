"""Builds the objects of one process and hands them out."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

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
from core.lab.chaos import ChaosWatch
from core.lab.endings import SandboxEndings
from core.lab.sandbox_client import SandboxClient
from core.lab.sessions.recording import Recordings
from core.lab.sessions.store import TestSessions
from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.ledger.loss_check import TICK as LOSS_TICK
from core.model.clock import Clock, SystemClock
from core.once import Once
from core.plivo.callback_verifier import CallbackVerifier
from core.plivo.client import PlivoClients
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.plivo.request import CallbackAddress
from core.reset.reset import SandboxReset
from core.sample.control import SampleControl
from core.settings.credentials import auth_token, secret_key
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.store.changes import ChangeChannel
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
from core.verification.number.parse import parse_number
from core.verification.policy import Policy
from core.verification.records import VerificationRecords
from core.verification.sending import Provider
from core.verification.service import Verifications
from core.webhooks.alert_event import alert_receivers
from core.webhooks.expiry import Expiries
from core.webhooks.queue import Outbox

if TYPE_CHECKING:
    from core.alerts.alerts import Alerts
    from core.alerts.notifications import Announcer
    from core.figures.export import FigureExport
    from core.figures.queries import Queries
    from core.findings.findings import Findings
    from core.ledger.explorer import Explorer
    from core.reports import Reports
    from core.sample.loading import Sample

log = logging.getLogger(__name__)

#: The scheduled log sync, by the name of its thread.
LOG_SYNC = "log sync"
LOGS_AFTER_START = timedelta(minutes=1)
TRIM_TICK = timedelta(minutes=1)
#: How soon another process goes on with sample traffic; a click wakes the worker.
SAMPLE_TICK = timedelta(seconds=5)
#: How long sample traffic waits for a backlog of the journal.
SAMPLE_SETTLE_SECONDS = 60


@dataclass(frozen=True)
class Services:
    """The product's objects, wired. `close` ends what they hold."""

    settings: Settings
    auth_token: str = field(repr=False)
    clock: Clock
    connection: RedisConnection
    keys: Keys
    probe: Probe
    keyring: Keyring
    ledger: Ledger
    fold: FoldWorker
    #: Made when it is first needed: it loads pandas, and no start should wait for that.
    reports: "Once[Reports]"
    access: Access
    invites: Invites
    admission: Admission
    phone_links: PhoneLinks
    tokens: Tokens
    request_limit: RequestLimit
    logs: LogSync
    reset: SandboxReset
    sample_control: SampleControl
    sandbox: SandboxClient
    chaos: ChaosWatch
    endings: SandboxEndings
    test_sessions: TestSessions
    recordings: Recordings
    exchanges: Exchanges
    address: CallbackAddress
    callback_verifier: CallbackVerifier
    clients: PlivoClients
    prices: Prices
    poller: AttemptPoller
    outbox: Outbox
    verifications: Verifications
    calls: CallDialogue
    provider: PlivoProvider
    #: What runs in the background while the product is served.
    background: tuple[Periodic, ...]
    #: Set when the script of a first page has ended.
    page_drawn: Event = field(default_factory=Event)

    @property
    def client(self) -> Client:
        return self.connection.client

    @property
    def queries(self) -> "Queries":
        return self.reports().queries

    @property
    def findings(self) -> "Findings":
        return self.reports().findings

    @property
    def figure_export(self) -> "FigureExport":
        return self.reports().figure_export

    @property
    def alerts(self) -> "Alerts":
        return self.reports().alerts

    @property
    def explorer(self) -> "Explorer":
        return self.reports().explorer

    @property
    def sample(self) -> "Sample":
        return self.reports().sample

    @property
    def changes(self) -> ChangeChannel:
        return ChangeChannel(self.client, self.keys.changes)

    @property
    def where(self) -> str:
        """Which Redis this is, in words."""
        return self.connection.where

    @property
    def runs_sandbox(self) -> bool:
        """Whether the sandbox is served by this process (and not alone, at SANDBOX_URL)."""
        return self.settings.is_sandbox and self.settings.sandbox_url is None

    def warm(self) -> None:
        """Load what is slow to load (the SDK, the numbering plan's carriers, pandas), ahead of its
        use.

        Not at the start itself, so that the server is up a second sooner.
        """
        self.clients.warm()
        _ = parse_number("+14155550123", default_region=None).carrier
        self.reports()

    def close(self) -> None:
        """Close connections, and stop the embedded Redis if no other process uses it."""
        self.address.withdraw()
        self.clients.close()
        self.connection.close()


def build(
    settings: Settings, clock: Clock | None = None, *, provider: Provider | None = None
) -> Services:
    """Connect to Redis and wire everything. `provider` takes the sends in place of Plivo. Raises
    SettingsRefused, StoreUnavailable."""
    clock = clock or SystemClock()
    connection = connect(settings)
    client = connection.client
    scripts = Scripts(client, connection.own, checks_rights=not connection.is_embedded)
    keys = Keys(settings.mode.value)
    probe = Probe(client, scripts, keys)
    for warning in probe.warnings():
        log.warning("redis: %s", warning.cause, extra={"remedy": warning.remedy})
    keyring = Keyring(secret_key(settings))
    keep = timedelta(days=settings.attempt_retention_days)
    webhooks_enabled = settings.webhook_url is not None

    # Plivo, or the sandbox in its place.
    address = CallbackAddress(
        settings.public_url,
        local_allowed=settings.is_sandbox,
        file=settings.data_dir / "sandbox" / "address" if settings.is_sandbox else None,
    )

    def sandbox_url() -> str:
        return settings.sandbox_url or f"{address.beside}/sandbox"

    token = auth_token(settings)
    sandbox = SandboxClient(sandbox_url, (settings.auth_id, token))
    clients = PlivoClients(
        settings.auth_id,
        token,
        timeout=settings.plivo_timeout,
        base=sandbox_url if settings.is_sandbox else None,
    )
    exchanges = Exchanges(client, keys, keep)
    plivo_provider = PlivoProvider(clients, settings, keyring, address, exchanges.record)
    # A template that cannot be sent is refused now, not with the first message.
    plivo_provider.preview(settings.lifetime_minutes)

    # Attempts, their figures, and verifications.
    ledger = Ledger(client, scripts, keys, clock, keep, webhooks_enabled=webhooks_enabled)
    fold = FoldWorker(connection.raw, keys, clock, ledger)
    logs = LogSync(client, scripts, keys, clock, keyring, ledger, clients)
    poller = AttemptPoller(client, scripts, keys, clock, ledger, clients, exchanges)

    def check_alerts(at_once: bool) -> None:
        # While sample traffic is loaded or removed, it is not known what is usual.
        if not (settings.is_sandbox and sample_control.state().status.has_work):
            reports().alerts.check(at_once=at_once)

    alert_watch = AlertWatch(check_alerts)
    policy = Policy(settings)
    records = VerificationRecords(
        client, scripts, keys, keyring, policy, keep, webhooks_enabled=webhooks_enabled
    )
    verifications = Verifications(
        settings,
        keyring,
        policy,
        records,
        ledger,
        RefusalCounter(scripts, keys, clock),
        provider or plivo_provider,
        poller.forget,
        clock,
        alert_watch.wake,
    )

    # Sample traffic, and the reports, which load numpy and pandas when they are first needed.
    def go_on_with_sample() -> None:
        if sample_control.state().status.has_work:
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
    background = [*_always_running(settings, poller, fold, ledger, logs), alert_watch.background]
    if settings.is_sandbox:
        background.append(sample_worker)
    if webhooks_enabled or settings.alert_urls:
        expiries = Expiries(client, scripts, keys, clock) if webhooks_enabled else None
        background.append(_webhook_worker(settings, keyring, clock, outbox, expiries))
    return Services(
        settings=settings,
        auth_token=token,
        clock=clock,
        connection=connection,
        keys=keys,
        probe=probe,
        keyring=keyring,
        ledger=ledger,
        fold=fold,
        reports=reports,
        reset=SandboxReset(
            client,
            keys,
            lambda: reports().sample.remove(),
            outbox.remove_verification_events,
            lambda: reports().alerts.forget(),
            sandbox,
            lambda: reports().queries.forget(),
        ),
        sample_control=sample_control,
        sandbox=sandbox,
        chaos=ChaosWatch(sandbox),
        endings=SandboxEndings(sandbox, verifications.numbers),
        test_sessions=TestSessions(client, scripts, keys, clock),
        recordings=Recordings(client, keys, keyring),
        logs=logs,
        access=access,
        invites=invites,
        admission=Admission(settings, access, invites),
        phone_links=PhoneLinks(
            client, keys, keyring, clock, settings.public_url, lambda: address.local
        ),
        tokens=Tokens(client, keys, keyring, clock, in_sandbox=settings.is_sandbox),
        request_limit=RequestLimit(client, keys, clock, settings.api_requests_per_minute),
        exchanges=exchanges,
        address=address,
        callback_verifier=CallbackVerifier(keyring, token, address),
        clients=clients,
        prices=Prices(clients, clock),
        poller=poller,
        outbox=outbox,
        verifications=verifications,
        provider=plivo_provider,
        calls=CallDialogue(verifications, ledger, settings, clock),
        background=tuple(background),
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
