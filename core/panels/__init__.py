"""What each panel of the operator's pages says: figures with their uncertainty, tables, words.

Definitions (each attempt counts under the moment it was requested):

    confirmed      delivered or verified, of all requested: a right code proves arrival
    delivered      by the receipts, of those that reached an end that was reported
    within 30 s    delivered within 30 s of the request, of all requested
    conversion     verifications that succeeded, of those started
    receipts       messages with a final receipt, of those sent; under 80 % they tell too little
    cost per verified   cost of all attempts, of verifications that succeeded
    waste          cost of the attempts whose code was never entered right

A rate is never shown without its n and its 95 % Wilson interval, and under n = 10 not at all. Every
table is one frame: the page draws it, and its CSV is written from it.
"""
