# SPDX-License-Identifier: Apache-2.0
"""pytest's options, ini values and markers, and what they come to for a test."""

from __future__ import annotations

import os
import re
from typing import Any, Iterable

import pytest

from loophound._duration import duration_ms
from loophound._early import USUAL_OPTIONS
from loophound._library import library, option
from loophound._report import SCOPES, Settings
from loophound._rules import Rule, RuleError, Rules
from loophound._scope import Project

ACTIONS = ("fail", "raise", "warn")
FIXTURE = "detect_blocking"
MARKER = "loophound"
SKIP_MARKER = "loophound_skip"
_MARKER_NAMES = {"strict", "threshold", "action", "scope", "allow", "noise", "off"}


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("loophound", "loophound: what blocks the event loop")
    add = group.addoption
    add(
        "--loophound",
        action="store_true",
        default=None,
        help="fail tests that block the event loop",
    )
    add(
        "--loophound-action", choices=ACTIONS, help="what a block does: fail (default), raise, warn"
    )
    add(
        "--loophound-scope",
        choices=SCOPES,
        help="whose blocks count: project (default), own (tests too), all",
    )
    add("--loophound-noise", metavar="LIST", help="classes of noise, as LOOPHOUND_NOISE: +logging")
    add("--loophound-rules", metavar="FILE", help="rules of what is known and allowed, one a line")
    add("--loophound-strict-rules", action="store_true", help="fail when a rule was not used")
    add("--loophound-baseline", metavar="FILE", help="places that are known, as rules")
    add("--loophound-update-baseline", action="store_true", help="write that file anew")
    add("--loophound-report", metavar="FILE", help="write what was reported there, as JSON Lines")
    add(
        "--loophound-no-reexec",
        action="store_true",
        help="do not start pytest again with the library",
    )
    ini = parser.addini
    ini("loophound", "fail tests that block the event loop", type="bool", default=False)
    ini("loophound_autouse", "all tests, not only marked ones", type="bool", default=True)
    ini("loophound_scope", "project, own or all", default="project")
    ini(
        "loophound_packages",
        "installed packages that are the project's own",
        type="args",
        default=[],
    )
    ini("loophound_action", "fail, raise or warn", default="fail")
    ini("loophound_allow", "rules of what is known and allowed", type="linelist", default=[])
    ini("loophound_noise", "classes of noise, as LOOPHOUND_NOISE: +logging", default="")
    ini(
        "loophound_threshold",
        "only what takes so long: 100ms; default: what could wait",
        default="",
    )
    ini("loophound_required", "an error where nothing can be watched", type="bool", default=False)
    ini("loophound_baseline", "file of places that are known", default="")


def is_asked_for(config: pytest.Config, options: Any = None) -> bool:
    """By --loophound or `loophound = true`, and not switched off by LOOPHOUND_PYTEST=0."""
    if os.environ.get("LOOPHOUND_PYTEST") == "0":
        return False
    chosen = getattr(options or config.option, "loophound", None)
    return bool(chosen) or bool(config.getini("loophound"))


def library_options(config: pytest.Config, options: Any) -> dict[str, str]:
    """The same, as options and configuration have it."""
    noise = getattr(options, "loophound_noise", None) or config.getini("loophound_noise")
    chosen = dict(USUAL_OPTIONS)
    if noise:
        chosen["NOISE"] += f",{noise}"
    if config.getini("loophound_threshold"):
        chosen["STALL"] = "on"
        chosen["THRESHOLD"] = str(config.getini("loophound_threshold"))
    return chosen


def _project_name(root: str) -> list[str]:
    """The package that pyproject.toml is for, which may be tested where it is installed."""
    try:
        with open(os.path.join(root, "pyproject.toml"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return []
    table = re.search(r"^\[project\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    found = table and re.search(r"^name\s*=\s*[\"']([\w.-]+)[\"']", table.group(1), re.MULTILINE)
    return [found.group(1)] if found else []


def _pattern(glob: str) -> str:
    return glob if glob.endswith((".py", "*")) else f"{glob}*.py"


class RunSettings:
    """Of the whole run. pytest.UsageError: a value that cannot be."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self.action = option.loophound_action or config.getini("loophound_action")
        self.scope = option.loophound_scope or config.getini("loophound_scope")
        _one_of("loophound_action", self.action, ACTIONS)
        _one_of("loophound_scope", self.scope, SCOPES)
        self.autouse = bool(config.getini("loophound_autouse"))
        threshold = str(config.getini("loophound_threshold"))
        self.threshold_ms = _duration("loophound_threshold", threshold) if threshold else None
        root = str(config.rootpath)
        packages = [*config.getini("loophound_packages"), *_project_name(root)]
        files = [_pattern(glob) for glob in config.getini("python_files")]
        self.project = Project(root, packages, files)
        self.baseline_file = option.loophound_baseline or str(config.getini("loophound_baseline"))
        if self.baseline_file:
            self.baseline_file = os.path.join(root, self.baseline_file)
        self.update_baseline = bool(option.loophound_update_baseline)
        if self.update_baseline and not self.baseline_file:
            raise pytest.UsageError(
                "--loophound-update-baseline: --loophound-baseline names the file"
            )
        self.report_file = option.loophound_report and os.path.abspath(option.loophound_report)
        self.strict_rules = bool(option.loophound_strict_rules)
        self.rules = Rules()
        try:
            self._read_rules(config, option.loophound_rules)
        except (RuleError, OSError) as error:
            raise pytest.UsageError(f"loophound: {error}") from None

    def _read_rules(self, config: pytest.Config, file: str | None) -> None:
        self.rules.rules += Rules.of_lines(
            config.getini("loophound_allow"), "loophound_allow"
        ).rules
        if file:
            self.rules.rules += _rules_of_file(file)
        self.baseline: list[Rule] = []
        known = self.baseline_file and os.path.exists(self.baseline_file)
        if known and not self.update_baseline:
            self.baseline = _rules_of_file(self.baseline_file)
            self.rules.rules += self.baseline


def _rules_of_file(file: str) -> list[Rule]:
    with open(file, encoding="utf-8") as lines:
        return Rules.of_lines(lines, file).rules


def _one_of(name: str, value: str, expected: Iterable[str]) -> None:
    if value not in expected:
        raise pytest.UsageError(f"{name}: {value!r}: expected {' or '.join(expected)}")


def _duration(name: str, value: object) -> float:
    try:
        return duration_ms(str(value))
    except ValueError as error:
        raise pytest.UsageError(f"{name}: {error}") from None


class TestSettings(Settings):
    """Of one test: what its markers say, else what holds for the run."""

    __test__ = False

    def __init__(self, item: pytest.Item, run: RunSettings) -> None:
        chosen: dict[str, Any] = {}
        for mark in reversed(list(item.iter_markers(MARKER))):  # the closest one last
            unknown = set(mark.kwargs) - _MARKER_NAMES
            if unknown or mark.args:
                what = ", ".join(sorted(unknown)) or repr(mark.args[0])
                names = ", ".join(sorted(_MARKER_NAMES))
                raise pytest.UsageError(
                    f"{item.nodeid}: marker loophound({what}): it takes {names}"
                )
            chosen.update(mark.kwargs)
        has_fixture = FIXTURE in getattr(item, "fixturenames", ())
        is_marked = has_fixture or item.get_closest_marker(MARKER) is not None
        threshold = chosen.get("threshold")
        scope = chosen.get("scope") or (
            "own" if is_marked and run.scope == "project" else run.scope
        )
        _one_of(f"{item.nodeid}: marker loophound(scope)", scope, SCOPES)
        rules = run.rules
        if chosen.get("allow"):
            lines = [chosen["allow"]] if isinstance(chosen["allow"], str) else chosen["allow"]
            try:
                own = Rules.of_lines(lines, f"{item.nodeid}: loophound(allow)")
            except RuleError as error:
                raise pytest.UsageError(str(error)) from None
            rules = Rules([*own.rules, *run.rules.rules])
        super().__init__(
            run.project,
            strict=bool(chosen.get("strict", True)),
            threshold_ms=run.threshold_ms
            if threshold is None
            else _duration("threshold", threshold),
            scope=scope,
            rules=rules,
        )
        self.action = chosen.get("action") or run.action
        _one_of(f"{item.nodeid}: marker loophound(action)", self.action, ACTIONS)
        self.noise = self._noise_of(item, chosen.get("noise"))
        skip = item.get_closest_marker(SKIP_MARKER)
        if skip is not None and not (skip.args or skip.kwargs.get("reason")):
            raise pytest.UsageError(
                f"{item.nodeid}: loophound_skip wants a reason: loophound_skip('why')"
            )
        self.off = bool(chosen.get("off")) or skip is not None or not (run.autouse or is_marked)
        self.is_marked = is_marked and not self.off

    @staticmethod
    def _noise_of(item: pytest.Item, more: object) -> bytes | None:
        """The list for loophound_noise(); None: as it is for the run."""
        if not more or library is None:
            return None
        noise = ",".join(part for part in (option("NOISE"), str(more)) if part).encode()
        if library.noise(noise) != 0:
            raise pytest.UsageError(
                f"{item.nodeid}: marker loophound(noise): {more!r}: expected names with + or - in"
                " front, as LOOPHOUND_NOISE has them"
            )
        library.noise(None)
        return noise
