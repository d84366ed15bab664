"""The REST API under `/api/v1`: verifications, delivery figures and attempts as JSON.

`application` makes it, `bearer` lets requests in and counts them, `problems` holds the errors
(RFC 9457). `verifications`, `delivery`, `alerts` and `attempts` are its routes. What they read is
in `requests`, `delivery_query` and `parameters`, what they write in `answers` and
`delivery_answers`; `objects` gives them what they use. No rule is here: each route reads a request,
calls a service and writes the answer.
"""
