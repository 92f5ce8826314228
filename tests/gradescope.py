"""What Gradescope reads of a results.json, and what students see of it."""

import json

VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}


def is_results(found):
    """As Gradescope documents it."""
    assert found.keys() <= {
        "score", "execution_time", "output", "output_format", "test_output_format",
        "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    assert isinstance(found["score"], (int, float))
    assert isinstance(found["output"], str)
    assert {found["visibility"], found["stdout_visibility"]} <= VISIBILITY
    assert {found["output_format"], found["test_output_format"]} <= FORMATS
    for test in found["tests"]:
        assert test.keys() <= {
            "score", "max_score", "status", "name", "name_format", "number", "output",
            "output_format", "tags", "visibility", "extra_data",
        }  # fmt: skip
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in ("passed", "failed")
        assert isinstance(test["name"], str)
        assert isinstance(test["output"], str)
        assert test["visibility"] in VISIBILITY
    return found


def seen_by_students(found):
    return json.dumps(
        [found["output"], [t for t in found["tests"] if t["visibility"] == "visible"]]
    )
