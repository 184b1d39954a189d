"""CSV files: read as Python's csv reads them, written to the byte, and safe in a spreadsheet."""

import csv
import io
import random

import pytest

from grader.classroom.roster import read_roster
from grader.classroom.tables import guarded, read_table, to_csv, unguarded
from grader.course import CourseError

AWKWARD = [
    "Núñez Peña, María José",
    '"Bobby" Tables',
    '=HYPERLINK("http://x";"y")',
    "+49 30 1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "'=1",
    "''=1",
    "'quoted",
    "\uff1d1+1",
    "李 小龍",
    "two\nlines",
    "two\r\nlines",
    "00712345",
    "semi;colon",
    "-",
    "",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_a_guarded_text_is_no_formula_and_comes_back(text):
    safe = guarded(text)
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    assert unguarded(safe) == text


def test_what_canvas_guards_is_read_as_it_was():
    assert unguarded('="=Ann+Lee"') == "=Ann+Lee"
    assert unguarded('="a"&"b"') == '="a"&"b"'


def test_a_table_of_our_own_comes_back(tmp_path):
    rows = [["id", "points"], *([text or "x", 1.5] for text in AWKWARD)]
    (tmp_path / "t.csv").write_bytes(to_csv(rows))
    assert (tmp_path / "t.csv").read_bytes().startswith(b'\xef\xbb\xbf"id"')
    table = read_table(tmp_path / "t.csv")
    assert [row.cells for row in table.rows] == [[str(cell) for cell in row] for row in rows]
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        raw = list(csv.reader(file))
    assert [unguarded(row[0]) for row in raw] == [row[0] for row in rows]
    assert not any(row[0].startswith(("=", "+", "-", "@", "\t", "\r")) for row in raw)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_random_tables_are_read_as_pythons_csv_reads_them_and_written_to_the_byte(tmp_path, delimiter, encoding):
    draw = random.Random(f"{delimiter}{encoding}")
    path = tmp_path / "t.csv"
    for _ in range(60):
        cells = ["a", '""', '"', "é", "\n", "\r\n", " ", delimiter, "1", "李", '"b"']
        text = delimiter * 9 + "\n" + "".join(draw.choice([*cells, delimiter, "\r\n"]) for _ in range(60)) + '"\n'
        path.write_bytes(text.encode(encoding))
        try:
            table = read_table(path)
        except CourseError:
            # A quote is open at the end: csv reads on as if it were closed.
            path.write_bytes((text + '"\n').encode(encoding))
            text, table = text + '"\n', read_table(path)
        expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert [[unguarded(cell) for cell in row] for row in expected] == [
            [] if row.raw == [""] else row.cells for row in table.rows
        ]
        assert table.to_bytes() == path.read_bytes()


def test_one_cell_changes_and_no_other_byte(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeff"a";b;c\r\n"x ""y""";;"=1"\r\n\r\nlast;2'.encode())
    table = read_table(path)
    table.write(table.rows[1], 1, 'a;"b"')
    table.write(table.rows[3], 2, "3")
    assert table.to_bytes() == '\ufeff"a";b;c\r\n"x ""y""";"a;""b""";"=1"\r\n\r\nlast;2;3'.encode()
    assert [row.line for row in table.filled] == [1, 2, 4]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id\n"a\nb\n"\n\nc\n')
    assert [row.line for row in read_table(path).filled] == [1, 2, 6]


def test_a_cell_of_a_megabyte_and_an_open_quote(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,name\nada," + '"' + 'x""' * 400_000 + '"\n')
    assert len(read_roster(path).students[0].name) == 800_000
    path.write_text('id,name\nada,"Ada\nben,Ben\n')
    with pytest.raises(CourseError, match="line 2: a cell that begins with a quote does not end"):
        read_table(path)
