-- Library: entries of the journal. An entry holds what changed in the part of a record that the figures
-- are made of, so that the fold needs no record. core/figures/journal_entries.py reads the same bytes.

-- The journal keeps what is not folded yet. A fold renews its TTL, so only a new journal needs one here.
-- NOMKSTREAM: a new stream needs a TTL.
local function append_to_journal(journal_key, name, value, keep_ms)
    if not redis.call("XADD", journal_key, "NOMKSTREAM", "*", name, value) then
        redis.call("XADD", journal_key, "*", name, value)
        redis.call("PEXPIRE", journal_key, keep_ms)
    end
end
