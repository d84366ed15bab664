"""The REST API under `/api/v1`: verifications, delivery figures and attempts as JSON.

`application` makes it, `bearer` lets callers in and counts their requests, `problems` says what
is wrong (RFC 9457). `verifications`, `delivery` and `attempts` are its routes; `answers` what they
return. No rule lives here: each route reads a request, asks a service and writes the answer.
"""
