// SPDX-License-Identifier: Apache-2.0
// The time line of each loop thread: what kept it, and below, who waited for it.

const LANES = 12,
  BAR = 26,
  WAIT = 6; // lanes at first; heights in pixels
const eventsOf = data.loops.map(() => []);
for (let i = 0; i < count; i++) eventsOf[loopOf[i]].push(i);
const timeOf = eventsOf.map((events) => events.reduce((sum, i) => sum + weighs[i], 0));

// A round step of the axis: 1, 2 or 5 times a power of ten, at least `least` microseconds.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].find((times) => times * power >= least) * power;
}

function drawAxis(canvas) {
  const [pen, width, height] = fitted(canvas);
  const step = roundStep((view.to - view.from) / Math.max(2, width / 110));
  pen.font = "12px system-ui, sans-serif";
  for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
    const x = ((us - view.from) / (view.to - view.from)) * width;
    pen.fillStyle = palette.line;
    pen.fillRect(x, 0, 1, height);
    pen.fillStyle = palette.quiet;
    const label = step < 1e4 ? Number((us / 1000).toFixed(3)) + " ms" : Number((us / 1e6).toFixed(2)) + " s";
    if (x + pen.measureText(label).width < width) pen.fillText(label, x + 4, height - 5);
  }
}

function drawVictims(pen, events, scale) {
  pen.fillStyle = palette.text;
  for (const i of events) {
    const victims = victimsOf(i);
    if (!victims || !victims[0]) continue;
    const end = (starts[i] + spans[i] - view.from) * scale,
      wide = Math.max(2, Math.min(victims[1], spans[i]) * scale);
    pen.fillRect(end - wide, BAR + 4, wide - (wide > 3 ? 1 : 0), WAIT);
  }
}

function drawLane(canvas, loop) {
  const [pen, width] = fitted(canvas),
    scale = width / (view.to - view.from);
  pen.fillStyle = palette.line;
  pen.fillRect(0, BAR, width, 1);
  drawEvents(pen, eventsOf[loop], view.from, view.to, width, BAR, BAR - 2);
  drawVictims(pen, eventsOf[loop], scale);
  if (view.shown < 0 || loopOf[view.shown] !== loop) return;
  const x = (starts[view.shown] - view.from) * scale,
    wide = Math.max(4, spans[view.shown] * scale);
  pen.strokeStyle = palette.text;
  pen.lineWidth = 2;
  pen.strokeRect(x - 1, 1, wide + 1, BAR + WAIT + 4);
}

// The event under a pixel: the uppermost of those that can be told apart, else the longest; -1: none within
// three pixels.
function eventAt(loop, x, width) {
  const scale = width / (view.to - view.from);
  let best = -1,
    clear = false;
  for (const i of eventsOf[loop]) {
    const from = (starts[i] - view.from) * scale,
      wide = spans[i] * scale,
      hit = wide >= 3 && from <= x && x <= from + wide;
    if (!hit && (clear || from - 3 > x || x > from + wide + 3)) continue;
    if (hit || best < 0 || lasts[i] > lasts[best]) best = i;
    clear = clear || hit;
  }
  return best;
}

function laneKeys(event, loop, lane) {
  const events = eventsOf[loop],
    at = events.indexOf(view.shown);
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at < 0 ? events.length - 1 : at - 1,
    Home: 0,
    End: events.length - 1,
    Enter: Math.max(at, 0),
  }[event.key];
  if (to === undefined || !events.length) return;
  event.preventDefault();
  const chosen = events[Math.max(0, Math.min(to, events.length - 1))];
  if (starts[chosen] + spans[chosen] < view.from || starts[chosen] > view.to) {
    const half = (view.to - view.from) / 2;
    setRange(starts[chosen] - half, starts[chosen] + half);
  }
  setEvent(chosen, lane);
}

function describeLane(lane, loop) {
  const at = eventsOf[loop].indexOf(view.shown);
  lane.setAttribute("aria-valuenow", at + 1);
  lane.setAttribute("aria-valuetext", at < 0 ? "no event chosen" : eventText(view.shown));
}

function makeLane(loop) {
  const { thread, of } = loopName(loop),
    events = eventsOf[loop];
  const canvas = make("canvas", { "aria-hidden": "true" });
  const lane = make(
    "div.lane",
    {
      tabindex: 0,
      role: "slider",
      "aria-label": `Events of ${thread}, ${of}`,
      "aria-valuemin": 0,
      "aria-valuemax": events.length,
    },
    canvas,
  );
  const label = make(
    "div.lane-name",
    null,
    name(thread, "strong"),
    " ",
    name(of, "quiet"),
    make("span.quiet sum", null, `${many(events.length, "event")}, ${duration(timeOf[loop])}`),
  );
  const us = (x) => view.from + (x / canvas.clientWidth) * (view.to - view.from);
  draggable(lane, {
    done: (a, b) => setRange(us(a), us(b)),
    click: (x) => setEvent(eventAt(loop, x, canvas.clientWidth), lane),
    moved: markDrag(lane),
  });
  on(lane, "keydown", (event) => laneKeys(event, loop, lane));
  on(lane, "mousemove", (event) => {
    const at = eventAt(loop, event.offsetX, canvas.clientWidth);
    byId("pointed").textContent = at < 0 ? "" : eventText(at);
  });
  on(lane, "mouseleave", () => fill(byId("pointed")));
  rangeViews.push(() => drawLane(canvas, loop));
  eventViews.push(() => {
    drawLane(canvas, loop);
    describeLane(lane, loop);
  });
  describeLane(lane, loop);
  return make("div.loop", null, label, lane);
}

function makeLanes() {
  const order = data.loops.map((_, loop) => loop).sort((a, b) => timeOf[b] - timeOf[a]);
  const axis = make("canvas.axis", { "aria-hidden": "true" });
  const lanes = byId("lanes");
  fill(lanes, axis, order.slice(0, LANES).map(makeLane));
  rangeViews.push(() => drawAxis(axis));
  if (order.length <= LANES) return;
  const rest = button(
    `Show ${number(order.length - LANES)} more loop threads`,
    () => {
      rest.replaceWith(...order.slice(LANES).map(makeLane));
      drawAll();
    },
    { id: "more-lanes" },
  );
  lanes.append(rest);
}

// Only the colours that are there.
function makeLegend() {
  const used = new Set();
  let waited = false;
  for (let i = 0; i < count; i++) {
    sharesOf(i).forEach((share) => used.add(COLOURS[share[0]]));
    waited = waited || Boolean(victimsOf(i) && victimsOf(i)[0]);
  }
  const shown = COLOURS.filter((one) => used.has(one)).concat(waited ? ["victims"] : []);
  fill(
    byId("legend"),
    shown.map((one) => make("li", null, swatch(one), WORDS[one])),
  );
}
