-- Find out which attempt of a verification brought the code that was entered, and append an entry to the
-- journal for each attempt whose figures change by it. core/ledger/attribution.py has the definitions.
-- KEYS     journal; the attempts of the verification up to the one that was the newest when the right code
--          was entered, the first one first
-- Arguments:
--   layout                  version of the figures          keep_journal_ms
--   verification            id                              changes            Pub/Sub channel
-- Returns  number of attempts that changed
-- Invariant: the result depends on the records alone, so a repetition changes nothing, and after the last
--            event of any order it is the same.
-- Invariant: nothing is written for an attempt that does not exist (it would have no TTL).
-- include _publish
-- include _arguments
-- include _ledger
-- include _journal
-- include _counted
local count = #KEYS - 1
local records, missing = {}, 0
for i = 1, count do
    records[i] = read_attempt(KEYS[i + 1])
    if not records[i].state then missing = missing + 1 end
end
local newest = records[count]
local code_ms = newest.code_ms or newest.verified_ms
-- More attempts than these were sent before a right code was entered again; or records have ended whose
-- part in the result is not known any more.
local is_attributed = newest.attempts ~= nil
if not code_ms or (is_attributed and (tonumber(newest.attempts) > count or missing > 0)) then return 0 end

local able = {}
for i = 1, count do
    if not LOST[records[i].rank] then able[#able + 1] = i end
end
if #able == 0 then
    -- A report is wrong, and it is not known which.
    for i = 1, count do able[i] = i end
end
local proofs = {}
for i = 1, count do proofs[i] = 3 end
for _, i in ipairs(able) do proofs[i] = #able == 1 and 1 or 2 end
if #able > 1 then proofs[1] = proofs[1] + 4 end

local function attribute(i)
    local record, proof = records[i], string.format("%d", proofs[i])
    if not record.state or (record.proof == proof and record.attempts == tostring(count)) then return 0 end
    -- A moment that is counted never moves, also where two right codes were accepted (after a failover).
    local entered_ms = record.code_ms or record.verified_ms or code_ms
    local write = { proof = proof, attempts = tostring(count), code_ms = entered_ms }
    local readable, entry = pcall(counted_change, record, write, args.layout)
    if not readable then return 0 end
    if entry then append_to_journal(KEYS[1], args.layout, entry, args.keep_journal_ms) end
    redis.call("HSET", KEYS[i + 1], unpack(flat(write)))
    return 1
end

local changed = 0
for i = 1, count do changed = changed + attribute(i) end
if changed > 0 then publish(args.changes, args.verification) end
return changed
