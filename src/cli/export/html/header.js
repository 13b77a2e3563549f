// SPDX-License-Identifier: Apache-2.0
// What was watched, how long, what it comes to; what is missing here, and why.

const exeName = (one) => one.service || one.argv || one.exe;
const distinct = (values) => [...new Set(values.filter(Boolean))];

function fact(term, ...values) {
  return values.length
    ? make(
        "div",
        null,
        make("dt", null, term),
        values.map((value) => make("dd", null, value)),
      )
    : null;
}

function listed(values, most) {
  const shown = values.slice(0, most).map((value) => name(value));
  return values.length > most ? [...shown, "and " + number(values.length - most) + " more"] : shown;
}

function drawFacts() {
  const all = data.processes,
    totals = data.totals;
  const time = weighs.reduce((sum, us) => sum + us, 0) + data.left.total;
  const sums = `${many(totals.blocks, "block")} and ${many(totals.stalls, "stall")} on ${many(data.loops.length, "loop thread")}, ${duration(time)} in all`;
  const odd = [
    totals.suppressed ? number(totals.suppressed) + " kept quiet by rules" : "",
    totals.dropped ? many(totals.dropped, "report") + " lost" : "",
  ].filter(Boolean);
  fill(
    byId("facts"),
    fact(
      data.watched === 1 ? "Program" : many(data.watched, "process", "processes"),
      ...listed(distinct(all.map((one) => clean(exeName(one)))), 3),
    ),
    fact("Runtime", ...listed(distinct(all.map((one) => clean(one.runtime))), 3)),
    fact("Host", ...listed(distinct(all.map((one) => clean(one.host))), 3)),
    data.begin
      ? fact("When", `${clock(data.begin).slice(0, 19)} UTC, ${duration(data.end)} from the first to the last`)
      : null,
    data.threshold
      ? fact("Threshold", (all.some((one) => one.strict) ? "strict mode, " : "") + duration(data.threshold))
      : null,
    fact("Found", [sums, ...odd].join("; ")),
  );
  const first = all.length ? clean(all[0].service || all[0].exe.split("/").pop()) : "";
  document.title = (first ? first + ": " : "") + "loophound report";
}

// Each thing that a reader would miss, once.
function notes() {
  const { left, totals } = data,
    list = [];
  if (left.events)
    list.push(
      `The ${many(left.events, "shortest event")} (${duration(left.total)}) are in the table and the sums of the whole time only.`,
    );
  if (left.details)
    list.push(`Of ${many(left.details, "shorter event")} the resource, the holder and the like are left out.`);
  if (left.frames) list.push(`${many(left.frames, "frame")} of stacks had no room.`);
  if (left.outside)
    list.push(`${many(left.outside, "event")} of another time ${left.outside === 1 ? "is" : "are"} left out.`);
  if (totals.untold)
    list.push(
      `${many(totals.untold, "event")} more, counted by the programs, ${totals.untold === 1 ? "was" : "were"} not written in full.`,
    );
  if (totals.unended)
    list.push(`${many(totals.unended, "process has", "processes have")} no summary: killed, or going on.`);
  if (totals.dropped)
    list.push(`${many(totals.dropped, "report")} ${totals.dropped === 1 ? "was" : "were"} lost: there was no room.`);
  return list;
}

function drawNotes() {
  const unseen = distinct(data.processes.flatMap((one) => one.warnings.split("\n").map(clean)));
  fill(
    byId("notes"),
    notes().map((one) => make("p.note", null, one)),
    unseen.length
      ? make(
          "details.note",
          null,
          make("summary", null, "What could not be seen"),
          make(
            "ul",
            null,
            unseen.map((one) => make("li", null, name(one))),
          ),
        )
      : null,
  );
}

// A report of nothing: why.
function drawEmpty() {
  const why = distinct(data.processes.map((one) => one.why && clean(one.why)));
  const quiet = data.totals.suppressed ? "Rules keep " + many(data.totals.suppressed, "event") + " quiet." : "";
  const reason = why.length
    ? why.join("; ")
    : data.loops.length
      ? `${many(data.loops.length, "loop thread was", "loop threads were")} watched, and no call or iteration there took ${duration(data.threshold)} or longer.`
      : "No loop thread was found.";
  byId("main").before(
    make(
      "section.empty",
      { id: "empty" },
      make("h2", null, why.length || !data.loops.length ? "Nothing was watched" : "Nothing blocked"),
      make("p", null, reason),
      quiet ? make("p", null, quiet) : null,
    ),
  );
}
