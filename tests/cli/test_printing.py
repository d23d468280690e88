"""What stands under a table fits 80 columns and is not broken inside names and numbers."""

from flarecast.cli.parts import year_lines
from flarecast.cli.printing import print_remarks


def test_remarks_hang_from_their_dash_within_80_columns(capsys):
    long = "M1.0: the model warned of 24% of 25 flares, 13 h before the peak; " * 3
    print_remarks([long, "short"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("- M1.0")
    assert {line[:2] for line in lines[1:-1]} == {"  "}
    assert lines[-1] == "- short"
    assert " ".join(line[2:] for line in lines[:-1]) == long.strip()


def test_a_path_or_a_name_longer_than_a_line_stays_whole(capsys):
    name = "folder-with-hyphens/" * 6
    print_remarks([f"swpc is {name}"])
    assert f"  {name}\n" in capsys.readouterr().out


def records_of(**years):
    """Records of the Brier skill score of all windows and of years."""
    shared = {"score": "bss", "forecast": "model", "role": "test", "event": "M1.0"}
    return [shared | {"subset": name, "value": value} for name, value in years.items()]


def test_years_without_a_score_are_counted_not_listed():
    lines = list(year_lines(records_of(all=0.31, year_2011=0.2, year_2012=None, year_2013=-0.001)))
    assert lines == ["M1.0 by year: BSS 0.31 pooled; 2011 0.20, 2013 0.00; none in 1 other"]
    assert list(year_lines(records_of(all=0.31, year_2011=None, year_2012=None))) == []
    assert list(year_lines(records_of(all=0.31))) == []
