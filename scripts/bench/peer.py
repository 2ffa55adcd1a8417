"""Programs that the agent is compared with. Each has a timeout."""

import os
import signal
import subprocess

# Seconds.
TIMEOUT = 300


def run(command, *, quiet=True, timeout=TIMEOUT):
    """Runs a program to its end and returns its output. At the timeout the program is killed with all that it started.
    """
    output = subprocess.PIPE if quiet else None
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if quiet else None, start_new_session=True)
    try:
        printed, _ = process.communicate(timeout=timeout)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimeoutError(f"not ended after {timeout} s: {command}") from None
        raise
    if process.returncode:
        raise RuntimeError(f"ended with {process.returncode}: {command}\n{(printed or b'').decode(errors='replace')[-2000:]}")
    return printed


def shell(script, *arguments):
    """Runs a bash script with its arguments in `$1` and so on. Its output is shown."""
    run(["bash", "-o", "pipefail", "-c", script, "bash", *map(str, arguments)], quiet=False)
