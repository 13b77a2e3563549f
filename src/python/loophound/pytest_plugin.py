# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: `pytest --loophound`, or `loophound = true` in its configuration.

Where the library is not in the process, pytest is started again with it, once, before anything is
collected. Each phase of each test is marked, so that a report belongs to the test in which it
began; what counts fails that test, or is an error of its set-up or tear-down.
"""

# ruff: noqa: E402  what is imported before pytest is started again is imported twice
from __future__ import annotations

from loophound import _early

_early.start_again()

from typing import Any, Generator

import pytest

from loophound import _reexec
from loophound._library import is_active, library, why_inactive
from loophound._pytest_session import Watch
from loophound._pytest_settings import (
    FIXTURE,
    MARKER,
    RunSettings,
    TestSettings,
    add_options,
    is_asked_for,
    library_options,
)
from loophound._report import Report

PLUGIN = "loophound_watch"


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def _start_again(config: pytest.Config, options: Any) -> str | None:
    """Does not return where it succeeds. Why it did not: a sentence."""
    reason = _reexec.why_not()
    if reason is not None:
        return reason
    if getattr(options, "loophound_no_reexec", False):
        return "libloophound.so is not preloaded, and --loophound-no-reexec was given"
    if not _early.is_command():
        return "pytest was not started as a command: LD_PRELOAD=libloophound.so does it"
    if "PYTEST_CURRENT_TEST" in _reexec.initial_environment():
        return "pytest runs in a test of pytest"
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)  # descriptors 0 to 2 are the terminal's again
    try:
        _reexec.start_again(library_options(config, options))
    except OSError as error:
        if capture is not None:
            capture.resume_global_capture()
        return f"pytest could not be started again: {error}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    options = early_config.known_args_namespace
    if is_asked_for(early_config, options) and not is_active():
        early_config._loophound_why = _start_again(early_config, options)  # type: ignore[attr-defined]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "loophound(strict=True, threshold='100ms', action='fail', scope='project', allow=[...],"
        " off=False): how this test is looked at for what blocks the event loop",
    )
    config.addinivalue_line(
        "markers",
        "loophound_skip(reason): this test is not looked at for what blocks the event loop",
    )
    if not is_asked_for(config):
        return
    if not is_active() and config.getini("loophound_required"):
        raise pytest.UsageError(f"loophound_required: nothing is watched: {_why(config)}")
    config.pluginmanager.register(Watch(config, RunSettings(config), is_active()), PLUGIN)


def _why(config: pytest.Config) -> str | None:
    return getattr(config, "_loophound_why", None) or why_inactive()


def _watch(config: pytest.Config) -> Watch | None:
    found: Any = config.pluginmanager.getplugin(PLUGIN)
    return found  # type: ignore[no-any-return]


def pytest_report_header(config: pytest.Config) -> str | list[str]:
    watch = _watch(config)
    if watch is None:
        return []
    if library is None:
        return f"loophound: nothing is watched: {_why(config)}"
    run = watch.run
    what = "strict" if run.threshold_ms is None else f"threshold {run.threshold_ms:g} ms"
    version = library.version().decode()
    return f"loophound: {version}, {what}, scope {run.scope}, action {run.action}"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """The fixture and the marker are enough by themselves: who uses them without the option gets
    what the option does."""
    config = session.config
    if _watch(config) is not None or config.option.collectonly or _is_worker(config):
        return
    wants = any(
        FIXTURE in getattr(item, "fixturenames", ()) or item.get_closest_marker(MARKER)
        for item in session.items
    )
    if not wants:
        return
    if not is_active() and _reexec.why_not() is None:
        _say(config, "loophound: started again, with the library")
        config._loophound_why = _start_again(config, config.option)  # type: ignore[attr-defined]
    run = RunSettings(config)
    run.autouse = False
    watch = Watch(config, run, is_active())
    config.pluginmanager.register(watch, PLUGIN)


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line)


@pytest.fixture
def detect_blocking(request: pytest.FixtureRequest) -> Generator[Report, None, None]:
    """What blocks the event loop in this test: a loophound.Report. The test fails by itself where
    there is something; `detect_blocking.clear()` says that it was expected."""
    watch = _watch(request.config)
    if watch is not None:
        yield watch.report_of(request.node)
        return
    if _is_worker(request.config):
        pytest.fail("detect_blocking with xdist wants `pytest --loophound`", pytrace=False)
    yield Report(TestSettings(request.node, RunSettings(request.config)))
