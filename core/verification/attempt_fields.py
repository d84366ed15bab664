"""What an attempt takes over from its verification."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.model.attempt import Attempt, EventKind, Proof
from core.model.verification import Verification, View


def record_of(verification: Verification, first: Attempt | None = None) -> dict[str, str]:
    """What an attempt keeps of its verification: of the number only the mask and the digest.
    `first` is the verification's first attempt where this is a later one."""
    origin = {"origin": "first"}
    if first is not None:
        origin = {"origin": "resend" if first.way is verification.way else "fallback"}
    return origin | {
        "number_index": verification.number_index,
        **verification.way.fields,
        "to_masked": verification.to.masked,
        "region": verification.to.region,
        "carrier": verification.carrier,
    }


def with_checks(attempt: Attempt, verification: Verification) -> Attempt:
    """The attempt with the moments of its checks, which the fold has not read yet. The newest
    attempt has the right code until it is found out which one brought it."""
    moments = dict(attempt.moments)
    if attempt.number in verification.checked_at:
        moments[EventKind.CHECKED] = verification.checked_at[attempt.number]
    is_newest = attempt.number == verification.attempts
    proof = attempt.proof
    if verification.verified_at is not None and is_newest and proof is None:
        moments[EventKind.VERIFIED] = verification.verified_at
        proof = Proof.SOLE if attempt.number == 1 else None
    return replace(attempt, moments=moments, proof=proof)


def views_of(
    verifications: Sequence[Verification], attempts: Sequence[Attempt], now: datetime
) -> list[View]:
    """A view of each verification with those of its attempts that are given; no `fallback`."""
    by_id = {attempt.id: attempt for attempt in attempts}
    return [
        View(
            each,
            [with_checks(by_id[name], each) for name in each.attempt_ids if name in by_id],
            now,
            None,
        )
        for each in verifications
    ]
