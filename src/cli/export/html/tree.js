// SPDX-License-Identifier: Apache-2.0
// The tree of calls of the events in the range, for the flame view.

// Frames of one function are one, whatever their line; so each has a number by its function and file.
const functionOf = [];
const functions = [];
{
  const known = new Map();
  for (const one of frames) {
    const key = one.called + "\n" + one.file;
    if (!known.has(key)) {
      known.set(key, functions.length);
      functions.push({
        label: one.called || "?",
        where: one.file,
        whose: one.whose,
        find: (one.called + " " + one.file).toLowerCase(),
      });
    }
    functionOf.push(known.get(key));
  }
}

// Functions of a stack, the loop's first. Unless all are asked for: from where the loop runs a handler on,
// without the interpreter.
function pathOf(stack, every) {
  return stackOf(every ? stack : data.nodes[stack][2])
    .map((index) => functionOf[index])
    .reverse();
}

const node = (label, where, kind, find) => ({
  label,
  where,
  kind,
  find: find || label.toLowerCase(),
  us: 0,
  which: -1,
  most: 0,
  parent: null,
  children: new Map(),
});

function childOf(parent, key, label, where, kind, find) {
  let child = parent.children.get(key);
  if (!child) {
    child = node(label, where, kind, find);
    child.parent = parent;
    parent.children.set(key, child);
  }
  return child;
}

function weigh(one, us, event, most) {
  one.us += us;
  if (most > one.most) Object.assign(one, { most, which: event });
}

// Time by (loop, what was waited in, stack): the same ones many times.
function weights() {
  const sums = new Map(),
    stacks = data.nodes.length,
    whats = new Map(),
    names = [];
  eachEvent((i) => {
    const what = kindOf(i) & STALL ? "stall" : whatOf(i),
      group = places[placeOf[i]].group;
    if (!whats.has(what)) {
      whats.set(what, names.length);
      names.push([what, kindOf(i) & STALL ? "stall" : group]);
    }
    const parts = stacksOf(i),
      base = (loopOf[i] * 4096 + whats.get(what)) * stacks;
    for (let at = 0; at < parts.length; at += 2) {
      const key = base + parts[at + 1],
        sum = sums.get(key);
      if (!sum)
        sums.set(key, {
          loop: loopOf[i],
          what: names[whats.get(what)],
          stack: parts[at + 1],
          us: parts[at],
          which: i,
          most: lasts[i],
        });
      else {
        sum.us += parts[at];
        if (lasts[i] > sum.most) Object.assign(sum, { which: i, most: lasts[i] });
      }
    }
  });
  return sums.values();
}

const paths = [new Map(), new Map()]; // of stacks, without and with all frames

function growTree(every) {
  const root = node("all", "", "root");
  const known = paths[every ? 1 : 0];
  for (const { loop, what, stack, us, which, most } of weights()) {
    let at = root;
    weigh(at, us, which, most);
    if (data.loops.length > 1) {
      const { thread, of } = loopName(loop);
      at = childOf(at, "t" + loop, thread, of, "thread");
      weigh(at, us, which, most);
    }
    if (!known.has(stack)) known.set(stack, stack ? pathOf(stack, every) : []);
    for (const index of known.get(stack)) {
      const called = functions[index];
      at = childOf(at, index, called.label, called.where, ["user", "library", "machine"][called.whose], called.find);
      weigh(at, us, which, most);
    }
    weigh(childOf(at, "c" + what[0], "[" + what[0] + "]", "", "call " + what[1]), us, which, most);
  }
  return root;
}
