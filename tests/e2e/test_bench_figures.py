# SPDX-License-Identifier: Apache-2.0
"""Benchmarks in C and in Python tell a figure in the same way, of the same table."""

import json
import math
import subprocess
import sys

import pytest
from harness import ROOT

BENCH = ROOT / "tests" / "bench"
sys.path.insert(0, str(BENCH))

import figures  # noqa: E402  # tests/bench is no package

PROGRAM = """
#include "figures.h"

int main(void)
{
    double values[] = {1.004, 1.001, 1.003, 1.009, 1.002, 1.004, 1.005, 1.030, 1.008};
    double few[] = {3, 1, 2};
    figure_tell(FIGURE_macro_switched, "nginx", figure_median(values, 9));
    figure_tell(FIGURE_capture_native, "", figure_median(few, 3));
    figure_tell(FIGURE_capture_native, "", figure_once(12.5));
    figure_tell(FIGURE_collector_rate, "", figure_once(9000));
    figure_tell(FIGURE_collector_dropped, "", figure_once(0));
    figure_tell(FIGURE_counter_reading, "", figure_once(9.25));
    return 0;
}
"""


def tell_all():
    """The same in Python."""
    values = [1.004, 1.001, 1.003, 1.009, 1.002, 1.004, 1.005, 1.030, 1.008]
    figures.tell("macro_switched", figures.median(values), "nginx")
    figures.tell("capture_native", figures.median([3, 1, 2]))
    figures.tell("capture_native", 12.5)
    figures.tell("collector_rate", 9000)
    figures.tell("collector_dropped", 0)
    figures.tell("counter_reading", 9.25)


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    """What the program prints, and the lines that it keeps."""
    directory = tmp_path_factory.mktemp("figures")
    (directory / "tell.c").write_text(PROGRAM)
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", f"-I{BENCH}"]
    program = directory / "tell"
    subprocess.run(["cc", *flags, directory / "tell.c", "-o", program, "-lm"], check=True)
    kept = directory / "kept"
    done = subprocess.run(
        [program], env={"BENCH_FIGURES": str(kept)}, capture_output=True, text=True, check=True
    )
    return done.stdout, kept.read_text()


def test_c_and_python_print_the_same_rows(in_c, capsys):
    tell_all()
    assert capsys.readouterr().out == in_c[0]


def test_c_and_python_keep_the_same_lines(in_c, tmp_path, monkeypatch, capsys):
    kept = tmp_path / "kept"
    monkeypatch.setenv("BENCH_FIGURES", str(kept))
    tell_all()
    capsys.readouterr()
    ours = [json.loads(line) for line in kept.read_text().splitlines()]
    assert ours == [json.loads(line) for line in in_c[1].splitlines()]


def test_a_target_is_missed_by_the_value_or_by_the_interval():
    row = figures.ROWS["macro_switched"]
    assert figures.missed_by(row, figures.Figure(1.01, 1.0, 1.02)) == 0
    assert math.isclose(figures.missed_by(row, figures.Figure(1.03)), 0.02)
    assert math.isclose(figures.missed_by(row, figures.Figure(1.0, 0.9, 1.05)), 0.03)
    least = figures.ROWS["collector_rate"]
    assert figures.missed_by(least, figures.Figure(9999)) == 1


def test_each_row_of_the_table_is_read():
    text = figures.TABLE.read_text()
    assert text.count("\nFIGURE(") == len(figures.ROWS)
