-- Apply one event to its attempt, exactly once: state, figures and lists in one step; tell who watches.
-- KEYS[1]  attempt hash         KEYS[2]  its events stream      KEYS[3]  counters of the day
-- KEYS[4…12] packed counters: of each tier (minute, quarter, day) the channel, country and carrier
-- ARGV[1]  kind                 ARGV[2]  moment it happened, Unix ms
-- ARGV[3]  moment it was heard  ARGV[4]  source                 ARGV[5]  keep, ms
-- ARGV[6]  Pub/Sub channel      ARGV[7]  verification           ARGV[8]  keep of counters, ms
-- ARGV[9]  attempt              ARGV[10] "1": write the event into the stream
-- ARGV[11…13] slots of the request in the tiers                 ARGV[14…16] when those keys end, ms
-- ARGV[17] legs, as "ttd,carrier,"
-- ARGV[18] error counted now, "" none                           ARGV[19] error from now on, "" none
-- ARGV[20] what else is given, letters                          ARGV[21] length of what follows (n)
-- ARGV[22…21+n] field name, value, …
-- After them comes what is given, in this order, keys at the end of KEYS and arguments of ARGV:
--   "b"    what booking needs: recent attempts, registries of the channel, country and carrier cubes;
--          names of the three series
--   "n"    the number's attempts, for booking
--   "r"    the reference
--   each leg: packed histograms of the channel in three tiers, the country by the quarter (ttd only)
--          and by the day
--   each error, the one now first: packed errors of each tier, in all countries and in one
--   and of the error from now on: registry of the error cube; names of its two series
--   "f"    of the first attempt, where this is another one: nine packed counters as above; slots, ends
--   "o"    verification hash, queue of events, events by id: what this does may be told to WEBHOOK_URL
-- Where the caller found no attempt, KEYS ends at 3, and ARGV[11…19] are "".
-- Returns  {outcome, state}; outcome: applied, repeated, late, orphan; or {"moved", error now, error
--          from now on}: nothing was done, the caller must name other keys
-- Invariant: nothing is written for an attempt that is not there (it would have no TTL), but by
--            `requested`.
-- include _ledger
local event = { kind = ARGV[1], at_ms = ARGV[2], heard_ms = ARGV[3], source = ARGV[4], fields = {} }
local next_arg = 22 + ARGV[21]
for i = 22, next_arg - 1 do event.fields[i - 21] = ARGV[i] end
local keep = ARGV[5]

local function count(name)
    if redis.call("HINCRBY", KEYS[3], name, 1) == 1 then redis.call("PEXPIRE", KEYS[3], ARGV[8]) end
end

local record, known = touched(KEYS[1], event)
if not known and event.kind ~= "requested" then
    count("orphan")
    return { "orphan", "" }
end
local outcome, state, write = effect(record, known, event)
-- Half of what Plivo says is said twice: that ends here, before anything that it does not need.
if outcome == "repeated" and record.booked and not next(write) then
    count("repeated")
    if ARGV[10] == "1" then tell(KEYS[2], event, outcome, keep) end
    return { outcome, state }
end

-- include _rollups
local function given(letter) return string.find(ARGV[20], letter, 1, true) ~= nil end
local booked, state_before = record.booked, record.state
read_attempt(KEYS[1], COUNTED, record)
local error_before, figures_before, legs_before = "", nil, {}
if booked then
    error_before = error_of(record)
    figures_before, legs_before = figures(record)
end
local was_verified = booked and record.verified_ms
for name, value in pairs(write) do record[name] = value end
local error_after = error_of(record)
local error_moves = error_before ~= error_after
if #KEYS == 3 or not (booked or given("b"))
    or (error_moves and (ARGV[18] ~= error_before or ARGV[19] ~= error_after)) then
    return { "moved", error_before, error_after }
end
local figures_after, legs_after = figures(record)

if not booked then write.booked = "1" end
write_attempt(KEYS[1], write, known, keep)
if ARGV[10] == "1" then
    local facts = event.kind == "checked" or event.kind == "verified"
    tell(KEYS[2], event, facts and outcome == "applied" and "fact" or outcome, keep)
end

-- The next keys and arguments of what is given.
local next_key = 13
local function take(keys, arguments)
    local at, from = next_key, next_arg
    next_key, next_arg = at + keys, from + arguments
    return at, from
end

local KEEP_REGISTRY = 34560000000 -- 400 days, as long as a day's figures
local function list(key, name, keep_ms)
    redis.call("ZADD", key, "GT", record.requested_ms, name)
    redis.call("PEXPIRE", key, keep_ms)
end

if given("b") then
    local key, names = take(4, 3)
    if not booked then
        list(KEYS[key], ARGV[9], keep)
        for i = 0, 2 do list(KEYS[key + 1 + i], ARGV[names + i], KEEP_REGISTRY) end
    end
end
if given("n") then
    local key = take(1, 0)
    if not booked then list(KEYS[key], ARGV[9], keep) end
end
if given("r") then
    local key = take(1, 0)
    if write.reference then redis.call("SET", KEYS[key], ARGV[9], "PX", keep) end
end

local heard, dropped, overflow = tonumber(ARGV[3]), false, false
-- Add to one key of a tier by `way`. A key that has ended is never made again: what is too late for it
-- is dropped, and counted.
local function add(way, key, bytes, ends_ms, ...)
    if heard >= ends_ms then
        dropped = true
    elseif way(key, bytes, ends_ms, ...) then
        overflow = true
    end
end

-- Add the same to nine keys of counters; slots and ends: where those of the tiers are in ARGV.
local function add_counters(key, slots, ends, more)
    for tier = 1, 3 do
        local begin, ends_ms = SLOT_BYTES * ARGV[slots + tier - 1], tonumber(ARGV[ends + tier - 1])
        local from, to = string.format("%d", begin + more.from), string.format("%d", begin + more.to)
        for i = key, key + 2 do
            add(add_to_slot, KEYS[i], SLOTS[tier] * SLOT_BYTES, ends_ms, from, to, more)
        end
        key = key + 3
    end
end
local more = additions(figures_before, figures_after)
if more then add_counters(4, 11, 14, more) end

-- Add to one place of a key that has `width` places a slot.
local function add_at(key, tier, width, place, by)
    local slot, ends_ms = ARGV[10 + tier], tonumber(ARGV[13 + tier])
    add(add_one, key, SLOTS[tier] * 4 * width, ends_ms, slot * width + place, by)
end
for leg in string.gmatch(ARGV[17], "(%a+),") do
    local tiers = leg == "ttd" and { 1, 2, 3, 2, 3 } or { 1, 2, 3, 3 }
    local key = take(#tiers, 0)
    if legs_after[leg] and not legs_before[leg] then
        local bin = bin_of(legs_after[leg])
        for i, tier in ipairs(tiers) do add_at(KEYS[key + i - 1], tier, BINS, bin, "1") end
    end
end
local function add_error(key, by)
    for i = 0, 5 do add_at(KEYS[key + i], math.floor(i / 2) + 1, 1, 0, by) end
end
if ARGV[18] ~= "" then
    local key = take(6, 0)
    if error_moves then add_error(key, "-1") end
end
if ARGV[19] ~= "" then
    local key, names = take(7, 2)
    if error_moves then
        add_error(key, "1")
        for i = 0, 1 do list(KEYS[key + 6], ARGV[names + i], KEEP_REGISTRY) end
    end
end
-- A verification counts as converted where it was started, whichever attempt brought the code.
if given("f") then
    local key, slots = take(9, 6)
    if record.verified_ms and not was_verified then
        add_counters(key, slots, slots + 3, one_more(CONVERTED))
    end
end

if dropped then count("late_dropped") end
if overflow then count("overflow") end
if outcome == "repeated" or outcome == "late" then count(outcome) end
if given("o") then
-- include _outbox
    local key = take(3, 0)
    local about = { type = news_of(state_before, write), at_ms = event.at_ms }
    about.verification, about.attempt = ARGV[7], ARGV[9]
    if about.type then
        queue_event(KEYS[key + 1], KEYS[key + 2], about, KEYS[key], KEYS[1], ARGV[3])
    end
end
redis.call("PUBLISH", ARGV[6], ARGV[7])
return { outcome, state }
