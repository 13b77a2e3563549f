// SPDX-License-Identifier: Apache-2.0
// The time range: all loops in one strip, and two ends to move by pointer or keys.

const everyEvent = Array.from({ length: count }, (_, i) => i);

function moveEnd(end, us) {
  if (end === "from") setRange(Math.min(us, view.to - 1), view.to);
  else setRange(view.from, Math.max(us, view.from + 1));
}

function endKeys(event, end) {
  const span = whole.to - whole.from,
    now = view[end];
  const to = {
    ArrowLeft: now - span / 100,
    ArrowDown: now - span / 100,
    ArrowRight: now + span / 100,
    ArrowUp: now + span / 100,
    PageDown: now - span / 10,
    PageUp: now + span / 10,
    Home: whole.from,
    End: whole.to,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  moveEnd(end, to);
}

function makeEnd(end, label) {
  const handle = make("div.end", {
    id: "range-" + end,
    role: "slider",
    tabindex: 0,
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": Math.ceil(whole.to / 1000),
  });
  let held = false;
  on(handle, "keydown", (event) => endKeys(event, end));
  on(handle, "pointerdown", (event) => {
    held = true;
    handle.setPointerCapture(event.pointerId);
  });
  on(handle, "pointerup", () => {
    held = false;
  });
  on(handle, "pointermove", (event) => {
    if (!held) return;
    const strip = byId("range").getBoundingClientRect();
    moveEnd(end, whole.from + ((event.clientX - strip.left) / strip.width) * (whole.to - whole.from));
  });
  return handle;
}

function placeEnd(handle, us) {
  handle.style.left = (100 * us) / (whole.to - whole.from) + "%";
  handle.setAttribute("aria-valuenow", Math.round(us / 1000));
  handle.setAttribute("aria-valuetext", duration(us) + " after the begin");
}

function rangeText() {
  let events = 0,
    time = 0;
  eachEvent((i) => {
    events++;
    time += weighs[i];
  });
  const of = isWhole() ? "The whole time" : `${duration(view.from)} to ${duration(view.to)}`;
  return `${of}: ${many(events, "event")}, ${duration(time)}. ${isWhole() ? "" : "Events that touch it count whole."}`;
}

function makeRange() {
  const canvas = make("canvas", { "aria-hidden": "true" }),
    shade = [make("div.shade", null), make("div.shade", null)];
  const from = makeEnd("from", "Begin of the time that is shown"),
    to = makeEnd("to", "End of the time that is shown");
  const strip = byId("range");
  fill(strip, canvas, shade, from, to);
  const us = (x) => whole.from + (x / strip.clientWidth) * (whole.to - whole.from);
  draggable(strip, { done: (a, b) => setRange(us(a), us(b)), click: () => {}, moved: markDrag(strip) });
  rangeViews.push(() => {
    const [pen, width, height] = fitted(canvas);
    drawEvents(pen, everyEvent, whole.from, whole.to, width, height, height);
    shade[0].style.width = (100 * view.from) / whole.to + "%";
    shade[1].style.width = 100 - (100 * view.to) / whole.to + "%";
    placeEnd(from, view.from);
    placeEnd(to, view.to);
    byId("range-text").textContent = rangeText();
  });
  on(byId("whole"), "click", () => setRange(whole.from, whole.to));
}

// Shows what is being dragged over.
function markDrag(element) {
  const mark = make("div.drag", { hidden: "" });
  element.append(mark);
  return (from, to) => {
    mark.hidden = from === null;
    if (from === null) return;
    mark.style.left = Math.min(from, to) + "px";
    mark.style.width = Math.abs(to - from) + "px";
  };
}
