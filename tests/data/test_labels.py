import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.data.labels import check_metadata, read_labels
from paper_utils.errors import CompanionError
from tests.fuzzing import FUZZED

HEADER = "Chirp_Start_Time,Chirp_Start_Freq,Chirp_End_Freq,Chirp_Duration,Chirp_Type"
ROWS = (
    "40.374621043630896,62.5095466604667,79.0506880751783,4.152900659868286,linear",
    "5.036725994295794,77.01409510034742,58.35995909817507,3.2393736618267024,linear",
    "20.031890578539706,27.7970282193581,53.82133256035365,10.559776213855793,exponential",
)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a label table of these lines."""

    def read(*lines, ending="\n"):
        (tmp_path / "labels.csv").write_text(ending.join(lines) + ending, encoding="utf-8", newline="")
        return read_labels(tmp_path)

    return read


def test_columns_in_another_order_and_further_ones_make_no_difference(read):
    expected = read(HEADER, *ROWS)
    assert len(expected) == 3
    assert expected[1].start_time == 5.036725994295794
    assert math.isnan(expected[1].noise_level)
    turned = [",".join([str(number), *reversed(row.split(","))]) for number, row in enumerate((HEADER, *ROWS))]
    assert repr(read("", *turned, "", ending="\r\n")) == repr(expected)


def test_decimal_commas_are_refused(read):
    header = "Chirp_Type,Chirp_Start_Freq,Chirp_End_Freq,Chirp_Start_Time,Chirp_Duration"
    with pytest.raises(
        CompanionError, match=r"labels\.csv, row 1 below the header: more values \(9\) than columns \(5\); .*not commas"
    ):
        read(header, "linear,20,45,18,32,12,97,8,25")
    with pytest.raises(CompanionError, match="Chirp_Start_Freq is '20,45', not a number"):
        read(header, 'linear,"20,45","18,32","12","8"')
    with pytest.raises(CompanionError, match="lacks the column Chirp_Start_Time"):
        read(header.replace(",", ";"), "linear;20,45;18,32;12,97;8,25")


def test_of_labels_that_may_not_be_read_the_permissions_are_said(tmp_path, monkeypatch):
    def refused(path, **_):  # root may read all, so a mode of 0 would show nothing
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setitem(read_labels.__globals__, "open", refused)
    with pytest.raises(CompanionError, match=r"labels\.csv: Permission denied; change its permissions$"):
        read_labels(tmp_path)


@pytest.mark.parametrize("more", [",7", ",7,8", ","])
def test_a_row_longer_than_the_header_is_refused(read, more):
    with pytest.raises(
        CompanionError, match=r"row 2 below the header: more values \(\d\) than columns \(5\); mend the row"
    ):
        read(HEADER, ROWS[0], ROWS[1] + more)


def test_a_column_that_stands_there_twice_is_refused(read):
    with pytest.raises(CompanionError, match="has the column 'Chirp_Start_Time' twice"):
        read(f"{HEADER},Chirp_Start_Time", f"{ROWS[0]},44")


def test_a_row_in_the_place_of_another_is_refused(read):
    with pytest.raises(CompanionError, match="rows 2 and 3 below the header are the same, and no two chirps are"):
        read(HEADER, ROWS[0], ROWS[1], ROWS[1])


@pytest.mark.parametrize("text", ["0", "0.46", "-0"])
def test_a_duration_that_draws_no_line_is_refused(read, text):
    with pytest.raises(
        CompanionError, match=r"row 1 below the header \(of spectrogram_1\.png\): Chirp_Duration is .* no line is drawn"
    ):
        read(HEADER, f"5,20,30,{text},linear")


@pytest.mark.parametrize("text", ["1_0", "٣", "1,5", "0x10", "inf", "nan", "1e", "", "1 0", "true"])
def test_what_python_takes_for_a_number_and_nobody_else_is_refused(read, text):
    with pytest.raises(CompanionError, match="row 1 .*Chirp_Start_Freq is .* not a number; mend the row"):
        read(HEADER, f'5,"{text}",30,4,linear')


@pytest.mark.parametrize("text", ["7", " 7.50", "+7.", ".75e1", "7E0"])
def test_usual_numbers_are_read(read, text):
    (found,) = read(HEADER, f"5,{text},30,4,linear")
    assert found.start_frequency == float(text)


METADATA = "file_name,start_time,start_frequency,end_frequency,duration,kind"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows, ""),
        (lambda rows: rows[:2], r"metadata\.csv has 2 rows and labels\.csv 3"),
        (
            lambda rows: [*rows[:2], rows[2].replace("27.7", "27.8")],
            r"metadata\.csv, row 3 below the header: start_frequency is not what",
        ),
        (
            lambda rows: [*rows[:2], rows[2].replace("_3.png", "_4.png")],
            r"row 3 below the header: file_name is not what labels\.csv says",
        ),
        (lambda rows: [*rows[:2], rows[2].replace("20.0", "20_0")], "row 3 .*start_time is .* not a number"),
    ],
)
def test_metadata_beside_the_labels_must_say_the_same(read, tmp_path, change, message):
    chirps = read(HEADER, *ROWS)
    rows = change([f"spectrogram_{number}.png,{row}" for number, row in enumerate(ROWS, 1)])
    (tmp_path / "metadata.csv").write_text("\n".join([METADATA, *rows]) + "\n")
    if not message:
        check_metadata(tmp_path, chirps)
        return
    with pytest.raises(CompanionError, match=message):
        check_metadata(tmp_path, chirps)


def test_metadata_of_another_making_is_not_ours_to_judge(read, tmp_path):
    for content in ("file_name,text\nspectrogram_1.png,a chirp\n", ""):
        (tmp_path / "metadata.csv").write_text(content)
        check_metadata(tmp_path, read(HEADER, *ROWS))


@FUZZED
@given(data=st.data())
def test_mutated_tables_are_read_as_they_stand_or_refused_in_a_line(tmp_path, data):
    """A byte is changed, put in or taken away: every row that is still read has its five values at their places."""
    content = bytearray("\n".join([HEADER, *ROWS, ""]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        how = data.draw(st.sampled_from(("change", "insert", "remove")))
        new = bytes([data.draw(st.sampled_from(b',;"\n\r\x00\xff_-+ 0959eElinear') | st.integers(0, 255))])
        content[place : place + (how != "insert")] = b"" if how == "remove" else new
    (tmp_path / "labels.csv").write_bytes(content)
    try:
        found = read_labels(tmp_path)
    except CompanionError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert "labels.csv" in said
        assert "\n" not in said
        return
    lines = [line.split(",") for line in re.split("[\r\n]+", content.decode("utf-8-sig").replace('"', "")) if line]
    assert len(found) == len(lines) - 1
    names = [name.strip() for name in lines[0]]
    for chirp, values in zip(found, lines[1:], strict=True):
        row = dict(zip(names, map(str.strip, values), strict=True))
        assert chirp.kind == row["Chirp_Type"]
        wanted = [float(row[f"Chirp_{name}"]) for name in ("Start_Time", "Start_Freq", "End_Freq", "Duration")]
        assert [chirp.start_time, chirp.start_frequency, chirp.end_frequency, chirp.duration] == wanted
