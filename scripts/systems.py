# SPDX-License-Identifier: Apache-2.0
"""The systems that loophound supports, each in a folder of its own: made by debootstrap, and
commands run in them. Needs root.

A system is made by this machine's debootstrap where that knows it, and this machine has its keys;
the others from within Debian 13, whose debootstrap knows all of them and whose archive has
Ubuntu's keys.
"""

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKER = "debian-13"
DEBOOTSTRAP_SCRIPTS = Path("/usr/share/debootstrap/scripts")
AUTHORITIES = Path("/usr/local/share/ca-certificates")  # update-ca-certificates(8)
DEBIAN_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class System:
    """A row of the table: how debootstrap names it, and what it is tried with."""

    name: str
    suite: str
    components: str = "main"


SYSTEMS = [
    System("debian-11", "bullseye"),
    System("debian-12", "bookworm"),
    System("debian-13", "trixie"),
    System("sid", "sid"),
    System("ubuntu-22.04", "jammy", "main,universe"),
    System("ubuntu-24.04", "noble", "main,universe"),
]


class Distro:
    """A system in its folder, and commands run in it."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system = system
        self.folder = folder / system.name
        self.root = self.folder / "root"

    def is_made(self) -> bool:
        return (self.folder / "made").exists()

    def run(self, script: str, log: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A shell script in the system, in /loophound, with /proc and /dev of its own."""
        settings = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
        inside = f"cd /loophound 2>/dev/null || cd /\n{settings}{script}"
        outside = (
            'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && '
            'mount --rbind -o ro /sys "$1/sys" && '
            'mount -t tmpfs tmp "$1/tmp" && exec chroot "$1" sh -euc "$2"'
        )
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "sh",
            "-c",
            outside,
            "sh",
            str(self.root),
            inside,
        ]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        }
        environment["DEBIAN_FRONTEND"] = "noninteractive"
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        (self.folder / f"{log}.log").write_text(done.stdout)
        return done

    def adopt(self) -> None:
        """An archive that is a snapshot has an old date: it is signed all the same."""
        options = 'Acquire::Check-Valid-Until "false";\nAPT::Install-Recommends "false";\n'
        (self.root / "etc/apt/apt.conf.d/90distros").write_text(options)
        self.run("apt-get -q update && apt-get -qy install dpkg-dev", "adopt")
        (self.folder / "made").touch()

    def trust(self) -> None:
        """What this machine's own administrator has it trust: a registry may be behind it."""
        if AUTHORITIES.is_dir():
            inside = self.root / AUTHORITIES.relative_to("/")
            shutil.copytree(AUTHORITIES, inside, dirs_exist_ok=True)
        self.run("apt-get -qy install ca-certificates && update-ca-certificates", "trust")

    def clone(self) -> None:
        target = self.root / "loophound"
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(target)], check=True)


def system_named(name: str) -> System:
    return next(system for system in SYSTEMS if system.name == name)


def debootstrap(system: System, folder: Path) -> str:
    """Makes a system, and the maker if that takes it. Empty, or in one line why not."""
    distro = Distro(system, folder)
    shutil.rmtree(distro.root, ignore_errors=True)
    distro.folder.mkdir(parents=True, exist_ok=True)
    what = f"debootstrap --variant=minbase --components={system.components} {system.suite}"
    if system.name == MAKER or is_known_here(system):
        words = [*what.split(), str(distro.root)]
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        (distro.folder / "debootstrap.log").write_text(done.stdout)
    else:
        by, problem = made(system_named(MAKER), folder)
        if problem:
            return problem
        shutil.rmtree(by.root / "made", ignore_errors=True)
        tools = "apt-get -qy install debootstrap ubuntu-keyring >/dev/null\n"
        done = by.run(f"{tools}{what} /made", f"debootstrap-{system.name}")
        if done.returncode == 0:
            shutil.move(by.root / "made", distro.root)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["debootstrap said nothing"]
        return f"{system.name} cannot be made here: {lines[-1]}"
    distro.adopt()
    return ""


def is_known_here(system: System) -> bool:
    """Does debootstrap here know the suite, and has its keys? Ubuntu's may be missing."""
    script = DEBOOTSTRAP_SCRIPTS / system.suite
    return "ubuntu" not in system.name and script.exists() and DEBIAN_KEYS.exists()


def made(system: System, folder: Path) -> tuple[Distro, str]:
    """The system, made if it is not there yet; and, in one line, why there is none."""
    distro = Distro(system, folder)
    return distro, "" if distro.is_made() else debootstrap(system, folder)
