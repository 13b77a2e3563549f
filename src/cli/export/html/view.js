// SPDX-License-Identifier: Apache-2.0
// What is looked at: a part of the time, an event. All views follow it.

const view = { from: 0, to: Math.max(data.end, 1), shown: -1, back: null };
const whole = { from: view.from, to: view.to };
const rangeViews = [],
  eventViews = [];
const drawAll = soon(() => rangeViews.forEach((draw) => draw()));

const isWhole = () => view.from <= whole.from && view.to >= whole.to;

// The range, at least a thousandth of a millisecond within the whole.
function setRange(from, to) {
  const low = Math.min(from, to),
    high = Math.max(from, to);
  view.from = Math.max(whole.from, Math.min(low, whole.to - 1));
  view.to = Math.min(whole.to, Math.max(high, view.from + 1));
  byId("whole").hidden = isWhole();
  drawAll();
}

// Shows an event (-1: none); the focus goes back to `back` when its details are closed.
function setEvent(index, back) {
  if (back) view.back = back;
  view.shown = index;
  eventViews.forEach((draw) => draw());
}

// The events that touch the range, whole; f(index). They are in the order of their starts.
function eachEvent(f) {
  for (let i = 0; i < count && starts[i] < view.to; i++) if (starts[i] + spans[i] >= view.from) f(i);
}
