#!/usr/bin/env python3
"""Counts the assertions of .wast scripts, by their text alone, and compares with what spectests counted.

    count_assertions.py SUITE LOG   SUITE: folder of scripts; LOG: output of `spectests --suite SUITE`
    count_assertions.py --selftest

Prints each script with another number; exit status 1 if there is one, or if a script is missing in LOG. It shares no
code with the text format: all it knows are comments, strings and annotations, in which no assertion is counted.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(rb"\(;|;\)")
ASSERTION = re.compile(rb"\(\s*(?:\(@a\)\s*)*assert_[a-z_]+")
LINE = re.compile(r"^(\S+): (\d+) passed, (\d+) failed, (\d+) skipped")


def without_comments_and_strings(text):
    """Strings, comments and nested block comments as single blanks."""
    out, position, depth = [], 0, 0
    token = re.compile(rb'"(?:[^"\\]|\\.)*"|;;[^\n\r]*|\(;|;\)', re.DOTALL)
    while True:
        match = (BLOCK if depth else token).search(text, position)
        if not match:
            return b"".join(out) + (b"" if depth else text[position:])
        if not depth:
            out.append(text[position:match.start()] + b" ")
        if match.group() == b"(;":
            depth += 1
        elif match.group() == b";)" and depth:
            depth -= 1
        position = match.end()


def count(text):
    return len(ASSERTION.findall(without_comments_and_strings(text)))


def compare(suite, log):
    reported = {}
    for line in log.splitlines():
        if match := LINE.match(line):
            reported[match[1]] = sum(int(number) for number in match.groups()[1:])
    problems, total = 0, 0
    for path in sorted(suite.rglob("*.wast")):
        name = path.relative_to(suite).with_suffix("").as_posix()
        expected = count(path.read_bytes())
        total += expected
        if reported.get(name) != expected:
            problems += 1
            print(f"{name}: {expected} assertions in the text, {reported.get(name, 'none')} counted")
    print(f"count: {total} assertions in the text of the scripts, {problems} scripts counted differently")
    return problems


def selftest():
    texts = {
        b"": 0,
        b"(assert_return (invoke \"(assert_return\")) (assert_trap (invoke \"\\\"\") \"(assert_trap\")": 2,
        b";; (assert_return\n( assert_return (; (assert_trap (; ;) (assert_trap ;) )": 1,
        b"(module) (; \" ;) (assert_invalid (module) \"x\")": 1,
    }
    wrong = [text for text, expected in texts.items() if count(text) != expected]
    for text in wrong:
        print(f"selftest: {count(text)} assertions in {text!r}")
    return len(wrong)


def main():
    if sys.argv[1:] == ["--selftest"]:
        return 1 if selftest() else 0
    return 1 if compare(Path(sys.argv[1]), Path(sys.argv[2]).read_text()) else 0


if __name__ == "__main__":
    sys.exit(main())
