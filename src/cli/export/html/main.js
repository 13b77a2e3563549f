// SPDX-License-Identifier: Apache-2.0
// Puts the page together: the theme, keys for all of it, the print, the first view.

const PRINTED = 10; // places whose stacks are printed

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";

function redraw() {
  readPalette();
  byId("theme").setAttribute("aria-pressed", String(isDark()));
  drawAll();
}

function makeTheme() {
  on(byId("theme"), "click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    redraw();
  });
  on(prefersDark, "change", redraw);
}

// Steps back from what was opened last.
function escape() {
  const search = byId("search");
  if (view.shown >= 0) closeDetails();
  else if (search.value) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
  } else if (flame.zoom !== flame.root) zoomTo(flame.zoom.parent);
  else if (!isWhole()) setRange(whole.from, whole.to);
}

function pageKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    event.preventDefault();
    escape();
    return;
  }
  if (event.target.matches("input[type=search]")) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "[") stepEvent(-1);
  else if (event.key === "]") stepEvent(1);
}

// On paper: the stacks of the worst places, and light colours.
function printed() {
  const worst = sumPlaces()
    .filter((sum) => sum.which >= 0)
    .sort((a, b) => b.total - a.total)
    .slice(0, PRINTED);
  fill(
    byId("stacks"),
    make("h2", null, "The worst places"),
    worst.map((sum) => {
      const one = places[sum.place];
      return make(
        "article",
        null,
        make(
          "h3",
          null,
          `${duration(sum.total)} in ${many(sum.times, "event")}, worst ${duration(sum.worst)}: `,
          name(one.call),
          " at ",
          name(one.where),
        ),
        adviceBox(one),
        stackList(stacksOf(sum.which)[1], one.at),
      );
    }),
  );
}

function makePrint() {
  let theme;
  on(window, "beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    readPalette();
    rangeViews.forEach((draw) => draw());
    printed();
  });
  on(window, "afterprint", () => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    fill(byId("stacks"));
    redraw();
  });
}

function main() {
  drawFacts();
  drawNotes();
  makeTheme();
  byId("foot").textContent = `Made by loophound ${clean(data.version)}; fetches nothing.`;
  if (count + data.left.events === 0) {
    drawEmpty();
    redraw();
    return;
  }
  byId("main").hidden = false;
  makeRange();
  makeLanes();
  makeLegend();
  makePlaces();
  makeFlame();
  makeDetails();
  makePrint();
  readPalette();
  byId("theme").setAttribute("aria-pressed", String(isDark()));
  rangeViews.forEach((draw) => draw());
  on(document, "keydown", pageKeys);
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width !== width) drawAll();
    width = contentRect.width;
  }).observe(byId("main"));
  performance.mark("first-view");
}

main();
