-- Library: sliding-window budgets, exact at the edges.
-- A budget is a list of moments, newest first, "<ms>" or "<ms>:<attempt>". It is spent when its
-- limit-th newest entry is younger than the window: one LINDEX, whatever the traffic.
-- In ARGV from `from`, five each: number of its key, limit, window_ms, name, and use: `spent` by this
-- send, `granted` (the same, and its refusal is "not_allowed": waiting does not help), only `looked` at
-- (spent elsewhere), or `locks` (the same, and its refusal is "locked").

local DAY_MS = 86400000

local function read_budgets(from)
    local budgets = {}
    for i = from, #ARGV - 4, 5 do
        budgets[#budgets + 1] = {
            key = KEYS[tonumber(ARGV[i])],
            limit = tonumber(ARGV[i + 1]),
            window_ms = tonumber(ARGV[i + 2]),
            name = ARGV[i + 3],
            use = ARGV[i + 4],
        }
    end
    return budgets
end

-- {"not_allowed" | "locked" | "over_budget", name, retry_ms, limit} of the budget that frees up last;
-- nil when all have room. "not_allowed" refuses also where the other budgets only warn.
local function refusal(budgets, now, spend_key, price, spend_limit)
    local worst, wait = nil, 0
    for _, budget in ipairs(budgets) do
        local entry = redis.call("LINDEX", budget.key, budget.limit - 1)
        if entry then
            local left = tonumber(string.match(entry, "^%d+")) + budget.window_ms - now
            if left > 0 and budget.use == "granted" then return { "not_allowed", budget.name, 0 } end
            -- What locks the number says more than what is merely used up.
            if left > 0 and (left > wait or budget.use == "locks") and
                not (worst and worst.use == "locks" and budget.use ~= "locks") then
                worst, wait = budget, left
            end
        end
    end
    if worst then
        return { worst.use == "locks" and "locked" or "over_budget", worst.name, wait, worst.limit }
    end
    if tonumber(redis.call("GET", spend_key) or "0") + price > spend_limit then
        return { "over_budget", "spend_per_day", DAY_MS - now % DAY_MS, spend_limit }
    end
    return nil
end

-- Where budgets only warn: what is kept with an attempt that went out in spite of a refusal, as
-- core/model/attempt.py reads it (OverBudget).
local function add_warning(record, refused, now)
    if not refused then return end
    record[#record + 1] = "over_budget"
    record[#record + 1] = string.format("%s %d %d", refused[2], refused[4], now + refused[3])
end

-- Invariant: a key is pushed once however many windows look at it, and always leaves with a TTL.
local function spend(budgets, now, attempt, spend_key, price)
    local longest, most = {}, {}
    for _, budget in ipairs(budgets) do
        if budget.use == "spent" or budget.use == "granted" then
            longest[budget.key] = math.max(longest[budget.key] or 0, budget.window_ms)
            most[budget.key] = math.max(most[budget.key] or 0, budget.limit)
        end
    end
    for key, window in pairs(longest) do
        local length = redis.call("LPUSH", key, now .. ":" .. attempt)
        if length > most[key] then redis.call("LTRIM", key, 0, most[key] - 1) end
        redis.call("PEXPIRE", key, window)
    end
    redis.call("INCRBY", spend_key, price)
    redis.call("PEXPIRE", spend_key, 2 * DAY_MS)
end
