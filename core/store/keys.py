"""Names every key of the product.

    {sandbox}:v1:verification:<id>          hash    one verification
    {sandbox}:v1:attempt:<id>-<n>           hash    one message or call sent for it
    {sandbox}:v1:history:<id>-<n>           list    events of that attempt, newest 100, oldest first
    {sandbox}:v1:exchanges:<id>             stream  HTTP exchanges with Plivo, masked, newest 200
    {sandbox}:v1:start:<index>              string  idempotency: the verification of a start
    {sandbox}:v1:phone:<index>              string  the verification whose handset a link opens
    {sandbox}:v1:failures:<index>           list    moments of wrong codes, newest first; also by
                                                    client address, as <index>:<index>
    {sandbox}:v1:guesses:<index>            list    moments of all codes that were compared
    {sandbox}:v1:sends:<what>:<index>       list    moments of sends, newest first; for a country,
                                                    its two letters in place of the index
    {sandbox}:v1:refusals:<index>           list    moments of sends that Plivo refused
    {sandbox}:v1:spend:<yyyy-mm-dd>         string  micro-dollars booked that UTC day
    {sandbox}:v1:tries:<index or all>       string  tries to sign in; the index is of a client or a
                                                    device
    {sandbox}:v1:sessions                   hash    ends (ms) of the operator's sessions by digest
    {sandbox}:v1:invites                    hash    invites by id: what they allow, JSON
    {sandbox}:v1:requests:<name>:<minute>   string  requests of a token in that minute
    {sandbox}:v1:tokens                     hash    tokens of the HTTP routes by name: digest,
                                                    scopes, made and ends, ms
    {sandbox}:v1:follow                     zset    attempts to poll, by due moment
    {sandbox}:v1:counters:<yyyy-mm-dd>      hash    forged, malformed, repeated, late and orphan
                                                    events, late_dropped and overflow figures,
                                                    unreadable_value and unreadable_record,
                                                    lost_attempt and lost_approval,
                                                    sends_without_address, refused_<budget>
    {sandbox}:v1:budget_refusals:<yyyy-mm-dd>
                                            hash    numbers refused by budgets that UTC day, by
                                                    minute and place, `core/store/refusals.py`
    {sandbox}:v1:refused_numbers:<yyyy-mm-ddThh>
                                            string  HyperLogLog of the numbers refused that hour
    {sandbox}:v1:journal                    stream  what the figures do not include yet: changes of
                                                    attempts, and checks
    {sandbox}:v1:fold_turn                  string  the process that folds the journal
    {sandbox}:v1:recent                     zset    attempts by the moment of their request, ms
    {sandbox}:v1:number:<index>             zset    the same, of one number
    {sandbox}:v1:reference:<uuid>           string  the attempt that Plivo knows by this id
    {sandbox}:v1:logs                       hash    how far Plivo's logs are read; the last result
    {sandbox}:v1:log_turn                   string  the token of their reader
    {sandbox}:v1:log_token                  string  the newest token
    {sandbox}:v1:log_requests               list    moments of the newest requests for them
    {sandbox}:v1:foreign:<yyyy-mm>          set     uuids of what other applications sent
    {sandbox}:v1:expiries                   zset    verifications by the moment they expire, ms,
                                                    until the sweep after that moment
    {sandbox}:v1:outbox                     zset    events for WEBHOOK_URL, by due moment, ms
    {sandbox}:v1:outbox_events              hash    those events by id, as `_outbox.lua` describes
    {sandbox}:v1:dead                       zset    events that were given up, by that moment, ms,
                                                    newest 1000
    {sandbox}:v1:dead_events                hash    those events by id
    {sandbox}:v1:told:<yyyy-mm-dd>          string  events delivered that UTC day
    {sandbox}:v1:alert_history              stream  alerts' changes of state, newest 1000, JSON
    {sandbox}:v1:alert_snoozes              hash    when a snooze of an alert ends, ms
    {sandbox}:v1:alert_check                string  state of every alert at the last check, JSON
    {sandbox}:v1:probe                      string  written to check that Redis takes writes
    {sandbox}:v1:test_session:<id>          hash    one manual test session, see
                                                    `core/lab/sessions/records.py`
    {sandbox}:v1:test_sessions              zset    ids of those, by the moment of their start, ms
    {sandbox}:v1:tester:<index>             string  the test session that a browser records into
    {sandbox}:v1:alert_turn:<turn>          string  a process checks alerts: a minute, or at once
    {sandbox}:v1:roll4:folded               string  how far the journal is folded: "<epoch>
                                                    <number of folds> <id of the last entry>"
    {sandbox}:v1:roll4:changed              zset    places of the newest folds, by number of fold
    {sandbox}:v1:roll4:series:<cube>        zset    names of series by their newest request, ms
    {sandbox}:v1:roll4:sample               hash    sample traffic: status, plan (JSON), attempts
    {sandbox}:v1:roll4:sample_days          hash    its days that are in the figures: their entries,
                                                    as `core/figures/bulk.py` packs them
    {sandbox}:v1:roll4:sample_attempts      set     ids of its attempts that have a record
    {sandbox}:v1:roll4:<kind>:<tier>:<cube>:<chunk>:<series>
                                            string  packed figures, `core/figures/layout.py`; kind
                                                    c counters, e errors, or a leg

The hash tag is the environment, so sandbox and live never mix and all keys of a script share a
Cluster slot. `<index>` is a keyed digest: no number and no address is readable in a key. `v1` is
the layout's version; a change of layout changes it, and `roll4` is that of the figures. Every key
has a TTL, without exception.
"""

from datetime import datetime

LAYOUT = "v1"
#: The version of the packed figures.
ROLLUP_LAYOUT = "roll4"


class Keys:
    """Key names of one environment (`sandbox` or `live`)."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self._prefix = f"{{{environment}}}:{LAYOUT}:"
        self.polls = self._prefix + "follow"
        self.tokens = self._prefix + "tokens"
        self.sessions = self._prefix + "sessions"
        self.invites = self._prefix + "invites"
        self.journal = self._prefix + "journal"
        self.fold_turn = self._prefix + "fold_turn"
        self.folded = f"{self._prefix}{ROLLUP_LAYOUT}:folded"
        self.changed = f"{self._prefix}{ROLLUP_LAYOUT}:changed"
        self.recent = self._prefix + "recent"
        self.logs = self._prefix + "logs"
        self.log_turn = self._prefix + "log_turn"
        self.log_token = self._prefix + "log_token"
        self.log_requests = self._prefix + "log_requests"
        self.expiries = self._prefix + "expiries"
        self.outbox = self._prefix + "outbox"
        self.outbox_events = self._prefix + "outbox_events"
        self.dead = self._prefix + "dead"
        self.dead_events = self._prefix + "dead_events"
        self.sample = f"{self._prefix}{ROLLUP_LAYOUT}:sample"
        self.sample_days = f"{self._prefix}{ROLLUP_LAYOUT}:sample_days"
        self.sample_attempts = f"{self._prefix}{ROLLUP_LAYOUT}:sample_attempts"
        self.alert_history = self._prefix + "alert_history"
        self.alert_snoozes = self._prefix + "alert_snoozes"
        self.alert_check = self._prefix + "alert_check"
        self.probe = self._prefix + "probe"
        self.test_sessions = self._prefix + "test_sessions"
        #: Pub/Sub channel; a message is the id of the verification that changed.
        self.changes = self._prefix + "changes"

    def verification(self, verification: str) -> str:
        return f"{self._prefix}verification:{verification}"

    def attempt(self, attempt: str) -> str:
        return f"{self._prefix}attempt:{attempt}"

    def history(self, attempt: str) -> str:
        return f"{self._prefix}history:{attempt}"

    def exchanges(self, verification: str) -> str:
        return f"{self._prefix}exchanges:{verification}"

    def start(self, index: str) -> str:
        return f"{self._prefix}start:{index}"

    def phone(self, index: str) -> str:
        return f"{self._prefix}phone:{index}"

    def failures(self, index: str, address: str | None = None) -> str:
        return f"{self._prefix}failures:{index}{f':{address}' if address else ''}"

    def guesses(self, index: str) -> str:
        return f"{self._prefix}guesses:{index}"

    def refusals(self, index: str) -> str:
        return f"{self._prefix}refusals:{index}"

    def sends(self, what: str, index: str) -> str:
        return f"{self._prefix}sends:{what}:{index}"

    def spend(self, now: datetime) -> str:
        return f"{self._prefix}spend:{now:%Y-%m-%d}"

    def counters(self, now: datetime) -> str:
        return f"{self._prefix}counters:{now:%Y-%m-%d}"

    def budget_refusals(self, now: datetime) -> str:
        return f"{self._prefix}budget_refusals:{now:%Y-%m-%d}"

    def refused_numbers(self, now: datetime) -> str:
        return f"{self._prefix}refused_numbers:{now:%Y-%m-%dT%H}"

    def webhooks_delivered(self, now: datetime) -> str:
        return f"{self._prefix}told:{now:%Y-%m-%d}"

    def foreign(self, now: datetime) -> str:
        return f"{self._prefix}foreign:{now:%Y-%m}"

    def tries(self, name: str) -> str:
        return f"{self._prefix}tries:{name}"

    def requests(self, name: str, minute: int) -> str:
        return f"{self._prefix}requests:{name}:{minute}"

    def number(self, index: str) -> str:
        return f"{self._prefix}number:{index}"

    def reference(self, reference: str) -> str:
        return f"{self._prefix}reference:{reference}"

    def test_session(self, session: str) -> str:
        return f"{self._prefix}test_session:{session}"

    def tester(self, index: str) -> str:
        return f"{self._prefix}tester:{index}"

    def alert_turn(self, turn: str) -> str:
        return f"{self._prefix}alert_turn:{turn}"

    def rollup(self, kind: str, tier: str, cube: str, series: str, chunk: int) -> str:
        return f"{self._prefix}{ROLLUP_LAYOUT}:{kind}:{tier}:{cube}:{chunk}:{series}"

    def registry(self, cube: str) -> str:
        return f"{self._prefix}{ROLLUP_LAYOUT}:series:{cube}"
