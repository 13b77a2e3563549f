// SPDX-License-Identifier: Apache-2.0
// What the time line and the time range share: a canvas, its colours, events in columns of pixels.

// What the variables of page.css are in the theme that is shown: an element has to be asked.
const palette = {};
function readPalette() {
  const asked = byId("legend");
  for (const one of [...COLOURS, "text", "quiet", "line"]) {
    asked.style.color = `var(--${one})`;
    palette[one] = getComputedStyle(asked).color;
  }
  asked.style.color = "";
}

// A piece of that colour; of who waited it is as flat as in the time line.
function swatch(colour) {
  const piece = make("i");
  piece.style.background = `var(--${colour === "victims" ? "text" : colour})`;
  if (colour === "victims") piece.style.height = ".4em";
  return piece;
}

// Fits the canvas to its place on the screen, sharp on any; returns [context, width, height] in CSS pixels.
function fitted(canvas) {
  const width = canvas.clientWidth,
    height = canvas.clientHeight,
    sharp = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  pen.clearRect(0, 0, width, height);
  return [pen, width, height];
}

// [colour, share] of an event: a block is of one, a stall of its parts.
function sharesOf(i) {
  if (!(kindOf(i) & STALL)) return [[Math.max(COLOURS.indexOf(places[placeOf[i]].group), 0), 1]];
  const parts = partsOf(i) || [0, 0, 0, 0, 1];
  const all = parts.reduce((sum, part) => sum + part, 0);
  if (!(all > 0)) return [[COLOURS.length - 1, 1]];
  return parts.map((part, at) => [GROUPS.length + at, part / all]).filter((share) => share[1] > 0);
}

// Colours of a stall are one above the other: nobody knows in which order its parts came.
function drawBar(pen, shares, x, width, bottom, height) {
  for (const [colour, share] of shares) {
    pen.fillStyle = palette[COLOURS[colour]];
    const high = height * share;
    pen.fillRect(x, bottom - high, width, high);
    bottom -= high;
  }
}

// Events in [from, to) on `width` pixels: those of three pixels and more one by one, the others added up
// by pixel, as high as their share of that pixel's time, so that what is dense is high.
function drawEvents(pen, events, from, to, width, bottom, height) {
  const scale = width / (to - from);
  const columns = new Float64Array((Math.ceil(width) + 1) * COLOURS.length);
  for (const i of events) {
    const x = (starts[i] - from) * scale,
      wide = spans[i] * scale;
    if (x > width || x + wide < 0) continue;
    const shares = sharesOf(i);
    if (wide >= 3) {
      drawBar(pen, shares, x, wide - 1, bottom, height);
      continue;
    }
    const at = Math.max(0, Math.min(Math.floor(x), Math.ceil(width))) * COLOURS.length;
    for (const [colour, share] of shares) columns[at + colour] += share * lasts[i] * scale;
  }
  drawColumns(pen, columns, bottom, height);
}

function drawColumns(pen, columns, bottom, height) {
  const colours = COLOURS.length;
  for (let at = 0; at < columns.length; at += colours) {
    let sum = 0;
    for (let colour = 0; colour < colours; colour++) sum += columns[at + colour];
    if (sum === 0) continue;
    const high = height * Math.max(0.25, Math.min(1, sum)); // the least of them can be seen
    const shares = [];
    for (let colour = 0; colour < colours; colour++)
      if (columns[at + colour] > 0) shares.push([colour, columns[at + colour] / sum]);
    drawBar(pen, shares, at / colours, 1.5, bottom, high);
  }
}

// Drags with the pointer along the time: moved(from, to) on the way, done(from, to) or click(x) at the end.
function draggable(element, { done, click, moved }) {
  let begin = null;
  const at = (event) => event.clientX - element.getBoundingClientRect().left;
  on(element, "pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("[role=slider]") !== event.target.closest(".lane")) return;
    begin = at(event);
    element.setPointerCapture(event.pointerId);
  });
  on(element, "pointermove", (event) => begin !== null && Math.abs(at(event) - begin) > 4 && moved(begin, at(event)));
  on(element, "pointercancel", () => {
    begin = null;
    moved(null);
  });
  on(element, "pointerup", (event) => {
    if (begin === null) return;
    const from = begin,
      to = at(event);
    begin = null;
    moved(null);
    if (Math.abs(to - from) > 4) done(from, to);
    else click(to);
  });
}
