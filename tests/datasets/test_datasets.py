"""What is shipped: listed, licensed, described, and made again byte for byte."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
SETS = sorted(path.parent.name for path in DATASETS.glob("*/make.py"))
MANIFEST = json.loads((DATASETS / "manifest.json").read_text())
NOT_MADE = {"make.py", "README.md", "selection.csv"}
"""Files of a set that are written by hand and not read by a loader."""
TRAINED = {"plain_and_residual"}
"""Sets that are measured by training: minutes of work, and the last digits depend on the processor."""

sys.path.insert(0, str(DATASETS))
import sources  # noqa: E402


def load_make(name):
    spec = importlib.util.spec_from_file_location(f"make_{name}", DATASETS / name / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_eight_sets():
    packaged = ["digits", "fashion_mnist", "imagenet", "imagenet_history", "photographs", "stamps", "temperatures"]
    assert sorted([*packaged, *TRAINED]) == SETS


def test_the_manifest_lists_every_shipped_file_and_nothing_else():
    shipped = {
        f"{name}/{path.name}"
        for name in SETS
        for path in (DATASETS / name).iterdir()
        if path.name not in NOT_MADE | {"__pycache__"}
    }
    assert shipped == set(MANIFEST)


@pytest.mark.parametrize("name", MANIFEST)
def test_every_file_is_as_the_manifest_says(name):
    content = (DATASETS / name).read_bytes()
    assert len(content) == MANIFEST[name]["bytes"]
    assert hashlib.sha256(content).hexdigest() == MANIFEST[name]["sha256"]


def test_all_data_stay_under_60_megabytes():
    assert sum(entry["bytes"] for entry in MANIFEST.values()) < 60e6


@pytest.mark.parametrize("name", SETS)
def test_a_licence_lies_beside_the_data(name):
    assert any(path.name.startswith(("LICENSE", "COPYING", "COPYRIGHT")) for path in (DATASETS / name).iterdir())


def test_the_stamps_come_with_the_whole_gpl():
    text = (DATASETS / "stamps/COPYING.txt").read_text()
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("name", SETS)
def test_the_datasheet_names_every_file_with_its_checksum(name):
    sheet = (DATASETS / name / "README.md").read_text()
    for path, entry in MANIFEST.items():
        if path.startswith(f"{name}/"):
            assert f"| `{Path(path).name}` | {entry['bytes']:,} | `{entry['sha256']}` |" in sheet, path


@pytest.mark.parametrize("name", SETS)
def test_the_datasheet_says_what_one_must_know(name):
    lines = (DATASETS / name / "README.md").read_text().splitlines()
    headings = {line.removeprefix("## ") for line in lines if line.startswith("## ")}
    assert {"Origin", "Licence", "Contents", "Known flaws", "Files"} <= headings


def test_the_table_of_sets_names_each_with_the_command_that_makes_it():
    table = (DATASETS / "README.md").read_text()
    for name in SETS:
        assert f"[{name}]({name}/README.md)" in table
        assert f"`python datasets/{name}/make.py`" in table


def test_the_datasheet_of_the_stamps_counts_as_the_loader_does():
    from convnets.data import stamps

    sheet, found = (DATASETS / "stamps/README.md").read_text(), stamps()
    for number, kind in enumerate(found.classes):
        train = int(((found.labels == number) & found.is_train).sum())
        test = int(((found.labels == number) & ~found.is_train).sum())
        assert f"| {kind} | {train} | {test} |" in sheet


def test_the_datasheet_of_the_digits_counts_as_the_loader_does():
    from convnets.data import digits

    sheet, found = (DATASETS / "digits/README.md").read_text(), digits()
    for part, labels in (("train", found.y_train), ("test", found.y_test)):
        counts = " | ".join(str(int((labels == digit).sum())) for digit in range(10))
        assert f"| {part} | {counts} |" in sheet


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(SETS) - TRAINED))
def test_the_script_makes_the_shipped_bytes_again(name, tmp_path):
    try:
        load_make(name).make(tmp_path)
    except sources.FetchError as error:
        pytest.skip(f"the packages of {name} cannot be fetched here: {error}")
    shipped = {path: entry for path, entry in MANIFEST.items() if path.startswith(f"{name}/")}
    assert sources.manifest_entries(tmp_path, name) == shipped


@pytest.mark.slow
def test_a_network_trained_again_follows_its_stored_curve():
    from convnets.data import plain_and_residual

    stored = next(c for c in plain_and_residual() if (c.depth, c.residual, c.seed) == (8, True, 1))
    again = list(load_make("plain_and_residual").curve(8, "residual", 1, epochs=3))
    assert [train for train, _ in again] == pytest.approx(stored.train_error[:3].tolist(), abs=4)


def test_a_package_that_has_changed_is_refused(tmp_path):
    archive = tmp_path / "package.whl"
    archive.write_bytes(b"something else")
    with pytest.raises(sources.ChangedError, match=r"package\.whl has SHA-256 .*, this set was made from 00"):
        sources._check(archive, "00")


def test_a_tool_that_is_not_there_gives_one_line(tmp_path):
    with pytest.raises(sources.FetchError, match="no-such-tool is not installed: run this on Debian"):
        sources._run("no-such-tool", "download", cwd=tmp_path)


def test_a_failed_download_gives_the_last_line_of_its_tool(tmp_path):
    with pytest.raises(sources.FetchError, match="false failed: no message"):
        sources._run("false", cwd=tmp_path)


def stamp_row(kind, subject):
    return {"class": kind, "subject": subject}


def test_the_split_keeps_subjects_together_and_takes_a_third_of_every_class():
    rows = [stamp_row("bird", subject) for subject in ("owl", "owl", "owl", "crow", "lark", "duck", "swan", "hen")]
    rows += [stamp_row("tool", subject) for subject in ("saw", "axe", "file")]
    make = load_make("stamps")
    chosen = make.choose_test_subjects(rows)
    assert chosen == make.choose_test_subjects(rows[::-1])
    for kind, total in (("bird", 8), ("tool", 3)):
        taken = sum((row["class"], row["subject"]) in chosen for row in rows if row["class"] == kind)
        assert 0.35 * total <= taken < total
