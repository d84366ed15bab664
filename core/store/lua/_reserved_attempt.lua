-- Library: writes an attempt whose budgets have room. What a start and a resend have in common.
-- Arguments:
--   now_ms                  Unix ms                 verification       id
--   keep_ms                 of the records          enforces           false: a spent budget only warns
--   price_micros, spend_limit_micros                cooldown_ms        before the next resend
--   poll_at_ms, poll_keep_ms                        when the attempt is polled first; keep of that list
--   record                  of the attempt          budgets            see _budgets.lua
-- include _arguments
-- include _budgets
-- include _ledger
local now, now_ms = args.now_ms, string.format("%d", args.now_ms)

-- The refusal of the attempt by its budgets, or nil; see _budgets.lua.
local function attempt_refusal(spend_key)
    return refusal(args.budgets, now, spend_key, args.price_micros, args.spend_limit_micros)
end

-- `refused` is the refusal that only warned, or nil. keys: attempt, history, recent, number, polled.
local function write_reserved_attempt(attempt, refused, spend_key, keys)
    spend(args.budgets, now_ms, attempt, spend_key, args.price_micros)
    add_warning(args.record, refused, now)
    local event = { kind = "requested", at_ms = now_ms, received_ms = now_ms, source = "app",
        fields = args.record }
    request_attempt(keys, attempt, event, args.keep_ms)
    redis.call("ZADD", keys.polled, args.poll_at_ms, attempt)
    redis.call("PEXPIRE", keys.polled, args.poll_keep_ms)
end
