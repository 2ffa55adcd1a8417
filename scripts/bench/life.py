"""A run's start and end, and what a training feels of being supervised."""

import datetime
import os
import signal
import subprocess
import sys
import time

import peer
from measure import medians, row
from pod import FOLDER, ROOT, Pod, wait_for


def size():
    binary = ROOT / "dist" / "pod-agent"
    return [row("agent, static and stripped", "MB", [binary.stat().st_size / 1e6], target="<= 30")]


def start(rounds):
    """From the agent's exec to the training's: `date` says when it began."""

    def way():
        with Pod(["date", "+%s.%N"]) as pod:
            began, _ = pod.start()
            pod.wait()
            text = b"".join(path.read_bytes() for path in pod.run.glob("logs/*.log"))
            return {"ms": (next(float(line) for line in text.split(b"\n") if line[:1] in b"123456789" and b"." in line) - began) * 1e3}

    return [row("exec of the agent to exec of the training", "ms", medians({"agent": way}, rounds)["agent"]["ms"], target="<= 100")]


ENDS_AT_ONCE = "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(0))\nprint('ready', flush=True)\nwhile True: time.sleep(1)"


def end(rounds):
    """From SIGTERM to the durable mark, and to the agent's exit, with a training that exits at once."""

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

    seen = medians({"agent": way}, rounds)["agent"]
    return [
        row("SIGTERM to durable mark, less one fsync", "ms",
            [mark - one for mark, one in zip(seen["mark"], seen["fsync"])], target="<= 50"),
        row("SIGTERM to gone, training that exits at once", "ms", seen["gone"], target="<= 250"),
    ]


def fsync():
    """Milliseconds of one fsync of a small file here."""
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
    """An installed environment found again, beside pip and uv with nothing to do."""
    folder = ROOT / "examples" / "digits"
    peers = FOLDER / "venv"
    if not peers.exists():
        peer.run([sys.executable, "-m", "venv", peers])
        peer.run([peers / "bin" / "pip", "install", "-q", "uv", "-r", folder / "requirements.txt"], patience=600)

    def timed(*command):
        began = time.monotonic()
        peer.run(command)
        return {"ms": (time.monotonic() - began) * 1e3}

    with Pod("true", {"code": {"path": str(folder)}, "dependencies": {"requirements": ["requirements.txt"]}}) as pod:
        home = pod.folder / "home"

        def agent():
            # A forced launch trains again with the same code and the same environment.
            run = [ROOT / "dist" / "launch", "run", "--force-restart", pod.folder / "config.yaml"]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env=os.environ | {"LAUNCH_HOME": str(home)})
            number = len(list(pod.run.glob("attempts/*.claim")))
            phases = {phase["state"]: parse(phase["began"]) for phase in pod.record(number)["phases"]}
            return {"ms": (phases["resuming"] - phases["installing"]) * 1e3}

        pod.environment()
        agent()
        seen = medians(
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


TRAINING = """
import time
began = time.monotonic()
total, step = 0.0, 0
while step < 3000:
    step += 1
    for i in range(10000): total += i * 1e-9
    print(f"step {step} loss {total:.6f}", flush=True)
print("SECONDS", time.monotonic() - began, flush=True)
"""


def overhead(rounds):
    """A training that computes and prints a line each millisecond, bare and under the agent."""

    def seconds(text):
        return {"s": float(text.split(b"SECONDS ")[1].split()[0])}

    def bare():
        return seconds(peer.run([sys.executable, "-c", TRAINING]))

    def agent():
        with Pod([sys.executable, "-c", TRAINING]) as pod:
            pod.start()
            pod.wait()
            return seconds(b"".join(path.read_bytes() for path in pod.run.glob("logs/*.log")))

    seen = medians({"agent": agent, "bare": bare}, rounds)
    return [row("wall time of a training", "s", seen["agent"]["s"], "bare", seen["bare"]["s"], "<= 1.01")]
