// SPDX-License-Identifier: Apache-2.0
// One page, "pong", until SIGTERM. When it ends it tidies up for TIDY_UP_S of the
// environment: no loop runs any more.
'use strict';

const http = require('node:http');

const server = http.createServer((request, response) => response.end('pong'));
server.listen(process.argv[2]);
process.on('SIGTERM', () => server.close());
process.on('exit', () =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * process.env.TIDY_UP_S));
