"""HTTP beside the pages: Plivo's callbacks, the REST API, metrics, sign-in and the live push."""
