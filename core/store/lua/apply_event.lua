-- Apply one event to its attempt, exactly once: state, figures and lists in one step; tell who watches.
-- KEYS[1]  attempt hash         KEYS[2]  its events stream      KEYS[3]  counters of the day
-- KEYS[4…12] packed counters: of each tier (minute, quarter, day) the channel, country and carrier
-- ARGV[1]  the event, in words: kind, moment it happened, moment it was heard (Unix ms), source;
--          "1": write it into the stream
-- ARGV[2]  in words: keep and keep of counters, ms; Pub/Sub channel
-- ARGV[3]  in words: slots of the request in the tiers; when those keys end, Unix ms
-- ARGV[4]  legs, as "ttd,carrier,"
-- ARGV[5]  error counted now, "" none                           ARGV[6]  error from now on, "" none
-- ARGV[7]  attempt              ARGV[8]  verification           ARGV[9]  what else is given, letters
-- ARGV[10] length of what follows (n)                           ARGV[11…10+n] field name, value, …
-- After them comes what is given, in this order, keys at the end of KEYS and arguments of ARGV:
--   "b"    what booking needs: recent attempts, registries of the channel, country and carrier cubes;
--          names of the three series
--   "n"    the number's attempts, for booking
--   "r"    the reference
--   each leg: packed histograms of the channel in three tiers, the country by the quarter (ttd only)
--          and by the day
--   each error, the one now first: packed errors of each tier, in all countries and in one
--   and of the error from now on: registry of the error cube; names of its two series
--   "f"    of the first attempt, where this is another one: nine packed counters as above; its slots and
--          ends, as in ARGV[3]
--   "o"    verification hash, queue of events, events by id: what this does may be told to WEBHOOK_URL
-- Where the caller found no attempt, KEYS ends at 3, and ARGV[3…6] are "".
-- Returns  {outcome, state}; outcome: applied, repeated, late, orphan; or {"moved", error now, error
--          from now on}: nothing was done, the caller must name other keys
-- Invariant: nothing is written for an attempt that is not there (it would have no TTL), but by
--            `requested`.
-- include _publish
-- include _ledger
-- Few long arguments cost both sides less than many short ones.
local kind, at_ms, heard_ms, source, told =
    string.match(ARGV[1], "(%S+) (%S+) (%S+) (%S+) (%S+)")
local event = { kind = kind, at_ms = at_ms, heard_ms = heard_ms, source = source, fields = {} }
local keep, keep_counters, channel = string.match(ARGV[2], "(%S+) (%S+) (%S+)")
local attempt, verification, next_arg = ARGV[7], ARGV[8], 11 + ARGV[10]
for i = 11, next_arg - 1 do event.fields[i - 10] = ARGV[i] end

local function count(name)
    if redis.call("HINCRBY", KEYS[3], name, 1) == 1 then redis.call("PEXPIRE", KEYS[3], keep_counters) end
end

local record, known = read_for(KEYS[1], event)
if not known and kind ~= "requested" then
    count("orphan")
    return { "orphan", "" }
end
local outcome, state, write = effect(record, known, event)
-- Half of what Plivo says is said twice: that ends here, before anything that it does not need.
if outcome == "repeated" and record.booked and not next(write) then
    count("repeated")
    if told == "1" then append_event(KEYS[2], event, outcome, keep) end
    return { outcome, state }
end

-- include _rollups
local function given(letter) return string.find(ARGV[9], letter, 1, true) ~= nil end
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
    or (error_moves and (ARGV[5] ~= error_before or ARGV[6] ~= error_after)) then
    return { "moved", error_before, error_after }
end
local figures_after, legs_after = figures(record)

if not booked then write.booked = "1" end
write_attempt(KEYS[1], write, known, keep)
if told == "1" then
    local facts = kind == "checked" or kind == "verified"
    append_event(KEYS[2], event, facts and outcome == "applied" and "fact" or outcome, keep)
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
        list(KEYS[key], attempt, keep)
        for i = 0, 2 do list(KEYS[key + 1 + i], ARGV[names + i], KEEP_REGISTRY) end
    end
end
if given("n") then
    local key = take(1, 0)
    if not booked then list(KEYS[key], attempt, keep) end
end
if given("r") then
    local key = take(1, 0)
    if write.reference then redis.call("SET", KEYS[key], attempt, "PX", keep) end
end

local heard, dropped, overflow = tonumber(heard_ms), false, false
-- Add to one key of a tier by `way`. A key that has ended is never made again: what is too late for it
-- is dropped, and counted.
local function add(way, key, bytes, ends_ms, ...)
    if heard >= ends_ms then
        dropped = true
    elseif way(key, bytes, ends_ms, heard, ...) then
        overflow = true
    end
end

-- Slots and ends of the three tiers, out of words.
local function tiers_of(words)
    local a, b, c, x, y, z = string.match(words, "(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)")
    return { a, b, c }, { tonumber(x), tonumber(y), tonumber(z) }
end
local slots, ends = tiers_of(ARGV[3])

-- Add the same to nine keys of counters.
local function add_counters(key, slots_, ends_, more)
    for tier = 1, 3 do
        local begin = SLOT_BYTES * slots_[tier]
        local from, to = string.format("%d", begin + more.from), string.format("%d", begin + more.to)
        for i = key, key + 2 do
            add(add_to_slot, KEYS[i], SLOTS[tier] * SLOT_BYTES, ends_[tier], from, to, more)
        end
        key = key + 3
    end
end
local more = additions(figures_before or nothing(), figures_after)
if more then add_counters(4, slots, ends, more) end

-- Add to one place of a key that has `width` places a slot.
local function add_at(key, tier, width, place, by)
    add(add_one, key, SLOTS[tier] * 4 * width, ends[tier], slots[tier] * width + place, by)
end
for leg in string.gmatch(ARGV[4], "(%a+),") do
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
if ARGV[5] ~= "" then
    local key = take(6, 0)
    if error_moves then add_error(key, "-1") end
end
if ARGV[6] ~= "" then
    local key, names = take(7, 2)
    if error_moves then
        add_error(key, "1")
        for i = 0, 1 do list(KEYS[key + 6], ARGV[names + i], KEEP_REGISTRY) end
    end
end
-- A verification counts as converted where it was started, whichever attempt brought the code.
if given("f") then
    local key, argument = take(9, 1)
    if record.verified_ms and not was_verified then
        local first_slots, first_ends = tiers_of(ARGV[argument])
        add_counters(key, first_slots, first_ends, one_more(CONVERTED))
    end
end

if dropped then count("late_dropped") end
if overflow then count("overflow") end
if outcome == "repeated" or outcome == "late" then count(outcome) end
if given("o") then
-- include _outbox
    local key = take(3, 0)
    local about = { type = event_type_of(state_before, write), at_ms = at_ms }
    about.verification, about.attempt = verification, attempt
    if about.type then
        queue_event(KEYS[key + 1], KEYS[key + 2], about, KEYS[key], KEYS[1], heard_ms)
    end
end
publish(channel, verification)
return { outcome, state }
