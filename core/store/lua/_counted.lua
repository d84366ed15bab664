-- Library: the part of an attempt's record that its figures are made of.

local ORIGIN = { first = 0, resend = 1, fallback = 2 }
local EXACT = 9007199254740992 -- no whole number above is exact here
local SEPARATOR = "\31"

-- The number in a field; -1 where there is none, or none that could be counted.
local function number(text)
    local value = text and tonumber(text)
    if value and value >= 0 and value <= EXACT then return value end
    return -1
end

-- Ranks of the states in which an attempt ended without its code.
local LOST = { ["6"] = true, ["7"] = true, ["8"] = true }

-- The code that an attempt is counted under among the errors: of an unclear send the HTTP status, until a
-- report outranks it. "" while it has not failed.
local function error_of(record)
    if record.rank == "1" then return record.send_status or "no answer" end
    if not LOST[record.rank] then return "" end
    if record.error_code and record.error_code ~= "" then return record.error_code end
    if record.hangup_cause and record.hangup_cause ~= "" then return record.hangup_cause end
    return record.rank == "6" and "refused" or "unstated"
end

local IMAGE = "<bbddddddddd"

-- Numbers in the order of IMAGE in core/figures/journal_entries.py. struct.pack reads numbers out of text,
-- and raises an error for any other text: only then each value is looked at.
local function image(record)
    local checked_ms, code_ms = record.checked_ms or record.verified_ms, record.code_ms or record.verified_ms
    local readable, packed = pcall(struct.pack, IMAGE, record.rank or -1, record.proof or 0,
        record.accepted_ms or -1, record.queued_ms or record.ringing_ms or -1,
        record.sent_ms or record.answered_ms or -1, record.undelivered_ms or -1, record.delivered_ms or -1,
        checked_ms or -1, code_ms or -1, record.cost_micros or -1, record.units or -1)
    if readable then return packed end
    return struct.pack(IMAGE, number(record.rank), math.max(0, number(record.proof)),
        number(record.accepted_ms), number(record.queued_ms or record.ringing_ms),
        number(record.sent_ms or record.answered_ms), number(record.undelivered_ms),
        number(record.delivered_ms), number(checked_ms), number(code_ms), number(record.cost_micros),
        number(record.units))
end

local NOT_COUNTED = image({})

-- The entry of a record, in the order of ENTRY in core/figures/journal_entries.py; `before` and
-- `error_before` are nil where the attempt is counted for the first time.
local function entry_of(record, before, error_before, after, error_after)
    return struct.pack("<bbbd", ORIGIN[record.origin or "first"] or 0, record.mode == "sms" and 1 or 0,
            before and 1 or 0, number(record.requested_ms))
        .. after .. (before or NOT_COUNTED)
        .. table.concat({ record.channel, record.region or "", record.carrier or "", error_before or "",
            error_after }, SEPARATOR)
end

-- Change a record in memory by the fields of `write`. Returns the entry of the journal, nil where the
-- figures do not change; the first entry of a record adds the field `counted` to `write`.
local function counted_change(record, write, layout)
    local before, error_before
    if record.counted == layout then before, error_before = image(record), error_of(record) end
    for name, value in pairs(write) do record[name] = value end
    if number(record.requested_ms) < 0 or not record.channel then error("no record of an attempt") end
    local after, error_after = image(record), error_of(record)
    if before == after and error_before == error_after then return nil end
    if not before then write.counted = layout end
    return entry_of(record, before, error_before, after, error_after)
end
