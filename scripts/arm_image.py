# SPDX-License-Identifier: Apache-2.0
"""The image of an arm64 machine that qemu emulates (scripts/armbox): a root file system of Debian's
packages, Debian's kernel, and an init that mounts two folders of this machine and runs one command.

Nothing is installed on this machine: apt downloads with settings of its own, and the packages are
unpacked without their scripts. What those would have done, and the tests need, is done here. The
root file system stays beside the image: it is what `make CROSS=aarch64-linux-gnu` compiles with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import textwrap
from pathlib import Path

# One kernel for every suite: what differs between them is libc, compiler and Python.
KERNEL_SUITE = "bookworm"
KERNEL = "linux-image-arm64"  # not the cloud one, which has no 9p
PACKAGES = """
    base-files base-passwd bash coreutils dash diffutils findutils grep gzip hostname iproute2
    libc-bin mawk mount procps sed tar util-linux
    gcc g++ gdb libc6-dev make pkg-config
    libcmocka-dev libcurl4-openssl-dev libdw-dev libelf-dev libiberty-dev libjansson-dev
    libunwind-dev libuv1-dev libzstd-dev zlib1g-dev
    python3 python3-jsonschema python3-pytest python3-pytest-xdist python3-venv python3-yaml
""".split()
# In the order of what needs what.
MODULES = """
    virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk crc16
    crc32c_generic libcrc32c mbcache jbd2 ext4 netfs fscache 9pnet 9pnet_virtio 9p
""".split()
DISK_BYTES = 6 << 30  # sparse
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

APT_SETTINGS = """
Dir "{dir}";
Dir::State::status "{dir}/var/lib/dpkg/status";
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Install-Recommends "0";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Debug::NoLocking "1";
"""

# 9p folders: `armbox` has the command, its output and its exit status; `work` is the user's.
INIT = r"""
#!/busybox sh
b=/busybox options=trans=virtio,version=9p2000.L,msize=512000
$b mkdir -p /proc /dev /root
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in {modules}; do $b insmod /modules/$module.ko 2>/dev/null; done
for word in $($b cat /proc/cmdline); do
    case $word in armbox.now=*) $b date -s "@${{word#*=}}" >/dev/null ;; esac
done
$b mount -t ext4 -o noatime /dev/vda /root || $b poweroff -f
$b mount -t devtmpfs dev /root/dev
$b mount -t proc proc /root/proc
$b mount -t sysfs sys /root/sys
$b mount -t tmpfs tmp /root/run
$b mkdir -p /root/dev/shm /root/dev/pts
$b mount -t tmpfs tmp /root/dev/shm
$b mount -t devpts pts /root/dev/pts
$b ln -sf /proc/self/fd /root/dev/fd
$b ln -sf /proc/self/fd/0 /root/dev/stdin
$b ln -sf /proc/self/fd/1 /root/dev/stdout
$b ln -sf /proc/self/fd/2 /root/dev/stderr
$b ip link set lo up
$b hostname armbox
$b mount -t 9p -o $options armbox /root/armbox
$b mount -t 9p -o $options,cache=mmap work /root/work
# Not chroot(2), in which nobody may make a user namespace (user_namespaces(7)).
exec $b switch_root /root /bin/bash -c '
    setsid -w bash /armbox/run >/armbox/out 2>/armbox/err </dev/null
    echo $? >/armbox/status
    umount /work /armbox
    sync
    for key in u o; do echo $key >/proc/sysrq-trigger; done # read-only, and off
    sleep 60
'
"""


class ImageError(Exception):
    """Why there is no image, in one line."""


class Image:
    """In its folder: `disk`, `vmlinuz`, `initrd.gz`, and `root`, of which the disk is made."""

    def __init__(self, suite: str, cache: Path) -> None:
        self.suite = suite
        self.folder = cache / suite
        self.root = self.folder / "root"
        self.disk = self.folder / "disk"
        self.kernel = self.folder / "vmlinuz"
        self.initrd = self.folder / "initrd.gz"

    def is_made(self) -> bool:
        """By this file as it is."""
        made = self.folder / "made"
        return made.exists() and made.read_text() == own_sum()

    def make(self) -> None:
        """Fetches and unpacks everything. Raises ImageError."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._make_kernel()
        self._make_root()
        with self.disk.open("wb") as disk:
            disk.truncate(DISK_BYTES)
        as_root = [] if os.geteuid() == 0 else ["unshare", "-r"]
        tool = [*as_root, "mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal"]
        self._run([*tool, "-d", str(self.root), str(self.disk)])

    def has_booted(self) -> None:
        """Then it is whole: what has been begun and not ended is made anew."""
        (self.folder / "made").write_text(own_sum())

    def _run(self, command: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
        """A command whose output goes to the image's log."""
        log = self.folder / "log"
        with log.open("ab") as out:
            done = subprocess.run(command, stdout=out, stderr=out, check=False, **more)  # type: ignore[call-overload]
        if done.returncode != 0:
            raise ImageError(f"{command[0]} failed: see {log}")
        return done  # type: ignore[no-any-return]

    def _apt(self, suite: str) -> dict[str, str]:
        """An apt for arm64 that knows nothing of this machine's but its mirror; its environment."""
        where = self.folder / f"apt-{suite}"
        for folder in (
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "etc/apt/trusted.gpg.d",
            "etc/apt/sources.list.d",
            "var/lib/dpkg",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
        ):
            (where / folder).mkdir(parents=True, exist_ok=True)
        (where / "var/lib/dpkg/status").touch()
        source = f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n"
        (where / "etc/apt/sources.list").write_text(source)
        settings = where / "apt.conf"
        settings.write_text(APT_SETTINGS.format(dir=where))
        return {**os.environ, "APT_CONFIG": str(settings)}

    def _make_kernel(self) -> None:
        """The kernel, and an initrd: busybox, and modules that find the disk and the folders."""
        environment = self._apt(KERNEL_SUITE)
        kernel, new = self.folder / "kernel", self.folder / "initrd"
        kernel.mkdir()
        (new / "modules").mkdir(parents=True)
        self._run(["apt-get", "update"], env=environment)
        said = subprocess.run(
            ["apt-cache", "depends", KERNEL],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        ).stdout
        versions = [
            line.split()[-1] for line in said.splitlines() if "Depends: linux-image-" in line
        ]
        if not versions:
            raise ImageError(f"{mirror()} has no {KERNEL} in {KERNEL_SUITE}")
        self._run(
            ["apt-get", "download", "busybox-static", versions[0]], env=environment, cwd=kernel
        )
        for package in sorted(kernel.glob("*.deb")):
            self._unpack(package, kernel)
        for name in MODULES:
            self._take_module(kernel, name, new / "modules")
        shutil.copy(next(kernel.glob("**/bin/busybox")), new / "busybox")
        init = new / "init"
        init.write_text(textwrap.dedent(INIT).lstrip().format(modules=" ".join(MODULES)))
        init.chmod(0o755)
        pack = "find . | cpio -o -H newc -R 0:0 --quiet | gzip -1"
        self._run(["sh", "-c", f'{pack} >"$0"', str(self.initrd)], cwd=new)
        shutil.copy(next(kernel.glob("boot/vmlinuz-*")), self.kernel)
        shutil.rmtree(kernel)
        shutil.rmtree(new)

    def _take_module(self, kernel: Path, name: str, to: Path) -> None:
        """Some are part of the kernel: then there is no file."""
        for found in kernel.glob(f"**/{name}.ko*"):
            shutil.copy(found, to)
            if found.suffix == ".xz":
                self._run(["xz", "-d", str(to / found.name)])

    def _unpack(self, package: Path, to: Path) -> None:
        unpack = (
            'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink --no-same-owner'
        )
        self._run(["sh", "-c", unpack, str(package), str(to)])

    def _make_root(self) -> None:
        environment = self._apt(self.suite)
        self._run(["apt-get", "update"], env=environment)
        self._run(["apt-get", "install", "-y", "--download-only", *PACKAGES], env=environment)
        for folder in ("bin", "sbin", "lib"):
            (self.root / "usr" / folder).mkdir(parents=True, exist_ok=True)
            (self.root / folder).symlink_to(f"usr/{folder}")
        archives = self.folder / f"apt-{self.suite}" / "var/cache/apt/archives"
        for package in sorted(archives.glob("*.deb")):
            self._unpack(package, self.root)
            package.unlink()
        self._do_what_scripts_do()

    def _do_what_scripts_do(self) -> None:
        root = self.root
        for folder in ("doc", "man", "locale", "info"):
            shutil.rmtree(root / "usr/share" / folder, ignore_errors=True)
        for folder in ("proc", "sys", "dev", "run", "tmp", "root", "work", "armbox"):
            (root / folder).mkdir(exist_ok=True)
        (root / "tmp").chmod(0o1777)
        for name in ("passwd", "group"):
            shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
        for name, target in (("awk", "mawk"), ("cc", "gcc"), ("c++", "g++")):
            link = root / "usr/bin" / name
            if not link.is_symlink():
                link.symlink_to(target)
        self._make_links_relative(root / "usr/lib/aarch64-linux-gnu")
        (root / "etc/hosts").write_text("127.0.0.1 localhost armbox\n")
        (root / "etc/ld.so.conf.d/here.conf").write_text("/usr/lib/aarch64-linux-gnu\n")

    def _make_links_relative(self, folder: Path) -> None:
        """A compiler outside the machine follows them too."""
        for link in folder.iterdir():
            target = str(link.readlink()) if link.is_symlink() else ""
            if target.startswith("/"):
                link.unlink()
                link.symlink_to(os.path.relpath(self.root / target[1:], folder.resolve()))


def own_sum() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def mirror() -> str:
    """The Debian mirror that this machine's apt has."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    ).stdout.split()
    if not said:
        raise ImageError("this machine's apt has no mirror: run apt-get update")
    return said[0].rstrip("/")
