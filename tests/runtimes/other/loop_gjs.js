// SPDX-License-Identifier: Apache-2.0
// GNOME's JavaScript, on GLib's loop: see test_other_loops.py.
'use strict';

const {Gio, GLib} = imports.gi;
const [kind, path] = ARGV;
const loop = GLib.MainLoop.new(null, false);
const TURNS = 5; // a loop is known when it has turned
const TURN_MS = 20;
const TIMER_MS = 1000;

function readConfiguration() {
    GLib.file_get_contents(path);
    loop.quit();
}

function free() {
    const file = Gio.File.new_for_path(path);
    let waits = 2;
    const done = () => --waits || loop.quit();
    file.load_contents_async(null, (_, result) => {
        file.load_contents_finish(result);
        done();
    });
    GLib.timeout_add(0, TIMER_MS, () => {
        print('free');
        done();
        return false;
    });
}

function turn(left) {
    if (left === 0)
        (kind === 'free' ? free : readConfiguration)();
    else
        GLib.timeout_add(0, TURN_MS, () => turn(left - 1));
    return false;
}

turn(TURNS);
loop.run();
