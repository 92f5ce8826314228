"""A Chromium without a window, to look at pages with; and gradebooks to make them of."""

import shutil
from contextlib import contextmanager

import pytest

from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Conditions

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-sync", "--disable-component-update", "--disable-default-apps",
    "--disable-extensions",
]  # fmt: skip
CONDITIONS = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("0", "s3cret-seed"), "bubblewrap", 10.0)
HOSTILE = (
    "</script></style><script>document.title='owned'</script><img src=x onerror=\"document.title="
    "'owned'\"><!-- ${7*7} {{7*7}} ]]> &lt;b&gt; \N{LINE SEPARATOR}\N{RIGHT-TO-LEFT OVERRIDE}"
)


@contextmanager
def chromium():
    """A browser in a fresh profile. Skips the test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("this machine has no Chromium")  # nor need it: only tests look at pages
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, **how):
    """The page, which must ask for nothing and complain of nothing while it is open."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
    said, asked = [], []

    def refuse(route):
        if route.request.url == path.as_uri():
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", refuse)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    yield page
    assert page.title() != "owned"
    context.close()
    assert said == []
    assert asked == []


def has_no_violation(page):
    """By axe-core, with all of its rules that have to do with WCAG or good practice."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert {v["id"]: [n["html"] for n in v["nodes"]][:3] for v in found} == {}


def fill(path, students):
    """students: name -> (files, lesson -> results, printed, remarks)"""
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        for name, (files, lessons, printed, remarks) in students.items():
            number = gradebook.add_submission(run, name, "d1", files, f"{name}.py", True, remarks)
            for lesson, results in lessons.items():
                gradebook.record(run, number, name, lesson, "key", results, printed, remarks)
        gradebook.end_run(run)


def refuse(path, student, why):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        gradebook.add_submission(run, student, "", {}, "broken.zip", True, [], why)
