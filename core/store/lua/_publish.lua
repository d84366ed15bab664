-- Library: publish on the Pub/Sub channel that a verification changed.
-- Not an error where the user of REDIS_URL may not publish: pages then poll.
local function publish(channel, verification)
    redis.pcall("PUBLISH", channel, verification)
end
