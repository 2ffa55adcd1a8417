"""The log: captured, sealed, followed, and read from its middle."""

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peer
from measure import row, take_turns
from pod import FOLDER, Followers, Pod, read_stream, wait_for

# Runs a program. Writes its wall time, in which it also waits for the pipe it prints into, and the processor time of
# both.
TIMED = """
import os, subprocess, sys, time
began = time.monotonic()
subprocess.run(sys.argv[2:], check=True)
taken = time.monotonic() - began
with open(sys.argv[1] + ".new", "w") as file: file.write(f"{taken} {sum(os.times()[:4])}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def sample(size):
    """Returns a file of `size` bytes that look like a training's output. It is in the page cache."""
    path = FOLDER / f"sample-{size}"
    if not path.exists() or path.stat().st_size != size:
        FOLDER.mkdir(parents=True, exist_ok=True)
        left = size
        with open(path, "wb") as file:
            step = 0
            while left > 0:
                lines = []
                for _ in range(10000):
                    step += 1
                    loss = (step * 2654435761 % 1000003) / 1000003
                    lines.append(f"step {step} loss {loss:.6f} grad_norm {loss * 3.7 % 1:.5f} lr 3e-4 tokens/s {step * 7919 % 99991}\n")
                block = "".join(lines).encode()[:left]
                file.write(block)
                left -= len(block)
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
    return path


def producer(path, seconds):
    return [sys.executable, "-c", TIMED, str(seconds), "cat", str(path)]


def clean(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def in_shell(script, folder, source):
    """Runs a pipeline that reads the sample from standard input. Returns the producer's seconds and the processor
    seconds of the rest.
    """
    seconds = folder / "seconds"
    print_into = " ".join(shlex.quote(word) for word in producer(source, seconds))
    before = os.times()
    peer.shell(f"{print_into} | ({script})", folder)
    after = os.times()
    wall, own = map(float, seconds.read_text().split())
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": wall, "cpu": used - own}


def under_agent(source, followers=1, stalled=0, logs=None, after=None):
    """A training prints the sample under the agent, and followers read every byte. Returns the figures."""
    size = source.stat().st_size
    # The training waits for the file `go` before it prints, and afterwards until `hold` is gone, while the agent is
    # measured.
    seconds = FOLDER / "seconds"
    go, hold = FOLDER / "go", FOLDER / "hold"
    for path in (seconds, go):
        path.unlink(missing_ok=True)
    hold.touch()
    wait = "import os, sys, time\nwhile os.path.exists(sys.argv[1]) == bool(int(sys.argv[2])): time.sleep(0.002)"
    until = f"{sys.executable} -c '{wait}'"
    quoted = " ".join(f"'{word}'" for word in producer(source, seconds))
    command = f"{until} {go} 0; {quoted}; {until} {hold} 1"
    config = {"logs": logs} if logs else {}
    with Pod(command, config) as pod:
        pod.start()
        wait_for(lambda: pod.run.joinpath("attempts").exists() and list(pod.run.glob("attempts/*.json"))
                 and pod.record()["state"] == "training", "training")
        idle = pod.memory()
        clients = Followers(pod, followers, size, stalled)
        cpu, began = pod.cpu(), time.monotonic()
        go.touch()
        wait_for(seconds.exists, "end of the output", 600)
        wall = float(seconds.read_text().split()[0])
        plain = lambda: [path for path in pod.run.glob("logs/*.log")]
        sealed = wait_for(lambda: len(plain()) <= 1 and time.monotonic(), "sealing", 600)
        figures = {
            "wall": wall, "cpu": pod.cpu() - cpu, "sealing": sealed - began,
            "idle": idle, "memory": pod.memory(), "per GB": wall * 1e9 / size,
        }
        if after:
            figures |= after(pod)
        clients.catch_up()
        hold.unlink()
        ends, last = clients.finish()
        pod.wait()
        if any(end < size for end in ends):
            raise RuntimeError(f"followers got {ends} of {size} bytes")
        figures["follower"] = last - began
        return figures


def middle(pod):
    """Seconds until the first byte from the middle of the log arrives."""
    end = int(pod.get("/v1/log", {"Range": "bytes=-1"}).getheader("Content-Range").rsplit("/")[1])
    times = []
    for part in (0.25, 0.5, 0.75):
        began = time.monotonic()
        response = pod.get("/v1/log", {"Range": f"bytes={int(end * part)}-"})
        response.read(1)
        times.append(time.monotonic() - began)
        response.close()
    return {"first byte": statistics.median(times)}


def capture(rounds, size):
    """The capture of a log beside tee, and its sealing beside gzip -1. The loggers of s6 and runit have no target: one
    round is enough.
    """
    source = sample(size)
    folder = FOLDER / "peer"
    ways = {"agent": lambda: under_agent(source), "tee, gzip": lambda: tee_and_gzip(clean(folder), source)}
    loggers = {
        # With -b it waits for the disk before it reads more, as the others do.
        "s6-log": 's6-log -b n1000 s8388608 !"gzip -1" "$1"',
        "svlogd": 'printf "s8388608\\nn0\\n!gzip -1\\n" >"$1/config"; svlogd "$1"',
    }
    for name, script in loggers.items():
        if shutil.which(name):
            ways[name] = lambda script=script: in_shell(script, clean(folder), source)
        else:
            print(f"bench: skipped {name}: not installed", file=sys.stderr)
    seen = take_turns(ways, rounds, fewer=dict.fromkeys(loggers, 1))
    shutil.rmtree(folder)
    agent, other, gb = seen["agent"], seen["tee, gzip"], size / 1e9
    rows = [
        row("log capture: producer", "s", agent["wall"], "tee FILE | cat", other["wall"], "<= 1"),
        row("log capture: last follower has all", "s", agent["follower"]),
        row("sealing", "MB/s", [size / 1e6 / value for value in agent["sealing"]],
            "gzip -1", [size / 1e6 / value for value in other["sealing"]], ">= 0.9"),
        row("CPU of capture and sealing", "s/GB", [value / gb for value in agent["cpu"]],
            "tee + gzip -1", [value / gb for value in other["cpu"]], "<= 1.2"),
    ]
    for name in loggers:
        if name in seen:
            rows.append(row(f"log capture: producer, beside {name}", "s", agent["wall"], name, seen[name]["wall"]))
            rows.append(row(f"CPU, beside {name}", "s/GB", [value / gb for value in agent["cpu"]], name,
                            [value / gb for value in seen[name]["cpu"]]))
    return rows


def tee_and_gzip(folder, source):
    """Captures the log with tee and compresses the same bytes afterwards. Returns the figures of `under_agent`."""
    figures = in_shell('tee "$1/log" | cat >/dev/null', folder, source)
    # gzip does not pay for what tee left to write.
    os.sync()
    before, began = os.times(), time.monotonic()
    peer.shell('gzip -1 <"$2" >"$1/log.gz"', folder, source)
    after, sealing = os.times(), time.monotonic() - began
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": figures["wall"], "cpu": figures["cpu"] + used, "sealing": sealing}


def memory(sizes, size):
    """Memory and cost: by the log's size, by the number of followers, and idle and after `size` bytes."""
    rows = []
    for bytes in sizes:
        seen = under_agent(sample(bytes))
        rows.append(row(f"producer, log of {bytes / 1e6:.0f} MB", "s/GB", [seen["per GB"]]))
    for count, stalled in ((1, 0), (8, 0), (64, 0), (64, 8)):
        seen = under_agent(sample(sizes[1]), followers=count - stalled, stalled=stalled)
        name = f"{count} followers" + (f", {stalled} of them stalled" if stalled else "")
        rows.append(row(f"producer, {name}", "s/GB", [seen["per GB"]]))
        # Each follower beyond 8 may take a quarter of a megabyte.
        limit = 12 if count <= 8 else 12 + (count - 8) * 0.25
        rows.append(row(f"anonymous memory, {name}", "MB", [seen["memory"]["RssAnon"]], target=f"<= {limit:g}"))
    seen = under_agent(sample(size), followers=8, after=middle)
    rows.append(row(f"first byte in the middle of {size / 1e9:.3g} GB", "ms", [seen["first byte"] * 1e3], target="<= 50"))
    rows.append(row(f"producer, log of {size / 1e6:.0f} MB, 8 followers", "s/GB", [seen["per GB"]]))
    after = f"after {size / 1e9:.3g} GB with 8 followers"
    for name, figure, limit in (("anonymous", "RssAnon", 12), ("resident", "VmRSS", 32)):
        rows.append(row(f"{name} memory, idle", "MB", [seen["idle"][figure]], target=f"<= {limit}"))
        rows.append(row(f"{name} memory, {after}", "MB", [seen["memory"][figure]], target=f"<= {limit}"))
    return rows


LINES = """
import sys, time
for number in range(int(sys.argv[1])):
    print(time.monotonic_ns(), flush=True)
    time.sleep(0.003)
"""


def latency(rounds, lines):
    """The time from a printed line to the same line at the follower, beside tail -f of a file."""

    def agent():
        times = []
        with Pod([sys.executable, "-c", LINES, str(lines)]) as pod:
            pod.start()
            read_stream(pod.address, 0, lambda piece: take(piece, times))
            pod.wait()
        return times

    def tail():
        path = clean(FOLDER / "peer") / "log"
        path.touch()
        follower = subprocess.Popen(["tail", "-f", path], stdout=subprocess.PIPE)
        with open(path, "wb") as file:
            printer = subprocess.Popen([sys.executable, "-c", LINES, str(lines)], stdout=file)
        times = []
        while len(times) < lines and (piece := os.read(follower.stdout.fileno(), 1 << 16)):
            take(piece, times)
        printer.wait(timeout=peer.TIMEOUT)
        follower.kill()
        follower.wait()
        follower.stdout.close()
        return times

    def take(piece, times):
        now = time.monotonic_ns()
        times += [(now - int(line)) / 1e6 for line in piece.split(b"\n") if line.isdigit() and len(line) > 9]
        return b"EXIT_CODE=" in piece

    def figures(times):
        cuts = statistics.quantiles(times, n=100)
        return {"p50": [cuts[49]], "p99": [cuts[98]]}

    seen = take_turns(
        {name: (lambda way=way: {k: v[0] for k, v in figures(way()).items()}) for name, way in (("agent", agent), ("tail", tail))},
        rounds,
    )
    rows = []
    for figure, limit in (("p50", 2), ("p99", 10)):
        r = row(f"line printed to line followed, {figure}", "ms", seen["agent"][figure], target=f"<= {limit}")
        r.peer, r.peer_value = "tail -f", statistics.median(seen["tail"][figure])
        rows.append(r)
    return rows
