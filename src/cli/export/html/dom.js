// SPDX-License-Identifier: Apache-2.0
// Elements. Text comes into the page as text nodes only, whatever a program calls its functions.

const byId = (id) => document.getElementById(id);

const on = (target, what, work) => target.addEventListener(what, work);

// An element, "tag" or "tag.class class", with these attributes (null and false are left out) and children.
function make(kind, attributes, ...children) {
  const [tag, classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== false) element.setAttribute(name, value);
  fill(element, children);
  return element;
}

// A button that says this, with these attributes beside.
function button(says, work, attributes) {
  const element = make("button", { type: "button", ...attributes }, says);
  on(element, "click", work);
  return element;
}

function fill(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((child) => child !== null && child !== ""));
}

// A name from the program, which may be written from right to left: it moves nothing beside it.
const name = (text, kind) => make("bdi." + (kind || ""), null, text);

// What would be invisible or turn the text around is shown by its number.
const UNSEEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]",
  "g",
);
function clean(text) {
  return text.replace(UNSEEN, (sign) =>
    sign === "\t" ? " " : "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

const number = (value) => value.toLocaleString("en-US");
const many = (count, one, more) => number(count) + " " + (count === 1 ? one : more || one + "s");

// Microseconds as milliseconds without the unit, for a column.
const inMs = (us) => (us / 1000).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// The same as people say them.
function duration(us) {
  if (us < 999950) return inMs(us) + " ms";
  if (us < 120e6) return (us / 1e6).toFixed(2) + " s";
  return Math.floor(us / 60e6) + " min " + Math.round((us % 60e6) / 1e6) + " s";
}

const percent = (part, all) => (all > 0 ? ((100 * part) / all).toFixed(1) : "0") + " %";

// "2026-11-29 14:53:01.250" of microseconds since 1970.
const clock = (us) => new Date(us / 1000).toISOString().replace("T", " ").slice(0, 23);

// Once before the next picture, however often it was asked for.
function soon(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
