"""Temperatures of Seattle: four years of weather, and one year that is not weather."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convnets.data.files import read_verified

TEST_YEAR = 2015
"""Windows whose target day lies in this year, the last of the four, are the test set."""


class Weather(NamedTuple):
    """Daily weather of Seattle, 2012-01-01 to 2015-12-31, without a gap."""

    date: NDArray[np.datetime64]
    """(1461,), datetime64[D]."""
    t_max: NDArray[np.float64]
    """(1461,), float64, highest temperature of the day in °C, −1.6 to 35.6."""
    t_min: NDArray[np.float64]
    """(1461,), float64, lowest temperature of the day in °C, −7.1 to 18.3."""
    t_mean: NDArray[np.float64]
    """(1461,), float64, (t_max + t_min) / 2 in °C: the file has no mean of its own."""
    precipitation: NDArray[np.float64]
    """(1461,), float64, mm a day."""
    wind: NDArray[np.float64]
    """(1461,), float64, mean wind speed in m/s."""
    kind: tuple[str, ...]
    """1,461 words: "drizzle", "fog", "rain", "snow" or "sun"."""


class Normals(NamedTuple):
    """Climatological normals of Seattle: what is usual at each hour of a year, not what was measured."""

    time: NDArray[np.datetime64]
    """(8759,), datetime64[h], 2010-01-01T00 to 2010-12-31T23."""
    fahrenheit: NDArray[np.float64]
    """(8759,), float64, degrees Fahrenheit as in the file, 37.5 to 75.9."""


class Windows(NamedTuple):
    """Mean temperatures of some days in a row, and that of the day after them."""

    x_train: NDArray[np.float64]
    """(N_train, days), float64, °C, the oldest day first."""
    y_train: NDArray[np.float64]
    """(N_train,), float64, °C, the mean temperature of the next day."""
    x_test: NDArray[np.float64]
    """(365, days), as `x_train`."""
    y_test: NDArray[np.float64]
    """(365,), as `y_train`."""
    date_train: NDArray[np.datetime64]
    """(N_train,), datetime64[D], the day each `y_train` belongs to."""
    date_test: NDArray[np.datetime64]
    """(365,), datetime64[D], the day each `y_test` belongs to: all of 2015."""


def _rows(name: str) -> list[dict[str, str]]:
    """Read a verified CSV file."""
    return list(csv.DictReader(io.StringIO(read_verified(f"temperatures/{name}").decode())))


def _column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    """Return a column of numbers."""
    return np.array([row[name] for row in rows], dtype=np.float64)


def seattle_weather() -> Weather:
    """Return the weather of Seattle on 1,461 days, 2012 to 2015.

    Returns
    -------
    Weather
        Columns of length 1,461; temperatures in °C.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: NOAA, through the package vega_datasets, see datasets/temperatures/README.md.
    """
    rows = _rows("seattle-weather.csv")
    t_max, t_min = _column(rows, "temp_max"), _column(rows, "temp_min")
    return Weather(
        date=np.array([row["date"].replace("/", "-") for row in rows], dtype="datetime64[D]"),
        t_max=t_max,
        t_min=t_min,
        t_mean=(t_max + t_min) / 2,
        precipitation=_column(rows, "precipitation"),
        wind=_column(rows, "wind"),
        kind=tuple(row["weather"] for row in rows),
    )


def seattle_normals() -> Normals:
    """Return hourly normals of Seattle's temperature: a smooth curve that looks like a year of measurements.

    For auditing data, not for training: each value is what is usual at that hour, so there is no weather in it
    and nothing to predict. Its daily means change by 0.10 °C (rms) from day to day, real ones by 1.92 °C.

    Returns
    -------
    Normals
        8,759 hours; one hour of a year's 8,760 is missing.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: NOAA, through the package vega_datasets, see datasets/temperatures/README.md.
    """
    rows = _rows("seattle-temps.csv")
    times = [row["date"].replace("/", "-").replace(" ", "T")[:13] for row in rows]
    return Normals(time=np.array(times, dtype="datetime64[h]"), fahrenheit=_column(rows, "temp"))


def temperature_windows(days: int = 3) -> Windows:
    """Return the lecture's task: from the mean temperatures of the last days, tomorrow's.

    The split is by time. The test set is the year 2015: a random split would put days on both sides of the same
    window and let a model look at its neighbours. The training set ends on 2014-12-31. The first test windows
    reach back into December 2014, as a forecast made on that day would.

    Parameters
    ----------
    days : int
        Length of a window, 1 to 365.

    Returns
    -------
    Windows
        1,096 − days training windows and 365 test windows, in °C, not standardised.

    Raises
    ------
    ValueError
        If `days` is not in 1 to 365.
    DataError
        If the file is missing or damaged.
    """
    if not 1 <= days <= 365:
        raise ValueError(f"days must be between 1 and 365, got {days}.")
    weather = seattle_weather()
    x = sliding_window_view(weather.t_mean, days)[:-1].copy()
    y, date = weather.t_mean[days:], weather.date[days:]
    test = date >= np.datetime64(f"{TEST_YEAR}-01-01")
    return Windows(x[~test], y[~test], x[test], y[test], date[~test], date[test])
