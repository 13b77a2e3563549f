// SPDX-License-Identifier: Apache-2.0
// Reads SIZE bytes at the end of many forms of stacks, each once interpreted and once compiled:
// walk.js SIZE. What is preloaded looks at the stack there.
'use strict';
const fs = require('fs');
const forms = require('./forms.js');

const size = Number(process.argv[2]);
const zero = fs.openSync('/dev/zero');
const buffer = Buffer.alloc(16);
const FORMS = ['chain', 'constructsDerived', 'getter', 'generator', 'sort', 'replaces', 'proxied',
  'evaluatesFunction', 'moved', 'recursion', 'wide', 'loopInlines', 'longLoopInlines', 'emits',
  'imported'];

function look(n) { fs.readSync(zero, buffer, 0, n === 13 ? size : 2, null); return n; }

import('./imported.mjs').then((imported) => {
  const { sync } = forms(look, imported);
  for (const rounds of [0, 3000]) {
    for (const name of FORMS) {
      for (let i = 0; i < rounds; i++) sync[name](14);
      sync[name](13);
    }
  }
});
