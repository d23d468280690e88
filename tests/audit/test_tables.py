"""Other people's tables are compared as far as their columns allow; notes say what was not checked."""

import pytest
from click.testing import CliRunner

from flarecast import cycles
from flarecast.audit import audit_tables, read_table, read_tables
from flarecast.cli import main
from flarecast.errors import FlarecastError

TABLE = "region,issue_time,valid_from,valid_to,probability\n"


@pytest.fixture
def compare(write):
    """Audit of two texts."""
    return lambda train, test, **names: audit_tables(
        *read_tables(write("a.csv", train), write("b.csv", test), **names)
    )


def test_tables_of_others_are_compared(compare, kinds):
    train = TABLE + (
        "HARP 1,2011-01-01T00:00:00Z,2011-01-01T00:00:00Z,2011-01-02T00:00:00Z,0.1\n"
        "HARP 2,2011-01-05,2011-01-05,2011-01-06,0.1\n"
        "disk,2011-01-05,2011-01-05,2011-01-06,0.1\n"
    )
    test = TABLE + (
        "HARP 1,2011-01-01T00:00,2011-01-01,2011-01-02,0.2\n"
        "HARP 3,2011-02-01,2011-02-01,2011-02-02,0.2\n"
        "disk,2011-01-05T12:00:00,2011-01-05T12:00:00,2011-01-06T12:00:00,0.2\n"
    )
    found = compare(train, test)
    leaks = {finding.kind: finding for finding in found.leaks}
    assert {kind: leak.count for kind, leak in leaks.items()} == {
        "shared region": 1,
        "shared window": 1,
        "overlapping outcome": 2,
    }
    assert leaks["shared region"].message.startswith(
        "1 region appears in both train and test, e.g. HARP 1, with 1 of 3 test rows (33 %);"
    )
    assert leaks["overlapping outcome"].examples == (
        "HARP 1 at 2011-01-01T00:00:00Z",
        "disk at 2011-01-05T12:00:00Z",
    )
    assert kinds(found, "warning") == ["test before train", "contemporaneous roles"]
    assert any("not checked" in sentence for sentence in found.sentences())


def test_outcomes_of_unequal_length_overlap_where_they_share_a_second(compare):
    train = TABLE + (
        "disk,2011-01-01,2011-01-01,2011-03-01,0\n"
        "disk,2011-01-05,2011-01-05,2011-01-06,0\n"
        "disk,2011-06-01,2011-06-01,2011-06-02,0\n"
    )
    test = TABLE + (
        "disk,2011-02-01,2011-02-01,2011-02-02,0\n"  # inside the first, which begins before the second
        "disk,2011-03-01,2011-03-01,2011-03-02,0\n"  # begins where the first ends
        "disk,2011-05-31,2011-05-31,2011-06-01,0\n"  # ends where the third begins
    )
    leaks = compare(train, test).leaks
    assert [(leak.kind, leak.examples) for leak in leaks] == [
        ("overlapping outcome", ("disk at 2011-02-01T00:00:00Z",))
    ]


def test_clean_tables_pass_and_say_what_was_not_checked(compare):
    found = compare(
        "region,issue_time\nHARP 1,2011-01-01\nHARP 2,2011-01-02\n", "issue_time,region\n2012-01-01,HARP 3\n"
    )
    assert found.leaks == found.warnings == ()
    assert found.notes == ("histories and features are not in these tables; not checked",)
    assert found.counts[0]["regions"] == 2


LAYOUTS = {
    "NOAA numbers and T_REC in TAI": "NOAA_AR;T_REC;label\n11158;2011.02.15_01:12:00_TAI;1\n",
    "four digits and a compact date": "noaa_num,date,x\n1158,20110215_011200,0\n",
    "a float and slashes": "nar\ttime_start\n11158.0\t2011/02/15 01:12\n",
    "several numbers in a cell": "NOAA_ARS,timestamp\n11150;11158,2011-02-15T01:12:00Z\n",
    "unix seconds": "AR,time\n11158,1297732320\n",
    "a HARP with its NOAA number": "HARPNUM,NOAA_AR,t_rec\n377,11158,2011-02-15T01:12:00\n",
    "no header": "11158,2011.02.15_01:12:00_TAI,1,N\n11158,2011.02.15_01:24:00_TAI,1,N\n",
    "an offset": "noaa,time\n11158,2011-02-15T02:12:00+01:00\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_regions_and_times_are_found_in_any_usual_layout(text, compare):
    found = compare("noaa_ar,t_rec\n11158,2011-02-15T01:12:00\n11999,2010-01-01\n", text)
    leaks = {leak.kind: leak for leak in found.leaks}
    assert leaks["shared region"].count == 1
    assert "11158" in leaks["shared region"].message
    assert leaks["shared window"].count == 1


FILE_NAMES = {
    "SHARP": "hmi.sharp_cea_720s.377.20110215_011200_TAI",
    "SWAN-SF": "X2.2@1:Primary_ar377_s2011-02-14T13:24:00_e2011-02-15T01:12:00.csv",
    "SWAN-SF toolkit": "lab[X]2.2@1_id[377]_st[2011-02-14T13:24:00]_et[2011-02-15T01:12:00].csv",
}


@pytest.mark.parametrize("name", FILE_NAMES.values(), ids=FILE_NAMES)
def test_regions_and_times_are_read_from_file_names(name, compare):
    found = compare(f"file,label\n{name},1\n", "HARPNUM,T_REC\n377,2011.02.15_01:12:00_TAI\n")
    assert [leak.kind for leak in found.leaks] == ["shared region", "shared window"]
    assert found.leaks[1].examples == ("HARP 377 at 2011-02-15T01:12:00Z",)


def test_near_times_of_one_region_are_a_leak_and_those_of_two_are_not(compare, kinds):
    train = "harp,time\n1,2011-01-01T00:00\n2,2011-05-05T00:00\n"
    near = compare(train, "harp,time\n1,2011-01-01T23:59\n3,2011-05-05T00:00\n")
    assert kinds(near) == ["shared region", "near times"]
    assert next(leak for leak in near.leaks if leak.kind == "near times").count == 1
    assert kinds(compare(train, "harp,time\n1,2011-01-02T00:00\n3,2011-05-05T00:00\n")) == ["shared region"]


def test_lists_of_regions_alone_are_compared(compare, kinds):
    found = compare("HARPNUM\n377\n401\n", "HARPNUM\n401\n500\n")
    assert kinds(found) == ["shared region"]
    assert "no column of times in both tables; near times are not checked" in found.notes


def test_regions_linked_by_a_noaa_number_are_one(compare):
    found = compare("HARPNUM,NOAA_ARS\n377,11158\n", "HARPNUM,NOAA_ARS\n380,11158\n")
    assert "HARP 377 (also HARP 380)" in found.leaks[0].message
    apart = compare("HARPNUM\n377\n", "NOAA_AR\n11158\n")
    assert apart.leaks == ()
    assert any("count regions differently (HARP and NOAA)" in text for text in apart.notes)


def test_columns_can_be_named_or_counted(compare):
    train, test = "who,when\nA,2011-01-01\n", "who,when\nA,2012-01-01\n"
    assert compare(train, test, region="who", time="when").leaks[0].kind == "shared region"
    assert compare(train, test, region="1", time="2").leaks[0].kind == "shared region"
    with pytest.raises(FlarecastError, match=r"expected a column harp \(--region\), got who, when; name one"):
        compare(train, test, region="harp")


def test_times_alone_are_those_of_the_disk_unless_several_rows_have_one(compare, kinds):
    found = compare("timestamp,p\n2011-01-01,0.1\n", "timestamp,p\n2011-01-01,0.2\n2011-01-01T05:00,0.3\n")
    assert kinds(found) == ["shared window", "near times"]
    several = compare("timestamp,p\n2011-01-01,0.1\n2011-01-01,0.3\n", "timestamp,p\n2011-01-01,0.2\n")
    assert kinds(several) == []
    assert "shared times" in kinds(several, "warning")


def test_rows_without_region_and_time_are_compared_by_their_numbers(compare, kinds):
    rows = [f"{0.1 * i},{i**2},{1 / (i + 1)}" for i in range(9)]
    train, test = (
        "a,b,c\n" + "\n".join(part) for part in (rows[:6], [*rows[6:], rows[0].replace("0.0", "0.00")])
    )
    found = compare(train, test)
    assert kinds(found) == ["shared row"]
    assert (
        "1 test row (25 %) holds the numbers of a training row in all of 3 columns" in found.leaks[0].message
    )


def test_one_file_may_hold_both_roles(write):
    path = write("all.csv", "HARPNUM,dataset\n377,train\n401,valid\n377,test1\n")
    train, test = read_tables(path, path)
    assert len(train) == len(test) == 1
    assert audit_tables(train, test).leaks[0].kind == "shared region"
    lone = write("one.csv", "HARPNUM\n377\n")
    with pytest.raises(FlarecastError, match="expected two files, or one with a column role, dataset, split"):
        read_tables(lone, lone)


def test_a_few_rows_that_cannot_be_read_are_left_out(write):
    rows = "".join(f"HARP {i},2011-01-{i + 1:02d}\n" for i in range(25))
    table = read_table(write("a.csv", f"region,issue_time\n{rows}HARP 99,soon\n"))
    assert len(table) == 25
    assert table["issue_time"].iloc[0] == cycles.seconds("2011-01-01")


BAD_TABLES = {
    "no rows": ("region,issue_time\n", "expected rows, got a table without any"),
    "empty": ("", "expected a CSV table, got something else"),
    "no time": ("region,issue_time\nHARP 1,2011-01-01\nHARP 1,soon\n", "got 'soon' in line 3; name another"),
    "no region": ("region,issue_time\n,2011-01-01\n", "expected regions in column region, got none"),
    "backwards": (TABLE + "a,2011-01-01,2011-01-02,2011-01-01,0\n", "valid_from before valid_to, .* line 2"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_that_cannot_be_read_are_refused(text, message, write):
    with pytest.raises(FlarecastError, match=message):
        read_table(write("table.csv", text))


def test_tables_without_anything_to_compare_are_refused_in_one_sentence(compare):
    with pytest.raises(FlarecastError) as caught:
        compare("label,probability\n0,0.1\n1,0.7\n", "label,probability\n0,0.2\n1,0.8\n")
    assert str(caught.value) == (
        "--train and --test: expected columns of regions or times (like HARPNUM, T_REC, issue_time), got "
        "label, probability; name them by --region COL --time COL"
    )


def test_a_missing_table_and_bytes_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(FlarecastError, match=r"nowhere.csv: cannot be read"):
        read_table(tmp_path / "nowhere.csv")
    (tmp_path / "image.csv").write_bytes(bytes(range(128, 256)) * 9)
    with pytest.raises(FlarecastError, match=r"image.csv: expected a CSV table, got something else"):
        read_table(tmp_path / "image.csv")


def test_tables_with_blanks_after_commas_or_a_comma_too_many_are_read(write):
    text = "region, issue_time\nHARP 1, 2011-01-01,\nHARP 2, 2011-01-02,\n"
    assert read_table(write("a.csv", text))["region"].tolist() == ["HARP 1", "HARP 2"]


def test_column_names_without_tables_are_a_usage_error():
    result = CliRunner().invoke(main, ["audit", "--region", "HARPNUM"])
    assert result.exit_code == 2
    assert "--region and --time need both" in result.output
