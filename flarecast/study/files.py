"""Windows and split of a study: made once, and again where what they depend on has changed."""

from pathlib import Path

from flarecast.chain import check_parts, run_audit, run_ingest, run_split
from flarecast.config import Config, load_config, write_config
from flarecast.errors import FlarecastError
from flarecast.study.told import Sources

CONFIG = "config.toml"
OF_WINDOWS = ("run", "events", "ingest")
OF_SPLIT = (*OF_WINDOWS, "unassigned", "split", "calibrate")


def make_files(config: Config, sources: Sources, folder: Path) -> tuple[Path, Path]:
    """Make sure that there are windows and a split.

    Args:
        config: The configuration.
        sources: Raw data, of which windows are made in the folder, or windows; the simulated Sun needs none.
        folder: Of the study.

    Returns:
        Paths of windows.nc and split.nc.

    Raises:
        FlarecastError: As `ingest` and `split`; or the split leaks.
    """
    check_parts(config, deep=True)
    windows, made, split = sources.windows, folder / "windows.nc", folder / "split.nc"
    if windows is not None and not windows.is_file():
        raise FlarecastError(f"{windows}: expected windows, found none; leave --windows out to ingest them")
    if windows is None and not (made.is_file() and _same(config, folder, OF_WINDOWS)):
        split.unlink(missing_ok=True)
        run_ingest(config, sources.raw, made)
    if windows is not None or not (split.is_file() and _same(config, folder, OF_SPLIT)):
        run_split(windows or made, config, split)
    leaks = run_audit(windows or made, split, config, folder / "audit.json").leaks
    if leaks and not config.train.allow_leaks:
        raise FlarecastError(
            f"{split}: expected a split without leaks to hold the wrong ways against, got "
            f"{'; '.join(leak.message for leak in leaks)}; train.allow_leaks = true studies all the same"
        )
    write_config(config, folder / CONFIG)
    return windows or made, split


def _same(config: Config, folder: Path, sections: tuple[str, ...]) -> bool:
    """Whether the study was made of the same sections before."""
    if not (folder / CONFIG).is_file():
        return False
    before, now = load_config(folder / CONFIG).resolved(), config.resolved()
    return all(before.get(name) == now.get(name) for name in sections)
