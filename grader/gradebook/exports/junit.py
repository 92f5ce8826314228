"""JUnit's XML: a test suite for each lesson of each student, a test case for each check.

JUnit has no schema of its own. This keeps to the two that are in use: the one of Ant's task
(windyroad/JUnit-Schema, JUnit.xsd), which is the stricter one, and Jenkins's (xunit plugin,
junit-10.xsd). What Ant requires and grades do not depend on has a fixed value: host and time of the
run, so that the same grades are the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO
from xml.etree import ElementTree as ET

from grader.gradebook.exports.totals import Lesson, Student
from grader.gradebook.rows import Row

TIMESTAMP = "1970-01-01T00:00:00"
FAILURES, SKIPPED = ("wrong",), ("todo",)  # what is neither is an error, or passed
# What XML 1.0 does not allow.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MESSAGE = 200  # characters of an attribute


def write(students: Iterable[Student], stream: TextIO) -> None:
    """Suite by suite, to a stream in UTF-8."""
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
    number = 0
    for student in students:
        suites = [_refused(student)] if student.refused else []
        suites += [_suite(student.name, lesson) for lesson in student.lessons]
        for suite in suites:
            suite.set("id", str(number))
            number += 1
            ET.indent(suite)
            stream.write(ET.tostring(suite, "unicode") + "\n")
    stream.write("</testsuites>\n")


def _suite(student: str, lesson: Lesson) -> ET.Element:
    properties = {
        "points": str(lesson.points),
        "max_points": str(lesson.max_points),
        "final_points": str(lesson.final),
        "late": lesson.late.says,
    }
    return _element(student, lesson.name, lesson.rows, properties)


def _refused(student: Student) -> ET.Element:
    rows = [
        Row(student.name, "", "submission", "can be read", "refused", 0, 0, "", why, 0)
        for why in student.refused
    ]
    return _element(student.name, "submission", rows, {})


def _element(student: str, lesson: str, rows: list[Row], properties: dict[str, str]) -> ET.Element:
    kinds = [_kind(row.outcome) for row in rows]
    suite = ET.Element(
        "testsuite",
        name=legal(f"{student}: {lesson}"),
        package=legal(student),
        timestamp=TIMESTAMP,
        hostname="localhost",
        tests=str(len(rows)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
        time=str(sum(int(row.seconds) for row in rows)),
    )
    held = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(held, "property", name=name, value=legal(value))
    for row, kind in zip(rows, kinds, strict=True):
        case = ET.SubElement(
            suite,
            "testcase",
            classname=legal(f"{lesson}.{row.exercise}"),
            name=legal(row.check),
            time=str(int(row.seconds)),
        )
        if kind == "skipped":
            ET.SubElement(case, kind)
        elif kind:
            message = row.misconception or row.outcome
            said = ET.SubElement(case, kind, type=row.outcome, message=legal(message)[:MESSAGE])
            said.text = legal(row.feedback)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _kind(outcome: str) -> str:
    if outcome == "passed":
        return ""
    return "failure" if outcome in FAILURES else "skipped" if outcome in SKIPPED else "error"


def legal(text: str) -> str:
    """What XML does not allow is written out, as Python would."""
    return ILLEGAL.sub(lambda found: repr(found[0])[1:-1], text)
