// SPDX-License-Identifier: Apache-2.0
// The table of places: what the events of the range come to, by place.

const ROWS = 20,
  MORE = 50; // at first, and at each step
const COLUMNS = [
  ["total", "Total, ms", "number"],
  ["worst", "Worst, ms", "number"],
  ["times", "Count", "number"],
  ["waited", "Who waited", "number"],
  ["call", "Call", ""],
  ["where", "Where", ""],
];
const table = { by: "total", down: true, rows: ROWS, chosen: -1 };

// Adds up: {place, total, worst, times, waited, longest, which}, whose `which` is its worst one.
function sumPlaces() {
  const sums = new Map();
  const of = (index) => {
    if (!sums.has(index))
      sums.set(index, { place: index, total: 0, worst: 0, times: 0, waited: 0, longest: 0, which: -1 });
    return sums.get(index);
  };
  eachEvent((i) => {
    const sum = of(placeOf[i]),
      victims = victimsOf(i);
    sum.total += weighs[i];
    sum.times += callsOf(i);
    if (sum.which < 0 || lasts[i] > sum.worst) Object.assign(sum, { worst: lasts[i], which: i });
    if (!victims) return;
    sum.waited += victims[0];
    sum.longest = Math.max(sum.longest, victims[1]);
  });
  places.forEach((one, index) => {
    if (!isWhole() || !one.leftCount) return;
    of(index).total += one.leftTotal;
    of(index).times += one.leftCount;
  });
  return [...sums.values()];
}

function sorted(sums) {
  const key =
    { call: (sum) => places[sum.place].call, where: (sum) => places[sum.place].where }[table.by] ||
    ((sum) => sum[table.by]);
  const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : b.total - a.total);
  return sums.sort((a, b) => (table.down ? order(b, a) : order(a, b)));
}

function placeCell(one) {
  return make(
    "td.where",
    null,
    make("div", null, name(one.where, "strong"), one.known ? make("span.tag", null, "known") : null),
    one.source ? make("code", null, name(one.source)) : null,
    one.advice
      ? make(
          "div.advice",
          null,
          "Advice: ",
          name(one.advice),
          one.rule ? make("span.tag", null, "ruff " + one.rule) : null,
        )
      : null,
  );
}

const waitedText = (sum) => (sum.waited ? `${number(sum.waited)}, up to ${duration(sum.longest)}` : "–");

// On a narrow screen, where there is no room for columns, a cell says what it is.
const cell = (label, ...says) => make("td.number", { "data-label": label }, says);

function makeRow(sum, most) {
  const one = places[sum.place];
  const bar = make("span.share", null);
  bar.style.width = (100 * sum.total) / most + "%";
  const row = make(
    "tr",
    { tabindex: -1, "data-place": sum.place, "aria-selected": String(sum.place === table.chosen) },
    cell("total ms", inMs(sum.total), bar),
    cell("worst ms", inMs(sum.worst)),
    cell("count", number(sum.times)),
    cell("who waited", waitedText(sum)),
    make("td.call", null, name(one.call)),
    placeCell(one),
  );
  on(row, "click", () => chooseRow(row, sum));
  on(row, "keydown", (event) => rowKeys(event, row, sum));
  return row;
}

function chooseRow(row, sum) {
  if (sum.which < 0 || String(getSelection()) !== "") return; // somebody marks text
  focusRow(row);
  setEvent(sum.which, row);
}

function focusRow(row) {
  row.parentNode.querySelectorAll("[tabindex='0']").forEach((other) => {
    other.tabIndex = -1;
  });
  row.tabIndex = 0;
  row.focus();
}

function rowKeys(event, row, sum) {
  const rows = [...row.parentNode.children],
    at = rows.indexOf(row);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    focusRow(rows[Math.max(0, Math.min(to, rows.length - 1))]);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    setEvent(sum.which, row);
  }
}

function sortBy(column) {
  table.down = table.by === column ? !table.down : COLUMNS.find((one) => one[0] === column)[2] !== "";
  table.by = column;
  drawPlaces();
  byId("sort-" + column).focus();
}

function makeHead() {
  return make(
    "thead",
    null,
    make(
      "tr",
      null,
      COLUMNS.map(([column, label, kind]) => {
        const own = table.by === column;
        return make(
          "th",
          { scope: "col", class: kind, "aria-sort": own ? (table.down ? "descending" : "ascending") : null },
          button(
            [label, make("span.arrow", { "aria-hidden": "true" }, own ? (table.down ? "↓" : "↑") : "")],
            () => sortBy(column),
            { id: "sort-" + column },
          ),
        );
      }),
    ),
  );
}

function drawPlaces() {
  const sums = sorted(sumPlaces());
  const most = sums.reduce((largest, sum) => Math.max(largest, sum.total), 1);
  const shown = sums.slice(0, table.rows),
    rows = shown.map((sum) => makeRow(sum, most));
  const total = sums.reduce((sum, one) => sum + one.total, 0),
    times = sums.reduce((sum, one) => sum + one.times, 0);
  const focused = document.activeElement.dataset.place,
    again = rows.find((row) => row.dataset.place === focused);
  if (rows.length) rows[0].tabIndex = 0;
  fill(
    byId("places-table"),
    make(
      "table",
      { role: "grid" },
      make("caption.hidden", null, "Places, " + (table.down ? "largest" : "smallest") + " first"),
      makeHead(),
      make("tbody", null, rows),
      make(
        "tfoot",
        null,
        make(
          "tr",
          null,
          cell("total ms", inMs(total)),
          make("td"),
          cell("count", number(times)),
          make("td"),
          make(
            "td",
            { colspan: 2 },
            `all ${many(sums.length, "place")}${isWhole() ? "" : " of this part of the time"}`,
          ),
        ),
      ),
    ),
  );
  if (again) focusRow(again);
  const more = byId("more-places");
  more.hidden = sums.length <= table.rows;
  more.textContent = `Show ${number(Math.min(MORE, sums.length - table.rows))} more of ${number(sums.length)} places`;
}

function makePlaces() {
  on(byId("more-places"), "click", () => {
    table.rows += MORE;
    drawPlaces();
  });
  rangeViews.push(drawPlaces);
  eventViews.push(() => {
    table.chosen = view.shown < 0 ? -1 : placeOf[view.shown];
    document
      .querySelectorAll("#places-table tbody tr")
      .forEach((row) => row.setAttribute("aria-selected", String(Number(row.dataset.place) === table.chosen)));
  });
}
