// SPDX-License-Identifier: Apache-2.0
// What keeps an event loop, one function a way; each server of this folder has this file as its own
// (build.py puts it beside its sources), and answers /slow/WAY with it.
import { execSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Item {
  key: number[];
}

const text: string = `[${'{"key": [1, 2, 3]},'.repeat(9e5)}{"key": []}]`;

export const ways: Record<string, () => number> = {
  file(): number {
    return readFileSync(process.env.SLOW_FILE as string).length; // here
  },
  command(): number {
    return execSync('sleep 0.4').length; // here
  },
  hash(): number {
    return pbkdf2Sync('password', 'salt', 400_000, 64, 'sha512').length; // here
  },
  parse(): number {
    const items: Item[] = JSON.parse(text); // here
    return items.length;
  },
  match(): number {
    const pattern: RegExp = /^(a+)+$/;
    return Number(pattern.test(`${'a'.repeat(24)}!`)); // here
  },
};
