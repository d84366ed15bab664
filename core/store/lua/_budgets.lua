-- Library: sliding-window budgets, exact at the edges.
-- A budget is a list of moments, newest first, "<ms>" or "<ms>:<attempt>". It is spent when its
-- limit-th newest entry is younger than the window: one LINDEX, however many entries there are.
-- The argument `budgets` is an array of {key, limit, window_ms, name, use}. `key` is an index into KEYS.
-- `use` is `spent` by this send, `granted` (the same, and its refusal is "not_allowed": waiting does not
-- help), only `looked` at (spent elsewhere), or `locks` (the same, and its refusal is "locked").

local DAY_MS = 86400000

-- {result = "not_allowed" | "locked" | "over_budget", budget, retry_ms, limit} of the budget that frees up
-- last; nil when all have room. "not_allowed" refuses also where the other budgets only warn.
local function refusal(budgets, now, spend_key, price, spend_limit)
    local worst, wait = nil, 0
    for _, budget in ipairs(budgets) do
        local entry = redis.call("LINDEX", KEYS[budget.key], budget.limit - 1)
        if entry then
            local left = tonumber(string.match(entry, "^%d+")) + budget.window_ms - now
            if left > 0 and budget.use == "granted" then
                return { result = "not_allowed", budget = budget.name, retry_ms = 0, limit = budget.limit }
            end
            -- A budget that locks the number explains more than one that is only used up.
            if left > 0 and (left > wait or budget.use == "locks") and
                not (worst and worst.use == "locks" and budget.use ~= "locks") then
                worst, wait = budget, left
            end
        end
    end
    if worst then
        local result = worst.use == "locks" and "locked" or "over_budget"
        return { result = result, budget = worst.name, retry_ms = wait, limit = worst.limit }
    end
    if tonumber(redis.call("GET", spend_key) or "0") + price > spend_limit then
        local retry_ms = DAY_MS - now % DAY_MS
        return { result = "over_budget", budget = "spend_per_day", retry_ms = retry_ms, limit = spend_limit }
    end
    return nil
end

-- Where budgets only warn: adds the ignored refusal to `record`, in the form that core/model/attempt.py
-- reads (OverBudget).
local function add_warning(record, refused, now)
    if not refused then return end
    record.over_budget = string.format("%s %d %d", refused.budget, refused.limit, now + refused.retry_ms)
end

-- Invariant: a list gets one entry even if several windows use it, and always a TTL.
local function spend(budgets, now_ms, attempt, spend_key, price)
    local longest, most = {}, {}
    for _, budget in ipairs(budgets) do
        if budget.use == "spent" or budget.use == "granted" then
            local key = KEYS[budget.key]
            longest[key] = math.max(longest[key] or 0, budget.window_ms)
            most[key] = math.max(most[key] or 0, budget.limit)
        end
    end
    for key, window in pairs(longest) do
        local length = redis.call("LPUSH", key, now_ms .. ":" .. attempt)
        if length > most[key] then redis.call("LTRIM", key, 0, most[key] - 1) end
        redis.call("PEXPIRE", key, window)
    end
    redis.call("INCRBY", spend_key, price)
    redis.call("PEXPIRE", spend_key, 2 * DAY_MS)
end
