"""Every route that reads JSON refuses invalid bodies."""

import pytest

from .support import AUTH_ID, SENDER, Api, number

PHLO = "/v1/account/{auth}/phlo/5a4db0c5-0000-4000-8000-000000000001/"
HANDSET = "/handset/{number}/auto-answer"


def routes(api: Api) -> list[tuple[str, str]]:
    """Every route that reads JSON."""
    account = f"/v1/Account/{AUTH_ID}"
    phlo = PHLO.format(auth=AUTH_ID)
    handset = HANDSET.format(number=number("5555"))
    return [
        ("POST", f"{account}/Message/"),
        ("POST", f"{account}/Call/"),
        ("POST", phlo),
        ("PUT", handset),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * 30_000_000, 413),
        (b"[" * 100_000, 413),
        (b'{"a":' * 100_000, 413),
        (b"[" * 60_000, 400),
        (b'{"a":' * 12_000, 400),
        (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", 400),
        (b'{"on": "\\ud83d"}', 400),
        (b'{"text": "\\udc00 and more"}', 400),
        (b'{"\\ud83d": true}', 400),
        (b'{"a": [{"b": "\\ud83d"}]}', 400),
        (b'{"text": "\xed\xa0\xbd"}', 400),
        (b'{"text": "\xff"}', 400),
        (b'{"text": ' + b"1" * 5_000 + b"}", 400),
        (b"", 400),
        (b"null", 400),
    ],
)
def test_an_invalid_body_is_refused(api: Api, body: bytes, status: int) -> None:
    for method, path in routes(api):
        answer = api.http.request(method, path, content=body)
        assert answer.status_code == status, (path, answer.text)
        assert answer.json()["error"]


def test_a_long_body_without_a_length_is_refused(api: Api) -> None:
    for method, path in routes(api):
        answer = api.http.request(method, path, content=iter([b" " * 10_000] * 10))
        assert answer.status_code == 413, path


@pytest.mark.parametrize("odd", [["sms"], {"a": 1}, True, 7, "\u0000", "\ufffd", "🐍"])
def test_an_odd_value_in_any_field_causes_no_internal_error(api: Api, odd: object) -> None:
    message = {"src": SENDER, "dst": number("5555"), "text": "hello"}
    call = {"from": SENDER, "to": number("5555"), "answer_url": "http://127.0.0.1:9/x"}
    run: dict[str, object] = {"from": SENDER, "to": number("5555"), "otp": "123456", "mode": "sms"}
    phone = {"on": True, "press": "1"}
    bodies: list[dict[str, object]] = [
        {
            **message,
            "url": "",
            "method": "POST",
            "log": "true",
            "message_expiry": 60,
            "type": "sms",
        },
        {
            **call,
            "machine_detection": "",
            "ring_timeout": 60,
            "hangup_url": "",
            "hangup_method": "",
        },
        run,
        phone,
    ]
    for (method, path), fields in zip(routes(api), bodies, strict=True):
        for name in fields:
            answer = api.http.request(method, path, json={**fields, name: odd})
            assert answer.status_code < 500, (path, name, answer.text)


def test_whole_surrogate_pairs_are_text(api: Api) -> None:
    to = number("5555")
    order = f'{{"src": "{SENDER}", "dst": "{to}", "text": "\\ud83d\\udc0d"}}'
    answer = api.http.post(f"/v1/Account/{AUTH_ID}/Message/", content=order.encode())
    assert answer.status_code == 202
