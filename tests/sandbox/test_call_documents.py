"""Answered calls execute Plivo XML: they speak, collect keys, and request further documents."""

from pathlib import Path

import pytest

from .documents import SPEAK, listening
from .support import AUTH_ID, SENDER, Api, Phone, Product, number, sandbox_on, wait_for
from .test_callbacks import is_genuine


def answered(api: Api, document: str, **parameters: str) -> tuple[str, Phone]:
    """Make a call that executes the document at this URL, and answer it: its UUID and the phone."""
    to = number("5555")
    uuid = api.call(to, document, **parameters)
    phone = api.phone(to)
    phone.answer()
    return uuid, phone


def test_an_answered_call_speaks_the_text_of_the_product(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = SPEAK
    uuid, phone = answered(api, product.url(path))
    record = api.hung_up(uuid)
    assert phone.transcript() == ["Your code is 4, 7, 1, 1."]
    assert (record["hangup_cause_code"], record["hangup_cause_name"]) == (
        4010,
        "End Of XML Instructions",
    )
    assert record["hangup_source"] == "Answer XML"


def test_the_answer_request_is_signed_and_names_the_caller(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = SPEAK
    uuid, phone = answered(api, product.url(path))
    api.hung_up(uuid)
    (request,) = product.at(path)
    assert is_genuine(request)
    assert request.params["CallUUID"] == request.params["RequestUUID"] == uuid
    assert (request.params["From"], request.params["To"]) == (SENDER, phone.number)
    assert (request.params["Event"], request.params["CallStatus"]) == ("StartApp", "in-progress")
    assert request.params["ParentAuthID"] == AUTH_ID


def test_the_answer_document_can_be_fetched_by_get(api: Api, product: Product, path: str) -> None:
    product.documents[path] = SPEAK
    uuid, _ = answered(api, product.url(path), answer_method="GET")
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010
    assert product.at(path)[0].method == "GET"
    assert is_genuine(product.at(path)[0])


def test_a_pressed_key_goes_to_the_action_and_its_document_is_followed(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = listening("keys")  # relative to the answer address
    product.documents["keys"] = SPEAK
    uuid, phone = answered(api, product.url(path))
    wait_for(phone.waits)
    assert phone.do("press/1").status_code == 200
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010
    assert phone.transcript() == ["Press a key.", "Your code is 4, 7, 1, 1."]
    (request,) = [r for r in product.at("keys") if r.params["CallUUID"] == uuid]
    assert request.params["Digits"] == "1"
    assert is_genuine(request)


@pytest.mark.parametrize(("keys", "digits"), [("12#", "12"), ("123", "123")])
def test_the_finishing_key_or_the_number_of_keys_ends_the_collection(
    tmp_path: Path, product: Product, path: str, keys: str, digits: str
) -> None:
    product.documents[path] = listening(product.url(path + "/keys"), most=3)
    product.documents[path + "/keys"] = "<Response/>"
    with sandbox_on(tmp_path, speed=4) as api:
        uuid, phone = answered(api, product.url(path))
        wait_for(phone.waits)
        for key in keys:
            phone.do(f"press/{'%23' if key == '#' else key}")
        api.hung_up(uuid)
    assert product.values(path + "/keys", "Digits") == [digits]


def test_a_pause_between_keys_ends_the_collection(api: Api, product: Product, path: str) -> None:
    product.documents[path] = listening(product.url(path + "/keys"), most=5)
    product.documents[path + "/keys"] = "<Response/>"
    uuid, phone = answered(api, product.url(path))
    wait_for(phone.waits)
    phone.do("press/7")
    api.hung_up(uuid)
    assert product.values(path + "/keys", "Digits") == ["7"]


def test_without_a_key_the_prompt_is_repeated_and_then_the_call_continues(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = listening(product.url("never"), timeout=5, retries=3)
    uuid, phone = answered(api, product.url(path))
    api.hung_up(uuid)
    assert phone.transcript() == ["Press a key."] * 3 + ["You pressed nothing."]


def test_an_invalid_key_repeats_the_prompt(api: Api, product: Product, path: str) -> None:
    product.documents[path] = listening(product.url(path + "/keys"), valid="1", retries=2)
    product.documents[path + "/keys"] = "<Response/>"
    uuid, phone = answered(api, product.url(path))
    wait_for(phone.waits)
    phone.do("press/9")
    wait_for(lambda: len(phone.transcript()) == 2)
    phone.do("press/1")
    api.hung_up(uuid)
    assert product.values(path + "/keys", "Digits") == ["1"]


def test_a_key_interrupts_the_prompt(api: Api, product: Product, path: str) -> None:
    long_prompt = "<Speak>A prompt.</Speak><Wait length='3600'/><Speak>Never heard.</Speak>"
    product.documents[path] = (
        f"<Response><GetInput numDigits='1' action='{product.url(path + '/keys')}'>{long_prompt}"
        "</GetInput></Response>"
    )
    product.documents[path + "/keys"] = SPEAK
    uuid, phone = answered(api, product.url(path))
    wait_for(phone.waits)
    phone.do("press/5")
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010
    assert phone.transcript() == ["A prompt.", "Your code is 4, 7, 1, 1."]
    assert product.values(path + "/keys", "InputType") == ["dtmf"]


def test_a_key_during_a_sentence_outside_an_input_is_ignored_and_shown_as_ignored(
    tmp_path: Path, product: Product, path: str
) -> None:
    product.documents[path] = (
        f"<Response><Speak loop='0'>Not a question.</Speak>"
        f"<GetInput numDigits='1' action='{product.url(path + '/keys')}'/></Response>"
    )
    with sandbox_on(tmp_path, speed=4) as api:
        uuid, phone = answered(api, product.url(path))
        wait_for(phone.transcript)
        assert phone.do("press/1").status_code == 200
        assert phone.transcript("ignored-key") == ["1"]
        assert phone.transcript("key") == []
        phone.do("hangup")
        api.hung_up(uuid)
    assert product.at(path + "/keys") == []


def test_a_redirect_is_followed(api: Api, product: Product, path: str) -> None:
    next_url = product.url(path + "/next")
    product.documents[path] = f"<Response><Redirect>{next_url}</Redirect></Response>"
    product.documents[path + "/next"] = "<Response><Speak>Here.</Speak><Hangup/></Response>"
    uuid, phone = answered(api, product.url(path))
    assert api.hung_up(uuid)["hangup_cause_code"] == 4000
    assert phone.transcript() == ["Here."]


def test_a_scheduled_hangup_ends_a_call_while_later_steps_run(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = (
        "<Response><Hangup schedule='20'/><Speak>Soon over.</Speak><Wait length='3600'/></Response>"
    )
    uuid, phone = answered(api, product.url(path))
    assert api.hung_up(uuid)["hangup_cause_code"] == 6000
    assert phone.transcript() == ["Soon over."]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("no xml", 8011),
        ("<Response><Sing>x</Sing></Response>", 8011),
        ("<Response>" + "<Wait/>" * 20_000 + "</Response>", 8011),
        ("<Response><Redirect>http://127.0.0.1:9/</Redirect></Response>", 7014),
        ("<Response><Redirect>mailto:x</Redirect></Response>", 7024),
        ("<Response><Redirect method='PUT'>/x</Redirect></Response>", 7034),
    ],
)
def test_an_unsupported_document_ends_the_call_with_its_cause(
    api: Api, product: Product, path: str, document: str, code: int
) -> None:
    product.documents[path] = document
    uuid, _ = answered(api, product.url(path))
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_source"]) == (code, "Error")


@pytest.mark.parametrize(
    ("document", "code", "problems"),
    [
        (
            "<Response><PreAnswer><Speak>Wait.</Speak></PreAnswer><Play>x.mp3</Play><DTMF>1</DTMF>"
            "<GetInput executionTimeout='5'><Play>y.mp3</Play></GetInput><Stream>x</Stream>"
            "<Message src='1' dst='2'>x</Message><Speak>Bye.</Speak></Response>",
            4010,
            ["Play", "DTMF", "Play", "Stream", "Message"],
        ),
        *(
            (
                f"<Response><Speak>Wait.</Speak><{element}/><Speak>No.</Speak></Response>",
                5010,
                [element],
            )
            for element in ("Record", "Dial", "Conference", "MultiPartyCall")
        ),
        (
            "<Response><Speak>Wait.</Speak><GetInput inputType='speech'/></Response>",
            5010,
            ["GetInput with inputType speech"],
        ),
    ],
)
def test_elements_that_are_not_simulated_are_named_where_a_tester_looks(
    api: Api,
    product: Product,
    path: str,
    caplog: pytest.LogCaptureFixture,
    document: str,
    code: int,
    problems: list[str],
) -> None:
    product.documents[path] = document
    uuid, phone = answered(api, product.url(path), hangup_url=product.url(path))
    assert api.hung_up(uuid)["hangup_cause_code"] == code
    spoken = ["Wait.", "Bye."] if code == 4010 else ["Wait."]
    assert phone.transcript() == spoken
    sentences = [f"{problem} is not simulated." for problem in problems]
    assert phone.transcript("problem") == sentences
    assert [callback["problems"] for callback in api.finished_callbacks(uuid)] == [sentences]
    logged = [vars(record) for record in caplog.records if record.message == "not played"]
    assert [record["problem"] for record in logged if record["reference"] == uuid] == sentences


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("<Response><Sing/></Response>", "Invalid XML: Plivo XML has no element Sing here."),
        ("<Response><Number>1</Number></Response>", "Invalid XML: Plivo XML has no element Number"),
        ("no xml", "Invalid XML: The document is not well-formed XML."),
        ("<Response>" + "<Wait/>" * 20_000 + "</Response>", "Invalid XML: The document is longer"),
    ],
)
def test_a_document_that_is_no_plivo_xml_is_explained_otherwise(
    api: Api, product: Product, path: str, document: str, problem: str
) -> None:
    product.documents[path] = document
    uuid, phone = answered(api, product.url(path))
    assert api.hung_up(uuid)["hangup_cause_code"] == 8011
    (sentence,) = phone.transcript("problem")
    assert sentence.startswith(problem)


@pytest.mark.parametrize(("action", "code"), [("http://127.0.0.1:9/", 7012), ("bad", 8012)])
def test_an_action_that_fails_ends_the_call_with_its_cause(
    api: Api, product: Product, path: str, action: str, code: int
) -> None:
    product.documents[path] = listening(action)
    product.documents["bad"] = "no xml"
    to = number("5555")
    phone = api.phone(to)
    phone.auto_answer(on=True, press="1")
    uuid = api.call(to, product.url(path))
    assert api.hung_up(uuid)["hangup_cause_code"] == code


def test_a_failing_answer_url_is_requested_three_times_and_then_the_fallback(
    api: Api, product: Product, path: str
) -> None:
    product.statuses[path] = [500, 503, 404]
    product.documents[path + "/fallback"] = SPEAK
    uuid, phone = answered(api, product.url(path), fallback_url=product.url(path + "/fallback"))
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010
    assert len(product.at(path)) == 3
    assert phone.transcript() == ["Your code is 4, 7, 1, 1."]


def test_an_unreachable_answer_url_ends_the_call(api: Api) -> None:
    uuid, _ = answered(api, "http://127.0.0.1:9/")
    assert api.hung_up(uuid)["hangup_cause_name"] == "Error Reaching Answer URL"
