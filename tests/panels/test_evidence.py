"""The evidence of a verification: whole, readable offline, without code and number."""

import base64
import json
import random
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import phonenumbers
import pytest

from core.charts.evidence_page import evidence_page, evidence_part
from core.model.attempt import Attempt, EventKind, State, attempt_id
from core.model.code import Code
from core.model.exchange import Exchange
from core.model.grant import OPERATOR, Grant
from core.model.phone_number import PhoneNumber, mask
from core.model.verification import Status, Verification, View
from core.model.way import Way
from core.panels.evidence import EvidenceReader, evidence_json, evidence_of
from core.panels.redaction import Redaction
from core.plivo.masking import mask_fields
from tests.test_leaks import journey
from tests.world import World, until

FILES = 1000
START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TOKEN = "abcdefghijklmnopqrstuvwx-1.kq0zXcV-2_signature"
ACCOUNT = "MAXYZXYZXYZXYZXYZXYZ"
#: The steps that lead to each state of a message or a call.
COURSES = {
    State.REQUESTED: (),
    State.ACCEPTED: (EventKind.ACCEPTED,),
    State.SENT: (EventKind.ACCEPTED, EventKind.SENT),
    State.ANSWERED: (EventKind.ACCEPTED, EventKind.RINGING, EventKind.ANSWERED),
    State.DELIVERED: (EventKind.ACCEPTED, EventKind.DELIVERED),
    State.UNDELIVERED: (EventKind.ACCEPTED, EventKind.SENT, EventKind.UNDELIVERED),
    State.FAILED: (EventKind.ACCEPTED, EventKind.FAILED),
    State.REJECTED: (EventKind.REJECTED,),
    State.UNCLEAR: (EventKind.UNCONFIRMED,),
    State.UNKNOWN: (EventKind.UNREPORTED,),
}
COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
LANGUAGES = ("en", "de", "es-US", "ru", "pt-BR")


def number_in(region: str, rng: random.Random) -> tuple[PhoneNumber, list[str]]:
    """A number of that country, and the forms in which people and programs write it."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    example = example or phonenumbers.example_number(region)
    assert example is not None
    national = phonenumbers.national_significant_number(example)
    digits = national[:-4] + f"{rng.randrange(10_000):04}"
    parsed = phonenumbers.parse(f"+{example.country_code}{digits}")
    form = phonenumbers.PhoneNumberFormat
    e164, international, local, rfc = (
        phonenumbers.format_number(parsed, each)
        for each in (form.E164, form.INTERNATIONAL, form.NATIONAL, form.RFC3966)
    )
    forms = [e164, e164[1:], international, local, rfc, digits, quote(e164), quote(international)]
    forms += ["-".join(digits), " ".join(digits), fullwidth(e164)]
    return PhoneNumber(e164, mask(international), region, region), forms


def fullwidth(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in text)


def arabic(text: str) -> str:
    return "".join(chr(0x0660 + int(char)) if char.isdigit() else char for char in text)


def code_forms(code: str) -> list[str]:
    """As it is written, spaced, spoken, in other scripts, and as a part of a URL."""
    forms = [code, f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}", " ".join(code)]
    return [*forms, ", ".join(code), quote(", ".join(code)), fullwidth(code), arabic(code)]


def attempt(view_id: str, number: int, to: PhoneNumber, text: str, rng: random.Random) -> Attempt:
    state = rng.choice(list(COURSES))
    at = START + timedelta(seconds=40 * (number - 1), milliseconds=rng.randrange(1000))
    moments = {EventKind.REQUESTED: at}
    for kind in COURSES[state]:
        at += timedelta(milliseconds=rng.randrange(1, 20_000))
        moments[kind] = at
    return Attempt(
        id=attempt_id(view_id, number), way=rng.choice(list(Way)), state=state, to_masked=to.masked,
        region=to.region, carrier="", moments=moments, cause=text, remedy=text,
        error_code=rng.choice(["", "30", "1000"]), cost_micros=rng.choice([0, 7700]),
        reference="5b40a428-bfc7-4daf-9d06-726c558bf3b8",
    )  # fmt: skip


def exchange(
    about: Attempt, to: PhoneNumber, texts: list[str], code: Code, rng: random.Random
) -> Exchange:
    """One that Plivo and the adapter could make: its fields masked, its texts as Plivo likes."""
    is_request = rng.random() < 0.5
    sent = {"dst": to.e164, "otp": code.reveal(), "text": f"Your code: {code.reveal()}"}
    sent |= {"url": f"https://example.com/plivo/message/{TOKEN}", "account": ACCOUNT}
    text = rng.choice(texts)
    answer = {"error": text, "objects": [{text: text}, 7, True, None], "api": [text]}
    return Exchange(
        direction="request" if is_request else "callback",
        at_ms=round(START.timestamp() * 1000) + rng.randrange(60_000),
        method="POST",
        url=f"https://api.plivo.com/v1/Account/{ACCOUNT}/Message/?to={text}" if is_request
        else f"/plivo/message/{TOKEN}",
        sent=mask_fields(sent, code) | {"note": rng.choice(texts)},
        status=rng.choice([202, 400, None]),
        answer=f"<Response><Speak>{text}</Speak></Response>" if rng.random() < 0.3 else answer,
        span_ms=rng.randrange(900),
        call=f"client.messages.create(dst='{to.masked}', text={text!r})" if is_request else "",
        attempt=about.id,
    )  # fmt: skip


def cases() -> Iterator[tuple[View, list[Exchange], Code, list[str]]]:
    """Verifications in every state, way, country and language, always the same ones."""
    rng = random.Random(3)  # noqa: S311
    for n in range(FILES):
        to, numbers = number_in(COUNTRIES[n % len(COUNTRIES)], rng)
        # The year and the time of day are in every file: no code looks like these.
        code = Code("".join(rng.choices("456789", k=rng.choice([6, 6, 6, 8, 10]))))
        texts = [f"<b>{form}</b> is wrong." for form in numbers + code_forms(code.reveal())]
        view_id = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=24))
        attempts = [
            attempt(view_id, k, to, rng.choice(texts), rng) for k in range(1, rng.randrange(2, 5))
        ]
        status = rng.choice(list(Status))
        verification = Verification(
            id=view_id, status=status, to=to, carrier="", language=rng.choice(LANGUAGES),
            way=attempts[-1].way, digits=len(code.reveal()), started_at=START,
            expires_at=START + timedelta(minutes=5), checks_left=3, checks_allowed=5,
            attempts=len(attempts), next_send_at=START, number_index="x", request="y",
            verified_at=START + timedelta(minutes=2) if status is Status.VERIFIED else None,
        )  # fmt: skip
        exchanges = [
            exchange(rng.choice(attempts), to, texts, code, rng) for _ in range(rng.randrange(5))
        ]
        yield View(verification, attempts, START, None), exchanges, code, numbers


def normal(text: str) -> str:
    """With ASCII digits, and as a browser shows it."""
    return re.sub(r"(?![0-9])\d", lambda m: str(unicodedata.decimal(m[0])), unescape(text))


def leaks(text: str, e164: str, forms: list[str], code: str) -> list[str]:
    """Which secrets the file contains, in whatever form."""
    shown = normal(text)
    national = str(phonenumbers.parse(e164).national_number)
    spaced = rf"(?<!\d){r'[^0-9a-z]*'.join(code)}(?!\d)"
    digits = re.sub(r"%2\w|[^0-9a-z]", "", shown)
    words = [TOKEN.partition(".")[2], ACCOUNT, *forms, quote(e164)]
    words += [base64.b64encode(word.encode()).decode().rstrip("=") for word in (e164, code)]
    return [
        *(form for form in (national, e164[1:]) if form in digits),
        *re.findall(spaced, shown),
        *(word for word in words if word in shown or word in text),
    ]


def test_a_thousand_evidence_files_have_no_code_no_number_and_no_token() -> None:
    for view, exchanges, code, forms in cases():
        evidence = evidence_of(view, exchanges, code, simulated=False)
        # The rest of the page is the same in every file.
        for text in (evidence_json(evidence), evidence_part(evidence)):
            assert leaks(text, view.verification.to.e164, forms, code.reveal()) == []
            assert view.verification.id in text
            assert view.verification.to.masked in text


def reader_of(at: World) -> EvidenceReader:
    services = at.services
    return EvidenceReader(
        services.verifications, services.exchanges, services.settings, services.chaos
    )


def test_the_evidence_of_real_verifications_has_no_code_no_number_and_no_secret(
    at: World,
) -> None:
    reader = reader_of(at)
    codes, numbers, ids = journey(at)
    for code, number, verification in zip(codes, numbers, ids, strict=True):
        evidence = reader.read(verification, OPERATOR)
        assert evidence is not None
        assert evidence.exchanges
        shown = evidence_json(evidence)
        for text in (shown, evidence_page("Evidence", [evidence])):
            assert number[2:] not in text
            assert not re.search(rf"(?<![\d.a-f]){code}(?![\da-f])", text)
            assert ", ".join(code) not in text
            assert at.services.keyring.callback_token(f"{verification}-1") not in text
            assert at.services.auth_token not in text
        assert [attempt["id"] for attempt in json.loads(shown)["attempts"]] == [f"{verification}-1"]


def test_evidence_has_cause_cost_and_exchanges_of_each_attempt(at: World) -> None:
    number = at.number("0030")
    verification = at.started(number)
    until(lambda: at.look(verification).attempts[0].state.is_final)
    reader = reader_of(at)
    evidence = reader.read(verification, OPERATOR)
    assert evidence is not None
    document = json.loads(evidence_json(evidence))
    (attempt,) = document["attempts"]
    assert "spam" in attempt["cause"]
    assert attempt["error_code"] == "30"
    assert document["verification"]["cost_micros"] == attempt["cost_micros"] > 0
    assert document["exchanges"][0]["status"] == 202
    assert all(moment.endswith("Z") for moment in (step["at"] for step in attempt["timeline"]))
    page = evidence_page("Evidence", [evidence])
    for words in ("Not delivered", "spam", "simulated", "UTC", "POST Message", attempt["id"]):
        assert words in page


def test_evidence_names_what_chaos_did(at: World) -> None:
    sandbox = at.services.sandbox
    sandbox.set_chaos({"rules": [{"effect": "not_delivered", "error_code": 30}]})
    try:
        ids = [at.started(at.number(), way) for way in (Way.SMS, Way.PHLO_SMS)]
    finally:
        sandbox.stop_chaos()
    ids.append(at.started(at.number("0030")))
    until(lambda: all(at.look(each).attempts[0].state.is_final for each in ids))
    for verification, chaos in zip(ids, ("Not delivered", "Not delivered", ""), strict=True):
        evidence = reader_of(at).read(verification, OPERATOR)
        assert evidence is not None
        (attempt,) = json.loads(evidence_json(evidence))["attempts"]
        assert attempt["chaos"] == chaos
        page = evidence_page("Evidence", [evidence])
        assert ("By chaos of the sandbox: Not delivered" in page) is bool(chaos)


def test_evidence_is_for_those_who_may_see_the_verification(at: World) -> None:
    verification = at.started(at.number())
    reader = reader_of(at)
    assert reader.read(verification, Grant(owner="another visitor")) is None
    assert reader.read("a" * 24, OPERATOR) is None


def test_the_file_needs_no_other_file_and_runs_nothing() -> None:
    view, exchanges, code, _ = next(each for each in cases() if each[1])
    evidence = evidence_of(view, exchanges, code, simulated=True)
    page = evidence_page("<script>alert(1)</script>", [evidence, evidence])
    assert not re.search(r"<(script|link|img|iframe|object)|\b(src|href)=|@import|url\(", page)
    assert "<b>" not in page.replace('<b><span class="sign"', "")
    assert page.count("<article>") == 2


@pytest.mark.parametrize("text", ["", "12:04:30", "2026-11-24T12:04:30.250Z", "error 30", "4000"])
def test_redaction_leaves_other_figures(text: str) -> None:
    assert Redaction("+14155557623", Code("120430")).text(text) == text


def test_redaction_leaves_a_uuid_that_contains_the_code() -> None:
    uuid = "12043012-3f08-11e7-b6f4-061564b78b75"
    assert Redaction("+14155557623", Code("120430")).text(uuid) == uuid
