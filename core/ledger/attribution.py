"""Defines which attempt of a verification brought the right code. `attribute.lua` finds it.

All attempts of a verification have the same code, so a right code proves that one of them arrived,
not that the newest one did. Of the attempts that were requested before the code was entered:

    able        not rejected, failed or undelivered (so a call that rang out is not able). Where
                all ended badly, a report is wrong, and all of them are able
    SOLE        the attempt is the only one that is able: it brought the code
    SHARED      the attempt is able, and so is another: it may have brought the code
    OTHER       the attempt is not able: another one brought the code

A verification is unattributed if its code is SHARED. An attempt is confirmed if it was delivered by
its own receipt, or is SOLE. A verification with one attempt needs no attribution.

The result depends on the reports about all attempts, so it is computed again when an attempt that
ended badly is reported as delivered, or the reverse. The fold computes it, where an entry of the
journal from `apply.lua` asks for it.

The field `proof` of a record is SOLE, SHARED or OTHER, plus UNATTRIBUTED on the first attempt of an
unattributed verification. Beside it are `attempts`, the number of attempts when the code was
entered, and `code_ms`, the moment of that.
"""

from core.model.attempt import Proof, attempt_id, verification_of

SOLE, SHARED, OTHER = 1, 2, 3
UNATTRIBUTED = 4
_PROOFS = {SOLE: Proof.SOLE, SHARED: Proof.SHARED, OTHER: Proof.OTHER}
#: A verification cannot have so many attempts.
_MOST_ATTEMPTS = 1000


def read_proof(text: str) -> Proof:
    """From the field `proof` of a record. Raises ValueError."""
    proof = _PROOFS.get(int(text) & ~UNATTRIBUTED)
    if proof is None:
        raise ValueError("not a proof")
    return proof


def read_attributed(newest: str) -> list[str]:
    """The attempts that can have brought the code, from an entry of the journal: the id of the
    newest one. Raises ValueError."""
    verification, count = verification_of(newest), int(newest.rpartition("-")[2])
    if not (verification and 0 < count < _MOST_ATTEMPTS):
        raise ValueError("not an attempt")
    return [attempt_id(verification, number) for number in range(1, count + 1)]
