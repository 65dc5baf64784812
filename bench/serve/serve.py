#!/usr/bin/env python3
"""Figures of `tfvm serve` beside nginx and node on this machine, by wrk on loopback.

    serve.py [--tfvm FILE] [--seconds N] [--rounds N] [--connections N] [PART...]

PARTs (all by default):
  throughput   requests a second and latencies: a hostcall hello, a WASI hello, nginx (a static file), node (http hello);
               one worker each, keep-alive, logs off, runs interleaved, every response checked
  start        from the accepted request to the guest's first instruction, as the server itself measures it
  idle         resident memory of a server that has nothing to do
  modules      10,000 different modules, each run once: resident memory and descriptors
  leak         a million requests: resident memory before and after
  overwrite    a function overwritten 100 times under load: failed requests, responses of neither version

Needs wrk; nginx and node where they are compared (--nginx FILE, --node FILE). Prints a line for each figure; exit code 1
if a response was wrong.
"""

import argparse
import http.client
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GUESTS = ROOT / "cli/serve/testdata"
failures = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{process.args[0]} does not listen")


class Server:
    """A process that listens on `port` until the end of the block."""

    def __init__(self, command, port, admin=None):
        self.command, self.port, self.admin = command, port, admin

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process)
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def get(self, path, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def memory(self):
        """Resident and shared kilobytes of the process."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def tfvm(options, folder, *more):
    port, admin = free_port(), free_port()
    command = [options.tfvm, "serve", "--listen", f"127.0.0.1:{port}", "--admin-listen", f"127.0.0.1:{admin}",
               "--workers", "1", "--access-log", "off", "--quiet", *more, str(folder)]
    return Server(command, port, admin)


def nginx(options, folder):
    port = free_port()
    config = folder / "nginx.conf"
    (folder / "hello.txt").write_text("Hello World!\n")
    config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
""")
    return Server([options.nginx, "-c", str(config), "-p", str(folder)], port)


def node(options, folder):
    port = free_port()
    script = folder / "hello.js"
    script.write_text(f"""
require('http').createServer((request, response) => {{
  response.writeHead(200, {{'Content-Type': 'text/plain', 'Content-Length': 13}});
  response.end('Hello World!\\n');
}}).listen({port}, '127.0.0.1');
""")
    return Server([options.node, str(script)], port)


def wrk(options, url, seconds, connections=None):
    environment = dict(os.environ, EXPECTED="Hello World!\n")
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections or options.connections}", f"-d{seconds}s", "-s", str(HERE / "checked.lua"), url],
        env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    fields = dict(re.findall(r"(\w+)=([\d.]+)", output[output.index("RESULT"):]))
    if float(fields["wrong"]) or float(fields["errors"]):
        failures.append(url)
        print(f"WRONG: {output}")
    return {"rate": float(fields["requests"]) / float(fields["seconds"]), "p50": float(fields["p50_us"]) / 1000,
            "p99": float(fields["p99_us"]) / 1000}


def throughput(options, folder):
    functions = folder / "functions"
    functions.mkdir()
    shutil.copy(GUESTS / "hello.wasm", functions)
    shutil.copy(GUESTS / "hello_cgi.wasm", functions)
    static = folder / "static"
    static.mkdir()
    results = {}
    with tfvm(options, functions) as ours:
        others = []
        if options.nginx:
            others.append(("nginx, static file", nginx(options, static), "/hello.txt"))
        if options.node:
            others.append(("node, http hello", node(options, static), "/"))
        runs = [("tfvm, hostcall hello", ours, "/hello.wasm"), ("tfvm, WASI hello", ours, "/hello_cgi.wasm")]
        for _, server, _ in others:
            server.__enter__()
        try:
            runs += others
            for name, server, path in runs:
                wrk(options, f"http://127.0.0.1:{server.port}{path}", 1)
            for _ in range(options.rounds):
                for name, server, path in runs:
                    result = wrk(options, f"http://127.0.0.1:{server.port}{path}", options.seconds)
                    results.setdefault(name, []).append(result)
        finally:
            for _, server, _ in others:
                server.__exit__()
    medians = {name: statistics.median(each["rate"] for each in runs) for name, runs in results.items()}
    for name, runs in results.items():
        rates = [each["rate"] for each in runs]
        print(f"throughput: {name}: {medians[name]:.0f} requests/s (least {min(rates):.0f}, most {max(rates):.0f}), "
              f"p50 {statistics.median(each['p50'] for each in runs):.2f} ms, "
              f"p99 {statistics.median(each['p99'] for each in runs):.2f} ms")
    for ours in ("tfvm, hostcall hello", "tfvm, WASI hello"):
        for other in ("nginx, static file", "node, http hello"):
            if other in medians:
                print(f"throughput: {ours} / {other}: {medians[ours] / medians[other]:.2f}")


def start(options, folder):
    shutil.copy(GUESTS / "hello.wasm", folder)
    with tfvm(options, folder) as server:
        wrk(options, f"http://127.0.0.1:{server.port}/hello.wasm", 3, 1)
        text = server.get("/metrics", server.admin)[1].decode()
    for name in ("start", "instantiation", "duration"):
        prefix = f'tfvm_function_{name}_seconds'
        count = float(re.search(prefix + r'_count{[^}]*} (\S+)', text)[1])
        mean = float(re.search(prefix + r'_sum{[^}]*} (\S+)', text)[1]) / count
        median = next(bound for bound, sum in re.findall(prefix + r'_bucket{[^}]*le="([^"]+)"} (\S+)', text)
                      if float(sum) >= count / 2)
        print(f"start: {name}: mean {mean * 1e6:.1f} us, median at most {float(median) * 1e6:.0f} us")


def idle(options, folder):
    shutil.copy(GUESTS / "hello.wasm", folder)
    with tfvm(options, folder) as server:
        print(f"idle: {server.memory() / 1024:.1f} MB resident at once")
        server.get("/hello.wasm")
        print(f"idle: {server.memory() / 1024:.1f} MB resident after a request")


def leb(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def modules(options, folder):
    """The hello module, made different and about 4 KB by a custom section."""
    hello = (GUESTS / "hello.wasm").read_bytes()
    count = 10_000
    for i in range(count):
        content = leb(4) + b"mark" + (b"%08d" % i) * 460
        (folder / f"f{i}.wasm").write_bytes(hello + b"\0" + leb(len(content)) + content)
    with tfvm(options, folder) as server:
        before = server.memory()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for i in range(count):
            connection.request("GET", f"/f{i}.wasm")
            response = connection.getresponse()
            if response.status != 200 or response.read() != b"Hello World!\n":
                failures.append(f"f{i}.wasm")
                print(f"WRONG: f{i}.wasm: {response.status}")
                break
        print(f"modules: {count} of 4 KB, each run once: {server.memory() / 1024:.0f} MB resident "
              f"(before: {before / 1024:.0f}), {server.descriptors()} descriptors")


def leak(options, folder):
    shutil.copy(GUESTS / "hello.wasm", folder)
    shutil.copy(GUESTS / "hello_cgi.wasm", folder)
    with tfvm(options, folder) as server:
        def load(seconds):
            for name in ("hello", "hello_cgi"):
                wrk(options, f"http://127.0.0.1:{server.port}/{name}.wasm", seconds)

        def total():
            text = server.get("/metrics", server.admin)[1].decode()
            return float(re.search(r'tfvm_responses_total{class="2xx"} (\S+)', text)[1])

        load(3)
        before, first = server.memory(), total()
        while total() - first < 1_000_000:
            load(5)
        print(f"leak: {total() - first:.0f} requests: {before} KB resident before, {server.memory()} KB after, "
              f"{server.descriptors()} descriptors")


def overwrite(options, folder):
    versions = [(GUESTS / "hello.wasm").read_bytes()]
    versions.append(versions[0].replace(b"Hello World!\n", b"HELLO WORLD!\n"))
    target = folder / "hello.wasm"
    target.write_bytes(versions[0])
    wrong, count = [], [0]
    stop = threading.Event()

    def ask(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not stop.is_set():
            try:
                connection.request("GET", "/hello.wasm")
                response = connection.getresponse()
                body = response.read()
                if response.status != 200 or body.lower() != b"hello world!\n" or body not in (
                        b"Hello World!\n", b"HELLO WORLD!\n"):
                    wrong.append((response.status, body))
            except OSError as error:
                wrong.append(error)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            count[0] += 1

    with tfvm(options, folder) as server:
        clients = [threading.Thread(target=ask, args=(server.port,)) for _ in range(8)]
        for client in clients:
            client.start()
        late = 0
        for i in range(1, 101):
            new = versions[i % 2]
            if i % 3 == 0:  # in place, in two pieces
                with open(target, "r+b") as file:
                    file.truncate(0)
                    file.write(new[:len(new) // 2])
                    file.flush()
                    time.sleep(0.02)
                    file.write(new[len(new) // 2:])
            else:
                temporary = folder / ".new"
                temporary.write_bytes(new)
                os.rename(temporary, target)
            deadline = time.monotonic() + 3
            wanted = b"Hello World!\n" if i % 2 == 0 else b"HELLO WORLD!\n"
            began = time.monotonic()
            while server.get("/hello.wasm")[1] != wanted:
                if time.monotonic() > deadline:
                    wrong.append(f"version {i} never came")
                    break
            late = max(late, time.monotonic() - began)
        stop.set()
        for client in clients:
            client.join()
    print(f"overwrite: 100 times, {count[0]} requests under way, {len(wrong)} failed or wrong, "
          f"new code at most {late * 1000:.0f} ms late")
    if wrong:
        failures.append("overwrite")
        print(f"WRONG: {wrong[:5]}")


PARTS = {"throughput": throughput, "start": start, "idle": idle, "modules": modules, "leak": leak,
         "overwrite": overwrite}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tfvm", default=str(ROOT / "build/release/tfvm"))
    parser.add_argument("--nginx", default=shutil.which("nginx"))
    parser.add_argument("--node", default=shutil.which("node"))
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []])
    options = parser.parse_args()
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](options, Path(folder))
            sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
