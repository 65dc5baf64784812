#!/usr/bin/env python3
"""`tfvm serve` as its users run it: the executable, a folder, curl.

    serve_command_test.py TFVM
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

GUESTS = Path(__file__).resolve().parent / "testdata"
TFVM = None


class ServeCommandTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name) / "functions"
        self.folder.mkdir()
        self.other = Path(temporary.name)
        shutil.copy(GUESTS / "hello.wasm", self.folder)

    def serve(self, *options, environment=None, root=None):
        """Starts it on free ports and waits until it says which."""
        listen = () if any(each.startswith("--listen") for each in options) else ("--listen", "127.0.0.1:0")
        command = [TFVM, "serve", *listen, "--admin-listen", "127.0.0.1:0", *options,
                   str(root or self.folder)]
        self.errors = open(self.other / "stderr", "w+")
        self.addCleanup(self.errors.close)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=dict(os.environ, **(environment or {})))
        self.addCleanup(self.end)
        text = ""
        while "(admin)" not in text:
            self.assertIsNone(self.process.poll(), text)
            time.sleep(0.01)
            text = self.messages()
        self.port = re.search(r"127\.0\.0\.1:(\d+) \(http\)", text)[1]
        self.admin = re.search(r"127\.0\.0\.1:(\d+) \(admin\)", text)[1]

    def messages(self):
        return (self.other / "stderr").read_text()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def curl(self, path, *options, port=None):
        return subprocess.run(["curl", "-s", "--max-time", "60", *options, f"http://127.0.0.1:{port or self.port}{path}"],
                              stdout=subprocess.PIPE, check=False, text=True).stdout

    def until(self, condition):
        for _ in range(6000):
            if condition():
                return
            time.sleep(0.01)
        self.fail("it never happened: " + self.messages())

    def test_serves_replaces_and_ends(self):
        self.serve("--access-log", str(self.other / "access"))
        self.assertEqual(self.curl("/hello.wasm"), "Hello World!\n")
        self.assertIn("HTTP/1.1 404", self.curl("/absent.wasm", "-i"))
        new = (self.folder / "hello.wasm").read_bytes().replace(b"World", b"There")
        (self.folder / ".new").write_bytes(new)
        os.rename(self.folder / ".new", self.folder / "hello.wasm")
        self.until(lambda: self.curl("/hello.wasm") == "Hello There!\n")
        shutil.copy(GUESTS / "hello_cgi.wasm", self.folder / "new.wasm")
        self.until(lambda: self.curl("/new.wasm") == "Hello World!\n")
        (self.folder / "new.wasm").unlink()
        self.until(lambda: "404" in self.curl("/new.wasm", "-i"))
        self.assertEqual(self.curl("/healthz", port=self.admin), "ok\n")
        self.assertIn("hello.wasm", self.curl("/", port=self.admin))
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(60), 0)
        self.assertIn('"GET /hello.wasm" 200 13 ', (self.other / "access").read_text())

    def test_reloads_on_sighup(self):
        config = self.other / "config.toml"
        config.write_text("[defaults]\n")
        self.serve("--config", str(config), "--access-log", str(self.other / "access"))
        self.assertEqual(self.curl("/hello.wasm"), "Hello World!\n")
        self.until(lambda: (self.other / "access").exists())
        os.rename(self.other / "access", self.other / "access.1")
        config.write_text("[[[")
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: "stays as it was" in self.messages())
        self.assertEqual(self.curl("/hello.wasm"), "Hello World!\n")
        self.until(lambda: (self.other / "access").exists())

    def test_json_logs_and_guest_lines(self):
        shutil.copy(GUESTS / "exit_cgi.wasm", self.folder)
        self.serve("--log-format", "json")
        self.curl("/exit_cgi.wasm")
        self.process.send_signal(signal.SIGTERM)
        output = self.process.communicate(timeout=60)[0]
        self.assertIn('"target":"/exit_cgi.wasm"', output)
        self.assertIn('"status":500', output)
        self.assertIn('"type":"stderr","function":"exit_cgi.wasm","text":"no luck', self.messages())

    def test_port_of_the_environment(self):
        self.serve("--listen=127.0.0.1", environment={"PORT": "0"})
        self.assertEqual(self.curl("/hello.wasm"), "Hello World!\n")

    def test_a_single_file_answers_every_path(self):
        self.serve(root=self.folder / "hello.wasm")
        self.assertEqual(self.curl("/"), "Hello World!\n")
        self.assertEqual(self.curl("/any/path?x"), "Hello World!\n")

    def test_refuses_what_cannot_work(self):
        for options, status in ((["--listen", "nowhere", str(self.folder)], 1), ([], 2), ([str(self.folder / "absent")], 1),
                                (["--kv", "redis:", str(self.folder)], 1), (["--max-queue", "x", str(self.folder)], 2),
                                (["--tls-listen", "127.0.0.1:0", str(self.folder)], 2),
                                (["--trust-proxy", "10.0.0.0/99", str(self.folder)], 2)):
            result = subprocess.run([TFVM, "serve", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    timeout=60, check=False, text=True, env=dict(os.environ, PORT=""))
            self.assertEqual(result.returncode, status, options)
            self.assertIn("error:", result.stderr)


if __name__ == "__main__":
    TFVM = sys.argv.pop(1)
    unittest.main()
