"""Which compiler builds the engine here, and with which flags.

The order is: the system's C compiler when it really compiles and links (it is tried, not only looked for), else
ziglang, a compiler that installs from wheels. Both need Python's own headers; without them there is nothing to
compile against, the engine stays interpreted, and `advice` says what to install.

The Makefile runs it as a program: it prints the decision on stderr and the lock files that the build needs on stdout;
with `--headers`, only whether the headers are there.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

ZIGLANG = "ziglang==0.17.1"

# -fwrapv: the engine's 64-bit arithmetic wraps, as CPython's own build assumes.
# Hardening costs nothing measurable here, and these functions read hostile bytes.
COMPILE_FLAGS = ["-O3", "-DNDEBUG", "-fwrapv", "-fPIC", "-fvisibility=hidden", "-fstack-protector-strong"]
# Zig's default inlining leaves the engine 1.5 times slower than gcc's.
ZIG_FLAGS = ["-mllvm", "-inline-threshold=1000"]
# What is frequent is counted once and laid out for (gcc). What nobody exercised is compiled as without a profile.
COUNT_FLAGS = ["-fprofile-generate"]
PROFILE_FLAGS = ["-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile"]
LINK_FLAGS = ["-shared", "-Wl,-z,relro", "-Wl,-z,now"]
LINK_FLAGS_MACOS = ["-bundle", "-undefined", "dynamic_lookup"]

# Oldest C library that the result runs on. Without an explicit target, zig compiles for this very processor.
ZIG_TARGET_LIBC = {"gnu": "gnu.2.17", "musl": "musl"}


class NoCompilerError(Exception):
    """The build was started without a compiler."""


def headers() -> list[Path] | None:
    """Include folders of this Python's C headers, or None when they are not installed."""
    folders = {Path(sysconfig.get_path(name)) for name in ("include", "platinclude")}
    if not any((folder / "Python.h").is_file() for folder in folders):
        return None
    return sorted(folders)


def compiler() -> list[str] | None:
    """The command line of a system compiler that works, or None."""
    for candidate in _candidates():
        command = shlex.split(candidate)
        if command and shutil.which(command[0]) and _works(command):
            return command
    return None


def zig() -> list[str] | None:
    """The command line of ziglang's compiler, or None when it is not installed."""
    if importlib.util.find_spec("ziglang") is None:
        return None
    return [sys.executable, "-m", "ziglang", "cc", "-target", _zig_target(), *ZIG_FLAGS]


def requirements() -> list[str]:
    """What the build needs from the package index beyond setuptools and Cython."""
    return [ZIGLANG] if obstacle() is None and compiler() is None else []


def obstacle() -> str | None:
    """Why the engine cannot be compiled here, or None when it can."""
    if headers() is None:
        return advice()
    if compiler() is None and not _zig_target():
        return "no C compiler works here: the engine will run interpreted, about 100 times slower"
    return None


def choose() -> list[str]:
    """The compiler for this build.

    Raises:
        NoCompilerError: none works, and ziglang is not installed.
    """
    command = compiler() or zig()
    if command is None:
        message = f"no C compiler works here; install one, or {ZIGLANG}"
        raise NoCompilerError(message)
    return command


def profiles(command: list[str]) -> bool:
    """Whether a compiler can count and use what was counted; ``SPANWARD_PROFILE=0`` says that it shall not."""
    return os.environ.get("SPANWARD_PROFILE") != "0" and all(_works(command, f) for f in (COUNT_FLAGS, PROFILE_FLAGS))


def compile_extension(command: list[str], source: Path, target: Path, scratch: Path, flags: Iterable[str] = ()) -> None:
    """Compile one C file to an extension module.

    Counts are kept beside the target that was compiled to count, and looked for beside the target that uses them.

    Raises:
        subprocess.CalledProcessError: the compiler refused; its messages are on stderr.
    """
    includes = [f"-I{folder}" for folder in [*(headers() or []), *_multiarch_headers(scratch)]]
    own = shlex.split(os.environ.get("CFLAGS", "")) + shlex.split(os.environ.get("LDFLAGS", ""))
    line = [*command, *COMPILE_FLAGS, *flags, *includes, str(source), "-o", str(target), *link_flags(), *own]
    print("spanward:", shlex.join(line), file=sys.stderr)
    # Zig keeps a cache of its own in the home folder unless told otherwise.
    cache = {name: str(scratch / "zig-cache") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    subprocess.run(line, check=True, env={**os.environ, **cache})


def link_flags() -> list[str]:
    """How an extension module is linked on this system."""
    return LINK_FLAGS_MACOS if sys.platform == "darwin" else LINK_FLAGS


def advice() -> str:
    """What to install when the headers are missing."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"the C headers of Python {version} are missing: the engine will run interpreted, about 100 times slower. "
        "Install them (Debian, Ubuntu: apt install python3-dev; Fedora, RHEL: dnf install python3-devel), "
        "then run make, or pip install, again"
    )


def _candidates() -> list[str]:
    """Commands that may be a compiler, the chosen one first."""
    if "CC" in os.environ:
        return [os.environ["CC"]]
    return ["cc", "gcc", "clang"]


def _works(command: list[str], flags: Iterable[str] = ()) -> bool:
    """Whether a compiler compiles and links: gcc without the C library's headers is found, and is of no use."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.c")
        source.write_text("#include <stdlib.h>\n#include <string.h>\nint trial(void) { return EXIT_SUCCESS; }\n")
        line = [*command, *COMPILE_FLAGS, *flags, str(source), "-o", str(Path(folder, "trial.so")), *link_flags()]
        return subprocess.run(line, check=False, capture_output=True).returncode == 0


def _zig_target() -> str:
    """The explicit target of zig, or nothing where it is not used."""
    if sys.platform != "linux":
        return ""
    libc = "musl" if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "") else "gnu"
    return f"{platform.machine()}-linux-{ZIG_TARGET_LIBC[libc]}"


def _multiarch_headers(scratch: Path) -> list[Path]:
    """A folder from which Debian's `#include <x86_64-linux-gnu/python3.11/pyconfig.h>` resolves.

    The system compiler searches /usr/include itself. Zig brings its own C library and must not see the system's, so
    only Python's part is copied.
    """
    multiarch = sysconfig.get_config_var("MULTIARCH")
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    source = Path("/usr/include", multiarch or "none", python)
    if not source.is_dir():
        return []
    shutil.copytree(source, scratch / "include" / str(multiarch) / python, dirs_exist_ok=True)
    return [scratch / "include"]


def main() -> None:
    """Say which compiler will be used, and print the lock files that the build needs."""
    if sys.argv[1:] == ["--headers"]:
        print("without-headers" if headers() is None else "with-headers")
        return
    locks = ["requirements-build.lock"]
    if (reason := obstacle()) is not None:
        print("spanward:", reason, file=sys.stderr)
    elif requirements():
        print("spanward: no C compiler works here; ziglang (100 MB) will build the engine", file=sys.stderr)
        locks.append("requirements-zig.lock")
    print(" ".join(f"-r {lock}" for lock in locks))


if __name__ == "__main__":
    main()
