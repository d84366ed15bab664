-- Library: sliding-window budgets, exact at the edges.
-- A budget is a list of moments, newest first, "<ms>" or "<ms>:<attempt>". It is spent when its limit-th newest
-- entry is younger than the window: one LINDEX, whatever the traffic.
-- `budgets` is an array of {key, limit, window_ms, name}.

local function moment(entry)
    return tonumber(string.match(entry, "^%d+"))
end

-- {name, retry_after_ms} of the budget that frees up last; nil when there is room in all.
local function spent_budget(budgets, now)
    local name, wait = nil, 0
    -- A list that is too short for one limit is too short for every higher one.
    local short = {}
    for _, budget in ipairs(budgets) do
        local entry = false
        if budget.limit < (short[budget.key] or math.huge) then
            entry = redis.call("LINDEX", budget.key, budget.limit - 1)
            if not entry then short[budget.key] = budget.limit end
        end
        if entry then
            local left = moment(entry) + budget.window_ms - now
            if left > wait then name, wait = budget.name, left end
        end
    end
    if name then return { name, wait } end
    return nil
end

-- Invariant: a key is pushed once however many windows look at it, and always leaves with a TTL.
local function spend_budgets(budgets, now, attempt)
    local longest, most = {}, {}
    for _, budget in ipairs(budgets) do
        longest[budget.key] = math.max(longest[budget.key] or 0, budget.window_ms)
        most[budget.key] = math.max(most[budget.key] or 0, budget.limit)
    end
    for key, window in pairs(longest) do
        local length = redis.call("LPUSH", key, now .. ":" .. attempt)
        if length > most[key] then redis.call("LTRIM", key, 0, most[key] - 1) end
        redis.call("PEXPIRE", key, window)
    end
end

-- KEYS[first..] and quadruples of ARGV from `from`: key number, limit, window_ms, name.
local function read_budgets(from)
    local budgets = {}
    for i = from, #ARGV - 3, 4 do
        budgets[#budgets + 1] = {
            key = KEYS[tonumber(ARGV[i])],
            limit = tonumber(ARGV[i + 1]),
            window_ms = tonumber(ARGV[i + 2]),
            name = ARGV[i + 3],
        }
    end
    return budgets
end
