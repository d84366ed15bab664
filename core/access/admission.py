"""Decides what a browser may do: as the operator, with an invite, or as a visitor."""

from dataclasses import dataclass

from core.access.invites import Invite, Invites
from core.access.password import Access, AccessState
from core.model.grant import OPERATOR, Grant
from core.settings.choices import VerifyAccess
from core.settings.settings import Settings

_OPERATOR_ONLY = "Messages and calls from here cost money, so the operator's password is needed."
_INVITE_ONLY = "Messages and calls from here cost money, so an invite is needed."


@dataclass(frozen=True, slots=True)
class BrowserAccess:
    """What a browser may do. `invite` is the one that it has, valid or not."""

    grant: Grant
    gate: AccessState
    invite: Invite | None = None

    @property
    def is_operator(self) -> bool:
        return self.gate is AccessState.SIGNED_IN

    @property
    def sees_operator_pages(self) -> bool:
        """Whether Delivery, Attempts and the other operator pages are open to them."""
        return self.gate.admits

    @property
    def may_reset_sandbox(self) -> bool:
        """Whether they may remove the sandbox's data: the operator, or anyone if it is open."""
        return self.gate.admits


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
        can_sign_in = gate is not AccessState.UNSET
        if gate is AccessState.SIGNED_IN:
            return BrowserAccess(OPERATOR, gate)
        match self._mode:
            case VerifyAccess.OPEN:
                return BrowserAccess(self._visitor, gate)
            case VerifyAccess.INVITE if invite:
                state, record = self._invites.recognise(invite)
                return BrowserAccess(self._invites.grant(state, record), gate, record)
            case VerifyAccess.INVITE:
                remedy = "Open your invite link" + (
                    ", or sign in as the operator." if can_sign_in else "."
                )
                return BrowserAccess(Grant("", refusal=(_INVITE_ONLY, remedy)), gate)
            case VerifyAccess.PASSWORD:
                remedy = "Sign in." if can_sign_in else "The operator must set one first."
                return BrowserAccess(Grant("", refusal=(_OPERATOR_ONLY, remedy)), gate)
