"""Functions, the same comparison for servers: from a request to the first byte of its answer, and how many fit in 1 GB.

Requests go over one connection on loopback that stays open, one at a time, so the figures hold no connection set-up and
no queue. Memory of processes is the proportional set size, which divides shared pages among those who share them.
"""

import contextlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measure import MeasureError, summary
from report import print_rows, time_text
from rows import find

GUESTS = Path(__file__).resolve().parent.parent.parent / "cli" / "serve" / "testdata"
BODY = b"Hello World!\n"
GIGABYTE_KIB = 1e9 / 1024
# A server that answers like the function, for node.
NODE_SERVER = """require('http').createServer((request, response) => {
  response.writeHead(200, {'Content-Type': 'text/plain', 'Content-Length': 13});
  response.end('Hello World!\\n');
}).listen(%d, '127.0.0.1');
"""


class Server:
    """A server process on a port of its own, until the end of the `with` block."""

    def __init__(self, make_command):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = make_command(self.port)

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), 30)
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise MeasureError(f"{Path(self.command[0]).name} does not listen") from None
                time.sleep(0.05)

    def __exit__(self, *unused):
        self.connection.close()
        self.stop()

    def stop(self):
        self.process.kill()  # not terminate: a server would first let the programs end that are under way
        self.process.wait()

    def first_byte_ms(self, path):
        """Sends a request, returns the milliseconds until the first byte of the answer, and checks the whole of it."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        begin = time.perf_counter_ns()
        self.connection.sendall(request)
        answer = self.connection.recv(1)
        elapsed = time.perf_counter_ns() - begin
        while not answer.endswith(BODY):
            more = self.connection.recv(65536)
            if not more:
                raise MeasureError(f"{path}: the server answered {answer[:60]!r}")
            answer += more
        if not answer.startswith(b"HTTP/1.1 200"):
            raise MeasureError(f"{path}: the server answered {answer[:60]!r}")
        return elapsed / 1e6


def stop_all(processes):
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve(tfvm, folder):
    options = ["--workers", "1", "--access-log", "off", "--quiet"]
    return Server(lambda port: [*tfvm, "serve", "--listen", f"127.0.0.1:{port}", *options, str(folder)])


def measure_functions(tfvm, node, rows, settings, docker):
    """Returns {"requests": [...], "density": [...]}; a line of either has a `skipped` reason instead of figures."""
    folder = settings.work / "functions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("hello.wasm", "hello_cgi.wasm", "endless_cgi.wasm"):
        shutil.copy(GUESTS / name, folder)
    make_distinct(folder, settings.runs)
    print("startup: functions: requests", file=sys.stderr, flush=True)
    requests = measure_requests(tfvm, node, folder, settings) + [docker_request(rows)]
    print("startup: functions: density", file=sys.stderr, flush=True)
    return {"requests": requests, "density": measure_density(tfvm, node, folder, settings, docker)}


# ---- Requests --------------------------------------------------------------------------------------------------------


def make_distinct(folder, count):
    """count copies of the hello function that differ in a custom section, about 4 KB each."""
    hello = (GUESTS / "hello.wasm").read_bytes()
    for number in range(count):
        content = b"\x04mark" + b"%08d" % number * 460
        size = len(content)  # 3685 or so: two bytes of LEB128
        (folder / f"f{number}.wasm").write_bytes(hello + bytes([0, size & 0x7F | 0x80, size >> 7]) + content)


def measure_requests(tfvm, node, folder, settings):
    lines = {name: [] for name in ("tfvm serve, function never run before", "tfvm serve, warm function",
                                   "tfvm serve, warm WASI program (CGI)")}
    script = folder.parent / "server.js"
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(serve(tfvm, folder))
        makers = [lambda number: ours.first_byte_ms(f"/f{number}.wasm"), lambda _: ours.first_byte_ms("/hello.wasm"),
                  lambda _: ours.first_byte_ms("/hello_cgi.wasm")]
        if node:
            def node_command(port):
                script.write_text(NODE_SERVER % port)
                return [*node, str(script)]

            theirs = stack.enter_context(Server(node_command))
            lines["node server"] = []
            makers.append(lambda _: theirs.first_byte_ms("/"))
        for make in makers[1:]:  # "never run before" has no warm-up
            for _ in range(settings.warm_up):
                make(0)
        for number in range(settings.runs):
            for times, make in zip(lines.values(), makers):
                times.append(make(number))
    return [{"name": name, "skipped": None, "runs": len(times), "first_byte_ms": summary(times)}
            for name, times in lines.items()]


def docker_request(rows):
    """A container per request: nothing answers before it ran, so its figures are those of the start-up table."""
    name = "docker run --rm"
    row = next(row for row in rows if row.name == name)
    line = {"name": f"{name} per request", "skipped": row.skipped, "runs": len(row.runs)}
    if row.runs:
        line["first_byte_ms"] = summary([run.wall_ms for run in row.runs])
    return line


# ---- Density ---------------------------------------------------------------------------------------------------------


def measure_density(tfvm, node, folder, settings, docker):
    count = min(20, settings.runs)
    waiting_guest = [*tfvm, "run", str(GUESTS / "echo_cgi.wasm")]
    kinds = {
        "tfvm serve, function that ran once and is idle": lambda: idle_functions(tfvm, folder, settings.runs),
        "tfvm serve, instance that is in the middle of a request": lambda: live_instances(tfvm, folder, count),
        "tfvm run, process that waits for input": lambda: processes_kib(waiting_guest, count),
        "static native process that waits for input": lambda: processes_kib(native_waiting(), count),
        "node process that waits for input": lambda: processes_kib(node_waiting(node), count),
        "docker container that sleeps, with its shim": lambda: containers_kib(docker, min(5, settings.runs)),
    }
    lines = []
    for name, measure_one in kinds.items():
        line = {"name": name, "skipped": None}
        try:
            line["kib_each"] = round(measure_one(), 1)
            line["in_1_gb"] = int(GIGABYTE_KIB / line["kib_each"])
        except MeasureError as error:
            line["skipped"] = str(error)
        lines.append(line)
    return lines


def native_waiting():
    return [find("busybox"), "cat"]


def node_waiting(node):
    if not node:
        raise MeasureError("no node")
    return [*node, "-e", "process.stdin.resume()"]


def idle_functions(tfvm, folder, count):
    """Growth of a server by each different function that ran once, the server's own size left out."""
    with serve(tfvm, folder) as server:
        server.first_byte_ms("/hello.wasm")
        before = proportional_kib(server.process.pid)
        for number in range(count):
            server.first_byte_ms(f"/f{number}.wasm")
        grown = proportional_kib(server.process.pid) - before
    return max(grown, 1) / count


def live_instances(tfvm, folder, count):
    """Growth of a server by each program that has begun its answer and now waits, its thread and stack included."""
    with serve(tfvm, folder) as server, contextlib.ExitStack() as stack:
        server.first_byte_ms("/hello_cgi.wasm")
        before = proportional_kib(server.process.pid)
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            connection.sendall(b"GET /endless_cgi.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if connection.recv(12) != b"HTTP/1.1 200":
                raise MeasureError("the server does not run it")
        return max(settled(lambda: proportional_kib(server.process.pid)) - before, 1) / count


def processes_kib(command, count):
    """The mean size of `count` processes that have come to rest waiting for input."""
    processes = []
    try:
        for _ in range(count):
            processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL))
        return settled(lambda: sum(proportional_kib(process.pid) for process in processes)) / count
    finally:
        stop_all(processes)
        for process in processes:
            process.stdin.close()


def settled(size):
    """size() as soon as it has stayed within 1 % for half a second, at the latest after 20 seconds."""
    last, since, deadline = size(), time.monotonic(), time.monotonic() + 20
    while time.monotonic() < deadline and time.monotonic() - since < 0.5:
        time.sleep(0.1)
        now = size()
        if abs(now - last) > last / 100:
            last, since = now, time.monotonic()
    return last


def containers_kib(docker, count):
    """The mean size of a container's processes and its shim; what the daemons grow by is left out."""
    if not docker:
        raise MeasureError("no Docker engine")
    image, label = docker.image, docker.label
    started = [docker.call("run", "-d", "--label", label, image, "/bin/busybox", "sleep", "600") for _ in range(count)]
    inside = [int(docker.call("inspect", "--format", "{{.State.Pid}}", name)) for name in started]
    shims = {parent_of(process) for process in inside}
    total = settled(lambda: sum(map(proportional_kib, [*inside, *shims])))
    docker.call("rm", "-f", *started)
    return total / count


def parent_of(process):
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def proportional_kib(process):
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError as error:
        raise MeasureError(f"process {process} has ended or cannot be looked at") from error
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


# ---- Tables ----------------------------------------------------------------------------------------------------------


def print_functions(record, out=sys.stdout):
    """Two tables as report.py prints them: first bytes in milliseconds, and sizes."""
    heads = ["request to first byte, ms", "min", "median", "mean", "p99", "runs"]
    lines = [[line["name"], *(time_text(line["first_byte_ms"][name], 3) for name in heads[1:5]), str(line["runs"])]
             if line["runs"] else [line["name"], "-", "-", "-", "-", "0"] for line in record["requests"]]
    print(file=out)
    print_rows([heads, *lines], out)
    heads = ["density", "KiB each", "fit in 1 GB"]
    lines = [[line["name"], "-", "-"] if line["skipped"] else
             [line["name"], f"{line['kib_each']:.0f}", f"{line['in_1_gb']:,}"] for line in record["density"]]
    print(file=out)
    print_rows([heads, *lines], out)
    print(file=out)
    for line in record["requests"] + record["density"]:
        if line["skipped"]:
            print(f"* {line['name']}: not measured: {line['skipped']}", file=out)
