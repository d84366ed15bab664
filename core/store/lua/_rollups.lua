-- Library: what an attempt adds to the figures. core/delivery/layout.py describes the packed slots; a
-- test holds its names and the places here together.
-- The figures are a function of the attempt's record. An event adds the difference between the record
-- after it and before it, so no event counts twice, and one that corrects another takes back what
-- that had added.

local HORIZON_MS = 259200000 -- 72 hours: a longer latency is somebody's wrong clock
local PLACE = {
    requested = 0, accepted = 1, sent = 2, delivered = 3, undelivered = 4, failed = 5, rejected = 6,
    unreported = 7, unconfirmed = 8, entered = 9, verified = 10, confirmed = 11, within_10 = 12,
    within_30 = 13, within_60 = 14, n_app = 15, n_queue = 16, n_carrier = 17, n_person = 18,
    started = 19, converted = 20, resends = 21, fallbacks = 22, rescued = 23, units = 24, priced = 25,
    skewed = 26, blocked = 27, cost_micros = 28, cost_verified_micros = 29, app_ms = 30,
    queue_ms = 31, carrier_ms = 32, person_ms = 33,
}
local COUNTERS, COUNTER_SLOT, BINS = 28, 160, 128
local SLOTS = { 60, 96, 32 } -- of a key, by tier: minute, quarter, day
local FINAL = {
    ["1"] = "unconfirmed", ["5"] = "unreported", ["6"] = "rejected", ["7"] = "failed",
    ["8"] = "undelivered", ["9"] = "delivered",
}
local ORIGIN = { first = "started", resend = "resends", fallback = "fallbacks" }

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

-- What the record adds to the counters and the sums, and how long its legs took.
local function figures(r)
    local origin = r.origin or "first"
    local f = { requested = 1, [ORIGIN[origin]] = 1 }
    local requested, delivered = tonumber(r.requested_ms), tonumber(r.delivered_ms)
    local accepted, verified = tonumber(r.accepted_ms), tonumber(r.verified_ms)
    local handed = tonumber(r.sent_ms or r.answered_ms)
    local app, skew1 = span(requested, accepted)
    local queue, skew2 = span(tonumber(r.queued_ms or r.ringing_ms), handed)
    local carrier, skew3 = span(handed, delivered)
    local ttd, skew4 = span(requested, delivered)
    local ttv, skew5 = span(requested, verified)
    if accepted then f.accepted = 1 end
    -- A carrier's "no" also proves that it had the message; of a call it proves nothing.
    if handed or delivered or (r.undelivered_ms and r.mode == "sms") then f.sent = 1 end
    local final = FINAL[r.rank]
    if final then f[final] = 1 end
    if r.checked_ms or verified then f.entered = 1 end
    if verified then
        f.verified = 1
        if origin == "fallback" then f.rescued = 1 end
        if origin == "first" then f.converted = 1 end
    end
    if delivered or verified then f.confirmed = 1 end
    if ttd then
        if ttd <= 10000 then f.within_10 = 1 end
        if ttd <= 30000 then f.within_30 = 1 end
        if ttd <= 60000 then f.within_60 = 1 end
    end
    if app then f.n_app, f.app_ms = 1, app end
    if queue then f.n_queue, f.queue_ms = 1, queue end
    if carrier then f.n_carrier, f.carrier_ms = 1, carrier end
    -- A receipt may come after the person has entered the code: that is no time of theirs.
    if delivered and verified and verified >= delivered then
        f.n_person, f.person_ms = 1, verified - delivered
    end
    f.units = tonumber(r.units)
    local cost = tonumber(r.cost_micros)
    if cost then
        f.priced, f.cost_micros = 1, cost
        if verified then f.cost_verified_micros = cost end
    end
    if skew1 + skew2 + skew3 + skew4 + skew5 > 0 then f.skewed = 1 end
    return f, { ttd = ttd, ttv = ttv, queue = queue, carrier = carrier }
end

-- The differences as they are added: place and value in a row. Zeros are left out.
local function differences(before, after)
    local found, n = {}, 0
    for name, value in pairs(after) do
        local more = value - (before[name] or 0)
        if more ~= 0 then
            found[n + 1], found[n + 2] = PLACE[name], more
            n = n + 2
        end
    end
    for name, value in pairs(before) do
        if not after[name] then
            found[n + 1], found[n + 2] = PLACE[name], -value
            n = n + 2
        end
    end
    return found
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
-- args: of BITFIELD, the first thing added being args[6], a text
local function add_packed(key, bytes, ends_ms, args)
    local results = redis.call("BITFIELD", key, unpack(args))
    if results[1] == tonumber(args[6]) and redis.call("PTTL", key) == -1 then
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

-- BITFIELD arguments that add these differences to a slot of counters.
local function counter_args(slot, found)
    local args, n = { "OVERFLOW", "FAIL" }, 2
    for i = 1, #found, 2 do
        local place = found[i]
        args[n + 1] = "INCRBY"
        if place < COUNTERS then
            args[n + 2], args[n + 3] = "u32", "#" .. slot * 40 + place
        else
            args[n + 2], args[n + 3] = "i64", "#" .. slot * 20 + place - 14
        end
        args[n + 4] = found[i + 1] .. ""
        n = n + 4
    end
    return args
end
