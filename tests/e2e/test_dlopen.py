# SPDX-License-Identifier: Apache-2.0
"""dlopen looks at its caller: a library's own path is searched as without loophound; what can be
reported without a difference to the program is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness import LIBRARY, PROGRAMS, blocks, describe, preload_environment, run_preloaded

PLUGIN = """
#include <unistd.h>
int from_needed(void);
__attribute__((constructor)) static void begin(void) { usleep(60000); from_needed(); }
"""
NEEDED = "int from_needed(void) { return 1; }\n"
CALLER = """
#include <dlfcn.h>
void *load(const char *name) { void *found = dlopen(name, RTLD_NOW); return found; }
"""
# The calls before our constructor are those of another library's.
EARLY = """
#include <dlfcn.h>
#include <stdio.h>
__attribute__((constructor)) static void begin(void)
{
    void *found = dlopen("libplugin.so", RTLD_NOW);
    if (!found)
        fprintf(stderr, "early: %s\\n", dlerror());
}
"""
PROGRAM = """
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
void *load(const char *name);
static void *load_off(void *name) { return load(name); }
int main(int argc, char **argv)
{
    struct epoll_event event;
    pthread_t thread;
    void *found = NULL;
    int set = epoll_create1(0);
    epoll_wait(set, &event, 1, 0);
    if (argc == 3 && strcmp(argv[1], "on") == 0)
        found = load(argv[2]);
    else if (pthread_create(&thread, NULL, load_off, argv[2]) == 0)
        pthread_join(thread, &found);
    epoll_wait(set, &event, 1, 0);
    puts(found ? "loaded" : "not loaded");
    return 0;
}
"""


def compile_c(text: str, output: Path, *flags: str) -> None:
    command = ["cc", "-O0", "-x", "c", "-", "-o", str(output), *flags]
    subprocess.run(command, input=text, text=True, check=True)


@pytest.fixture(name="tree", params=["runpath", "rpath"])
def make_tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A program whose library has a path of its own, where the plugin and what it needs are."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    tags = "--enable-new-dtags" if request.param == "runpath" else "--disable-new-dtags"
    own_path = f"-Wl,{tags},-rpath,$ORIGIN/plugins"
    shared = ("-shared", "-fPIC")
    compile_c(NEEDED, plugins / "libneeded.so", *shared)
    link = (f"-L{plugins}", "-Wl,--no-as-needed", "-lneeded", "-Wl,-rpath,$ORIGIN")
    compile_c(PLUGIN, plugins / "libplugin.so", *shared, *link)
    compile_c(CALLER, tmp_path / "libcaller.so", *shared, own_path)
    compile_c(EARLY, tmp_path / "libearly.so", *shared, own_path)
    compile_c(PROGRAM, tmp_path / "program", f"-L{tmp_path}", "-lcaller", f"-Wl,-rpath,{tmp_path}")
    (tmp_path / "kind").write_text(request.param)
    return tmp_path


def names_of(tree: Path) -> dict[str, str]:
    plugins = tree / "plugins"
    return {
        "bare": "libplugin.so",
        "origin": "$ORIGIN/plugins/libplugin.so",
        "path": str(plugins / "libplugin.so"),
        "missing": str(plugins / "libnone.so"),
    }


@pytest.mark.parametrize("where", ["on", "off"])
@pytest.mark.parametrize("name", ["bare", "origin", "path", "missing"])
def test_library_is_found_as_without_us(tree: Path, name: str, where: str, hits: Path) -> None:
    argv = [str(tree / "program"), where, names_of(tree)[name]]
    bare = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert bare.stdout == ("not loaded\n" if name == "missing" else "loaded\n")
    done, _ = run_preloaded(argv, hits, STRICT="on")
    assert done.stdout == bare.stdout
    assert done.stderr == bare.stderr


@pytest.mark.parametrize("tree", ["runpath"], indirect=True)
def test_slow_library_at_a_path_is_reported_with_its_path(tree: Path, hits: Path) -> None:
    path = names_of(tree)["path"]
    _, events = run_preloaded([tree / "program", "on", path], hits, THRESHOLD="20ms")
    found = blocks(events)
    assert [block["call"] for block in found] == ["dlopen"], describe(events)
    assert found[0]["group"] == "file"
    assert found[0]["resource"]["path"] == path
    assert found[0]["duration_ms"] >= 60


@pytest.mark.parametrize("tree", ["rpath"], indirect=True)
def test_library_is_left_alone_where_a_caller_has_an_rpath(tree: Path, hits: Path) -> None:
    """What it needs would be looked for there (ld.so(8)); its own calls are reported then."""
    path = names_of(tree)["path"]
    _, events = run_preloaded([tree / "program", "on", path], hits, THRESHOLD="20ms")
    assert [block["call"] for block in blocks(events)] == ["usleep"], describe(events)


@pytest.mark.parametrize("tree", ["runpath"], indirect=True)
def test_library_is_not_reported_off_the_loop(tree: Path, hits: Path) -> None:
    path = names_of(tree)["path"]
    # So short a threshold that each call is timed, whether the watchdog comes or not.
    _, events = run_preloaded([tree / "program", "off", path], hits, THRESHOLD="3ms")
    found = {block["call"] for block in blocks(events)}
    assert "pthread_join" in found, describe(events)  # the loop thread waits for the other one
    assert "usleep" not in found, describe(events)


def test_call_from_a_constructor_before_ours_has_its_own_caller(tree: Path) -> None:
    """The preloaded libraries' constructors run from the last to the first."""
    environment = {
        "LD_PRELOAD": f"{LIBRARY}:{tree / 'libearly.so'}",
        "LOOPHOUND_OUTPUT": "/dev/null",
    }
    argv = ["/bin/true"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_first_call_of_a_function_waits_for_no_lock_of_the_dynamic_linker() -> None:
    """Another thread has it, and waits for the call: so may a signal handler that makes one."""
    done = subprocess.run([PROGRAMS / "first_call"], env=preload_environment(), check=False)
    assert done.returncode == 0
