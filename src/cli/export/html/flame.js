// SPDX-License-Identifier: Apache-2.0
// The flame view: the loop above, what it called below, as wide as it took. A click zooms.

const HIGH = 21,
  NARROW = 2,
  BOXES = 2500; // pixels; boxes at most
const flame = { root: null, zoom: null, focus: null, boxes: new Map(), width: 0, narrow: 0, search: "" };

const bySize = (one) => [...one.children.values()].sort((a, b) => b.us - a.us);
const isFound = (one) => flame.search !== "" && one.find.includes(flame.search);

// The names of a node from the root on: finds it again in a tree of another range.
function trailOf(one) {
  const trail = [];
  for (let at = one; at && at.parent; at = at.parent) trail.unshift(at.label + "\n" + at.where);
  return trail;
}

function follow(root, trail) {
  let at = root;
  for (const step of trail) {
    const next = [...at.children.values()].find((one) => one.label + "\n" + one.where === step);
    if (!next) return at;
    at = next;
  }
  return at;
}

function boxText(one) {
  const file = one.where ? ", " + one.where : "";
  return `${one.label}${file}: ${duration(one.us)}, ${percent(one.us, flame.root.us)} of all`;
}

function addBox(into, one, left, width, depth, context) {
  const says = boxText(one);
  const box = make(
    `div.box ${one.kind}${context ? " context" : ""}${isFound(one) ? " found" : ""}`,
    {
      role: "treeitem",
      tabindex: -1,
      "aria-level": depth + 1,
      "aria-label": says,
      title: says,
    },
    width > 30 ? [name(one.label), one.where && width > 160 ? name(" " + one.where.split("/").pop(), "file") : ""] : "",
  );
  box.style.left = (100 * left) / flame.width + "%";
  box.style.top = depth * HIGH + "px";
  box.style.width = (100 * Math.max(1, width - 1)) / flame.width + "%";
  on(box, "click", () => zoomTo(one));
  on(box, "keydown", (event) => boxKeys(event, one));
  flame.boxes.set(one, box);
  into.append(box);
}

// Draws what is below a node; returns how deep it went.
function addBoxes(into, one, left, width, depth) {
  let deepest = depth;
  addBox(into, one, left, width, depth, false);
  let x = left;
  for (const child of bySize(one)) {
    const wide = (width * child.us) / (one.us || 1);
    if (wide < NARROW || flame.boxes.size >= BOXES) flame.narrow++;
    else deepest = Math.max(deepest, addBoxes(into, child, x, wide, depth + 1));
    x += wide;
  }
  return deepest;
}

// Time in what is found: below one that is found nothing counts again.
const foundTime = (one) =>
  isFound(one) ? one.us : [...one.children.values()].reduce((sum, child) => sum + foundTime(child), 0);

function flameText() {
  const zoom = flame.zoom,
    found = flame.search ? foundTime(flame.root) : 0;
  const told = [
    flame.search
      ? `${found ? duration(found) + ", " + percent(found, flame.root.us) + " of all, is" : "Nothing is"} in calls with “${flame.search}”.`
      : zoom === flame.root
        ? `${duration(flame.root.us)} in all. As wide as it took; the loop is above, what it called below.`
        : boxText(zoom) + ".",
  ];
  if (flame.narrow) told.push(`${many(flame.narrow, "call")} too narrow to be drawn: zoom in.`);
  const worst =
    zoom === flame.root || zoom.which < 0
      ? ""
      : [" ", button("Its worst event", (event) => setEvent(zoom.which, event.target), { id: "flame-event" })];
  fill(byId("flame-text"), told.join(" "), worst);
}

function drawFlame() {
  const into = byId("flame"),
    above = [];
  const hadFocus = into.contains(document.activeElement);
  flame.boxes = new Map();
  flame.width = into.clientWidth; // asked for once: each time it is worked out anew
  flame.narrow = 0;
  fill(into);
  for (let at = flame.zoom.parent; at; at = at.parent) above.unshift(at);
  above.forEach((one, depth) => addBox(into, one, 0, flame.width, depth, true));
  const deepest = addBoxes(into, flame.zoom, 0, flame.width, above.length);
  into.style.height = (deepest + 1) * HIGH + "px";
  byId("zoom-out").hidden = flame.zoom === flame.root;
  flameText();
  const box = flame.boxes.get(flame.focus) || flame.boxes.get(flame.zoom);
  box.tabIndex = 0;
  if (hadFocus) box.focus();
}

function zoomTo(one) {
  flame.zoom = one;
  flame.focus = one;
  drawFlame();
  flame.boxes.get(one).focus({ preventScroll: true });
}

// The next drawn node beside this one, in the order in which they stand.
function beside(one, step) {
  const row = one.parent ? bySize(one.parent).filter((other) => flame.boxes.has(other)) : [one];
  return row[row.indexOf(one) + step];
}

function boxKeys(event, one) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    zoomTo(one);
    return;
  }
  const to = {
    ArrowDown: () => bySize(one).find((child) => flame.boxes.has(child)),
    ArrowUp: () => one.parent,
    ArrowRight: () => beside(one, 1),
    ArrowLeft: () => beside(one, -1),
    Home: () => flame.root,
  }[event.key];
  if (!to) return;
  event.preventDefault();
  const next = to();
  if (!next) return;
  flame.boxes.get(one).tabIndex = -1;
  flame.focus = next;
  flame.boxes.get(next).tabIndex = 0;
  flame.boxes.get(next).focus();
}

// The tree of this range, at the place that was zoomed to, as far as it is there.
function regrow() {
  const zoom = flame.zoom ? trailOf(flame.zoom) : [],
    focus = flame.focus ? trailOf(flame.focus) : [];
  flame.root = growTree(byId("every-frame").checked);
  flame.zoom = follow(flame.root, zoom);
  flame.focus = follow(flame.root, focus);
  drawFlame();
}

function makeFlame() {
  rangeViews.push(regrow);
  on(byId("every-frame"), "change", regrow);
  on(byId("zoom-out"), "click", () => zoomTo(flame.root));
  on(byId("search"), "input", (event) => {
    flame.search = event.target.value.trim().toLowerCase();
    drawFlame();
  });
}
