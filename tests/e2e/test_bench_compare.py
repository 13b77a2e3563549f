# SPDX-License-Identifier: Apache-2.0
"""scripts/bench-compare: a difference within what runs differ by is none."""

import json
import subprocess
from pathlib import Path

import pytest
from harness import ROOT

COMPARE = ROOT / "scripts" / "bench-compare"


def figure(value, name="cost", direction="at most", low=None, high=None, unit="us"):
    return {
        "figure": name,
        "unit": unit,
        "value": value,
        "low": low,
        "high": high,
        "target": 5,
        "direction": direction,
        "repeats": 9,
    }


def file_of(path: Path, *runs):
    """Each run: a list of figures."""
    path.write_text(json.dumps({"bench": 1, "runs": [{"figures": run} for run in runs]}))
    return path


def compare(*arguments):
    done = subprocess.run([COMPARE, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def compare_values(tmp_path, before, after, **more):
    """Of one figure that has these values in the runs of each file: status and verdict."""
    files = [
        file_of(tmp_path / name, *([figure(value, **more)] for value in values))
        for name, values in (("a.json", before), ("b.json", after))
    ]
    status, text, said = compare(*files)
    assert said == ""
    row = next(line for line in text.splitlines() if line.startswith("cost"))
    return status, row.split("  ")[-1].strip()


def test_a_difference_within_what_runs_differ_by_is_the_same(tmp_path):
    assert compare_values(tmp_path, [10, 11, 12], [11.5, 12.5, 13]) == (0, "same")


def test_files_that_do_not_overlap_are_the_same_within_the_larger_noise(tmp_path):
    assert compare_values(tmp_path, [10, 14, 14.5], [15, 15.1, 15.2]) == (0, "same")


def test_more_than_the_noise_is_worse_where_less_is_better(tmp_path):
    assert compare_values(tmp_path, [10, 10.5, 11], [12, 12.5, 13]) == (1, "worse")
    assert compare_values(tmp_path, [12, 12.5, 13], [10, 10.5, 11]) == (0, "better")


def test_more_than_the_noise_is_better_where_more_is_better(tmp_path):
    more = {"direction": "at least"}
    assert compare_values(tmp_path, [10, 10.5, 11], [12, 12.5, 13], **more) == (0, "better")
    assert compare_values(tmp_path, [12, 12.5, 13], [10, 10.5, 11], **more) == (1, "worse")


def test_of_one_run_the_noise_is_the_interval(tmp_path):
    for end, verdict in ((10.4, "worse"), (12, "same")):
        before = file_of(tmp_path / "a.json", [figure(10, low=9.8, high=end)])
        after = file_of(tmp_path / "b.json", [figure(11.5, low=11.4, high=11.6)])
        assert verdict in compare(before, after)[1].splitlines()[1]


def test_of_one_run_without_interval_nothing_is_known(tmp_path):
    assert compare_values(tmp_path, [10], [20]) == (0, "unknown: one run")


def test_figures_that_one_file_has_alone_are_named(tmp_path):
    before = file_of(tmp_path / "a.json", [figure(1, "old"), figure(1)])
    after = file_of(tmp_path / "b.json", [figure(1), figure(1, "young")])
    status, text, _ = compare(before, after)
    assert status == 0
    assert text.splitlines()[1].endswith("gone")
    assert text.splitlines()[3].endswith("new")
    assert text.splitlines()[-1] == "1 same, 1 new, 1 gone"


def test_only_what_has_changed(tmp_path):
    before = file_of(tmp_path / "a.json", [figure(1), figure(1, "other", low=0.9, high=1.1)])
    after = file_of(tmp_path / "b.json", [figure(1), figure(3, "other", low=2.9, high=3.1)])
    status, text, _ = compare("--changed", before, after)
    assert status == 1
    assert [line.split()[0] for line in text.splitlines()] == ["figure", "other", "1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        ("{", "no JSON: "),
        ("[]", "not what `make bench` writes: no runs in it"),
        ('{"bench": 1, "runs": []}', "not what `make bench` writes: no runs in it"),
        ('{"bench": 1, "runs": [{}]}', "a run has no figures"),
        ('{"bench": 1, "runs": [{"figures": [7]}]}', "a figure without a name: 7"),
        (
            '{"bench": 1, "runs": [{"figures": [{"figure": "cost", "direction": "less"}]}]}',
            "figure 'cost': it has no value",
        ),
        (
            '{"bench": 1, "runs": [{"figures": [{"figure": "cost", "value": "1"}]}]}',
            "figure 'cost': value is no number: '1'",
        ),
        (
            '{"bench": 1, "runs": [{"figures": [{"figure": "cost", "value": NaN}]}]}',
            "figure 'cost': value is no number: nan",
        ),
        (
            '{"bench": 1, "runs": [{"figures": [{"figure": "cost", "value": 1}]}]}',
            "figure 'cost': direction is none of at most, ",
        ),
    ],
)
def test_a_bad_file_gets_one_line(tmp_path, content, said):
    bad = tmp_path / "bad.json"
    if content is not None:
        bad.write_text(content)
    good = file_of(tmp_path / "good.json", [figure(1)])
    status, text, error = compare(good, bad)
    assert (status, text) == (2, "")
    assert error.startswith(f"bench-compare: {bad}: {said}")
    assert error.count("\n") == 1
