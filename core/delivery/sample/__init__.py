"""Sample traffic: weeks of believable attempts for a sandbox that nobody has used yet.

`traffic` invents what happened, `loading` takes it through the ledger like any other news, and
`python -m core.delivery.sample` does that from the command line.
"""
