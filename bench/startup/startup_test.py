#!/usr/bin/env python3
"""Checks the start-up benchmark in its short form: the shape of table, JSON and pictures, never times.

    startup_test.py TFVM    runs startup.py --short with this executable and a few engines that are none

The test looks at results as their readers do: the table as text, the JSON as data, the pictures as XML.
"""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
SVG = "{http://www.w3.org/2000/svg}"
TFVM = None

sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
from chart import safety_chart, startup_chart  # noqa: E402 (the folder is on the path only now)
from measure import summary, takes_part  # noqa: E402
from safety import PROPERTIES, safety_of  # noqa: E402


class ShortForm(unittest.TestCase):
    """One run of the whole command, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = Path(cls.folder.name)
        commands = ["failing=false", "silent=true", "missing=/nonexistent/engine", f"another={TFVM} run {{wasm}}"]
        words = [str(HERE / "startup.py"), "--short", "--functions", "--tfvm", TFVM, "--out", str(cls.out), *commands]
        cls.done = subprocess.run([sys.executable, "-B", *words], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, check=False)
        if cls.done.returncode != 0:
            raise AssertionError(f"exit status {cls.done.returncode}\n{cls.done.stdout}{cls.done.stderr}")
        cls.record = json.loads((cls.out / "startup.json").read_text())
        cls.rows = {row["name"]: row for row in cls.record["rows"]}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_row_is_there_once(self):
        names = [row["name"] for row in self.record["rows"]]
        self.assertEqual(len(names), len(set(names)))
        for name in ("native", "hello.sh", "tfvm", "wasm3", "wasmi", "iwasm", "wasmtime", "wasmer", "node", "crun",
                     "runc", "podman run --rm", "docker start -a", "docker run", "docker run --rm", "vm", "another"):
            self.assertIn(name, names)

    def test_a_row_is_measured_or_says_why_not(self):
        for row in self.record["rows"]:
            with self.subTest(row["name"]):
                self.assertEqual(row["runs"] == 0, bool(row["skipped"]))
                self.assertEqual(row["runs"] > 0, "wall_ms" in row)
        for name in ("native", "hello.sh", "tfvm", "another"):
            self.assertEqual(self.rows[name]["runs"], 3)
            self.assertEqual(len(self.rows[name]["all_wall_ms"]), 3)

    def test_figures_are_in_order_and_positive(self):
        for row in self.record["rows"]:
            if row["runs"]:
                wall = row["wall_ms"]
                self.assertTrue(0 < wall["min"] <= wall["median"] <= wall["p99"], row)
                self.assertTrue(wall["min"] <= wall["mean"] <= wall["p99"], row)
                self.assertGreater(row["peak_kib"], 0)
                self.assertGreater(row["minor_faults"], 0)

    def test_commands_that_do_not_greet_are_given_up_with_the_reason(self):
        self.assertIn("exit status 1", self.rows["failing"]["skipped"])
        self.assertIn("instead of 'Hello from WebAssembly!'", self.rows["silent"]["skipped"])
        self.assertIn("No such file", self.rows["missing"]["skipped"])
        self.assertEqual(self.rows["docker run"]["skipped"], "not part of the short form")

    def test_figures_of_2019(self):
        then = {row["name"]: row["mean_2019_ms"] for row in self.record["rows"] if row["mean_2019_ms"]}
        self.assertEqual(then, {"hello.sh": 3.5, "docker run": 692, "docker run --rm": 726, "docker start -a": 655,
                                "node": 79, "wasmer": 15})

    def test_what_is_shipped(self):
        size = (HERE.parent.parent / "cli" / "examples" / "hello.wasm").stat().st_size
        self.assertEqual(self.rows["tfvm"]["ships"]["bytes"], size)
        self.assertEqual(self.rows["tfvm"]["runtime_bytes"], Path(TFVM).stat().st_size)
        self.assertGreater(self.rows["native"]["ships"]["bytes"], self.rows["native"]["ships"]["gzip_bytes"])

    def test_the_machine_and_the_command_are_named(self):
        self.assertGreater(self.record["machine"]["memory_mib"], 0)
        self.assertTrue(self.record["command"].startswith("./dev bench startup --short"))
        self.assertNotIn(str(self.out), self.record["command"])

    def test_table_has_a_line_for_every_row(self):
        table = self.done.stdout.partition("\n\n")[0]
        lines = [line for line in table.splitlines() if line.startswith("|")]
        self.assertEqual(len({line.count("|") for line in lines}), 1)
        names = [line.split("|")[1].strip() for line in lines[2:]]
        self.assertEqual(names, [row["name"] for row in self.record["rows"]])
        self.assertIn("* docker run: not measured: not part of the short form", self.done.stdout)
        self.assertIn("aim: at most 1.15 x wasm3's median", self.done.stdout)

    def test_functions(self):
        requests = {line["name"]: line for line in self.record["functions"]["requests"]}
        for name in ("tfvm serve, function never run before", "tfvm serve, warm function"):
            self.assertEqual(requests[name]["runs"], 3)
            self.assertGreater(requests[name]["first_byte_ms"]["min"], 0)
        self.assertEqual(requests["docker run --rm per request"]["skipped"], "not part of the short form")
        density = {line["name"]: line for line in self.record["functions"]["density"]}
        run = density["tfvm run, process that waits for input"]
        self.assertAlmostEqual(run["in_1_gb"], 1e9 / 1024 / run["kib_each"], delta=1)
        self.assertEqual(density["docker container that sleeps, with its shim"]["skipped"], "no Docker engine")
        for name in [*requests, *density]:
            self.assertIn(name, self.done.stdout)

    def test_progress_is_on_standard_error(self):
        self.assertIn("round 3 of 3", self.done.stderr)
        self.assertNotIn("round", self.done.stdout)

    def test_pictures_show_every_row(self):
        for name in ("startup.svg", "safety.svg"):
            path = self.out / name
            self.assertLess(path.stat().st_size, 60000)
            root = ElementTree.parse(path).getroot()
            self.assertEqual(root.tag, SVG + "svg")
            self.assertIn("prefers-color-scheme: dark", root.find(SVG + "style").text)
            texts = " ".join(element.text or "" for element in root.iter(SVG + "text"))
            for row in self.record["rows"]:
                self.assertIn(row["name"], texts)
        chart = (self.out / "startup.svg").read_text()
        self.assertEqual(chart.count('class="then"'), 7)  # six figures of 2019 and the legend
        self.assertTrue("theory: 1 to 2 ms" in chart)

    def test_pictures_keep_within_their_frame(self):
        for name in ("startup.svg", "safety.svg"):
            root = ElementTree.parse(self.out / name).getroot()
            width, height = float(root.get("width")), float(root.get("height"))
            for element in root.iter():
                for key, bound in (("x", width), ("cx", width), ("x1", width), ("x2", width), ("y", height),
                                   ("cy", height), ("y1", height), ("y2", height)):
                    if element.get(key):
                        self.assertTrue(0 <= float(element.get(key)) <= bound, ElementTree.tostring(element))


class Arithmetic(unittest.TestCase):
    def test_summary(self):
        self.assertEqual(summary([5, 1, 2]), {"min": 1, "median": 2, "mean": 2.6667, "p99": 5})
        self.assertEqual(summary(range(1, 201))["p99"], 198)

    def test_slow_rows_take_part_as_often_as_asked(self):
        class Settings:
            runs, slow_runs = 200, 30

        self.assertEqual(sum(takes_part(number, Settings) for number in range(Settings.runs)), 30)
        Settings.slow_runs = 500
        self.assertEqual(sum(takes_part(number, Settings) for number in range(Settings.runs)), 200)

    def test_safety_is_the_number_of_stated_properties(self):
        self.assertEqual([len(safety_of(kind, kind)) for kind in ("native", "container", "wasm", "vm")], [0, 2, 4, 4])
        self.assertEqual(len(safety_of("wasm3", "wasm")), 3)
        for item in PROPERTIES:
            self.assertTrue(all(link.startswith("https://") for link in item.links) and item.links)

    def test_chart_of_the_committed_record(self):
        record = json.loads((HERE / "startup.json").read_text())
        for name, chart in (("startup.svg", startup_chart), ("safety.svg", safety_chart)):
            self.assertTrue(chart(record) == (HERE / name).read_text(), f"{name} is not the picture of startup.json")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    TFVM = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()
