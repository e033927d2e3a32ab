"""Runs command lines, each in a process of its own, in the surroundings that this program was started in.

    python -m tests.support.every_command LINES REPORT

LINES is a file of command lines as JSON. Each one runs in a child that is forked after everything was
imported, so that all of them take seconds. Its exit code, or the traceback with which it ended, goes to the
file descriptor REPORT as a line of JSON: standard output may be closed.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallystick.cli.main import main
from tests.support.command_lines import command

BROKEN: Final = 99
SECONDS_MAX: Final = 20


def _run(words: Sequence[str]) -> tuple[int, str]:
    try:
        main(words)
    except SystemExit as ended:
        return (ended.code if isinstance(ended.code, int) else 0), ""
    except BaseException:  # noqa: BLE001 - whatever leaves `main` is what is looked for
        return BROKEN, traceback.format_exc()[-800:]
    return 0, ""


def run_all(lines: Sequence[Sequence[str]], report: int) -> None:
    """Run each line in a child, and report how it ended."""
    for words in lines:
        command(tuple(words[:1]))  # what is imported here is imported once
    for words in lines:
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            ended = {"words": list(words), "code": os.waitstatus_to_exitcode(status)}
            os.write(report, (json.dumps(ended) + "\n").encode())
            continue
        signal.alarm(SECONDS_MAX)
        code, fault = _run(words)
        if fault:
            os.write(report, (json.dumps({"words": list(words), "fault": fault}) + "\n").encode())
        os._exit(code)


if __name__ == "__main__":
    run_all(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), int(sys.argv[2]))
