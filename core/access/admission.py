"""Decides what a browser may do: as the operator, with an invite, or as a visitor."""

from dataclasses import dataclass

from core.access.invites import Invite, Invites, InviteState
from core.access.password import Access, AccessState
from core.model.grant import OPERATOR, Grant
from core.settings.settings import Settings, VerifyAccess

_NEEDS_PASSWORD = (
    "Messages and calls from here cost money, so the operator's password is needed.",
    "Sign in.",
)
_NEEDS_INVITE = (
    "Messages and calls from here cost money, so an invite is needed.",
    "Open your invite link, or sign in as the operator.",
)


@dataclass(frozen=True, slots=True)
class BrowserAccess:
    """What a browser may do. `state` is the state of its invite; None if no invite was checked."""

    grant: Grant
    gate: AccessState
    state: InviteState | None = None
    invite: Invite | None = None

    @property
    def is_operator(self) -> bool:
        return self.gate is AccessState.SIGNED_IN


class Admission:
    """Decides by VERIFY_ACCESS. A decision is valid at that moment only: call it in each rerun."""

    def __init__(self, settings: Settings, access: Access, invites: Invites) -> None:
        self._mode = settings.effective_access
        # Sandbox numbers are fictitious, so every visitor may see all verifications there.
        self._visitor = Grant("visitor", touches_all=settings.is_sandbox)
        self._access = access
        self._invites = invites

    def admit(self, session: str | None, invite: str | None) -> BrowserAccess:
        """What the browser with these two cookies may do. Raises StoreUnavailable."""
        gate = self._access.gate(session)
        if gate is AccessState.SIGNED_IN:
            return BrowserAccess(OPERATOR, gate)
        match self._mode:
            case VerifyAccess.OPEN:
                return BrowserAccess(self._visitor, gate)
            case VerifyAccess.INVITE if invite:
                state, valid = self._invites.recognise(invite)
                return BrowserAccess(self._invites.grant(state, valid), gate, state, valid)
            case VerifyAccess.INVITE:
                return BrowserAccess(Grant("", refusal=_NEEDS_INVITE), gate)
            case VerifyAccess.PASSWORD:
                return BrowserAccess(Grant("", refusal=_NEEDS_PASSWORD), gate)
