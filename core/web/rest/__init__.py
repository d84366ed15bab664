"""The REST API under `/api/v1`: verifications, delivery figures and attempts as JSON.

`application` makes it, `bearer` lets requests in and counts them, `problems` holds the errors
(RFC 9457). `verifications`, `delivery` and `attempts` are its routes, `requests` and `answers` hold
what they read and write, `objects` gives them what they use. No rule is here: each route reads a
request, calls a service and writes the answer.
"""
