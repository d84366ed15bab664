"""The objects of one process. `core.wiring` builds them."""

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from core.access.admission import Admission
from core.access.invites import Invites
from core.access.password import Access
from core.access.phone_links import PhoneLinks
from core.access.request_limit import RequestLimit
from core.access.tokens import Tokens
from core.background import Periodic
from core.figures.fold_worker import FoldWorker
from core.lab.endings import SandboxEndings
from core.lab.sandbox_client import SandboxClient
from core.lab.sessions.recording import Recordings
from core.lab.sessions.store import TestSessions
from core.ledger.exchanges import Exchanges
from core.ledger.explorer import Explorer
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.once import Once
from core.panels.chaos_watch import ChaosWatch
from core.plivo.callback_address import CallbackAddress
from core.plivo.callback_verifier import CallbackVerifier
from core.plivo.client import PlivoClients
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.reset.reset import SandboxReset
from core.sample.control import SampleControl
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.store.changes import ChangeChannel
from core.store.client import Client
from core.store.connection import RedisConnection
from core.store.keys import Keys
from core.store.probe import Probe
from core.tracking.attempt_poller import AttemptPoller
from core.tracking.log_sync import LogSync
from core.verification.call import CallDialogue
from core.verification.number.parse import parse_number
from core.verification.service import Verifications
from core.webhooks.queue import Outbox

if TYPE_CHECKING:
    from core.alerts.alerts import Alerts
    from core.figures.export import FigureExport
    from core.figures.queries import Queries
    from core.findings.findings import Findings
    from core.reports import Reports
    from core.sample.loading import Sample


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
    explorer: Explorer
    fold: FoldWorker
    #: Made when it is first needed: it loads pandas, and no start should wait for that.
    reports: "Once[Reports]"
    access: Access
    invites: Invites
    admission: Admission
    phone_links: PhoneLinks
    tokens: Tokens
    request_limit: RequestLimit
    log_sync: LogSync
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
