"""Which small changes to the solutions would the checks let through?

    pip install -e ".[mutants]" && python benchmarks/mutants.py [LESSON ...]

cosmic-ray and mutmut make the mutants: the solutions with one operator, number, argument, keyword
or statement changed. Each is graded as `pytest exercises --answers` would, on the embedded
reference, in a process of its own, and survives if every check of its lesson passes. Mutants that
differ in annotations only, or are the same code, are left out. Prints each survivor as a diff, and
counts by lesson. About ten minutes on two cores.
"""

from __future__ import annotations

import ast
import difflib
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import torch
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from mutmut.mutation.file_mutation import create_mutations, deep_replace

from grader import lessons
from grader.inside import run
from grader.inside.fixtures import Fixtures
from grader.outcome import Outcome
from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED
from grader.verdict.grade import grade, questions

SOLUTIONS = Path(__file__).parent.parent / "solutions"
SECONDS = 20  # for one mutant; one that takes longer is killed


def by_cosmic_ray(source: str) -> Iterator[str]:
    for name in sorted(operator_names()):
        operator = get_operator(name)
        for arguments in [example.operator_args or {} for example in operator.examples()] or [{}]:
            try:
                for occurrence in count():
                    mutant = mutate_code(source, operator(**arguments), occurrence)
                    if mutant is None:
                        break
                    yield mutant
            except AttributeError:  # cosmic-ray's own, on syntax that one operator does not expect
                print(f"Left out: cosmic-ray's {name}", flush=True)
                break


def by_mutmut(source: str) -> Iterator[str]:
    module, mutations, *_ = create_mutations("solution.py", source)
    for mutation in mutations:
        yield deep_replace(module, mutation.original_node, mutation.mutated_node).code


class WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign:
        return ast.Assign([node.target], node.value)

    def visit_If(self, node: ast.If) -> ast.If | None:
        test = ast.unparse(node.test)
        return None if "TYPE_CHECKING" in test or "__main__" in test else node


def meaning(source: str) -> str:
    tree = WithoutAnnotations().visit(ast.parse(source))
    tree.body = [n for n in tree.body if not (isinstance(n, ast.Assign) and "Model" in ast.dump(n))]
    return ast.dump(tree)


def mutants(source: str) -> list[str]:
    found = {meaning(source): ""}
    for mutant in (*by_cosmic_ray(source), *by_mutmut(source)):
        try:
            found.setdefault(meaning(mutant), mutant)
        except SyntaxError:
            continue
    return [mutant for mutant in found.values() if mutant]


def survives(lesson: str, source: str, asked: list, out: multiprocessing.Queue) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{lesson}.py"
        path.write_text(source)
        try:
            module = run.load(path).module
            alive = all(
                grade(check, getattr(module, check.exercise), qs, source).outcome is Outcome.PASSED
                for check, qs in asked
            )
        except BaseException:
            alive = False
    out.put(alive)


def outcome(lesson: str, source: str, asked: list) -> str:
    context = multiprocessing.get_context("fork")  # with the reference loaded
    out = context.Queue()
    process = context.Process(target=survives, args=(lesson, source, asked, out))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        return "timed out"
    return "survived" if not out.empty() and out.get() else "killed"


def main(chosen: list[str]) -> None:
    torch.set_num_threads(1)  # threads do not live through a fork
    fixtures = Fixtures("gpt2-tiny", "cpu")
    for lesson in chosen or lessons.names():
        solution = load.solution(lesson)
        asked = [
            (check, list(questions(check, getattr(solution, e.name), [PUBLIC_SEED], fixtures)))
            for e in load.exercises(lesson)
            for check in e.checks
        ]
        source = (SOLUTIONS / f"{lesson}.py").read_text()
        counts: Counter[str] = Counter()
        for mutant in mutants(source):
            came_of_it = outcome(lesson, mutant, asked)
            counts[came_of_it] += 1
            if came_of_it == "survived":
                before, after = source.splitlines(), mutant.splitlines()
                for line in difflib.unified_diff(before, after, lineterm="", n=0):
                    if line[:2] not in ("--", "++"):
                        print(line, flush=True)
        print(f"{lesson}: {counts.total()} mutants, {dict(counts)}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
