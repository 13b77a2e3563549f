// SPDX-License-Identifier: Apache-2.0
// Imports a profile as speedscope does, with the importer of its own bundle, and prints the name, total and unit
// of each profile as JSON: node speedscope.cjs BUNDLE PROFILE
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [bundle, profile] = process.argv.slice(2);
const code = fs.readFileSync(bundle, "utf8");
// Where the page loads its importer, which no function outside the bundle can.
const importer = code.match(/Promise\.resolve\(\)\.then\(\(\)=>(\(\w+\(\),\w+\))\)/)[1];

// The page is not drawn: whatever it asks of a browser is answered with something that bears all.
const anything = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => "" : anything),
  apply: () => anything,
  construct: () => anything,
  set: () => true,
});
Object.assign(globalThis, {
  window: globalThis,
  document: anything,
  location: { hash: "" },
  matchMedia: () => ({ addEventListener() {}, matches: false }),
  addEventListener() {},
});
const warnings = [];
console.warn = console.error = (...words) => warnings.push(words.join(" "));
console.log = () => {};
try {
  vm.runInThisContext(code.replace("(()=>{", `(()=>{globalThis.lhImporter=()=>${importer};`));
} catch (problem) {
  // of drawing
}

globalThis
  .lhImporter()
  .importProfileGroupFromText(path.basename(profile), fs.readFileSync(profile, "utf8"))
  .then((group) => {
    const profiles = group.profiles.map((one) => ({
      name: one.getName(),
      total: one.getTotalWeight(),
      unit: one.getWeightUnit(),
    }));
    process.stdout.write(JSON.stringify({ profiles, warnings }) + "\n");
  });
