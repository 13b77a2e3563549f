// SPDX-License-Identifier: Apache-2.0
// Functions that have long tables of positions and call each other: tables.js SIZE. Reads SIZE bytes
// at the end of them.
'use strict';
const fs = require('fs');

const FUNCTIONS = 100;
const STATEMENTS = 4000;
const zero = fs.openSync('/dev/zero');
const buffer = Buffer.alloc(16);

let next = () => fs.readSync(zero, buffer, 0, Number(process.argv[2]), null);
for (let k = 0; k < FUNCTIONS; k++) {
  let body = '';
  for (let i = 0; i < STATEMENTS; i++) body += `if (n === -${i}) n = next(n + ${i});\n`;
  next = new Function('next', `return function number${k}(n) { ${body} return next(n) + 1; };`)(next);
}
next(1);
