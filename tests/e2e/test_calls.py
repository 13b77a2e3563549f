"""Every row of the call table: reported on the loop, silent off it and where it cannot wait.

The programs tests/programs/calls_*.c make each call wait for a given time; they print its true
duration, what it returned, and errno.
"""

from __future__ import annotations

import errno
import re
import subprocess
from pathlib import Path

import pytest
from calls import CODE_RETURNED, TABLE, TIME_ONLY, Row, all_rows, is_newer_than_libc, preprocess
from harness import LIBRARY, PROGRAMS, blocks, describe

# The group and the kind of resource that a report of a call has.
MEANING = {
    "sleep usleep nanosleep clock_nanosleep thrd_sleep": ("sleep", "duration"),
    "connect accept accept4 recv recvfrom recvmsg send sendto sendmsg recvmmsg sendmmsg": (
        "network",
        "socket",
    ),
    "read write readv writev pread pwrite fsync fdatasync open openat fgets fread "
    "preadv pwritev preadv2 pwritev2 sendfile copy_file_range splice tee vmsplice "
    "stat lstat fstatat statx statfs statvfs fstatfs fstatvfs access euidaccess faccessat "
    "readlink readlinkat realpath canonicalize_file_name rename renameat renameat2 link linkat "
    "symlink symlinkat unlink unlinkat remove mkdir mkdirat rmdir chdir chmod fchmodat chown "
    "lchown fchownat truncate creat opendir readdir readdir_r scandir scandirat ftruncate fchmod "
    "fchown fallocate posix_fallocate sync_file_range syncfs "
    "fopen freopen fflush fflush_unlocked fgets_unlocked fread_unlocked fgetc getc "
    "fgetc_unlocked getc_unlocked getchar getchar_unlocked getline getdelim "
    "fwrite fwrite_unlocked fputs fputs_unlocked puts fputc putc fputc_unlocked putc_unlocked "
    "putchar putchar_unlocked "
    "fgetwc getwc fgetwc_unlocked getwc_unlocked getwchar getwchar_unlocked fgetws "
    "fgetws_unlocked fputwc putwc fputwc_unlocked putwc_unlocked putwchar putwchar_unlocked fputws "
    "fputws_unlocked getw putw fseek fseeko rewind fsetpos fprintf printf vfprintf vprintf dprintf "
    "vdprintf fwprintf wprintf vfwprintf vwprintf fscanf scanf vfscanf vscanf fwscanf wscanf "
    "vfwscanf vwscanf "
    "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr "
    "removexattr lremovexattr fremovexattr utime utimes lutimes futimesat utimensat futimes "
    "futimens fchdir readahead getdents64 mkfifo mkfifoat mknod mknodat lchmod pathconf "
    "inotify_add_watch glob dlopen mkstemp mkostemp mkstemps mkostemps mkdtemp posix_fadvise "
    "tcdrain tcsetattr tcsendbreak ioctl "
    "ftw nftw fts_open fts_read fts_children getdirentries name_to_handle_at open_by_handle_at "
    "mount umount umount2 fgetpwent fgetpwent_r putpwent fgetgrent fgetgrent_r putgrent fgetspent "
    "fgetspent_r putspent fgetsgent fgetsgent_r putsgent": (
        "file",
        "file",
    ),
    "poll ppoll select pselect epoll_wait epoll_pwait epoll_pwait2": ("wait", "duration"),
    "sem_wait sem_timedwait sem_clockwait pthread_cond_wait pthread_cond_timedwait "
    "pthread_cond_clockwait pthread_mutex_lock pthread_mutex_timedlock pthread_mutex_clocklock "
    "pthread_rwlock_rdlock pthread_rwlock_timedrdlock pthread_rwlock_clockrdlock "
    "pthread_rwlock_wrlock pthread_rwlock_timedwrlock pthread_rwlock_clockwrlock "
    "pthread_spin_lock pthread_barrier_wait mtx_lock mtx_timedlock cnd_wait cnd_timedwait "
    "flockfile": (
        "lock",
        "lock",
    ),
    "pthread_join pthread_timedjoin_np pthread_clockjoin_np thrd_join": ("lock", None),
    "flock fcntl lockf": ("lock", "file"),
    "getaddrinfo gethostbyname gethostbyname_r gethostbyname2 gethostbyname2_r "
    "res_query res_search res_querydomain res_nquery res_nsearch res_nquerydomain": ("dns", "name"),
    "getnetbyname getnetbyname_r": ("dns", "name"),
    "gethostent gethostent_r getnetbyaddr getnetbyaddr_r getnetent getnetent_r gethostid": (
        "dns",
        None,
    ),
    "getnameinfo gethostbyaddr gethostbyaddr_r": ("dns", "name"),
    "res_send res_nsend": ("dns", None),
    "getpwnam getpwnam_r getpwuid getpwuid_r getgrnam getgrnam_r getgrgid getgrgid_r getgrouplist "
    "initgroups getservbyname getservbyname_r getservbyport getservbyport_r "
    "getpwent getpwent_r getgrent getgrent_r getspent getspent_r getservent getservent_r "
    "getprotoent getprotoent_r getspnam getspnam_r getprotobyname getprotobyname_r "
    "getprotobynumber getprotobynumber_r syslog vsyslog getrandom getentropy "
    "getaliasbyname getaliasbyname_r getaliasent getaliasent_r getrpcbyname getrpcbyname_r "
    "getrpcbynumber getrpcbynumber_r getrpcent getrpcent_r getsgnam getsgnam_r getsgent getsgent_r "
    "setnetgrent innetgr ether_hostton ether_ntohost cuserid": ("other", None),
    "mq_receive mq_timedreceive mq_send mq_timedsend": ("wait", "file"),
    "msgrcv msgsnd": ("wait", None),
    "semop semtimedop lckpwdf": ("lock", None),
    "futex": ("lock", "lock"),
    "io_uring_enter": ("wait", None),
    "waitpid wait4 waitid pclose process_vm_readv process_vm_writev": ("process", "pid"),
    "posix_spawn posix_spawnp": ("process", "file"),
    "sync msync tmpfile getpass _flushlbf": ("file", None),
    "close": ("network", "socket"),
    "fclose": ("file", "file"),
    "wait wait3": ("process", None),
    "sigtimedwait aio_suspend": ("wait", "duration"),
    "sigwait sigwaitinfo sigsuspend sigpause pause": ("wait", None),
    "system popen wordexp": ("process", None),
}

ROWS = all_rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.symbol)
every_strict_row = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.symbol not in TIME_ONLY], ids=lambda row: row.symbol
)
every_ready_row = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.has_ready], ids=lambda row: row.symbol
)


def test_every_row_of_the_table_has_a_scenario() -> None:
    table = [symbol for symbol, _, version in TABLE if not is_newer_than_libc(version)]
    assert len(table) > 50
    assert sorted(table) == sorted(row.symbol for row in ROWS)


def test_other_names_of_a_function_are_the_wrapper_of_its_row() -> None:
    source = '#define ALIAS(name, symbol) lh_alias name symbol\n#include "calls.def"\n'
    aliases = re.findall(r"lh_alias (\w+) (\w+)", preprocess(source))
    assert ("__read", "read") in aliases
    command = ["nm", "-D", "--defined-only", str(LIBRARY)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in listing.splitlines()]
    addresses = {name.split("@")[0]: address for address, _, name in lines}
    assert [pair for pair in aliases if addresses[pair[0]] != addresses[pair[1]]] == []


@every_row
def test_slow_call_is_reported_with_its_true_duration_on_the_loop(row: Row, tmp_path: Path) -> None:
    differences = []
    for attempt in range(3):  # the machine may take the processor away between two clock readings
        true_ms, result, error, events = row.run(
            "on", 60, tmp_path / f"{attempt}.jsonl", THRESHOLD="20ms"
        )
        found = blocks(events)
        assert [block["call"] for block in found] == [row.canonical], describe(events)
        assert found[0]["reason"] == "threshold"
        assert found[0]["duration_ms"] <= true_ms + 0.01
        differences.append(true_ms - found[0]["duration_ms"])
        if differences[-1] < 1:
            break
    assert min(differences) < 1, f"ms off: {differences}"
    # Calls of the pthread family and others return the number; sem_* and system calls set errno.
    number = result if row.symbol in CODE_RETURNED else error if result == -1 else 0
    assert found[0]["errno"] == (errno.errorcode[number] if number else None)


@every_row
def test_slow_call_is_silent_off_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("off", 60, hits, THRESHOLD="20ms")
    assert blocks(events) == [], describe(events)


@every_strict_row
def test_call_that_could_wait_is_reported_in_strict_mode_on_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("on", 2, hits, STRICT="on", THRESHOLD="10s")
    found = blocks(events)
    assert [block["call"] for block in found] == [row.canonical], describe(events)
    assert found[0]["reason"] == "strict"


@every_row
def test_call_that_could_wait_is_silent_in_strict_mode_off_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("off", 2, hits, STRICT="on", THRESHOLD="10s")
    assert blocks(events) == [], describe(events)


@every_ready_row
def test_call_that_cannot_wait_is_silent_in_strict_mode(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("ready", 2, hits, STRICT="on", THRESHOLD="10s")
    assert blocks(events) == [], describe(events)


@every_row
def test_results_and_errno_are_the_programs_own(row: Row, hits: Path) -> None:
    """What the call returns with the library is what it returns without."""
    argv = [str(row.program), "on", row.symbol, "2"]
    bare = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=PROGRAMS)
    _, result, error, _ = row.run("on", 2, hits, STRICT="on")
    assert [str(result), str(error)] == bare.stdout.split()[1:]


@every_row
def test_report_says_what_kind_of_call_it_was_and_on_what(row: Row, hits: Path) -> None:
    meanings = {name: meaning for names, meaning in MEANING.items() for name in names.split()}
    group, kind = meanings[row.canonical]
    if row.symbol in TIME_ONLY:
        _, _, _, events = row.run("on", 30, hits, THRESHOLD="5ms")
    else:
        _, _, _, events = row.run("on", 2, hits, STRICT="on", THRESHOLD="10s")
    block = blocks(events)[0]
    # The stack begins with the call's caller, whichever of our functions it was captured in.
    assert not [frame for frame in block["stack"] if LIBRARY.name in (frame["module"] or "")]
    assert block["group"] == group
    resource = block["resource"]
    assert (resource and resource["kind"]) == kind
    if kind == "duration":
        asked_ms = 1000 if row.symbol == "sleep" else 2
        assert 0 < resource["ms"] <= asked_ms
        assert row.canonical == "clock_nanosleep" or resource["ms"] == asked_ms
    if kind == "socket":
        assert resource["fd"] > 2 and resource["nonblocking"] is False
    if kind == "name":
        by_number = row.canonical.startswith(("getnameinfo", "gethostbyaddr"))
        assert resource["host"] == ("127.0.0.1" if by_number else "localhost")
    if kind == "pid":
        assert resource["pid"] > 1
    # Of two descriptors it is the one that waits.
    on_file = ("open", "pread", "pwrite", "fsync", "flock", "fcntl", "copy_file", "sendfile64")
    if kind == "file" and row.program.name in ("calls_path", "calls_attribute", "calls_tree"):
        assert "loophound-test-" in resource["path"]
    if kind == "file" and row.symbol.lstrip("_").startswith(on_file):
        assert "loophound-test-" in resource["path"]
