"""Plivo's own signature vectors, from its Go SDK and its CLI."""

V2_TOKEN = "my_auth_token"
V2_URL = "https://answer.url"
V2_NONCE = "12345"
V2_SIGNATURE = "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc="
V3_TOKEN = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"
V3_URL = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml/?a=b&c=d"
V3_NONCE = "31627761595286130198"
V3_POST = "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c="
V3_GET = "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ="
CALL = "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"
V3_FORM = {
    "Direction": "outbound",
    "From": "19792014278",
    "ALegUUID": CALL,
    "ALegRequestUUID": CALL,
    "CallUUID": CALL,
    "RequestUUID": CALL,
    "CallStatus": "in-progress",
    "BillRate": "0.002",
    "ParentAuthID": "MANWVLYTK4ZWU1YTY4QA",
    "To": "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com",
    "SIP-H-To": "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1",
    "SessionStart": "2020-04-08 11:34:33.238707",
    "Event": "StartApp",
}
