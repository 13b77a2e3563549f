// SPDX-License-Identifier: Apache-2.0
// A timer's callback on Node's loop that waits for something: by blocking, or as a callback should.
//
//     node loops.js file|process|atomics|loop|json|regexp|free [FIFO]
//
// loop, json and regexp take no FIFO: they compute, and print the CPU time of that in ms.
//
// `free` waits for all of them without blocking, and prints a line when a timer has run meanwhile.
"use strict";

const childProcess = require("child_process");
const fs = require("fs");
const { Worker } = require("worker_threads");

const TIMER_MS = 1000;
const [wait, fifo] = process.argv.slice(2);

// A worker, with a loop of its own, that waits for the FIFO and then sets and notifies the flag.
const WORKER = `
const { workerData } = require("worker_threads");
require("fs").readFile(workerData.fifo, () => {
    const flag = new Int32Array(workerData.shared);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
});
`;

function startWorker() {
    const shared = new SharedArrayBuffer(4);
    const worker = new Worker(WORKER, { eval: true, workerData: { fifo, shared } });
    return [worker, new Int32Array(shared)];
}

// What this thread has computed so far: sched-stats.rst, the first number, in ns.
function threadCpuMs() {
    return Number(fs.readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
}

function compute(step) {
    const begin = threadCpuMs();
    step();
    console.log(threadCpuMs() - begin);
}

function loop() {
    const end = process.cpuUsage().user + 300_000; // however many others want the processor
    let sum = 0;
    while (process.cpuUsage().user < end) for (let i = 0; i < 1e6; i++) sum += i;
    return sum;
}

// More than 30 MB.
const text = () => JSON.stringify(Array.from({ length: 1_200_000 }, (_, i) => `string number ${i}, and more`));

const waits = {
    loop: () => compute(loop),
    json: () => {
        const json = text();
        setTimeout(() => compute(() => JSON.parse(json)), 1);
    },
    regexp: () => compute(() => /^(a+)+$/.test("a".repeat(26) + "b")),
    file: function readConfiguration() {
        return fs.readFileSync(fifo);
    },
    process: () => childProcess.execSync(`cat '${fifo}'`),
    atomics: () => {
        const [, flag] = startWorker();
        Atomics.wait(flag, 0, 0);
    },
    free: () => {
        fs.readFile(fifo, check);
        childProcess.exec(`cat '${fifo}'`, check);
        const [worker] = startWorker();
        worker.on("error", check);
        setTimeout(() => console.log("free"), TIMER_MS);
    },
};

function check(error) {
    if (error) throw error;
}

// libuv may run the first timers before it first parks, so this is a callback of the second turn.
setTimeout(() => setTimeout(waits[wait], 1), 1);
