"""The class report: what the page says, what it leaves out, and that nothing in it is markup of a student's."""

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from grader.classroom.class_statistics import Tally
from grader.classroom.report import FOLDED, NAMES, TOP, Excerpt, ModuleReport, Report, page
from grader.classroom.similarity import find_similar
from grader.cli import main
from grader.engine.store import Key, ResultsStore
from tests.grader.classroom.report_class import a_release, a_score
from tests.grader.classroom.test_similarity import COPIED, DISGUISED
from tests.grader.small_class import SMALL, student_notebook

HOSTILE = [
    "<script>document.title = 'gone'</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(2)>',
    "</title></svg><style>* { display: none }</style>",
    "<!-- ",
    "{{ 7 * 7 }}",
    "=HYPERLINK(1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}evil",
    "\ud800 half",
]


def a_report(scores, *, answers=None, excerpts=(), **fields):
    tally = Tally(a_release())
    for score in scores:
        tally.add(score)
    similar = None if answers is None else find_similar(a_release(), answers)
    return Report((ModuleReport(tally.statistics(), similar, excerpts, **fields),), {})


def hostile_report():
    """A class whose names, answers and flags would like to act."""
    scores = [a_score(name, "MTF", days=1, written=True, flags=[name, "x" + name]) for name in HOSTILE]
    scores += [a_score(f"{name}2", "UUU") for name in HOSTILE]
    bad = [{"one": COPIED.replace("seen.values()", f"seen.values()) # {name}\n    (1")} for name in HOSTILE[:2]]
    answers = list(zip(HOSTILE, bad, strict=False))
    excerpts = (Excerpt("one", (HOSTILE[0], HOSTILE[1]), (HOSTILE[2] + COPIED, HOSTILE[3])),)
    return a_report(scores, answers=answers, excerpts=excerpts, absent=tuple(HOSTILE), strangers=tuple(HOSTILE))


def text_of(html):
    """The page without style, script, markup and runs of blanks."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_tells_what_was_counted():
    scores = [a_score(f"s{i}", "MPF" if i % 2 else "PPL", flags=["look here"] if i < 2 else ()) for i in range(20)]
    told = text_of(page(a_report([*scores, a_score("late", "PPP", days=3)])))
    for expected in (
        "07 Three",
        "Exercise 2 · two",
        "A reason for forgets. (forgets)",
        "and 8 more",
        "10 of 30 failing answers pass once the earlier answers",
        "1 student late, 1.8 points lost together",
        "look here",
        "1 known mistake was made by nobody",
        "Not compared: name the submissions with --submissions",
        "Hints opened and time taken stay with the learners",
    ):
        assert expected in told, expected


def test_every_figure_is_described_and_has_its_table():
    html = page(a_report([a_score(f"s{i}", "PFP" if i % 2 else "PPP", written=True) for i in range(9)]))
    figures = re.findall(r'<svg class="figure"[^>]*aria-label="([^"]+)"', html)
    assert [one.split(".")[0] for one in figures] == ["Scores", "Questions", "Outcomes"]
    assert "Distribution of 9 students" in figures[0]
    assert "The hardest is Exercise 2 · two, with 56\N{NO-BREAK SPACE}% of the points." in figures[1]
    assert "23 Passed, 4 Failed" in figures[2]
    sections = dict(re.findall(r"<h3>([^<]+)</h3>(.*?)(?=<h3>|</section>)", html, flags=re.S))
    for name in ("Scores", "Questions", "How the test cells ended"):
        assert sections[name].count('class="figure"') == sections[name].count("<table") == 1


def test_no_markup_of_a_students_is_markup_on_the_page():
    html = page(hostile_report())
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z!][\w!-]*)", html)}
    assert not tags & {"img", "iframe", "object", "link", "form", "!--", "base", "foreignobject"}
    assert html.count("<script>") == html.count("<style>") == 1
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r"<script>.*?</script>", "", html, flags=re.S))
    assert "{{ 7 * 7 }}" in html
    html.encode("utf-8", "replace")


def test_the_policy_allows_the_two_that_are_there_and_nothing_else():
    html = page(a_report([a_score("a")]))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy.startswith("default-src &#39;none&#39;;") or policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!#)", re.sub(r"<meta[^>]*>", "", html))


def test_nothing_is_listed_three_thousand_times():
    scores = [
        a_score(f"student{i}", "MFF" if i % 2 else "PPL", days=1 + i % 40, flags=[f"flag {i % 700}"])
        for i in range(3000)
    ]
    html = page(a_report(scores))
    assert len(html) < 250_000
    (mistake,) = re.findall(r"<tr><td[^>]*>1,500 .*?</tr>", html)
    assert mistake.count("student") == NAMES + 2
    assert mistake.endswith("and 1,448 more</details></td></tr>")
    flags = html[html.index("<caption>Flags") : html.index("<h3>Outliers")]
    assert flags.count(">flag ") == TOP + FOLDED
    assert f"And {700 - TOP - FOLDED} more: <code>grader report --json</code> lists all." in flags


def test_similar_answers_are_shown_side_by_side():
    answers = [("ada", {"one": COPIED}), ("bob", {"one": DISGUISED})]
    excerpts = (Excerpt("one", ("ada", "bob"), (COPIED, DISGUISED)),)
    told = text_of(page(a_report([a_score("ada"), a_score("bob")], answers=answers, excerpts=excerpts)))
    assert "Code of ada and bob: one" in told
    assert "Compared were 2 answers of 2 students" in told
    assert "kept.append(value ** 2 - place)" in told
    none = text_of(page(a_report([a_score("ada")], answers=[("ada", {"one": COPIED})])))
    assert "No two students have similar code of their own." in none


def test_a_class_that_could_not_be_graded_has_no_figures():
    html = page(a_report([a_score("a", "UUU"), a_score("b", "EPP")]))
    assert "there are no figures" in html
    assert "<svg" not in html


# --- The command ----------------------------------------------------------------------------------------------


@pytest.fixture
def graded(small, monkeypatch):
    """The small class: ada and bob with the same odd answer, eve with none."""
    odd = COPIED.replace("def one(x)", "def windows(size, kernel, stride=1)").replace("(x)", "(range(size))")
    handed_in = {"ada": odd, "bob": odd.replace("place", "i"), "eve": "pass"}
    with ResultsStore(small.course.results).writing() as store:
        for student, code in handed_in.items():
            result = small.write(student, {}, sources={"windows": code}, flags=(f"{student} did it",))
            store.append(result, Key(result.submission_key, "tests", "environment"))
            folder = small.course.root / "submitted" / student / SMALL
            folder.mkdir(parents=True)
            (folder / f"{SMALL}.ipynb").write_bytes(student_notebook(small.course, SMALL, windows=code))
    monkeypatch.chdir(small.course.root)
    return small.course.root


def report(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_one_page_with_names_from_the_roster(graded):
    (graded / "roster.csv").write_text("id,name\nada,Ada Núñez\nbob,\nida,Ida Ek\n", encoding="utf-8")
    done = report("--submissions", "submitted")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{graded}/report.html: 1 module · 3 submissions · ")
    told = text_of((graded / "report.html").read_text(encoding="utf-8"))
    assert "Ada Núñez (ada) · bob windows (100 %)" in told
    assert "1 student on the roster without a result. Ida Ek (ida)" in told
    assert "1 student with a result but not on the roster. eve" in told


def test_numbers_in_place_of_names(graded):
    (graded / "roster.csv").write_text("id,name\nada,Ada Núñez\nbob,\nida,Ida Ek\n", encoding="utf-8")
    done = report("--submissions", "submitted", "--anonymous", "--json", "--to", "out/anonymous.html")
    assert done.exit_code == 0, done.output
    for told in (done.output, (graded / "out" / "anonymous.html").read_text(encoding="utf-8")):
        assert not re.search(r"\b(ada|bob|eve|ida|Ada|Ida|Núñez)\b", told)
        assert "kept.append" not in told
    (group,) = json.loads(done.output)["modules"][0]["similarity"]["groups"]
    assert all(re.fullmatch(r"student \d{4}", student) for student in group["students"])
    assert report("--anonymous", "--json").output != report("--anonymous", "--json").output


def test_everything_as_json(graded):
    done = report("01", "--json", "--submissions", "submitted")
    told = json.loads(done.output)
    (module,) = told["modules"]
    assert told["to"] == str(graded / "report.html")
    assert module["statistics"]["scores"] == {"ada": 0.0, "bob": 0.0, "eve": 0.0}
    assert module["statistics"]["flags"] == {f"{name} did it": [name] for name in ("ada", "bob", "eve")}
    assert module["similarity"]["groups"][0]["students"] == ["ada", "bob"]
    assert sum(one["students"] for one in module["statistics"]["bins"]) == 3


def test_nothing_graded_is_one_line(small, monkeypatch):
    monkeypatch.chdir(small.course.root)
    done = report()
    assert (done.exit_code, done.output) == (
        1,
        "Error: nobody's 01_windows is graded yet: run grader grade SUBMISSIONS\n",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["99"], "there is no module '99'"),
        (["--submissions", "nowhere"], "nowhere does not exist"),
        (["--submissions", "empty"], "there are no submissions to 01_windows in empty"),
        (["--roster", "none.csv"], "the roster none.csv cannot be read"),
        (["--to", "submitted"], "submitted is a folder: name the file to write"),
        (["--to", "/dev/full/report.html"], "/dev/full: File exists"),
    ],
)
def test_what_cannot_be_is_one_line(graded, arguments, told):
    (graded / "empty").mkdir()
    done = report(*arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_full_disk_leaves_the_earlier_report(graded, monkeypatch):
    (graded / "report.html").write_text("earlier")

    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    done = report()
    assert done.exit_code == 1
    assert "No space left on device" in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert (graded / "report.html").read_text() == "earlier"
    assert not list(graded.glob(".report*"))


def test_results_of_another_version_are_named_and_do_not_count(graded, small):
    with ResultsStore(small.course.results).writing() as store:
        result = store.result(store.latest(SMALL)["eve"])
        store.append(replace(result, cells=result.cells[:1]), Key("k", "older", "environment"))
    assert report().exit_code == 0
    told = text_of((graded / "report.html").read_text(encoding="utf-8"))
    assert "graded with another version of the module: run grader regrade: 1 student, eve" in told


def test_a_course_without_the_gradebook_has_a_report_too(graded):
    (graded / "gradebook.db").unlink()
    shutil.rmtree(graded / "autograded")
    assert report().exit_code == 0
