-- SPDX-License-Identifier: Apache-2.0
-- Pages of haproxy in Lua, which runs in its loop: see test_haproxy.py.

core.register_service("wrong", "http", function(applet)
    local file = assert(io.open(os.getenv("FIFO")))
    file:read("l")
    applet:start_response()
    applet:send("read")
end)

core.register_service("right", "http", function(applet)
    core.msleep(1000) -- longer than the threshold; the loop turns
    applet:start_response()
    applet:send("slept")
end)
