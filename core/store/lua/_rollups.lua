-- Library: what an attempt adds to the figures. core/delivery/layout.py describes the packed slots; a
-- test holds its names and the order here together.
-- The figures are a function of the attempt's record. An event adds the difference between the record
-- after it and before it, so no event counts twice, and one that corrects another takes back what
-- that had added.

local HORIZON_MS = 259200000 -- 72 hours: a longer latency is somebody's wrong clock
local COUNTERS, SLOT_BITS, BINS = 28, 1280, 128
local CONVERTED = 20 -- its place in a slot, from 0
local SLOTS = { 60, 96, 32 } -- of a key, by tier: minute, quarter, day

-- The fields of a record that its figures are made of.
local COUNTED = {
    "mode", "origin", "requested_ms", "accepted_ms", "queued_ms", "ringing_ms", "sent_ms", "answered_ms",
    "undelivered_ms", "delivered_ms", "checked_ms", "verified_ms", "error_code", "hangup_cause",
    "cost_micros", "units",
}

-- Milliseconds from one moment to another, kept within the horizon; and 1 where that had to be cut.
local function span(from, to)
    if not (from and to) then return nil, 0 end
    local ms = to - from
    if ms < 0 then return 0, 1 end
    if ms > HORIZON_MS then return HORIZON_MS, 1 end
    return ms, 0
end

-- The code that an attempt is counted under among the errors; "" while it has not failed.
local function error_of(r)
    if r.rank ~= "6" and r.rank ~= "7" and r.rank ~= "8" then return "" end
    if r.error_code and r.error_code ~= "" then return r.error_code end
    if r.hangup_cause and r.hangup_cause ~= "" then return r.hangup_cause end
    return r.rank == "6" and "refused" or "unstated"
end

-- What the record adds to a slot, in the order of `layout.COLUMNS`; and how long its legs took.
local function figures(r)
    local rank, origin = r.rank, r.origin or "first"
    local requested, delivered = tonumber(r.requested_ms), tonumber(r.delivered_ms)
    local accepted, verified = tonumber(r.accepted_ms), tonumber(r.verified_ms)
    local handed = tonumber(r.sent_ms or r.answered_ms)
    local app, skew1 = span(requested, accepted)
    local queue, skew2 = span(tonumber(r.queued_ms or r.ringing_ms), handed)
    local carrier, skew3 = span(handed, delivered)
    local ttd, skew4 = span(requested, delivered)
    local ttv, skew5 = span(requested, verified)
    -- A carrier's "no" also proves that it had the message; of a call it proves nothing.
    local sent = handed or delivered or (r.undelivered_ms and r.mode == "sms")
    -- A receipt may come after the person has entered the code: that is no time of theirs.
    local person = delivered and verified and verified >= delivered and verified - delivered
    local cost = tonumber(r.cost_micros)
    return {
        1, -- requested
        accepted and 1 or 0, -- accepted
        sent and 1 or 0, -- sent
        rank == "9" and 1 or 0, -- delivered
        rank == "8" and 1 or 0, -- undelivered
        rank == "7" and 1 or 0, -- failed
        rank == "6" and 1 or 0, -- rejected
        rank == "5" and 1 or 0, -- unreported
        rank == "1" and 1 or 0, -- unconfirmed
        (r.checked_ms or verified) and 1 or 0, -- entered
        verified and 1 or 0, -- verified
        (delivered or verified) and 1 or 0, -- confirmed
        ttd and ttd <= 10000 and 1 or 0, -- within_10
        ttd and ttd <= 30000 and 1 or 0, -- within_30
        ttd and ttd <= 60000 and 1 or 0, -- within_60
        app and 1 or 0, -- n_app
        queue and 1 or 0, -- n_queue
        carrier and 1 or 0, -- n_carrier
        person and 1 or 0, -- n_person
        origin == "first" and 1 or 0, -- started
        verified and origin == "first" and 1 or 0, -- converted
        origin == "resend" and 1 or 0, -- resends
        origin == "fallback" and 1 or 0, -- fallbacks
        verified and origin == "fallback" and 1 or 0, -- rescued
        tonumber(r.units) or 0, -- units
        cost and 1 or 0, -- priced
        skew1 + skew2 + skew3 + skew4 + skew5 > 0 and 1 or 0, -- skewed
        0, -- blocked
        cost or 0, -- cost_micros
        verified and cost or 0, -- cost_verified_micros
        app or 0, -- app_ms
        queue or 0, -- queue_ms
        carrier or 0, -- carrier_ms
        person or 0, -- person_ms
    }, { ttd = ttd, ttv = ttv, queue = queue, carrier = carrier }
end

-- BITFIELD arguments that add to a slot what `after` is more than `before` (nil: nothing); and for each
-- of them where in the slot it belongs, in bits. `aim` says which slot.
local function additions(before, after)
    local args, bits = { "OVERFLOW", "FAIL" }, {}
    for place = 1, #after do
        local more = after[place] - (before and before[place] or 0)
        if more ~= 0 then
            local n = #bits
            local is_sum = place > COUNTERS
            bits[n + 1] = is_sum and 32 * COUNTERS + 64 * (place - 1 - COUNTERS) or 32 * (place - 1)
            n = 2 + 4 * n
            args[n + 1], args[n + 2] = "INCRBY", is_sum and "i64" or "u32"
            args[n + 3], args[n + 4] = 0, more
        end
    end
    return args, bits
end

local function aim(args, bits, slot)
    for i = 1, #bits do args[4 * i + 1] = slot * SLOT_BITS + bits[i] end
end

-- The bin of a span in ms: the upper bound belongs to the bin (layout.bin_of says the same).
local function bin_of(ms)
    if ms <= 0 then return 0 end
    local place = math.ceil(8 * math.log(ms / 1000) / math.log(2) - 1e-9) + 39
    return math.min(math.max(place, 0), BINS - 1)
end

-- Add to a packed key of `bytes`, until it ends. Returns whether a counter was full (or would go below
-- zero): that one stays as it is, since to wrap around would be a lie, and to stop at the top a silent
-- one.
-- Invariant: a key has its full length and its end, at its birth. It was just born if the first thing
-- added is all there is in its place and it has no end yet; so nothing need be asked on most days.
-- args: of BITFIELD, args[6] being how much the first addition adds
local function add_packed(key, bytes, ends_ms, args)
    local results = redis.call("BITFIELD", key, unpack(args))
    if results[1] == args[6] and redis.call("PTTL", key) == -1 then
        -- Grown by BITFIELD, it would be twice as long as it need be.
        redis.call("DEL", key)
        redis.call("SETRANGE", key, bytes - 1, "\0")
        redis.call("PEXPIREAT", key, ends_ms)
        results = redis.call("BITFIELD", key, unpack(args))
    end
    for i = 1, #results do
        if not results[i] then return true end
    end
    return false
end
