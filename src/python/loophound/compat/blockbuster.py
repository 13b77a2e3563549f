# SPDX-License-Identifier: Apache-2.0
"""blockbuster's interface, by one line of change: `from loophound.compat.blockbuster import ...`.

As blockbuster 1.5 does, it replaces functions of the standard library by ones that raise
BlockingError before they would block, in a thread in which an asyncio loop runs. That is its own
way and not loophound's, which lets the program do what it does and reports it: what is found here
only (getcwd, abspath, fstat, SQLite in memory, buffered writes) could not have waited, or is
reported where it does. Where the library is preloaded it goes on reporting beside this.

For tests. Written for this interface; blockbuster's own code is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import os
import sys
import threading
from types import FrameType, ModuleType
from typing import Any, Callable, Iterable, Iterator, List, Sequence, Tuple, Union

from loophound._report import BlockingError as _BlockingError
from loophound.compat._patch import set_attribute

Module = Union[str, ModuleType]
Modules = Union[Module, Sequence[Module], None]
Places = List[Tuple[str, Iterable[str]]]

__all__ = ["BlockBuster", "BlockBusterFunction", "BlockingError", "blockbuster_ctx"]


class BlockingError(_BlockingError):
    """A call that could block, which was not made."""

    def __init__(self, func: str) -> None:
        super().__init__(f"Blocking call to {func}")


_inside = threading.local()  # .check: true while a call is looked at, which may make such calls


def _paths_of(modules: Modules) -> tuple[str, ...]:
    """The directory of a package, the file of a module."""
    listed = [modules] if isinstance(modules, (str, ModuleType)) else list(modules or ())
    paths = []
    for listed_module in listed:
        module = listed_module
        if isinstance(module, str):
            module = importlib.import_module(module)
        package = getattr(module, "__path__", None)
        path = next(iter(package)) if package is not None else getattr(module, "__file__", None)
        if path:
            paths.append(path)
    return tuple(paths)


def _frames_outwards(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """The file, with / in its path, and the function."""
    while frame is not None:
        code = frame.f_code
        yield code.co_filename, code.co_name
        frame = frame.f_back


class BlockBusterFunction:
    """One function, `func_name` of a module or type (or a dotted name alone), which is guarded
    from activate() to deactivate()."""

    def __init__(
        self,
        module: ModuleType | type | None,
        func_name: str,
        *,
        scanned_modules: Modules = None,
        excluded_modules: Modules = None,
        can_block_functions: Places | None = None,
        can_block_predicate: Callable[..., bool] = lambda *_, **__: False,
    ) -> None:
        """ValueError: there is neither a module nor a dot in the name.

        scanned_modules: only calls that come through their code; excluded_modules: parts of those
        that do not count; can_block_functions: (end of a file's name, names of functions) through
        which calls are allowed; can_block_predicate: with the call's arguments, is it harmless?
        """
        self.module: Any = module
        if module is None:
            owner, dot, func_name = func_name.rpartition(".")
            if not dot:
                raise ValueError(
                    f"{func_name!r}: a module is required, or a name as module.function"
                )
            self.module = _object_named(owner)
            self.full_name = f"{owner}.{func_name}"
        else:
            self.full_name = f"{module.__name__}.{func_name}"
        self.func_name = func_name
        self.original_func = getattr(self.module, func_name, None)
        self.can_block_functions: Places = can_block_functions or []
        self.can_block_predicate = can_block_predicate
        self.activated = False
        self._is_inherited = func_name not in vars(self.module)
        self._scanned = _paths_of(scanned_modules)
        self._excluded = _paths_of(excluded_modules)

    def _may_block_here(self, frame: FrameType | None) -> bool:
        is_scanned = not self._scanned
        for file, function in _frames_outwards(frame):
            if not is_scanned and file.startswith(self._scanned):
                is_scanned = not (self._excluded and file.startswith(self._excluded))
            path = file.replace("\\", "/")
            for suffix, functions in self.can_block_functions:
                if path.endswith(suffix) and function in functions:
                    return True
        return not is_scanned

    def _check(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if getattr(_inside, "check", False) or asyncio._get_running_loop() is None:
            return
        _inside.check = True
        try:
            if self.can_block_predicate(*arguments, **named):
                return
            if not self._may_block_here(sys._getframe(2)):
                raise BlockingError(self.full_name)
        finally:
            _inside.check = False

    def _guard(self) -> Callable[..., Any]:
        original: Any = self.original_func
        check = self._check

        def guarded(*arguments: Any, **named: Any) -> Any:
            check(arguments, named)
            return original(*arguments, **named)

        return guarded

    def activate(self) -> BlockBusterFunction:
        """What there is not, or cannot be replaced, in this Python is left as it is."""
        if self.original_func is None or self.activated:
            return self
        with contextlib.suppress(TypeError):
            set_attribute(self.module, self.func_name, self._guard())
            self.activated = True
        return self

    def deactivate(self) -> BlockBusterFunction:
        if self.activated:
            if self._is_inherited and isinstance(self.module, type):
                delattr(self.module, self.func_name)
            else:
                set_attribute(self.module, self.func_name, self.original_func)
            self.activated = False
        return self

    def can_block_in(self, filename: str, functions: str | Iterable[str]) -> BlockBusterFunction:
        """Allows what is called through these functions of files whose names end so."""
        names = {functions} if isinstance(functions, str) else functions
        self.can_block_functions.append((filename, names))
        return self


def _object_named(name: str) -> Any:
    module, *attributes = name.split(".")
    found: Any = importlib.import_module(module)
    for attribute in attributes:
        found = getattr(found, attribute)
    return found


# Where blocking is nobody's mistake: imports, source for tracebacks, pytest's assertions, coverage,
# the debugger, what asyncio does itself.
_FILES_MAY: Places = [
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    ("<frozen importlib._bootstrap_external>", {"get_data"}),
    ("linecache.py", {"checkcache", "updatecache"}),
    ("<frozen linecache>", {"checkcache", "updatecache"}),
    (
        "_pytest/assertion/rewrite.py",
        {"_should_rewrite", "try_makedirs", "_rewrite_test", "_read_pyc", "_write_pyc"},
    ),
    ("coverage/control.py", {"_should_trace"}),
    ("coverage/python.py", {"get_python_source", "read_python_source"}),
    ("pydevd_file_utils.py", {"get_abs_path_real_path_and_base_from_file"}),
    (
        "asyncio/unix_events.py",
        {"create_unix_server", "_stop_serving", "_sock_sendfile_native_impl"},
    ),
    ("asyncio/base_events.py", {"sendfile", "subprocess_exec", "subprocess_shell"}),
]
_LOCKS_MAY: Places = [
    ("threading.py", {"start"}),
    ("concurrent/futures/thread.py", {"submit"}),
    ("asyncio/base_events.py", {"shutdown_default_executor"}),
    ("pydevd.py", {"_do_wait_suspend"}),
]
_SLEEP_MAY: Places = [("pydevd.py", {"_do_wait_suspend"})]


def _is_nonblocking_fd(fd: int, *_: Any, **__: Any) -> bool:
    return hasattr(os, "get_blocking") and not os.get_blocking(fd)


def _is_nonblocking_socket(sock: Any, *_: Any, **__: Any) -> bool:
    return not sock.getblocking()


def _has_no_descriptor(file: Any) -> bool:
    try:
        file.fileno()
    except io.UnsupportedOperation:
        return True
    except AttributeError:  # of an unusual raw file, as tarfile's: it reads what it is in
        return False
    return False


def _reads_memory(file: Any, *_: Any, **__: Any) -> bool:
    return _has_no_descriptor(file) and not file.isatty()


def _writes_to_terminal_or_memory(file: Any, *_: Any, **__: Any) -> bool:
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return any(file is stream for stream in streams) or file.isatty() or _has_no_descriptor(file)


def _is_free_lock(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
    return not blocking or timeout == 0 or not lock.locked()


def _never(*_: Any, **__: Any) -> bool:
    return False


_Row = Tuple[str, Sequence[str], Places, Callable[..., bool]]
# Prefix of the names, the functions, through what they are allowed, when they are harmless.
_ROWS: Sequence[_Row] = (
    ("time", ("sleep",), _SLEEP_MAY, _never),
    (
        "os",
        (
            *(
                "statvfs",
                "rename",
                "remove",
                "rmdir",
                "link",
                "symlink",
                "listdir",
                "access",
                "getcwd",
            ),
            *("stat", "mkdir", "replace", "readlink", "sendfile", "unlink"),
        ),
        _FILES_MAY,
        _never,
    ),
    ("os", ("read", "write"), _FILES_MAY, _is_nonblocking_fd),
    (
        "os.path",
        ("ismount", "samestat", "sameopenfile", "islink", "abspath"),
        _FILES_MAY,
        _never,
    ),
    ("io.BufferedReader", ("read",), _FILES_MAY, _reads_memory),
    ("io.BufferedRandom", ("read",), _FILES_MAY, _reads_memory),
    (
        "io.TextIOWrapper",
        ("read",),
        [*_FILES_MAY, ("aiofile/version.py", {"<module>"})],
        _reads_memory,
    ),
    ("io.BufferedWriter", ("write",), _FILES_MAY, _writes_to_terminal_or_memory),
    ("io.BufferedRandom", ("write",), _FILES_MAY, _writes_to_terminal_or_memory),
    ("io.TextIOWrapper", ("write",), _FILES_MAY, _writes_to_terminal_or_memory),
    (
        "socket.socket",
        (
            *("connect", "accept", "send", "sendall", "sendto", "recv", "recv_into", "recvfrom"),
            *("recvfrom_into", "recvmsg"),
        ),
        [],
        _is_nonblocking_socket,
    ),
    ("ssl.SSLSocket", ("write", "send", "read", "recv"), [], _is_nonblocking_socket),
    (
        "sqlite3.Cursor",
        ("execute", "executemany", "executescript", "fetchone", "fetchmany", "fetchall"),
        [],
        _never,
    ),
    (
        "sqlite3.Connection",
        ("execute", "executemany", "executescript", "commit", "rollback"),
        [],
        _never,
    ),
    ("builtins", ("input",), [], _never),
)


def _functions(scanned: Modules, excluded: Modules) -> dict[str, BlockBusterFunction]:
    made: dict[str, BlockBusterFunction] = {}

    def make(name: str, owner: type | None, attribute: str, row: _Row) -> None:
        made[name] = BlockBusterFunction(
            owner,
            attribute,
            scanned_modules=scanned,
            excluded_modules=excluded,
            can_block_functions=list(row[2]),
            can_block_predicate=row[3],
        )

    for row in _ROWS:
        with contextlib.suppress(ImportError):  # a Python without SSL or SQLite
            _object_named(row[0])
            for function in row[1]:
                make(f"{row[0]}.{function}", None, f"{row[0]}.{function}", row)
    lock_row: _Row = ("", (), _LOCKS_MAY, _is_free_lock)
    for function in ("acquire", "acquire_lock"):
        make(f"threading.Lock.{function}", type(threading.Lock()), function, lock_row)
    if (3, 9) <= sys.version_info < (3, 15):  # as blockbuster does
        entries = os.scandir()
        entries.close()
        make("os.scandir", type(entries), "__next__", ("", (), _FILES_MAY, _never))
    return made


class BlockBuster:
    """All of them, by name in `functions`, as "os.stat" or "socket.socket.connect"."""

    def __init__(
        self, scanned_modules: Modules = None, *, excluded_modules: Modules = None
    ) -> None:
        """Modules or their names, one or several; None: calls count wherever they come from."""
        self.functions = _functions(scanned_modules, excluded_modules)

    def activate(self) -> None:
        """All or, where that raises, none of those that were not active before."""
        activated: list[BlockBusterFunction] = []
        try:
            for function in self.functions.values():
                if not function.activated:
                    activated.append(function)
                    function.activate()
        except BaseException:
            for function in reversed(activated):
                function.deactivate()
            raise

    def deactivate(self) -> None:
        for function in self.functions.values():
            function.deactivate()


@contextlib.contextmanager
def blockbuster_ctx(
    scanned_modules: Modules = None, *, excluded_modules: Modules = None
) -> Iterator[BlockBuster]:
    """A BlockBuster that is active within."""
    blockbuster = BlockBuster(scanned_modules, excluded_modules=excluded_modules)
    blockbuster.activate()
    try:
        yield blockbuster
    finally:
        blockbuster.deactivate()
