# SPDX-License-Identifier: Apache-2.0
"""The formats of `loophound export`, read by what people read them with."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exported
import jsonschema
import pytest
from conftest import TOOLS
from harness import read_lines, wait_until

NODE = TOOLS / "venv/bin/node"
MODULES = TOOLS / "node_modules"


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def files(shop: Path, tmp_path: Path) -> dict[str, Path]:
    """Each format in a file of its own, under a name that its readers know."""
    found = {}
    for name in exported.TOTALS:
        found[name] = tmp_path / f"shop-{name}{'.pb.gz' if name == 'pprof' else '.json'}"
        found[name].write_bytes(exported.export(name, shop))
    return found


def totals(shop: Path) -> tuple[float, float]:
    """The milliseconds of blocks, as the summary has them, and of stalls."""
    lines = read_lines(shop)
    (summary,) = (line for line in lines if line["type"] == "summary")
    stalls = sum(line["duration_ms"] for line in lines if line["type"] == "stall")
    return summary["blocked_ms"], stalls


@pytest.mark.parametrize("name", exported.TOTALS)
def test_weights_of_a_real_run_add_up_to_its_summary(
    name: str, shop: Path, files: dict[str, Path]
) -> None:
    blocked, stalled = totals(shop)
    data = files[name].read_bytes()
    found, near = exported.total_ms(name, data)
    if b" more places " in data:  # of a busy machine, which has stalls everywhere
        assert 0 < found < blocked + stalled
        return
    # The summary adds up before it cuts; each event is cut to a microsecond.
    assert found == pytest.approx(blocked + stalled, abs=near + 0.1)


class Profiler:
    """Firefox's profiler on the command line, which keeps a profile in a process of its own."""

    def __init__(self, profile: Path, directory: Path) -> None:
        self.directory = directory
        self.said = self.ask("load", str(profile), checked=False)
        wait_until("the profile to be loaded", self.loaded)

    def ask(self, *words: str, checked: bool = True) -> str:
        command: list[str | Path] = [
            NODE,
            MODULES / "@firefox-devtools/profiler-cli/dist/profiler-cli.js",
            *words,
        ]
        environment = {**os.environ, "HOME": str(self.directory)}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0 or not checked, done.stdout + done.stderr
        return done.stdout + done.stderr

    def loaded(self) -> str | None:
        threads = self.ask("thread", "list", checked=False)
        return threads if "MainThread" in threads else None


@contextlib.contextmanager
def profiler(profile: Path, directory: Path) -> Iterator[Profiler]:
    loaded = Profiler(profile, directory)
    try:
        yield loaded
    finally:
        loaded.ask("stop", "--all", checked=False)


def ms_of(text: str) -> float:
    """ "1.010s", "374.24ms" """
    value, unit = re.fullmatch(r"([\d.]+)(ms|s)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"ms": 1, "s": 1000}[unit]


def test_firefox_loads_the_profile(shop: Path, files: dict[str, Path], tmp_path: Path) -> None:
    with profiler(files["firefox"], tmp_path) as firefox:
        warnings = [line for line in firefox.said.splitlines() if "warn" in line.lower()]
        functions = firefox.ask("thread", "functions")
        markers = firefox.ask("thread", "markers")
        found = re.search(r"m-\d+", markers[markers.index("clock_nanosleep") :])
        assert found is not None
        marker = firefox.ask("marker", "info", found[0])
    assert not warnings
    own = re.findall(r"\[\w+\] - self: ([\d.]+m?s)", functions)
    assert sum(map(ms_of, own)) == pytest.approx(sum(totals(shop)), rel=0.01)
    for text in ("wrong_sleep", "time.sleep(0.1)", "await asyncio.sleep()", "Task-", "100 ms"):
        assert text in marker


def test_firefox_imports_the_trace(shop: Path, files: dict[str, Path], tmp_path: Path) -> None:
    """Perfetto's own trace processor comes from the network when it runs: it is not asked."""
    with profiler(files["perfetto"], tmp_path) as firefox:
        markers = firefox.ask("thread", "markers")
    count = len([line for line in read_lines(shop) if line["type"] in {"block", "stall"}])
    assert f"{count} markers" in markers


def import_by_speedscope(profile: Path) -> dict[str, Any]:
    (bundle,) = (MODULES / "speedscope/dist/release").glob("speedscope-*.js")
    text = run(NODE, Path(__file__).with_name("speedscope.cjs"), bundle, profile)
    found: dict[str, Any] = json.loads(text)
    return found


def test_speedscope_imports_its_own_format(shop: Path, files: dict[str, Path]) -> None:
    schema = json.loads((MODULES / "speedscope/dist/release/file-format-schema.json").read_text())
    jsonschema.validate(json.loads(files["speedscope"].read_text()), schema)
    found = import_by_speedscope(files["speedscope"])
    assert found["warnings"] == []
    assert {one["unit"] for one in found["profiles"]} == {"milliseconds"}
    assert sum(one["total"] for one in found["profiles"]) == pytest.approx(
        sum(totals(shop)), abs=0.1
    )


def test_speedscope_imports_folded_stacks(shop: Path, files: dict[str, Path]) -> None:
    found = import_by_speedscope(files["folded"])
    assert found["warnings"] == []
    assert sum(one["total"] for one in found["profiles"]) / 1000 == pytest.approx(
        sum(totals(shop)), abs=0.1
    )


def test_pprof_shows_functions_and_labels(shop: Path, files: dict[str, Path]) -> None:
    go = shutil.which("go")
    assert go is not None, "golang-go is missing: scripts/bootstrap export"
    top = run(go, "tool", "pprof", "-top", "-unit=ms", files["pprof"])
    shown = re.search(r"100% of ([\d.]+)ms total", top)
    assert shown is not None and float(shown[1]) == pytest.approx(sum(totals(shop)), rel=0.001)
    assert "[clock_nanosleep]" in top and "wrong_sleep" in top
    tags = run(go, "tool", "pprof", "-tags", files["pprof"])
    for label in ("call: ", "group: ", "thread: "):
        assert label in tags


def test_sarif_is_what_github_asks_for(files: dict[str, Path]) -> None:
    package = MODULES / "@microsoft/sarif-multitool-linux"
    schema = json.loads((package / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    log = json.loads(files["sarif"].read_text())
    jsonschema.validate(log, schema)
    assert all(one["partialFingerprints"] and one["stacks"] for one in log["runs"][0]["results"])
    uris = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]
        for one in log["runs"][0]["results"]
    ]
    assert "scripts/demo/app.py" in {
        uri["uri"] for uri in uris if uri.get("uriBaseId") == "SRCROOT"
    }
    program = package / "Sarif.Multitool"
    program.chmod(0o755)
    said = run(
        program,
        "validate",
        files["sarif"],
        "--rule-kind",
        "Sarif;Gh",
        DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1",
        DOTNET_BUNDLE_EXTRACT_BASE_DIR=str(TOOLS / "dotnet"),
    )
    faults = [line for line in said.splitlines() if re.search(r": (error|warning) ", line)]
    # loophound has no page of its own in the web.
    assert [
        line for line in faults if "SARIF2005" not in line or "informationUri" not in line
    ] == []
    assert "Analysis completed successfully" in said


def test_junitparser_reads_the_cases(shop: Path, files: dict[str, Path]) -> None:
    reader = (
        "import junitparser, sys; suites = junitparser.JUnitXml.fromfile(sys.argv[1]);"
        "cases = [c for s in suites for c in s];"
        "failed = [r for c in cases for r in c.result if isinstance(r, junitparser.Failure)];"
        "print(len(cases), len(failed), sum(c.time for c in cases))"
    )
    text = run(TOOLS / "venv/bin/python", "-c", reader, files["junit"])
    count, failures, seconds = text.split()
    assert int(count) == int(failures) > 3
    assert float(seconds) * 1000 == pytest.approx(sum(totals(shop)), abs=0.1)
