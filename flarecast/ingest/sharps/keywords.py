"""The keywords of the SHARP series, and what the two series are.

Source: Bobra et al. (2014), Solar Physics 289, 3549, table 3; the series' own keyword list.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["definitive", "nrt"]


@dataclass(frozen=True)
class Series:
    """One of the two series.

    Attributes:
        name: As JSOC calls it.
        prefix: Of the region's name; the two series number their HARPs apart, so their names differ.
        latency_minutes: From T_REC to when a record is taken to be known, unless told otherwise.
        settled_days: Age at which its records no longer change or grow.
    """

    name: str
    prefix: str
    latency_minutes: float
    settled_days: float


SERIES: dict[Kind, Series] = {
    # A record averages filtergrams of 22.5 minutes centred on T_REC (Hoeksema et al. 2014, Solar Physics 289,
    # 3483): complete 11.25 minutes after it. It is published weeks later and stands for what could be known.
    "definitive": Series("hmi.sharp_cea_720s", "HARP", 12.0, 60.0),
    # At 23:36 the record of 21:48 is there (Leka et al. 2018, J. Space Weather Space Clim. 8, A25, table 4).
    "nrt": Series("hmi.sharp_cea_720s_nrt", "NRT HARP", 120.0, 2.0),
}
"""Definitive and near-real-time."""

FEATURES: dict[str, str] = {
    "USFLUX": "Mx",
    "MEANGAM": "degree",
    "MEANGBT": "G Mm-1",
    "MEANGBZ": "G Mm-1",
    "MEANGBH": "G Mm-1",
    "MEANJZD": "mA m-2",
    "TOTUSJZ": "A",
    "MEANALP": "Mm-1",
    "MEANJZH": "G2 m-1",
    "TOTUSJH": "G2 m-1",
    "ABSNJZH": "G2 m-1",
    "SAVNCPP": "A",
    "MEANPOT": "erg cm-3",
    "TOTPOT": "erg cm-1",
    "MEANSHR": "degree",
    "SHRGT45": "percent",
    "R_VALUE": "lg(re 1 Mx)",
    "AREA_ACR": "1e-6 hemisphere",
}
"""Keywords that are features unless others are named, and their units."""

OTHER_FEATURES: dict[str, str] = {
    "SIZE": "1e-6 disk",
    "SIZE_ACR": "1e-6 disk",
    "NACR": "1",
    "NPIX": "1",
    "AREA": "1e-6 hemisphere",
    "MTOT": "Wb",
    "MNET": "Wb",
    "MPOS_TOT": "Wb",
    "MNEG_TOT": "Wb",
    "MMEAN": "G",
    "MSTDEV": "G",
    "MSKEW": "1",
    "MKURT": "1",
    "GWILL": "Mm",
    "LAT_FWT": "degree",
    "LON_FWT": "degree",
}
"""Further keywords that may be named as features."""

UNITS = FEATURES | OTHER_FEATURES

CONTROL = (
    *("HARPNUM", "T_REC", "QUALITY", "OBS_VR"),
    *("LON_FWT", "LON_MIN", "LON_MAX", "CRVAL1", "CRLN_OBS", "NOAA_AR", "NOAA_ARS"),
)
"""Keywords that say which, when, where and how good a record is."""

NEEDED = ("HARPNUM", "T_REC")
"""Keywords without which a table is none of SHARP records."""

CADENCE = 720
"""Between two records [s]."""
