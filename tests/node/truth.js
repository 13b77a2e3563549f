// SPDX-License-Identifier: Apache-2.0
// Stacks of many forms, each told by V8 itself (Error.prepareStackTrace) right after loophound has
// read it: truth.js FIFO TRUTH HITS [worker]. A byte that is read from the FIFO is what loophound
// tells, in HITS; TRUTH gets a line of JSON for each, in the same order. With `worker` all of it is
// done in one.
'use strict';
const fs = require('fs');
const path = require('path');
const { Worker, isMainThread, workerData } = require('worker_threads');
const forms = require('./forms.js');

// Of each form before it is looked at: the compilers' turn.
const ROUNDS = (process.env.TRUTH_ROUNDS || '0,30,700,8000').split(',').map(Number);
const MOST_SLOW = 700;
const MOST_UNREAD = 25;
const SLOW = /evaluates|recursion|proxied|longLoop|madeFunction/;

Error.stackTraceLimit = Infinity;
const [fifo, told, hits, where] = isMainThread ? process.argv.slice(2) : workerData;
const pipe = fs.openSync(fifo, 'r+');
const zero = fs.openSync('/dev/zero', fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
const buffer = Buffer.alloc(16);
const truths = [];
let label = '';

function describe(site) {
  return {
    function: site.getFunctionName() || '',
    file: site.getFileName() || '',
    line: site.getLineNumber(),
    column: site.getColumnNumber(),
    type: site.isToplevel() || site.isConstructor() ? null : site.getTypeName(),
    later: Boolean(site.isAsync && site.isAsync()),
  };
}

function note() {
  const former = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, sites) => sites;
  const sites = new Error('where').stack;
  Error.prepareStackTrace = former;
  truths.push({ label, frames: sites.slice(1).map(describe) });
}

// One line: V8 is asked one call later than loophound.
function look(n) { fs.readSync(n === 13 ? pipe : zero, buffer, 0, n === 13 ? 1 : 2, null); if (n === 13) note(); return n; }

// Many are told at once: whoever reads them is given the time.
async function catchUp() {
  if (truths.length % MOST_UNREAD !== 0) return;
  const isTold = (line) => line.includes('"type":"block"') && line.includes('"function":"look"');
  for (;;) {
    const lines = (await fs.promises.readFile(hits, 'utf8')).split('\n');
    if (lines.filter(isTold).length >= truths.length) return;
    await new Promise((done) => { setTimeout(done, 5); });
  }
}

async function main() {
  const imported = await import('./imported.mjs');
  const { sync, later } = forms(look, imported);
  await new Promise((done) => { setTimeout(done, 20); }); // the loop is known from its first park on
  for (const rounds of ROUNDS) {
    for (const name of Object.keys(sync)) {
      const most = SLOW.test(name) ? Math.min(rounds, MOST_SLOW) : rounds;
      for (let i = 0; i < most; i++) sync[name](14);
      label = `${name}/${rounds}`;
      fs.writeSync(pipe, 'x');
      sync[name](13);
      await catchUp();
    }
    for (const name of Object.keys(later)) {
      const most = Math.min(rounds, MOST_SLOW);
      for (let i = 0; i < most; i++) await later[name](14);
      label = `later ${name}/${rounds}`;
      fs.writeSync(pipe, 'x');
      await later[name](13);
      await catchUp();
    }
  }
  fs.writeFileSync(told, truths.map((truth) => `${JSON.stringify(truth)}\n`).join(''));
}

if (isMainThread && where === 'worker') {
  new Worker(path.resolve(__filename), { workerData: [fifo, told, hits] });
} else {
  main();
}
