-- Write fields of a test session, or start it, and publish the change.
-- KEYS     session hash, sessions by start
-- Arguments: id, fields (name -> text, to set), removed (names), requires (a field that must exist, so
--          that a removed item is not written again), starts (true: make the session), reopens (true:
--          write to an ended session), started_ms, keep_ms, most (fields at most; without
--          it any number), changes (channel)
-- Returns  "written"; "missing": there is no such session; "ended": it is ended; "gone": `requires` is
--          missing; "full"
-- Invariant: nothing is written to a session that was deleted, and both keys have a TTL. That of the
--          list is never shorter than that of a session in it.
-- include _publish
-- include _arguments
local session, sessions = unpack(KEYS)
if not args.starts then
    if redis.call("EXISTS", session) == 0 then return "missing" end
    if not args.reopens and redis.call("HEXISTS", session, "ended_ms") == 1 then return "ended" end
    if args.requires and redis.call("HEXISTS", session, args.requires) == 0 then return "gone" end
end
local fields = flat(args.fields or {})
if #fields > 0 then
    if args.most then
        local added = 0
        for at = 1, #fields, 2 do added = added + 1 - redis.call("HEXISTS", session, fields[at]) end
        if added > 0 and redis.call("HLEN", session) + added > args.most then return "full" end
    end
    -- In parts: unpack puts all of them on Lua's stack.
    for first = 1, #fields, 1000 do
        redis.call("HSET", session, unpack(fields, first, math.min(first + 999, #fields)))
    end
end
if args.removed and #args.removed > 0 then redis.call("HDEL", session, unpack(args.removed)) end
if args.starts then redis.call("ZADD", sessions, args.started_ms, args.id) end
redis.call("PEXPIRE", session, args.keep_ms)
redis.call("PEXPIRE", sessions, args.keep_ms)
publish(args.changes, args.id)
return "written"
