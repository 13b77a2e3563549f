// SPDX-License-Identifier: Apache-2.0
// Deno, in words of Node that it knows: see test_other_loops.py.
import { readFile, readFileSync } from "node:fs";

const [kind, path] = process.argv.slice(2);
const TIMER_MS = 1000;

function readConfiguration() {
    readFileSync(path);
}

function free() {
    readFile(path, (error) => {
        if (error) throw error;
    });
    setTimeout(() => console.log("free"), TIMER_MS);
}

const work = kind === "free" ? free : readConfiguration;
// A loop is known when it has turned.
setTimeout(() => setTimeout(work, 5), 5);
