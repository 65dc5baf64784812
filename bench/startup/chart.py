"""The two pictures, as SVG that reads well on light and dark pages: start-up times, and safety against overhead.

Both are drawn from the record that report.py makes, so a committed startup.json is enough to draw them again.
"""

import math
from html import escape

from report import machine_text, size_text, time_text
from safety import EXCEPTIONS, PROPERTIES, safety_of

WIDTH = 900
KINDS = {"native": "native, script", "wasm": "WebAssembly", "container": "container", "vm": "virtual machine"}

STYLE = """
  svg { --page: #fcfcfb; --ink: #1b1b1a; --dim: #63625e; --grid: #e3e2dd; --band: #eef3e4; --edge: #d6d5cf;
        --native: #75746f; --wasm: #2a78d6; --container: #d95926; --vm: #4a3aa7; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #1a1a19; --ink: #f1f0ec; --dim: #aaa9a3; --grid: #353532; --band: #2a3020; --edge: #45443f;
          --native: #a2a19b; --wasm: #4f9bf0; --container: #e8703f; --vm: #9085e9; }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
  .halo { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
  .title { font-size: 18px; font-weight: 600; }
  .dim { fill: var(--dim); font-size: 12px; }
  .strong { font-weight: 700; }
  .page { fill: var(--page); stroke: var(--edge); }
  .grid { stroke: var(--grid); }
  .band { fill: var(--band); }
  .range { stroke-width: 3; stroke-linecap: round; opacity: 0.45; }
  .then { fill: var(--page); stroke: var(--dim); stroke-width: 1.5; }
  .step { stroke: var(--dim); stroke-dasharray: 2 3; }
  .dot { stroke: var(--page); stroke-width: 1.5; }
""" + "".join(f"  .{kind} {{ fill: var(--{kind}); }} .range.{kind} {{ stroke: var(--{kind}); }}\n" for kind in KINDS)


class Picture:
    """Collects the elements of one SVG."""

    def __init__(self, height, title, description):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img">',
            f"<title>{escape(title)}</title>", f"<desc>{escape(description)}</desc>", f"<style>{STYLE}</style>",
            f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        ]

    def text(self, x, y, text, style="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, style):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def rect(self, x, y, width, height, style):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{style}"/>')

    def dot(self, x, y, radius, style, hint=""):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{style}">'
                          f"<title>{escape(hint)}</title></circle>")

    def diamond(self, x, y, style):
        self.parts.append(f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" class="{style}"/>')

    def finish(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


class LogAxis:
    """Milliseconds on a logarithmic scale, between two x coordinates; theory's 1 to 2 ms are always on it."""

    def __init__(self, values, left, right):
        self.low = nice_step(min(*values, 1) * 0.8, up=False)
        self.high = nice_step(max(*values, 2) * 1.4, up=True)
        self.left, self.right = left, right

    def x(self, milliseconds):
        share = math.log(milliseconds / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)

    def draw(self, picture, top, bottom):
        for value in (factor * 10.0**exponent for exponent in range(-3, 7) for factor in (1, 2, 5)):
            if self.low <= value * 1.001 and value <= self.high * 1.001:
                picture.line(self.x(value), top, self.x(value), bottom, "grid")
                picture.text(self.x(value), bottom + 16, axis_label(value), "dim", "middle")
        # Rows are drawn later and so in front of it.
        picture.rect(self.x(1), top, self.x(2) - self.x(1), bottom - top, "band")
        picture.text((self.x(1) + self.x(2)) / 2, top - 5, "theory: 1 to 2 ms", "dim", "middle")


def nice_step(value, up):
    """The nearest of 1, 2, 5 times a power of ten, not above the value, or not below it."""
    steps = [factor * 10.0**exponent for exponent in range(-4, 8) for factor in (1, 2, 5)]
    return next(step for step in steps if step >= value) if up else max(step for step in steps if step <= value)


def axis_label(milliseconds):
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g}"


def legend(picture, x, y, kinds):
    for kind in kinds:
        picture.dot(x, y - 4, 5, f"dot {kind}")
        picture.text(x + 10, y, KINDS[kind], "dim")
        x += 34 + 7 * len(KINDS[kind])
    return x


def measured_kinds(rows):
    return [kind for kind in KINDS if any(row["kind"] == kind and row["runs"] for row in rows)]


def foot(picture, record, y):
    load = record["load_average"]
    picture.text(24, y, f"{machine_text(record['machine'])}.", "dim")
    picture.text(24, y + 16, f"{record['date']}, load average {load['before']:.1f} before, {load['after']:.1f} after. "
                 "Drawn by ./dev bench startup.", "dim")


# ---- Start-up times --------------------------------------------------------------------------------------------------


def startup_chart(record):
    """One line per row on a log scale: median and range of today, and the mean of 2019 where there is one."""
    rows = sorted(record["rows"], key=lambda row: row["wall_ms"]["median"] if row["runs"] else math.inf)
    values = [value for row in rows for value in row_values(row)]
    top, pitch = 112, 28
    bottom = top + pitch * len(rows) + 6
    picture = Picture(bottom + 70, "Start-up times of hello, world", "Elapsed milliseconds on a logarithmic scale")
    axis = LogAxis(values, 150, WIDTH - 150)
    picture.text(24, 34, "Hello, world: from nothing to the end of the process", "title")
    picture.text(24, 56, "Elapsed milliseconds, log scale: median (dot), minimum to 99th percentile (line).", "dim")
    x = legend(picture, 30, 78, measured_kinds(rows))
    picture.diamond(x, 74, "then")
    picture.text(x + 12, 78, "mean of 2019, another machine", "dim")
    picture.text(WIDTH - 24, top - 5, "to be shipped", "dim", "end")
    axis.draw(picture, top, bottom)
    for index, row in enumerate(rows):
        startup_line(picture, axis, row, top + pitch * (index + 0.5) + 3)
    foot(picture, record, bottom + 40)
    return picture.finish()


def row_values(row):
    values = [row["mean_2019_ms"]] if row["mean_2019_ms"] is not None else []
    if row["runs"]:
        values += [row["wall_ms"]["min"], row["wall_ms"]["p99"]]
    return values


def startup_line(picture, axis, row, y):
    name_style = "strong" if row["name"] == "tfvm" else "" if row["runs"] else "dim"
    picture.text(138, y + 4, row["name"], name_style, "end")
    then = row["mean_2019_ms"]
    if row["runs"]:
        wall = row["wall_ms"]
        now = axis.x(wall["median"])
        if then is not None:
            picture.line(now, y, axis.x(then), y, "step")
        picture.line(axis.x(wall["min"]), y, axis.x(wall["p99"]), y, f"range {row['kind']}")
        hint = ", ".join(f"{name} {time_text(value)} ms" for name, value in wall.items())
        picture.dot(now, y, 7 if row["name"] == "tfvm" else 5.5, f"dot {row['kind']}", f"{row['name']}: {hint}")
        label(picture, axis, row, y, f"{time_text(wall['median'])} ms", f"halo {name_style}")
        if row.get("ships"):
            picture.text(WIDTH - 24, y + 4, f"{row['ships']['what'].split()[-1]}, {size_text(row['ships']['bytes'])}",
                         "dim", "end")
    else:
        start = axis.left + 8 if then is None or axis.x(then) > axis.left + 320 else axis.x(then) + 60
        letters = int((WIDTH - 24 - start) / 7)
        picture.text(start, y + 4, shorten(f"not measured: {row['skipped']}", letters), "dim")
    if then is not None:
        picture.diamond(axis.x(then), y, "then")
        covers_dot = row["runs"] and 0 < axis.x(row["wall_ms"]["median"]) - axis.x(then) < 50
        side = (-11, "end") if covers_dot else (11, "start")
        picture.text(axis.x(then) + side[0], y + 4, f"{then:g}", "dim halo", side[1])


def label(picture, axis, row, y, text, style):
    """Puts the median to the right of the range, or to its left where the figure of 2019 would be covered."""
    wall, then = row["wall_ms"], row["mean_2019_ms"]
    right = max(axis.x(wall["p99"]), axis.x(wall["median"])) + 11
    if then is not None and right - 20 < axis.x(then) < right + 8 * len(text) + 8:
        picture.text(axis.x(wall["min"]) - 11, y + 4, text, style, "end")
    else:
        picture.text(right, y + 4, text, style)


def shorten(text, limit):
    return text if len(text) <= limit else text[: limit - 1] + "…"


# ---- Safety against overhead -----------------------------------------------------------------------------------------


def safety_chart(record):
    """Every measured row: median start-up time to the right, number of safety properties upwards; and their table."""
    rows = [row for row in record["rows"] if row["runs"]]
    levels = len(PROPERTIES)
    top, pitch = 112, 66
    bottom = top + pitch * (levels + 0.6)
    table = bottom + 56
    height = table + 24 * levels + 20 * (len(EXCEPTIONS) + 1) + 72
    picture = Picture(int(height), "Safety against overhead", "Number of safety properties over median start-up time")
    axis = LogAxis([row["wall_ms"]["median"] for row in rows], 84, WIDTH - 60)
    picture.text(24, 34, "Safety against overhead", "title")
    picture.text(24, 56, "Right: median milliseconds of hello, world, measured. "
                 "Up: how many of the properties below hold. Better is up and to the left.", "dim")
    legend(picture, 30, 78, measured_kinds(rows))
    axis.draw(picture, top, bottom)
    for level in range(levels + 1):
        y = bottom - pitch * (level + 0.3)
        picture.line(axis.left, y, axis.right, y, "grid")
        picture.text(axis.left - 10, y + 4, f"{level} of {levels}", "dim", "end")
        safety_level(picture, axis, [row for row in rows if len(safety_of(row["name"], row["kind"])) == level], y)
    properties_table(picture, table, [row["name"] for row in record["rows"] if not row["runs"]])
    foot(picture, record, height - 30)
    return picture.finish()


def safety_level(picture, axis, rows, y):
    """The dots of one level; each label takes the first of the places above and below that is free."""
    taken = []
    for row in sorted(rows, key=lambda row: row["wall_ms"]["median"]):
        x = axis.x(row["wall_ms"]["median"])
        text = f"{row['name']} {time_text(row['wall_ms']['median'])}"
        half = 4 * len(text)
        left = max(axis.left, min(x - half, axis.right - 2 * half))
        offset = next(offset for offset in (-13, 22, -28, 37, -43, 52, 67)
                      if offset == 67 or all(offset != other or left > end + 6 for other, end in taken))
        taken.append((offset, left + 2 * half))
        if abs(offset) > 22:
            picture.line(x, y, x, y + offset + (3 if offset < 0 else -11), "step")
        picture.dot(x, y, 7 if row["name"] == "tfvm" else 5.5, f"dot {row['kind']}", f"{text} ms")
        picture.text(left + half, y + offset, text, "halo strong" if row["name"] == "tfvm" else "halo", "middle")


def properties_table(picture, y, missing):
    columns = {"native": 462, "wasm": 506, "container": 554, "vm": 598}
    heads = {"native": "native", "wasm": "wasm", "container": "cont.", "vm": "VM"}
    picture.text(24, y, "Property of the guest program, by default", "dim")
    picture.text(626, y, "Source", "dim")
    for kind, x in columns.items():
        picture.text(x, y, heads[kind], "dim", "middle")
    for number, item in enumerate(PROPERTIES, 1):
        line = y + 24 * number
        picture.text(24, line, item.text)
        picture.text(626, line, shorten(item.source, 40), "dim")
        for kind, x in columns.items():
            holds = kind in item.holds_for
            picture.text(x, line, "yes" if holds else "no", f"strong {kind}" if holds else "dim", "middle")
    for number, (_, why) in enumerate(EXCEPTIONS.values(), 1):
        picture.text(24, y + 24 * len(PROPERTIES) + 20 * number, f"Except: {why}.", "dim")
    if missing:
        line = y + 24 * len(PROPERTIES) + 20 * (len(EXCEPTIONS) + 1)
        picture.text(24, line, f"Not measured here, so without a dot: {', '.join(missing)}.", "dim")
