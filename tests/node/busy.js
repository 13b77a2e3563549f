// SPDX-License-Identifier: Apache-2.0
// What keeps an event loop of Node.js, one thing a run: busy.js WHAT FIFO. `clean` is the same work
// as it should be done.
'use strict';
const childProcess = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const v8 = require('v8');
const vm = require('vm');
const zlib = require('zlib');

const [what, fifo] = process.argv.slice(2);
const LONG_MS = 400;

// Made in turns, while nobody looks.
const prepared = {};

const ways = {
  loop() {
    let sum = 0;
    for (const end = Date.now() + LONG_MS; Date.now() < end;) sum += Math.sqrt(sum + 1); // here
    return sum;
  },
  regex() {
    return /^(a+)+$/.test(`${'a'.repeat(prepared.letters)}!`); // here
  },
  parse() {
    return JSON.parse(prepared.text).length; // here
  },
  stringify() {
    return JSON.stringify(prepared.value).length; // here
  },
  hash() {
    return crypto.pbkdf2Sync('password', 'salt', prepared.rounds, 64, 'sha512'); // here
  },
  command() {
    return childProcess.execSync('sleep 0.4'); // here
  },
  file() {
    return fs.readFileSync(fifo); // here
  },
  sort() {
    return prepared.numbers.sort().length; // here
  },
  gzip() {
    return zlib.gzipSync(prepared.bytes, { level: 9 }).length; // here
  },
  replaces() {
    return `${'a'.repeat(prepared.letters)}!`.replace(/^(a+)+$/, '').length; // here
  },
  often() {
    const slow = /^(a+)+x/;
    let found = 0;
    for (const end = Date.now() + LONG_MS; Date.now() < end;) found += slow.test(prepared.few) ? 1 : 0; // here
    return found;
  },
  compiles() {
    return new vm.Script(prepared.script); // here
  },
  collects() {
    prepared.collect(); // here
  },
  wait() {
    return Atomics.wait(prepared.cell, 0, 0, LONG_MS); // here
  },
  garbage() {
    const kept = [];
    for (const end = Date.now() + LONG_MS; Date.now() < end;) kept.push({ a: [kept.length], b: `${kept.length}` }); return kept.length; // here
  },
};

const preparations = {
  regex() { prepared.letters = 24; },
  replaces() { prepared.letters = 24; },
  often() { prepared.few = `${'a'.repeat(12)}!`; },
  compiles() {
    const one = (_, i) => `function f${i}(a, b) { const c = a * ${i}; return c > b ? c + b : [a, b].map((x) => x + c); }\n`;
    prepared.script = Array.from({ length: 2e5 }, one).join('').replace('f0', 'first');
  },
  collects() {
    v8.setFlagsFromString('--expose-gc');
    prepared.collect = vm.runInNewContext('gc');
    prepared.kept = Array.from({ length: 2e6 }, (_, i) => ({ a: [i], b: `${i}` }));
  },
  parse() { prepared.text = `[${'{"key": [1, 2, 3]},'.repeat(6e5)}0]`; },
  stringify() { prepared.value = new Array(1e6).fill({ key: [1, 2, 3], other: 'text' }); },
  hash() { prepared.rounds = 400000; },
  sort() { prepared.numbers = Array.from({ length: 6e5 }, (_, i) => (i * 7919) % 1000003); },
  gzip() { prepared.bytes = crypto.randomBytes(2e7); },
  wait() { prepared.cell = new Int32Array(new SharedArrayBuffer(4)); },
};

async function clean() {
  const { promisify } = require('util');
  for (let i = 0; i < 20; i++) {
    let sum = 0;
    for (let k = 0; k < 1e4; k++) sum += k;
    void sum;
    await new Promise((done) => { setImmediate(done); });
  }
  await promisify(crypto.pbkdf2)('password', 'salt', 100000, 64, 'sha512');
  await promisify(childProcess.exec)('sleep 0.4');
  await promisify(zlib.gzip)(Buffer.alloc(4e6));
  await fs.promises.readFile(__filename);
  await new Promise((done) => { setTimeout(done, LONG_MS); });
}

if (what === 'clean') {
  setTimeout(clean, 50);
} else {
  (preparations[what] || (() => 0))();
  setTimeout(() => {
    ways[what]();
    setTimeout(() => 0, 10);
  }, 50);
}
