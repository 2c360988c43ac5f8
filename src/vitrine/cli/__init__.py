"""The command line: one thin command a capability, each calls one function of the package.

Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 verification mismatch, 130 interrupted.
An error is one sentence on stderr; ``VITRINE_TRACEBACK=1`` shows where it was raised.
"""

import errno
import os
import sys

__all__ = ["main"]

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def __getattr__(name: str):
    """Return ``app``, made when it is asked for.

    Importing this module imports no other: ``main`` hears Ctrl-C from its first moment.
    """
    if name != "app":
        raise AttributeError(name)
    from vitrine.cli.commands import app

    return app


def _code(error: Exception) -> int:
    """Return the exit code of an error that the package raises on purpose."""
    usage = BAD_INPUT if isinstance(error, ValueError | FileNotFoundError) else FAILED
    return getattr(error, "exit_code", usage)


def _again() -> str:
    """Return the command that goes on with what was finished."""
    import shlex

    given = sys.argv[1:]
    resumed = given[:1] in (["train"], ["pretrain"]) and "--resume" not in given
    return f"`{shlex.join(['vitrine', *given, *['--resume'] * resumed])}`"


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"expected room on the disk, found it full ({error.strerror or error}); make room and "
            f"run {_again()}, what was finished is kept"
        )
    if isinstance(error, OSError) and (
        isinstance(error, PermissionError) or error.errno == errno.EROFS
    ):
        return (
            f"expected to be allowed to use {error.filename or 'a file'}, found it refused "
            f"({error.strerror or error}); change its permissions, or work in a clone of your own"
        )
    if isinstance(error, OSError) and error.filename and error.strerror:
        return (
            f"expected a path that can be used, found {error.filename} ({error.strerror}); "
            "correct it, or give another"
        )
    return str(error) or type(error).__name__


def _run() -> None:
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks of CUDA at each start
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("vitrine").setLevel(logging.INFO)
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # it tells each retry, twice
    from vitrine import paths
    from vitrine.cli import app

    paths.require_clone()
    app()


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        _run()
    except (KeyboardInterrupt, SystemExit) as stop:  # typer makes the second of the first
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:
            raise
        print(f"interrupted; what was finished is kept: run {_again()}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:  # the last door: nothing but a sentence leaves it
        if os.environ.get("VITRINE_TRACEBACK") == "1":
            raise
        print(f"vitrine: {_sentence(error)}", file=sys.stderr)
        sys.exit(_code(error))
