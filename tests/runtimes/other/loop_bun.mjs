// SPDX-License-Identifier: Apache-2.0
// Bun: it does one of these, once it has a line on its standard input, and ends: see test_bun.py.
import { spawnSync } from "node:child_process";
import { readFile, readFileSync } from "node:fs";

const [kind, path] = process.argv.slice(2);
const BUSY_MS = 1500;
const TIMER_MS = 1000;

function computeForLong() {
    const end = Date.now() + BUSY_MS;
    while (Date.now() < end);
}

function free() {
    readFile(path, (error) => {
        if (error) throw error;
    });
    setTimeout(() => console.log("free"), TIMER_MS);
}

const works = {
    file: () => readFileSync(path),
    cpu: computeForLong,
    child: () => spawnSync("cat", [path]),
    free,
};

console.log("turned");
process.stdin.once("data", () => {
    process.stdin.pause();
    works[kind]();
});
