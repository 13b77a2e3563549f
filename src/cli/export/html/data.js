// SPDX-License-Identifier: Apache-2.0
// The data as html.c writes it, taken apart. Times are microseconds; texts, frames, nodes are numbers into
// their tables, where 0 is none; what is 0 is not known or not there.
//
//   version    of loophound
//   begin      when the first event began, since 1970; all other times since then
//   end        when the last one ended
//   threshold  the least of all programs
//   watched    how many processes there were
//   left       {events, total, details, frames, outside}: what is not written: events and their time, details
//              of others, frames; events of another time than was asked for
//   totals     {blocks, stalls, suppressed, dropped, unended, untold}: that were read; lost; processes without
//              a summary; events that were counted only
//   processes  [{pid, strict, exe, argv, service, runtime, host, warnings, why}]: warnings in lines
//   frames     [[called, file, line, whose, source, library, version, mark]]: whose is 0 the user's, 1 a
//              library's, 2 the interpreter's or the system's; mark is 1 of an inlined one, +2 of the place
//   nodes      [[outer, frame, flame]]: of the tree of stacks; a stack is its innermost node, outer the next
//              one, flame the stack as the flame view shows it
//   loops      [[process, tid, thread]]
//   places     [[call, group, where, source, api, advice, rule, known, count, total, frame]]: count and total
//              are of those events that are not written here, the shortest ones
//   events     [[start, duration, loop, place, kind, stacks, parts, victims, more, calls, span]], by their
//              start: kind is 0 a block, 1 a stall, +2 that has not ended; stacks is a node, or [time, node, ...]
//              whose times are what the event weighs; parts, of a stall: [computing, waiting for a processor,
//              for the GIL, short calls, the rest]; victims: [ready, waited]; calls: how many it stands for;
//              span: of a stall, its iteration with the blocks in it
//   more       {on, task, work, test, labels, error, holder, note, trace, stack, deadlock}: texts; stack is a node
//   strings    texts
const data = JSON.parse(byId("data").textContent);
const texts = data.strings.map(clean);
const text = (index) => texts[index];
const count = data.events.length;

const BLOCK = 0,
  STALL = 1,
  OPEN = 2; // kinds
const GROUPS = ["sleep", "network", "dns", "file", "lock", "process", "wait", "other"];
const PARTS = ["cpu", "runqueue", "gil", "calls", "rest"];
const WORDS = {
  sleep: "sleeping",
  network: "network",
  dns: "name look-up",
  file: "file",
  lock: "lock",
  process: "process",
  wait: "wait for descriptors",
  other: "other call",
  cpu: "stall: computing",
  runqueue: "stall: waiting for a processor",
  gil: "stall: waiting for the GIL",
  calls: "stall: many short calls",
  rest: "stall: of unknown kind",
  victims: "who waited",
};
const COLOURS = [...GROUPS, ...PARTS];

// What each event is, column by column: there may be very many. It weighs what its calls took together.
const starts = new Float64Array(count),
  lasts = new Float64Array(count),
  weighs = new Float64Array(count),
  spans = new Float64Array(count);
const loopOf = new Int32Array(count),
  placeOf = new Int32Array(count);
data.events.forEach((event, i) => {
  [starts[i], lasts[i], loopOf[i], placeOf[i]] = event;
  spans[i] = event[10];
  weighs[i] = stacksOf(i).reduce((sum, part, at) => (at % 2 ? sum : sum + part), 0);
});

const kindOf = (i) => data.events[i][4];
const partsOf = (i) => data.events[i][6] || null;
const victimsOf = (i) => data.events[i][7] || null;
const moreOf = (i) => data.events[i][8] || {};
const callsOf = (i) => data.events[i][9];

// [time, node, time, node ...] of an event.
function stacksOf(i) {
  const stacks = data.events[i][5];
  return typeof stacks === "number" ? [lasts[i], stacks] : stacks;
}

const places = data.places.map(([call, group, where, source, api, advice, rule, known, leftCount, leftTotal, at]) => ({
  call: text(call),
  group: text(group),
  where: text(where) || "?",
  source: text(source),
  api: text(api),
  advice: text(advice),
  rule: text(rule),
  known,
  leftCount,
  leftTotal,
  at,
}));

const frames = data.frames.map(([called, file, line, whose, source, library, version, mark]) => ({
  called: text(called),
  file: text(file),
  line,
  whose,
  source: text(source),
  library: (text(library) + " " + text(version)).trim(),
  inlined: mark & 1,
  looked: mark & 2,
}));

// The frames of a stack, innermost first.
function stackOf(at) {
  const stack = [];
  for (; at; at = data.nodes[at][0]) stack.push(data.nodes[at][1]);
  return stack;
}

// "shop/app.py:35": of a path its last two parts are enough to know it by.
function whereOf(one, all) {
  const file = all ? one.file : one.file.split("/").slice(-2).join("/");
  return file && one.line ? file + ":" + one.line : file;
}

const loopName = (index) => {
  const [process, tid, thread] = data.loops[index];
  const own = data.processes[process];
  return {
    thread: text(thread) || "thread " + tid,
    of: clean(own.service || own.exe.split("/").pop()) + " " + own.pid + (tid === own.pid ? "" : "/" + tid),
  };
};

const whatOf = (i) => (kindOf(i) & STALL ? "stall" : places[placeOf[i]].call);
const eventText = (i) =>
  `${kindOf(i) & STALL ? "stall" : "block in " + whatOf(i)}, ${duration(lasts[i])}${kindOf(i) & OPEN ? " and no end" : ""}, ${places[placeOf[i]].where}, at ${duration(starts[i])}`;
