"""A run's start and end, an environment found again, and what supervision costs a training."""

import datetime
import os
import signal
import subprocess
import sys
import time

import peer
import steps
from measure import row, take_turns
from pod import FOLDER, ROOT, Pod, wait_for
from steps import Steps


def size():
    binary = ROOT / "dist" / "pod-agent"
    return [row("agent, static and stripped", "MB", [binary.stat().st_size / 1e6], target="<= 30")]


def start(rounds):
    """The time from the agent's exec to the training's. The training is `date`, which prints its own start."""

    def way():
        with Pod(["date", "+%s.%N"]) as pod:
            began, _ = pod.start()
            pod.wait()
            text = b"".join(path.read_bytes() for path in pod.run.glob("logs/*.log"))
            return {"ms": (next(float(line) for line in text.split(b"\n") if line[:1] in b"123456789" and b"." in line) - began) * 1e3}

    return [row("exec of the agent to exec of the training", "ms", take_turns({"agent": way}, rounds)["agent"]["ms"], target="<= 100")]


ENDS_AT_ONCE = "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(0))\nprint('ready', flush=True)\nwhile True: time.sleep(1)"


def end(rounds):
    """The times from SIGTERM to the durable mark and to the agent's exit, for a training that exits at once."""

    def way():
        with Pod([sys.executable, "-c", ENDS_AT_ONCE]) as pod:
            pod.start()
            log = pod.run / "logs"
            wait_for(lambda: any(b"\nready\n" in path.read_bytes() for path in log.glob("*.log")), "training")
            record = pod.run / "attempts" / "0001.json"
            began = time.monotonic()
            pod.process.send_signal(signal.SIGTERM)
            wait_for(lambda: b"interrupted" in record.read_bytes(), "mark")
            mark = time.monotonic()
            pod.wait()
            return {"mark": (mark - began) * 1e3, "gone": (time.monotonic() - began) * 1e3, "fsync": fsync()}

    seen = take_turns({"agent": way}, rounds)["agent"]
    return [
        row("SIGTERM to durable mark, less one fsync", "ms",
            [mark - one for mark, one in zip(seen["mark"], seen["fsync"])], target="<= 50"),
        row("SIGTERM to gone, training that exits at once", "ms", seen["gone"], target="<= 250"),
    ]


def fsync():
    """Milliseconds that one fsync of a small file takes on this disk."""
    path = FOLDER / "fsync"
    with open(path, "wb") as file:
        file.write(b"x" * 1000)
        file.flush()
        began = time.monotonic()
        os.fsync(file.fileno())
        taken = time.monotonic() - began
    path.unlink()
    return taken * 1e3


def environments(rounds):
    """The time to find an installed environment again, beside pip and uv when they have nothing to install."""
    folder = ROOT / "examples" / "digits"
    peers = FOLDER / "venv"
    if not peers.exists():
        peer.run([sys.executable, "-m", "venv", peers])
        peer.run([peers / "bin" / "pip", "install", "-q", "uv", "-r", folder / "requirements.txt"], timeout=600)

    def timed(*command):
        began = time.monotonic()
        peer.run(command)
        return {"ms": (time.monotonic() - began) * 1e3}

    with Pod("true", {"code": {"path": str(folder)}, "dependencies": {"requirements": ["requirements.txt"]}}) as pod:
        home = pod.folder / "home"

        def agent():
            # A forced launch trains again with the same code, and finds the environment of the launch before it.
            run = [ROOT / "dist" / "launch", "run", "--force-restart", pod.folder / "config.yaml"]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env=os.environ | {"LAUNCH_HOME": str(home)})
            number = len(list(pod.run.glob("attempts/*.claim")))
            phases = {phase["state"]: parse(phase["began"]) for phase in pod.record(number)["phases"]}
            return {"ms": (phases["resuming"] - phases["installing"]) * 1e3}

        pod.environment()
        agent()
        seen = take_turns(
            {
                "agent": agent,
                "pip": lambda: timed(peers / "bin" / "pip", "install", "-r", folder / "requirements.txt"),
                "uv": lambda: timed(peers / "bin" / "uv", "pip", "install", "--python", peers / "bin" / "python", "-r", folder / "requirements.txt"),
            },
            rounds,
        )
    rows = []
    for name in ("pip", "uv"):
        r = row(f"environment found again, beside {name}", "ms", seen["agent"]["ms"], target="<= 100")
        r.peer, r.peer_value = f"{name} install -r", sorted(seen[name]["ms"])[rounds // 2]
        rows.append(r)
    return rows


def parse(date):
    return datetime.datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()


ADDED = """The wall time that a step takes more while the training prints to the agent than while it prints to a pipe that cat
empties and serve is stopped; one process in turn, windows of 0.05 s, a line each millisecond. It is the processor time of the
training itself (median), its waits for a processor that others have, and its waits for the pipe (means). Each value is one
training."""


def overhead(rounds, quads):
    """What the agent adds to the steps of a training that computes and prints a line each millisecond.

    In the windows A the training writes to the agent, which runs. In the windows B the training writes to a pipe that
    `cat` empties, and serve is stopped by SIGSTOP. So all that the agent does for the training falls into A: reading
    the pipe, the checks of each second, the heartbeat, and the rotation and sealing of the log. A row misses its target
    only if the agent makes a step use more processor time, takes the training's processor, or lets the training wait
    for its pipe. The rows below it say which.

    Costs that do not recur with the steps are not part of it; "exec of the agent to exec of the training" has those.
    """
    rows = []
    for processes in (1, os.cpu_count()):
        seen = {}
        for _ in range(rounds):
            for name, value in supervised(processes, quads).items():
                seen.setdefault(name, []).append(value)
        rows += steps.rows(f"what the agent adds to a step on {processes} of {os.cpu_count()} processors", seen, "<= 1", ADDED)
    return rows


def supervised(processes, quads):
    """Runs one such training. Returns the figures of `Steps.added`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    bare = FOLDER / "bare"
    bare.unlink(missing_ok=True)
    os.mkfifo(bare)
    reader = subprocess.Popen(["cat", bare], stdout=subprocess.DEVNULL)
    try:
        training = Steps(FOLDER / "steps", processes, 20_000, bare=bare)
        # Small segments, so that some are sealed meanwhile.
        with Pod(training.command, {"logs": {"segment": "1MB"}}) as pod:
            pod.start()
            serve = pod.serve()
            try:
                training.measure(quads, 0.05, lambda runs: os.kill(serve, signal.SIGCONT if runs else signal.SIGSTOP))
            finally:
                os.kill(serve, signal.SIGCONT)
                training.end()
            pod.wait()
        return training.added()
    finally:
        reader.kill()
        reader.wait()
