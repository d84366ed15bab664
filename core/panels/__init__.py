"""The content of the operator's panels: figures with their uncertainty, tables, sentences.

Definitions (each attempt counts under the moment it was requested):

    confirmed      delivered by its own receipt, or verified; of all requested
    verified       attempts that brought the right code (`core.ledger.attribution`)
    unattributed   verifications whose code several attempts can have brought: it confirms none
    pending        a final report is waited for; unclear sends are not pending
    delivered      by the receipts, of those with a reported end
    within 30 s    delivered within 30 s of the request, of all requested
    conversion     verifications that succeeded, of those started
    receipts       messages with a final receipt, of those sent; under 80 % they are not conclusive
    cost per verified   cost of all attempts, of verifications that succeeded
    waste          cost of the attempts that certainly brought no code that was entered

A rate is always shown with its n and its 95 % Wilson interval, and below n = 10 not at all. Each
table is one frame, which is both drawn on the page and written to its CSV.
"""
