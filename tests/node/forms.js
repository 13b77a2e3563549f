// SPDX-License-Identifier: Apache-2.0
// The ways in which a function of JavaScript can come to call another one. Each takes a number and
// hands it on to `look`, in the end.
'use strict';
const events = require('events');
const vm = require('vm');
const wide = require('./wide.js');

module.exports = function forms(look, imported) {
  const sync = {};
  const later = {};

  sync.arrow = (n) => look(n);
  sync.named = function named(n) { return look(n); };
  sync.anonymous = (function () { return function (n) { return look(n); }; })();
  function leaf(n) { return look(n) + 1; }
  function middle(n) { return leaf(n) + 1; }
  function outer(n) {
    const twice = n * 2;
    return middle(n) + twice;
  }
  sync.chain = (n) => outer(n);
  sync.secondOnLine = (n) => leaf(n + 1000) + leaf(n);

  class Base {
    #secret = 1;
    static made = 0;
    static { this.made = 1; }
    constructor(n, looks) {
      this.n = n;
      if (looks) this.seen = look(n);
    }
    method(n) { return look(n) + this.#secret; }
    static make(n) { return new Base(n, false).method(n); }
    get got() { return look(this.n); }
    set given(n) { look(n); }
    #hidden(n) { return look(n); }
    hidden(n) { return this.#hidden(n); }
    ['comp' + 'uted'](n) { return look(n); }
    *numbers(n) { yield 1; yield look(n); }
    async slow(n) { return look(n); }
    field = (n) => look(n);
    [Symbol.toPrimitive]() { return look(this.n); }
  }
  class Derived extends Base {
    constructor(n, looks) {
      super(n, looks);
      this.more = 2;
    }
    method(n) {
      return super.method(n) + 1;
    }
  }
  sync.constructs = (n) => new Base(n, true).seen;
  sync.constructsDerived = (n) => new Derived(n, true).seen;
  sync.method = (n) => new Base(n).method(n);
  sync.superMethod = (n) => new Derived(n).method(n);
  sync.staticMethod = (n) => Base.make(n);
  sync.getter = (n) => new Base(n).got;
  sync.setter = (n) => { new Base(n).given = n; };
  sync.privateMethod = (n) => new Base(n).hidden(n);
  sync.computed = (n) => new Base(n).computed(n);
  sync.generator = (n) => Array.from(new Base(n).numbers(n)).length;
  sync.field = (n) => new Base(n).field(n);
  sync.toPrimitive = (n) => new Base(n) + 1;

  sync.map = (n) => [1].map(() => look(n))[0];
  sync.forEach = (n) => [1, 2].forEach((x) => { if (x === 2) look(n); });
  sync.filter = (n) => [1].filter(function keep() { return look(n); }).length;
  sync.reduce = (n) => [1].reduce((sum, x) => sum + look(n) + x, 0);
  sync.some = (n) => [1].some(() => look(n));
  sync.sort = (n) => { let calls = 0; return [2, 1].sort((a, b) => { if (calls++ === 0) look(n); return a - b; }); };
  sync.from = (n) => Array.from([1], () => look(n));
  sync.mapEach = (n) => new Map([[1, 2]]).forEach(() => look(n));
  sync.setEach = (n) => new Set([1]).forEach(() => look(n));
  sync.typed = (n) => new Uint8Array(1).map(() => look(n))[0];
  sync.replaces = (n) => 'abc'.replace(/b/, () => { look(n); return 'x'; });
  sync.revives = (n) => JSON.parse('[1]', (key) => { if (key === '0') look(n); return 1; });
  sync.toJSON = (n) => JSON.stringify({ toJSON() { return look(n); } });
  sync.applied = (n) => leaf.apply(null, [n]);
  sync.called = (n) => leaf.call(null, n);
  sync.bound = (n) => leaf.bind(null, n)();
  sync.reflected = (n) => Reflect.apply(leaf, null, [n]);
  sync.reflectConstructs = (n) => Reflect.construct(Base, [n, true]).seen;
  sync.proxied = (n) => new Proxy({}, { get() { return look(n); } }).anything;
  sync.spreads = (n) => { const all = [n]; return leaf(...all); };
  sync.defaults = (n) => { function f(a, b = look(n)) { return a + b; } return f(1); };
  sync.tagged = (n) => { const tag = (strings, value) => look(value); return tag`a${n}b`; };
  sync.catches = (n) => {
    try {
      try { throw new Error('expected'); } catch { return look(n); } finally { look(n + 1000); }
    } finally {
      look(n + 1000);
    }
  };
  sync.evaluates = (n) => eval('look(n)'); // eslint-disable-line no-eval
  sync.evaluatesFunction = (n) => eval('(function evaluated(k) {\n  return look(k);\n})')(n); // eslint-disable-line no-eval
  const made = new Function('look', 'n', 'return look(n);'); // eslint-disable-line no-new-func
  sync.madeFunction = (n) => made(look, n);
  const moved = new vm.Script('(function moved(f, n) {\n\n return f(n); })',
    { filename: '/virtual/moved.js', lineOffset: 10, columnOffset: 3 }).runInThisContext();
  sync.moved = (n) => moved(look, n);
  const elsewhere = vm.runInNewContext('(f, n) => f(n)', {}, { filename: 'elsewhere.js' });
  sync.elsewhere = (n) => elsewhere(look, n);
  const object = {
    plain(n) { return look(n); },
    arrow: (n) => look(n),
    nested: { deep(n) { return object.plain(n); } },
  };
  sync.nested = (n) => object.nested.deep(n);
  sync.property = (n) => object.arrow(n);
  sync.atOnce = (n) => (() => { return (function () { return look(n); })(); })();
  sync.recursion = (n) => { const down = (depth) => (depth === 0 ? look(n) : down(depth - 1) + 1); return down(20); };
  sync.longLoop = (n) => {
    const rounds = n === 13 ? 40000 : 10;
    let sum = 0;
    for (let i = 0; i < rounds; i++) { sum += i % 7; if (i === rounds - 1) sum += look(n); }
    return sum;
  };
  function inLoop(x, n, rounds) { if (x === rounds - 1) return look(n); return x + 1; }
  sync.longLoopInlines = (n) => {
    const rounds = n === 13 ? 30000 : 10;
    let sum = 0;
    for (let i = 0; i < rounds; i++) {
      sum += inLoop(i, n, rounds) | 0; }
    return sum;
  };
  sync.loopInlines = (n) => {
    let sum = 0;
    for (let i = 0; i < 5; i++)
      sum += outer(i === 4 ? n : n + 1000);
    return sum;
  };
  sync.switches = (n) => { switch (n) { case 13:
    return look(n);
  default:
    return look(n); } };
  sync.longLine = (n) => { const x = 1; const y = x + 2; if (y > 2) { const z = y * 2; return z > 3 ? (x ? look(n) : 0) : 1; } return 0; };
  sync.wide = (n) => wide(look, n);
  sync.iterates = (n) => {
    const iterable = { [Symbol.iterator]() { return { next() { look(n); return { done: true }; } }; } };
    for (const x of iterable) look(x);
  };
  sync.destructs = (n) => { const { a } = { get a() { return look(n); } }; return a; };
  sync.optional = (n) => { const q = { f: { g: look } }; return q?.f?.g?.(n); };
  sync.comma = (n) => (0, look)(n);
  const emitter = new events.EventEmitter();
  emitter.on('event', (n) => look(n));
  sync.emits = (n) => emitter.emit('event', n);
  sync.imported = (n) => imported.top(look, n);
  sync.importedClass = (n) => new imported.default().run(look, n);

  later.awaits = async (n) => { await null; return look(n); };
  later.awaitsNested = async (n) => { const inner = async () => { await null; return leaf(n); }; return inner(); };
  later.asyncMethod = (n) => new Base(n).slow(n);
  later.then = (n) => Promise.resolve().then(() => look(n));
  later.timeout = (n) => new Promise((done) => { setTimeout(() => done(look(n)), 0); });
  later.immediate = (n) => new Promise((done) => { setImmediate(() => done(look(n))); });
  later.nextTick = (n) => new Promise((done) => { process.nextTick(() => done(look(n))); });
  later.asyncGenerator = async (n) => {
    async function* numbers() { yield 1; yield look(n); }
    for await (const x of numbers()) void x;
  };
  later.thenable = async (n) => { await { then(done) { look(n); done(); } }; };
  later.microtask = (n) => new Promise((done) => { queueMicrotask(() => done(look(n))); });
  later.imported = (n) => imported.slow(look, n);
  return { sync, later };
};
