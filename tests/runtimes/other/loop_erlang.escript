#!/usr/bin/env escript
%% SPDX-License-Identifier: Apache-2.0
%%! +S 2 -noinput
%% Erlang, whose schedulers run processes and preempt them: see test_other_loops.py.
%% compute: a process has the processor for a while, and other processes run all the same.
-mode(compile).

-define(TIMER_MS, 1000).

main(["free", Path]) ->
    Read = whole(fun() -> {ok, _} = file:read_file(Path) end),
    timer:sleep(?TIMER_MS),
    io:format("free~n"),
    ended(Read);
main(["compute", _]) ->
    Sort = whole(fun() -> sort(erlang:monotonic_time(millisecond) + 2 * ?TIMER_MS) end),
    timer:sleep(?TIMER_MS),
    io:format("free~n"),
    ended(Sort).

whole(Work) ->
    spawn_monitor(Work).

ended({Pid, Reference}) ->
    receive
        {'DOWN', Reference, process, Pid, normal} -> ok
    end.

sort(End) ->
    lists:sort([rand:uniform() || _ <- lists:seq(1, 100000)]),
    case erlang:monotonic_time(millisecond) < End of
        true -> sort(End);
        false -> ok
    end.
