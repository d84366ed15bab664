"""Callback addresses of every form: signed as their receiver sees them."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from plivo.utils import validate_signature, validate_v3_signature

from core.sandbox.outgoing import url_as_received

from .support import AUTH_TOKEN, Api, Product, Received, number


@pytest.mark.parametrize(
    ("address", "received"),
    [
        ("https://example.com", "https://example.com/"),
        ("http://example.com:8080?x=1", "http://example.com:8080/?x=1"),
        ("http://example.com?x=1#ct=500", "http://example.com/?x=1"),
        ("https://example.com/a/#ct=500", "https://example.com/a/"),
        ("HTTPS://Example.COM:443/A", "https://example.com/A"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("https://user:word@example.com/a", "https://example.com/a"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("http://münchen.example/ä", "http://xn--mnchen-3ya.example/%C3%A4"),
        ("http://example.com/a%2Fb?c=%2B+d", "http://example.com/a%2Fb?c=%2B+d"),
        ("http://example.com/?a=2&a=1", "http://example.com/?a=2&a=1"),
    ],
)
def test_the_receiver_sees_an_address_with_a_path(address: str, received: str) -> None:
    assert url_as_received(address) == received


def is_genuine(request: Received) -> bool:
    """Whether both signatures fit the address as received, and the form without the query."""
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    form = {name: value for name, value in request.params.items() if name not in query}
    heads = request.headers
    v2, v3 = heads["x-plivo-signature-v2"], heads["x-plivo-signature-v3"]
    return bool(
        validate_signature(request.url, heads["x-plivo-signature-v2-nonce"], v2, AUTH_TOKEN)
        and validate_v3_signature(
            request.method,
            request.url,
            heads["x-plivo-signature-v3-nonce"],
            AUTH_TOKEN,
            v3,
            form if request.method == "POST" else {},
        )
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    # Other than ASCII characters in a query are left to the Node SDK: Python's cannot read them.
    "rest",
    ["", "?of={to}&b=2&a=x+y&a=%2B&blank=", "#ct=500", "/ä b/?q=1#f", "/a%2Fb//"],
)
def test_callbacks_to_an_odd_address_are_genuine(
    api: Api, product: Product, method: str, rest: str
) -> None:
    to = number("5555")
    for base in (product.base, product.base.replace("http://", "HTTP://user:word@")):
        before = len(product.received)
        api.all_callbacks(api.send(to, url=base + rest.format(to=to), method=method))
        requests = product.received[before:]
        assert [request.method for request in requests] == [method] * 3
        assert all(is_genuine(request) for request in requests)
        credentials = {request.headers.get("authorization") for request in requests}
        assert credentials == {"Basic dXNlcjp3b3Jk" if "@" in base else None}
