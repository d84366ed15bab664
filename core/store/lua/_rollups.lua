-- Library: what an attempt adds to the figures. core/figures/layout.py describes the packed slots; a
-- test holds its names and the order here together.
-- The figures are a function of the attempt's record. An event adds the difference between the record
-- after it and before it, so no event counts twice, and one that corrects another takes back what
-- that had added.

local HORIZON_MS = 259200000 -- 72 hours: a longer latency is somebody's wrong clock
local COUNTERS, SUMS, SLOT_BYTES, BINS = 27, 6, 156, 128
local CONVERTED = 14 -- its place in a slot, from 1
-- What a value may become: a counter has 32 bits; of a sum no number above is exact here.
local FULL, INEXACT = 4294967295, 9007199254740992
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
        origin == "first" and 1 or 0, -- started
        origin == "resend" and 1 or 0, -- resends
        origin == "fallback" and 1 or 0, -- fallbacks
        verified and origin == "fallback" and 1 or 0, -- rescued
        skew1 + skew2 + skew3 + skew4 + skew5 > 0 and 1 or 0, -- skewed
        rank == "1" and 1 or 0, -- unconfirmed
        rank == "5" and 1 or 0, -- unreported
        rank == "6" and 1 or 0, -- rejected
        rank == "7" and 1 or 0, -- failed
        rank == "8" and 1 or 0, -- undelivered
        (r.checked_ms or verified) and 1 or 0, -- entered
        verified and 1 or 0, -- verified
        verified and origin == "first" and 1 or 0, -- converted
        person and 1 or 0, -- n_person
        accepted and 1 or 0, -- accepted
        app and 1 or 0, -- n_app
        tonumber(r.units) or 0, -- units
        sent and 1 or 0, -- sent
        queue and 1 or 0, -- n_queue
        rank == "9" and 1 or 0, -- delivered
        (delivered or verified) and 1 or 0, -- confirmed
        ttd and ttd <= 10000 and 1 or 0, -- within_10
        ttd and ttd <= 30000 and 1 or 0, -- within_30
        ttd and ttd <= 60000 and 1 or 0, -- within_60
        carrier and 1 or 0, -- n_carrier
        cost and 1 or 0, -- priced
        cost or 0, -- cost_micros
        carrier or 0, -- carrier_ms
        queue or 0, -- queue_ms
        app or 0, -- app_ms
        person or 0, -- person_ms
        verified and cost or 0, -- cost_verified_micros
    }, { ttd = ttd, ttv = ttv, queue = queue, carrier = carrier }
end

-- Where the value at this place (from 1) begins in its slot.
local function byte_of(place)
    if place <= COUNTERS then return 4 * (place - 1) end
    return 4 * COUNTERS + 8 * (place - 1 - COUNTERS)
end

-- The figures of an attempt that adds nothing yet.
local function nothing()
    local zeros = {}
    for place = 1, COUNTERS + SUMS do zeros[place] = 0 end
    return zeros
end

-- What is to be added to a slot: `more`, by which `after` differs from `before`, from the first value
-- that does to the last; the first `counters` of them are counters. nil: nothing.
local function additions(before, after)
    local first, last = 1, #after
    while first <= last and after[first] == before[first] do first = first + 1 end
    if first > last then return nil end
    while after[last] == before[last] do last = last - 1 end
    local more, count = {}, last + 1 - first
    for i = 1, count do more[i] = after[first - 1 + i] - before[first - 1 + i] end
    local counters = math.max(0, math.min(last, COUNTERS) + 1 - first)
    return {
        more = more, count = count, counters = counters,
        from = byte_of(first), to = byte_of(last + 1) - 1,
        format = ">" .. string.rep("I4", counters) .. string.rep("i8", count - counters),
    }
end

-- The same, of one counter by one.
local function one_more(place)
    local from = byte_of(place)
    return { more = { 1 }, count = 1, counters = 1, from = from, to = from + 3, format = ">I4" }
end

-- The bin of a span in ms: the upper bound belongs to the bin (layout.bin_of says the same).
local function bin_of(ms)
    if ms <= 0 then return 0 end
    local place = math.ceil(8 * math.log(ms / 1000) / math.log(2) - 1e-9) + 39
    return math.min(math.max(place, 0), BINS - 1)
end

-- Invariant: a packed key has its full length and its end from the first write on. Its end never moves.
-- The end is a duration: this server's clock and the caller's, who made `ends_ms` and `now_ms`, may
-- differ by days, and an end that is past for this server would delete the key at once.
-- Precondition: now_ms < ends_ms.
local function make_packed(key, bytes, ends_ms, now_ms)
    redis.call("SETRANGE", key, bytes - 1, "\0")
    redis.call("PEXPIRE", key, ends_ms - now_ms)
end

-- Add to the bytes of a slot from `from` to `to`, both text: a number would be printed anew for each
-- command. Returns whether a value was full (or would go below zero): that one stays as it is, since to
-- wrap around would be a lie, and to stop at the top a silent one.
-- Why not BITFIELD: it takes four arguments for each value, and that is what an event costs most.
local function add_to_slot(key, bytes, ends_ms, now_ms, from, to, add)
    local packed = redis.call("GETRANGE", key, from, to)
    local missing = to + 1 - from - #packed
    if missing > 0 then
        make_packed(key, bytes, ends_ms, now_ms)
        packed = packed .. string.rep("\0", missing)
    end
    local values, overflow = { struct.unpack(add.format, packed) }, false
    local more, counters = add.more, add.counters
    for i = 1, add.count do
        local value = values[i] + more[i]
        if value >= 0 and value <= FULL or i > counters and math.abs(value) <= INEXACT then
            values[i] = value
        else
            overflow = true
        end
    end
    redis.call("SETRANGE", key, from, struct.pack(add.format, unpack(values, 1, add.count)))
    return overflow
end

-- Add to the only value at this place of a key of 32-bit values. Returns as `add_to_slot`.
local function add_one(key, bytes, ends_ms, now_ms, place, by)
    if redis.call("STRLEN", key) < bytes then make_packed(key, bytes, ends_ms, now_ms) end
    return not redis.call("BITFIELD", key, "OVERFLOW", "FAIL", "INCRBY", "u32", "#" .. place, by)[1]
end
