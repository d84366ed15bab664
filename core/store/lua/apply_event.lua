-- Apply one event to its attempt, exactly once: state, figures and lists in one step; tell who watches.
-- KEYS[1]  attempt hash         KEYS[2]  its events stream      KEYS[3]  counters of the day
-- KEYS[4]  recent attempts      KEYS[5…8] registries of the channel, country, carrier and error cubes
-- KEYS[9…17] packed counters: of each tier (minute, quarter, day) the channel, country and carrier
-- KEYS[18…] as far as ARGV says so, in this order: the number's attempts; the reference; for each leg
--           the channel in three tiers, the country by the quarter (ttd only) and by the day; for the
--           error that is counted now, then for the one counted from now on, six each: of each tier
--           all countries, one country; counters of the first attempt, nine. After them, where events
--           are told: verification hash, queue of events, events by id
-- ARGV[1]  kind                 ARGV[2]  moment it happened, Unix ms
-- ARGV[3]  moment it was heard  ARGV[4]  source                 ARGV[5]  keep, ms
-- ARGV[6]  Pub/Sub channel      ARGV[7]  verification           ARGV[8]  keep of counters, ms
-- ARGV[9]  attempt              ARGV[10] "1": write the event into the stream
-- ARGV[11] "1": the caller knows the attempt's booking; "0": it found no attempt, and KEYS ends at 3
-- ARGV[12…14] slots of the request in the tiers                 ARGV[15…17] when those keys end, ms
-- ARGV[18] "1": a number        ARGV[19] "1": a reference       ARGV[20] legs, as "ttd,carrier,"
-- ARGV[21] error counted now, "" none                           ARGV[22] error from now on, "" none
-- ARGV[23…25] slots of the first attempt, ARGV[26…28] their ends; "" where it is not another one
-- ARGV[29…31] names of the channel, country and carrier series
-- ARGV[32…33] names of the series of the error from now on: all countries, one country
-- ARGV[34] "1": what this does may be told to WEBHOOK_URL, and KEYS ends with what that needs
-- ARGV[35…] field name, value, …
-- Returns  {outcome, state}; outcome: applied, repeated, late, orphan; or {"moved", error now, error
--          from now on}: nothing was done, the caller must name other keys
-- Invariant: nothing is written for an attempt that is not there (it would have no TTL), but by
--            `requested`.
-- include _ledger
local event = { kind = ARGV[1], at_ms = ARGV[2], heard_ms = ARGV[3], source = ARGV[4], fields = {} }
for i = 35, #ARGV do event.fields[i - 34] = ARGV[i] end
local heard, keep, keep_counters = tonumber(ARGV[3]), ARGV[5], ARGV[8]

local function count(name)
    redis.call("HINCRBY", KEYS[3], name, 1)
    redis.call("PEXPIRE", KEYS[3], keep_counters)
end

local before, known = read_attempt(KEYS[1], event)
if not known and event.kind ~= "requested" then
    count("orphan")
    return { "orphan", "" }
end
if ARGV[11] ~= "1" then return { "moved", "", "" } end

local outcome, state, write = effect(before, known, event)
-- Half of what Plivo says is said twice: that ends here, before anything that it does not need.
if outcome == "repeated" and not next(write) and before.booked then
    count("repeated")
    if ARGV[10] == "1" then tell(KEYS[2], event, outcome, keep) end
    return { outcome, state }
end

-- include _rollups
local after = setmetatable({}, { __index = function(_, name) return write[name] or before[name] end })
local booked = before.booked
local error_before = booked and error_of(before) or ""
local error_after = error_of(after)
if error_before ~= error_after and (ARGV[21] ~= error_before or ARGV[22] ~= error_after) then
    return { "moved", error_before, error_after }
end

local then_figures, then_legs = {}, {}
if booked then then_figures, then_legs = figures(before) end
local now_figures, now_legs = figures(after)
local found = differences(then_figures, now_figures)
if not booked then write.booked = "1" end
write_attempt(KEYS[1], write, keep)
if ARGV[10] == "1" then
    local facts = event.kind == "checked" or event.kind == "verified"
    tell(KEYS[2], event, facts and outcome == "applied" and "fact" or outcome, keep)
end

local at = 18
if ARGV[18] == "1" then
    if not booked then
        redis.call("ZADD", KEYS[at], after.requested_ms, ARGV[9])
        redis.call("PEXPIRE", KEYS[at], keep)
    end
    at = at + 1
end
if ARGV[19] == "1" then
    if after.reference then redis.call("SET", KEYS[at], ARGV[9], "PX", keep) end
    at = at + 1
end
if not booked then
    redis.call("ZADD", KEYS[4], after.requested_ms, ARGV[9])
    redis.call("PEXPIRE", KEYS[4], keep)
end

local dropped, overflow = false, false
-- A key that has ended is never made again: what is too late for it is dropped, and counted.
local function add(key, bytes, ends, args)
    if heard >= ends then
        dropped = true
    elseif add_packed(key, bytes, ends, args) then
        overflow = true
    end
end

-- The same differences, under all the cubes of a slot; `first` is the key of the first of the nine.
local function add_counters(first, slots, ends, differences_)
    for tier = 1, 3 do
        local args = counter_args(tonumber(ARGV[slots + tier - 1]), differences_)
        local end_ms = tonumber(ARGV[ends + tier - 1])
        for cube = 0, 2 do
            add(KEYS[first + 3 * (tier - 1) + cube], SLOTS[tier] * COUNTER_SLOT, end_ms, args)
        end
    end
end

if #found > 0 then add_counters(9, 12, 15, found) end
for leg in string.gmatch(ARGV[20], "(%a+),") do
    local tiers = leg == "ttd" and { 1, 2, 3, 2, 3 } or { 1, 2, 3, 3 }
    if now_legs[leg] and not then_legs[leg] then
        for i, tier in ipairs(tiers) do
            local place = tonumber(ARGV[11 + tier]) * BINS + bin_of(now_legs[leg])
            add(KEYS[at + i - 1], SLOTS[tier] * 4 * BINS, tonumber(ARGV[14 + tier]),
                { "OVERFLOW", "FAIL", "INCRBY", "u32", "#" .. place, "1" })
        end
    end
    at = at + #tiers
end
local function add_error(by)
    for i = 0, 5 do
        local tier = math.floor(i / 2) + 1
        add(KEYS[at + i], SLOTS[tier] * 4, tonumber(ARGV[14 + tier]),
            { "OVERFLOW", "FAIL", "INCRBY", "u32", "#" .. ARGV[11 + tier], by })
    end
    at = at + 6
end
if ARGV[21] ~= "" then
    if error_before ~= error_after then add_error("-1") else at = at + 6 end
end
if ARGV[22] ~= "" then
    if error_before ~= error_after then
        add_error("1")
        for i = 32, 33 do redis.call("ZADD", KEYS[8], "GT", after.requested_ms, ARGV[i]) end
        redis.call("PEXPIRE", KEYS[8], 34560000000)
    else
        at = at + 6
    end
end
-- A verification counts as converted where it was started, whichever attempt brought the code.
if ARGV[23] ~= "" and after.verified_ms and not (booked and before.verified_ms) then
    add_counters(at, 23, 26, { PLACE.converted, 1 })
end
if not booked then
    for i = 0, 2 do
        redis.call("ZADD", KEYS[5 + i], "GT", after.requested_ms, ARGV[29 + i])
        redis.call("PEXPIRE", KEYS[5 + i], 34560000000)
    end
end

if dropped then count("late_dropped") end
if overflow then count("overflow") end
if outcome == "repeated" or outcome == "late" then count(outcome) end
if ARGV[34] == "1" then
-- include _outbox
    local verification_key, queue, events = unpack(KEYS, #KEYS - 2)
    local about = { type = news_of(before.state, write), at_ms = event.at_ms }
    about.verification, about.attempt = ARGV[7], ARGV[9]
    if about.type then queue_event(queue, events, about, verification_key, KEYS[1], ARGV[3]) end
end
redis.call("PUBLISH", ARGV[6], ARGV[7])
return { outcome, state }
