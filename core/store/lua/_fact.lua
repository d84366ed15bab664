-- Library: a fact about an attempt. It is kept with its first moment and moves no state.
-- The hot path of every check, so it asks no more than it must: both keys have their TTL already, and
-- neither is made anew (NOMKSTREAM; the attempt is looked at first), since that one would have none.
-- Returns "fact", or "orphan" where the attempt is no longer kept.
local function apply_fact(attempt_key, events_key, kind, at_ms, source)
    local known = redis.call("HMGET", attempt_key, "state", kind .. "_ms")
    if not known[1] then return "orphan" end
    if not known[2] then redis.call("HSET", attempt_key, kind .. "_ms", at_ms) end
    redis.call("XADD", events_key, "NOMKSTREAM", "MAXLEN", 100, "*",
        "event", kind .. " fact " .. at_ms .. " " .. at_ms .. " " .. source)
    -- Rollups of facts belong here, as those of states in _ledger.
    return "fact"
end
