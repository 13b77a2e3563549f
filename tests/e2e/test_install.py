# SPDX-License-Identifier: Apache-2.0
"""The way to an installed loophound: make install, what it needs of the system, and back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from harness import BUILD, LIBRARY, PYTHON, ROOT, clean_environment, run_command

PREFIX = "/opt/hound"
SLOW = "import asyncio, time\nasync def main():\n    time.sleep(0.2)\nasyncio.run(main())\n"


def run(
    *words: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=ROOT,
        env=env or clean_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def make(build: Path, *words: str) -> str:
    done = run("make", f"B={build}", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_below(directory: Path) -> set[str]:
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scripts/install` makes of the tested build; the paths in it are another PREFIX's, so it
    finds its library beside itself."""
    destination = tmp_path_factory.mktemp("install")
    install("install", destination)
    return destination


def install(what: str, destination: Path) -> None:
    version = re.search(r'LH_VERSION "(.+)"', (ROOT / "src/common/version.h").read_text())
    assert version
    directories = {
        "BINDIR": f"{PREFIX}/bin",
        "LIBDIR": f"{PREFIX}/lib",
        "INCLUDEDIR": f"{PREFIX}/include",
        "DATADIR": f"{PREFIX}/share",
        "BUILD": str(BUILD),
        "DESTDIR": str(destination),
        "VERSION": version[1],
        "SONAME": "libloophound.so.0",
    }
    done = run("scripts/install", what, env=dict(clean_environment(), **directories))
    assert done.returncode == 0, done.stderr


def test_installed_command_finds_its_library_and_reports(installed: Path) -> None:
    command = installed / PREFIX[1:] / "bin" / "loophound"
    done = run(command, "run", "--", PYTHON, "-c", SLOW)
    assert done.returncode == 0, done.stderr
    assert re.search(r"blocked 2\d\d\.\d ms in ", done.stderr), done.stderr


def test_library_has_a_versioned_name_and_is_found_by_its_plain_one(installed: Path) -> None:
    libraries = installed / PREFIX[1:] / "lib"
    plain = libraries / "libloophound.so"
    assert str(plain.readlink()) == "libloophound.so.0"
    assert plain.resolve().name == str((libraries / "libloophound.so.0").readlink())
    assert "[libloophound.so.0]" in run("readelf", "-d", plain).stdout


@pytest.mark.parametrize("name", ["bin/loophound", "lib/libloophound.so"])
def test_what_only_a_debugger_wants_is_beside_it(installed: Path, name: str) -> None:
    path = (installed / PREFIX[1:] / name).resolve()
    debug = path.parent / ".debug" / f"{path.name}.debug"
    assert ".debug_info" not in run("readelf", "-SW", path).stdout
    assert debug.name in run("readelf", "-p", ".gnu_debuglink", path).stdout
    assert ".debug_info" in run("readelf", "-SW", debug).stdout


def test_pkg_config_tells_what_to_preload(installed: Path) -> None:
    environment = dict(clean_environment())
    environment["PKG_CONFIG_PATH"] = str(installed / PREFIX[1:] / "lib" / "pkgconfig")
    preload = run("pkg-config", "--variable=preload", "loophound", env=environment)
    assert preload.stdout.strip() == f"{PREFIX}/lib/libloophound.so"
    assert (
        run("pkg-config", "--cflags", "loophound", env=environment).stdout.strip()
        == f"-I{PREFIX}/include"
    )


def test_uninstall_removes_what_install_put_and_nothing_else(tmp_path: Path) -> None:
    others = tmp_path / PREFIX[1:] / "bin" / "other"
    others.parent.mkdir(parents=True)
    others.touch()
    install("install", tmp_path)
    assert len(files_below(tmp_path)) > 5
    install("uninstall", tmp_path)
    assert files_below(tmp_path) == {str(others.relative_to(tmp_path))}


def test_another_prefix_compiles_two_files_again(tmp_path: Path) -> None:
    for name in ("pic", "obj", "html", "lazy", "flags", "paths", "exports.map"):
        run("cp", "-a", BUILD / name, tmp_path)
    said = make(tmp_path, f"PREFIX={PREFIX}", "all")
    assert re.findall(r"CC +(\S+)", said) == ["src/common/paths.c"] * 2, said


def test_every_source_has_its_compile_command(tmp_path: Path) -> None:
    plan = make(tmp_path, "--always-make", "--dry-run", "V=1", "all")
    done = subprocess.run(
        ["scripts/compile_commands.py"],
        cwd=ROOT,
        input=plan,
        capture_output=True,
        text=True,
        check=True,
    )
    described = {entry["file"] for entry in json.loads(done.stdout)}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.c")}
    foreign = {path for path in sources if "/aarch64/" in path}  # as long as it is not built here
    assert described == sources - (foreign - described)


def test_old_libc_is_refused_with_one_line(tmp_path: Path) -> None:
    source = tmp_path / "old.c"
    source.write_text('const char *gnu_get_libc_version(void) { return "2.27"; }\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "old.so", source], check=True)
    done = run_command("run", "--", "true", extra={"LD_PRELOAD": str(tmp_path / "old.so")})
    assert done.returncode == 127
    assert done.stderr == "loophound: needs glibc 2.28 or later, this is 2.27; nothing started\n"


def test_library_asks_for_no_newer_libc_than_it_says() -> None:
    needs = re.findall(r"GLIBC_2\.(\d+)", run("nm", "-D", "--undefined-only", LIBRARY).stdout)
    assert needs and max(map(int, needs)) <= 28


# Answers for apt: its lists are locked twice, then free.
FAKE_APT = """#!/bin/sh
echo "$@" >>"$LOG"
case "$*" in
*update*)
    [ "$(grep -c update "$LOG")" -le 2 ] || exit 0
    echo "E: Could not get lock /lists/lock" >&2
    exit 100
    ;;
esac
"""


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian system")
def test_bootstrap_waits_for_another_apt(tmp_path: Path) -> None:
    log = tmp_path / "log"
    fakes = {
        "apt-get": FAKE_APT,
        "apt-cache": '#!/bin/sh\n[ "$2" != gcc ] || echo "  Candidate: 1"\n',
        "dpkg-query": "#!/bin/sh\n",
        "id": "#!/bin/sh\necho 0\n",
    }
    for name, text in fakes.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}", LOG=str(log))
    environment["LOOPHOUND_BOOTSTRAP_PAUSE"] = "0"
    done = run("scripts/bootstrap", "build", env=environment)
    assert done.returncode == 0, done.stderr
    assert "another apt is at work" in done.stderr
    *updates, installs = log.read_text().splitlines()
    assert len(updates) == 3
    assert "DPkg::Lock::Timeout=" in installs and " gcc " in installs
