# SPDX-License-Identifier: Apache-2.0
"""An asyncio loop whose handler computes for 300 ms in the C of a library.

    science.py matmul|apply|predict

Prints the line that is to blame, and the CPU time that its thread spent there in ms.
"""

import asyncio
import sys
import time

import numpy
import pandas
from sklearn.neighbors import KNeighborsClassifier

CPU_S = 0.3


def time_is_up(end):
    return time.thread_time() >= end


def computed(step, *arguments):
    """Calls the step until it has computed for long enough; its line is its own first."""
    start = time.thread_time()
    while not time_is_up(start + CPU_S):
        step(*arguments)
    return step.__code__.co_firstlineno + 1, (time.thread_time() - start) * 1000


def matmul(a):
    a @ a


def apply(frame):
    frame.apply(lambda row: row["a"] * 2 + row["b"], axis=1)


def predict(model, points):
    model.predict(points)


def random(*shape):
    return numpy.random.default_rng(1).random(shape)


# Made before the iteration that computes.
def prepare(kind):
    if kind == "matmul":
        return matmul, random(500, 500)
    if kind == "apply":
        return apply, pandas.DataFrame({"a": range(500), "b": range(500)})
    points = random(1000, 8)
    labels = (points[:, 0] > 0.5).astype(int)
    return predict, KNeighborsClassifier(algorithm="brute").fit(points, labels), points[:200]


async def main(kind):
    step, *arguments = prepare(kind)
    step(*arguments)  # imports what it needs
    await asyncio.sleep(0.05)
    line, cpu_ms = computed(step, *arguments)
    await asyncio.sleep(0.01)
    print(line, cpu_ms)


asyncio.run(main(sys.argv[1]))
