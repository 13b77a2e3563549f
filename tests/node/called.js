// SPDX-License-Identifier: Apache-2.0
// A function that computes, called by Node.js for one thing: called.js KIND.
'use strict';
const childProcess = require('child_process');
const crypto = require('crypto');
const dgram = require('dgram');
const dns = require('dns');
const fs = require('fs');
const http = require('http');
const net = require('net');
const { MessageChannel } = require('worker_threads');

const LONG_US = 200000; // of a processor, however busy the machine is

function handler() {
  let sum = 0;
  for (const begin = process.cpuUsage(); process.cpuUsage(begin).user < LONG_US;)
    for (let i = 0; i < 1e5; i++) sum += Math.sqrt(sum + i);
  return sum;
}

const kinds = {
  timer() { setTimeout(handler, 1); },
  immediate() { setImmediate(handler); },
  tick() { process.nextTick(handler); },
  'promise job, queued'() { queueMicrotask(handler); },
  'promise job'() { Promise.resolve().then(handler); },
  file() { fs.stat(__filename, () => handler()); },
  child() { childProcess.spawn('true').on('exit', () => handler()); },
  'thread pool'() { crypto.pbkdf2('password', 'salt', 10, 16, 'sha512', () => handler()); },
  'name look-up'() { dns.lookup('localhost', () => handler()); },
  message() {
    const { port1, port2 } = new MessageChannel();
    port2.on('message', () => { handler(); port1.close(); });
    port1.postMessage(1);
  },
  connection() {
    const server = net.createServer((socket) => { handler(); socket.end(); server.close(); });
    server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());
  },
  socket() {
    const server = net.createServer((socket) => {
      socket.on('data', () => { handler(); socket.end(); server.close(); });
    });
    server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume().write('x'));
  },
  'socket, datagram'() {
    const socket = dgram.createSocket('udp4', () => { handler(); socket.close(); });
    socket.bind(0, '127.0.0.1', () => socket.send('x', socket.address().port, '127.0.0.1'));
  },
  HTTP() {
    const server = http.createServer((request, response) => { handler(); response.end(); server.close(); });
    server.listen(0, '127.0.0.1', () => {
      http.get({ port: server.address().port, agent: false }, (answer) => answer.resume());
    });
  },
};

setTimeout(() => kinds[process.argv[2]](), 50);
setTimeout(() => 0, 500); // an iteration ends where the next one begins
