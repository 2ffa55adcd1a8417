"""Programs that the agent is compared with. None takes for ever."""

import os
import signal
import subprocess

# Seconds that one may take.
PATIENCE = 300


def run(command, *, quiet=True, patience=PATIENCE):
    """Runs a program to its end and returns what it printed. One that does not end is killed, with all that it started."""
    output = subprocess.PIPE if quiet else None
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if quiet else None, start_new_session=True)
    try:
        printed, _ = process.communicate(timeout=patience)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimeoutError(f"not ended after {patience} s: {command}") from None
        raise
    if process.returncode:
        raise RuntimeError(f"ended with {process.returncode}: {command}\n{(printed or b'').decode(errors='replace')[-2000:]}")
    return printed


def shell(script, *arguments):
    """As `run`, for a script of bash with `$1` and so on; what it prints is shown."""
    run(["bash", "-o", "pipefail", "-c", script, "bash", *map(str, arguments)], quiet=False)
