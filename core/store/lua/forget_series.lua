-- Remove series without figures from the registries, or do nothing where a fold was faster: it may have
-- added to one of them.
-- KEYS     how far the journal is folded; registries of the series, one for each array in `series`
-- Arguments:
--   folded                  as the caller has read it before the figures
--   now_folded              the same in a new epoch, so that every process reads the registries again
--   series                  names, of each registry               keep_ms
-- Returns  1, or 0 where nothing was removed
-- include _arguments
if redis.call("GET", KEYS[1]) ~= args.folded then return 0 end
for i, names in ipairs(args.series) do
    for _, name in ipairs(names) do redis.call("ZREM", KEYS[1 + i], name) end
end
redis.call("SET", KEYS[1], args.now_folded, "PX", args.keep_ms)
return 1
