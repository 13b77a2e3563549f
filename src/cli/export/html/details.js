// SPDX-License-Identifier: Apache-2.0
// One event: what it was, who had what it waited for, who waited for it, its stacks.

const SAMPLES = 3; // of a stall, that are shown at once

function stackFrame(index, isPlace) {
  const one = frames[index];
  return make(
    "li",
    { class: (isPlace ? "place " : "") + (one.whose === 0 ? "user" : "") },
    make(
      "div",
      null,
      isPlace ? make("span.mark", { "aria-label": "look here" }, "▶ ") : null,
      name(whereOf(one, isPlace) || one.library || "", "file"),
      " ",
      name(one.called || "?", one.whose === 0 ? "strong" : null),
      one.inlined ? " (inlined)" : "",
    ),
    one.source ? make("code", null, name(one.source)) : null,
  );
}

function foldedFrames(run) {
  const of = distinct(
    run.map((index) => frames[index].library || ["", "", "the interpreter and the system"][frames[index].whose]),
  );
  const label = `${many(run.length, "frame")}${of.length ? " of " + of.slice(0, 3).join(", ") + (of.length > 3 ? " and others" : "") : ""}`;
  return [
    make(
      "li.folded",
      null,
      make(
        "details",
        null,
        make("summary", null, label),
        make(
          "ol",
          null,
          run.map((index) => stackFrame(index, false)),
        ),
      ),
    ),
  ];
}

// The user's frames and that of the place; runs of others are folded.
function stackList(stack, place) {
  if (!stack) return make("p.quiet", null, "There is no stack.");
  const rows = [];
  let run = [];
  const close = () => {
    if (run.length) rows.push(...foldedFrames(run));
    run = [];
  };
  for (const index of stackOf(stack)) {
    const isPlace = frames[index].looked || index === place;
    if (isPlace || !frames[index].whose) {
      close();
      rows.push(stackFrame(index, isPlace));
    } else run.push(index);
  }
  close();
  return make("ol.stack", null, rows);
}

function eventFacts(i) {
  const more = moreOf(i),
    victims = victimsOf(i),
    { thread, of } = loopName(loopOf[i]);
  const told = (term, index) => (index ? fact(term, name(text(index))) : null);
  return make(
    "dl.facts",
    null,
    fact(
      "When",
      `${duration(starts[i])} after the first` + (data.begin ? `, ${clock(data.begin + starts[i])} UTC` : ""),
    ),
    fact("Thread", [name(thread), " ", name(of, "quiet")]),
    callsOf(i) > 1 ? fact("Calls there", `${number(callsOf(i))}, ${duration(weighs[i])} in all`) : null,
    told("Resource", more.on),
    told("Held by", more.holder),
    more.deadlock ? fact("Deadlock", "the holder waits for this thread") : null,
    told("Task", more.task),
    told("In the runtime", more.work),
    told("Test", more.test),
    told("Labels", more.labels),
    told("Error", more.error),
    told("Trace", more.trace),
    fact(
      "Who waited",
      victims && victims[0]
        ? `${many(victims[0], "descriptor")} ready, up to ${duration(victims[1])}`
        : "nobody, or not known",
    ),
    told("Note", more.note),
  );
}

function stallParts(i) {
  const parts = partsOf(i);
  if (!(kindOf(i) & STALL) || !parts) return null;
  const all = parts.reduce((sum, part) => sum + part, 0);
  const bar = make(
    "div.parts",
    { "aria-hidden": "true" },
    parts.map((part, at) => {
      const piece = swatch(PARTS[at]);
      piece.style.width = (all > 0 ? (100 * part) / all : 0) + "%";
      return piece;
    }),
  );
  const list = parts.map((part, at) =>
    part > 0 ? make("li", null, swatch(PARTS[at]), `${WORDS[PARTS[at]].slice(7)} ${duration(part)}`) : null,
  );
  return [bar, make("ul.legend", null, list)];
}

function eventStacks(i) {
  const parts = stacksOf(i),
    shown = [];
  for (let part = 0; part < parts.length; part += 2) shown.push([parts[part], parts[part + 1]]);
  const one = ([us, stack]) => [
    shown.length > 1 ? make("h4", null, `${percent(us, weighs[i])}, ${duration(us)}`) : null,
    stackList(stack, places[placeOf[i]].at),
  ];
  const rest = shown.slice(SAMPLES);
  return [
    shown.slice(0, SAMPLES).map(one),
    rest.length
      ? make("details", null, make("summary", null, `${many(rest.length, "stack")} more`), rest.map(one))
      : null,
  ];
}

function adviceBox(one) {
  if (!one.advice) return null;
  return make(
    "p.advice box-of",
    null,
    make("strong", null, "Advice: "),
    name(one.advice),
    one.rule ? make("span.tag", null, "ruff " + one.rule) : null,
  );
}

// The events of the same place, the worst first.
function fellows(i) {
  const all = [];
  for (let other = 0; other < count; other++) if (placeOf[other] === placeOf[i]) all.push(other);
  return all.sort((a, b) => lasts[b] - lasts[a]);
}

function stepEvent(step) {
  if (view.shown < 0) return;
  const all = fellows(view.shown),
    next = all[all.indexOf(view.shown) + step];
  if (next !== undefined) setEvent(next);
}

function eventHead(i) {
  const all = fellows(i),
    at = all.indexOf(i);
  const to = (label, sign, step, off) =>
    button(sign, () => stepEvent(step), {
      "aria-label": label,
      title: label,
      disabled: off ? "" : null,
      id: step < 0 ? "event-worse" : "event-next",
    });
  return make(
    "div.line head",
    null,
    make(
      "h2",
      { id: "details-title", tabindex: -1 },
      `${kindOf(i) & STALL ? "Stall" : "Block"}, ${duration(lasts[i])}`,
      kindOf(i) & OPEN ? " and no end" : "",
    ),
    make("span.quiet", null, `${number(at + 1)} of ${number(all.length)} here`),
    to("The worse one of this place", "[", -1, at === 0),
    to("The next one of this place", "]", 1, at === all.length - 1),
    button("✕", closeDetails, { id: "close", "aria-label": "Close the details", title: "Close (Escape)" }),
  );
}

function drawDetails() {
  const panel = byId("details"),
    i = view.shown,
    was = document.activeElement && panel.contains(document.activeElement) ? document.activeElement.id : "";
  panel.hidden = i < 0;
  document.body.classList.toggle("with-panel", i >= 0);
  if (i < 0) return;
  const one = places[placeOf[i]],
    more = moreOf(i);
  fill(
    panel,
    eventHead(i),
    make(
      "p",
      null,
      kindOf(i) & STALL
        ? "An iteration took long "
        : ["in ", name(one.call, "strong"), one.api && one.api !== one.call ? [" by ", name(one.api)] : "", " "].flat(),
      "at ",
      name(one.where, "strong"),
    ),
    adviceBox(one),
    stallParts(i),
    eventFacts(i),
    make("h3", null, kindOf(i) & STALL ? "Where it was" : "Stack, innermost first"),
    eventStacks(i),
    more.stack ? [make("h3", null, "Where the holder is"), stackList(more.stack)] : null,
  );
  panel.scrollTop = 0;
  const back = was && byId(was);
  if (back && !back.disabled) back.focus();
  else if (was) byId("details-title").focus();
}

function closeDetails() {
  const row = document.querySelector(`tr[data-place="${placeOf[view.shown]}"]`);
  const back = view.back && view.back.isConnected ? view.back : row || byId("places");
  setEvent(-1);
  back.focus();
  view.back = null;
}

function makeDetails() {
  eventViews.push(drawDetails);
}
