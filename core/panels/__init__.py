"""The content of the operator's panels: figures with their uncertainty, tables, sentences.

Definitions (each attempt counts under the moment it was requested):

    confirmed      delivered by its own receipt, or verified; of all requested
    verified       attempts that brought the right code (`core.ledger.attribution`)
    unattributed   verifications whose code several attempts can have brought: it confirms none
    pending        a final report is waited for; unclear sends are not pending
    delivered      by the receipts, of all requested
    within 30 s    delivered within 30 s of the request, of all requested
    conversion     verifications that succeeded, of those started
    receipts       whether they come, in time, and for all codes (`core.figures.receipts`)
    cost per verified   cost of all attempts, by verifications that succeeded; at a place, by the
                   attempts verified there
    waste          cost of the attempts that certainly brought no code that was entered

Rates judge attempts that are old enough (`core.figures.ripeness`). A rate is always shown with its
n and its 95 % Wilson interval, and below n = 10 not at all. Each table is one frame, which is both
drawn on the page and written to its CSV.
"""
