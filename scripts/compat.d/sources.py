# SPDX-License-Identifier: Apache-2.0
"""Debian's source packages, with lists and caches of our own: the system's apt is left alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Sources:
    def __init__(self, work: Path) -> None:
        self.work = work
        self.apt = work / "apt"
        settings = {
            "Dir::Etc::SourceList": self.apt / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self.apt / "lists",
            "Dir::Cache": self.apt / "cache",
            "APT::Sandbox::User": "",  # the lists are ours, and _apt may not enter the build
            "Acquire::Check-Valid-Until": "false",  # a snapshot of the archive is old
        }
        self.options = [
            word for key, value in settings.items() for word in ("-o", f"{key}={value}")
        ]

    def unpack(self, package: str) -> Path:
        """The directory with the package's patched source; got once."""
        place = self.work / package
        if place.exists():
            return place
        self._update()
        for version in self._versions(package):
            if self._get(f"{package}={version}"):
                break
        else:
            raise SystemExit(f"compat: no source of {package} could be got")
        (description,) = self.apt.glob(f"{package}_*.dsc")
        half = self.apt / "unpacked"
        shutil.rmtree(half, ignore_errors=True)
        command = ["dpkg-source", "--no-check", "-x", description.name, half.name]
        subprocess.run(command, cwd=self.apt, check=True, capture_output=True)
        half.rename(place)
        return place

    def _update(self) -> None:
        """The system's own archives, as sources."""
        for directory in ("lists/partial", "cache/archives/partial"):
            (self.apt / directory).mkdir(parents=True, exist_ok=True)
        form = "deb-src [signed-by=@] $(REPO_URI) $(CODENAME) $(COMPONENT)".replace("@", KEYS)
        command = ["apt-get", "indextargets", "--format", form, "Identifier: Packages"]
        lines = subprocess.run(
            [*command, "Origin: Debian"], capture_output=True, text=True, check=True
        ).stdout
        (self.apt / "sources.list").write_text(lines)
        subprocess.run(["apt-get", "-q", *self.options, "update"], check=True, capture_output=True)

    def _versions(self, package: str) -> list[str]:
        """Newest first, as apt has them; an archive may lack the file of one that it lists."""
        command = ["apt-cache", *self.options, "showsrc", "--only-source", package]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return list(dict.fromkeys(re.findall(r"^Version: (.+)$", shown, re.MULTILINE)))

    def _get(self, what: str) -> bool:
        command = ["apt-get", "-q", *self.options, "source", "--download-only", what]
        return (
            subprocess.run(command, cwd=self.apt, check=False, capture_output=True).returncode == 0
        )
