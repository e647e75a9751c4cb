"""The command as a process: streams, colours, the bar, what it loads."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.command_line.running import DAY, EXAMPLES
from tests.docs.conftest import PROJECT, free_port, running

COMMAND = [sys.executable, "-m", "service.command_line"]
PLAIN = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}


def done(*words: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words], input=stdin, cwd=PROJECT, env=PLAIN | environ, capture_output=True, timeout=300
    )


def seen_in_a_terminal(*words: str, **environ: str) -> str:
    """What a person sees: both streams are the terminal."""
    ours, theirs = pty.openpty()
    environ = {"TERM": "xterm", "COLUMNS": "200"} | environ
    with subprocess.Popen(
        [*COMMAND, *words], cwd=PROJECT, env=PLAIN | environ, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        read = bytearray()
        try:
            while part := os.read(ours, 1 << 16):
                read += part
        except OSError:
            # How a terminal says that its other side has closed.
            pass
        process.wait(300)
    os.close(ours)
    return read.decode()


def test_data_goes_to_one_stream_and_talk_to_the_other() -> None:
    ran = done(
        "evaluate",
        DAY,
        "--format=json",
        "-",
        "absent.json",
        stdin=(EXAMPLES / "thigh-day-fifteen/bundle.json").read_bytes(),
    )
    assert ran.returncode == 1
    assert ran.stdout.startswith(b'{"source":"<stdin>","cards":[')
    assert ran.stderr == b"absent.json: cannot be read: No such file or directory\n"


def test_colours_and_the_bar_are_for_terminals_alone() -> None:
    files = [str(EXAMPLES / name / "bundle.json") for name in ("thigh-furosemide", "wasting-hand")]
    assert b"\x1b" not in done("evaluate", DAY, *files).stdout
    assert done("evaluate", DAY, *files).stderr == b""
    shown = seen_in_a_terminal("evaluate", DAY, *files)
    assert "\x1b[33mwarning" in shown
    assert "\x1b[31mcritical" in shown
    assert "Reading" in shown
    assert "100%" in shown
    assert "Reading" not in seen_in_a_terminal("evaluate", DAY, files[0])
    without = seen_in_a_terminal("evaluate", DAY, *files, NO_COLOR="1")
    assert "\x1b[33m" not in without
    assert "\x1b[31m" not in without


@pytest.mark.parametrize(
    "words", [("evaluate", DAY, "examples/thigh-day-fifteen/bundle.json"), ("explain", "emg"), ("examples",)]
)
def test_no_http_is_loaded_where_none_is_spoken(words: tuple[str, ...]) -> None:
    script = (
        "import sys\n"
        "from service.command_line.commands import commands\n"
        f"try:\n    commands({list(words)!r})\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'flask', 'werkzeug', 'gunicorn', 'requests', 'sqlalchemy', 'jwt'}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=PLAIN, capture_output=True, timeout=300
    )
    assert ran.stderr.decode().splitlines()[-1] == "[]"


def test_the_installed_command_is_this_one() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"fasciculation-cds": "service.command_line.__main__:main"}
    from service.command_line.__main__ import main

    assert callable(main)


def test_it_serves(tmp_path: Path) -> None:
    port = free_port()
    environ = PLAIN | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "FEEDBACK_DB": f"sqlite:///{tmp_path / 'feedback.sqlite3'}",
    }
    with running([*COMMAND, "serve"], f"http://127.0.0.1:{port}", cwd=PROJECT, env=environ) as url:
        assert url
    assert b"PUBLIC_BASE_URL" in done("serve", "--help").stdout
    wrong = done("serve", PORT="none")
    assert wrong.returncode == 2
    assert b"PORT: a number" in wrong.stderr
