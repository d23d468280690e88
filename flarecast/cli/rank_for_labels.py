"""`flarecast rank-for-labels`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, device_option, say, talk_options


@click.command("rank-for-labels")
@click.argument("windows", type=IN)
@click.argument("folder", type=IN)
@click.option(
    "--split",
    "split_path",
    type=IN,
    help="split.nc of the windows: test windows are left out; default a run's own, of the same windows.",
)
@click.option("--all", "every", is_flag=True, help="Rank windows of known outcome, too.")
@click.option("-o", "--output", type=OUT, required=True, help="CSV to write.")
@device_option
@talk_options
def command(
    windows: Path, folder: Path, split_path: Path | None, every: bool, output: Path, device: str
) -> None:
    """List the windows whose outcome would tell a model most: those on which its members differ.

    FOLDER is that of a run or a model with members ([ensemble]). The most telling window of every region
    comes first, near copies last. docs/few_labels.md
    """
    from flarecast.chain import RunFolder, open_pair
    from flarecast.ensembles.members import with_members
    from flarecast.files import sha256
    from flarecast.informative import candidates, rank_windows, write_ranking
    from flarecast.model_file import check_fits, load
    from flarecast.schema import SPLIT, open_file
    from flarecast.train.trainings import final_fold
    from flarecast.windows import open_windows

    run = RunFolder(folder)
    models = run.model if (run.model / "model.json").is_file() else folder
    role = None
    if split_path is None and models == run.model and run.split.is_file():
        made_of = open_file(run.split, SPLIT).attrs["windows_sha256"]
        split_path = run.split if made_of == sha256(windows) else None
    if split_path is None:
        say("no split is named, so windows of any role are ranked")
        content = open_windows(windows)
    else:
        content, split = open_pair(windows, split_path)
        role = split["role"].values[final_fold(split)]
    model = with_members(load(models, device), models, device)
    check_fits(model, content)
    ranking = rank_windows(content, model, candidates(content, model, role, every), device)
    write_ranking(ranking, content, model.events, output)
    first = int((ranking.turn == 1).sum())
    say(f"{output}: {ranking.window.size:,} windows, the first {first:,} of as many regions (or rotations)")
