"""The loaders: shapes, types, ranges, splits without duplicates, and one line about a broken file."""

import json
import os
import shutil

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from convnets import data
from convnets.data import DataError
from convnets.data.files import read_verified

LOADERS = {
    "fashion_mnist/train-images-idx3-ubyte.gz": data.fashion_mnist,
    "fashion_mnist/t10k-labels-idx1-ubyte.gz": data.fashion_mnist,
    "digits/digits.npz": data.digits,
    "stamps/stamps.png": data.stamps,
    "stamps/stamps.csv": data.stamps,
    "temperatures/seattle-weather.csv": data.temperature_windows,
    "temperatures/seattle-temps.csv": data.seattle_normals,
    "photographs/cat.png": lambda: data.photograph("cat"),
    "imagenet/classes.txt": data.imagenet_classes,
    "imagenet/efficientnet_lite0.npz": data.imagenet_weights,
    "plain_and_residual/curves.csv": data.plain_and_residual,
}


@pytest.fixture(scope="module")
def stamps():
    return data.stamps()


@pytest.fixture
def copy_of_data(tmp_path, monkeypatch):
    """A data folder of links, in which a test may replace or remove a file."""
    source, copy = data.data_folder(), tmp_path / "datasets"
    for name in json.loads((source / "manifest.json").read_text()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(source / name, copy / name)
    shutil.copy(source / "manifest.json", copy)
    monkeypatch.setenv("CONVNETS_DATA", str(copy))
    return copy


def check_labelled(found, n_train, n_test):
    for x, y, n in ((found.x_train, found.y_train, n_train), (found.x_test, found.y_test, n_test)):
        assert x.shape == (n, 1, 28, 28)
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        assert y.shape == (n,)
        assert y.dtype == np.int64
    assert len(set(found.classes)) == 10


def test_fashion_mnist_is_whole_and_balanced():
    found = data.fashion_mnist()
    check_labelled(found, 60_000, 10_000)
    assert np.bincount(found.y_train).tolist() == [6000] * 10
    assert np.bincount(found.y_test).tolist() == [1000] * 10


def test_digits_are_whole_and_their_class_counts_known():
    found = data.digits()
    check_labelled(found, 8_000, 2_000)
    assert np.bincount(found.y_train).tolist() == [805, 894, 800, 817, 799, 685, 813, 853, 762, 772]
    assert np.bincount(found.y_test).tolist() == [196, 233, 191, 215, 181, 178, 201, 217, 182, 206]


def test_no_digit_occurs_twice():
    found = data.digits()
    pictures = [picture.tobytes() for picture in np.concatenate([found.x_train, found.x_test])]
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("load", [data.fashion_mnist, data.digits])
def test_a_part_is_the_beginning_of_the_whole(load):
    whole, part = load(), load(n_train=300, n_test=50)
    np.testing.assert_array_equal(part.x_train, whole.x_train[:300])
    np.testing.assert_array_equal(part.y_test, whole.y_test[:50])
    assert len(set(part.y_train)) == 10


@pytest.mark.parametrize("load", [data.fashion_mnist, data.digits])
@pytest.mark.parametrize("bad", [0, -1, 60_001])
def test_an_impossible_part_is_refused(load, bad):
    with pytest.raises(ValueError, match=rf"n_train must be between 1 and \d+, got {bad}"):
        load(n_train=bad)


def test_stamps_are_pictures_with_masks(stamps):
    assert stamps.images.shape == (206, 128, 128, 4)
    assert stamps.images.dtype == np.uint8
    alpha = stamps.images[..., 3]
    assert (stamps.images[alpha == 0] == 0).all()
    share = (alpha >= 128).mean(axis=(1, 2))
    assert share.min() > 0.05
    assert share.max() < 0.8
    for stamp in alpha:  # the longer side fills its cell
        assert max(np.ptp(positions) + 1 for positions in np.nonzero(stamp)) >= 127


def test_stamps_have_twelve_classes_with_five_or_more_to_train_and_three_or_more_to_test(stamps):
    assert len(stamps.classes) == 12
    assert stamps.labels.dtype == np.int64
    assert stamps.is_train.dtype == bool
    train = np.bincount(stamps.labels[stamps.is_train]).tolist()
    test = np.bincount(stamps.labels[~stamps.is_train]).tolist()
    assert train == [22, 21, 7, 5, 5, 5, 15, 11, 14, 7, 7, 7]
    assert test == [12, 12, 5, 4, 4, 3, 11, 6, 9, 5, 4, 5]


def test_every_stamp_has_a_name_of_its_own_and_a_subject_on_one_side(stamps):
    assert len(set(stamps.names)) == len(stamps.names) == 206
    train = {s for s, is_train in zip(stamps.subjects, stamps.is_train, strict=True) if is_train}
    test = {s for s, is_train in zip(stamps.subjects, stamps.is_train, strict=True) if not is_train}
    assert not train & test
    assert len(train | test) < 206
    assert (stamps.source_px.min(), stamps.source_px.max()) == (49, 2306)


def test_no_stamp_of_the_test_set_nearly_repeats_one_of_the_training_set(stamps):
    def picture(stamp):
        background = Image.new("RGB", (128, 128), (128, 128, 128))
        foreground = Image.fromarray(stamp)
        background.paste(foreground, (0, 0), foreground)
        return background

    def hash_bits(picture):
        return imagehash.phash(picture, hash_size=16).hash.ravel()

    pictures = [picture(stamp) for stamp in stamps.images]
    hashes = np.array([hash_bits(p) for p in pictures])
    mirrored = np.array([hash_bits(ImageOps.mirror(p)) for p in pictures])
    train, test = hashes[stamps.is_train], np.stack([hashes, mirrored])[:, ~stamps.is_train]
    distance = (test[:, :, None] != train).sum(axis=-1)
    # Of 256 bits, a mirrored stamp differs in up to 12, a recoloured one in 44, the closest two stamps in 76.
    assert distance.min() > 60
    copy = ImageOps.mirror(pictures[0]).point(lambda value: 0.8 * value)
    assert (hash_bits(copy) != mirrored[0]).sum() < 20


def test_photographs_are_rgb_of_moderate_size():
    assert data.photograph_names() == tuple(sorted(data.photograph_names()))
    assert {"cat", "coffee", "rocket", "astronaut", "flower", "palace"} <= set(data.photograph_names())
    for name in data.photograph_names():
        picture = data.photograph(name)
        assert picture.dtype == np.uint8
        height, width, channels = picture.shape
        assert 300 <= height <= 512
        assert 451 <= width <= 640
        assert channels == 3
        assert picture.max() - picture.min() > 140
        is_grey = bool((picture == picture[..., :1]).all())
        assert is_grey == (name in {"brick", "camera", "grass", "gravel"})


def test_an_unknown_photograph_names_the_known_ones():
    with pytest.raises(ValueError, match=r"No photograph 'dog': choose one of astronaut, .*, rocket"):
        data.photograph("dog")


def test_weather_is_every_day_of_four_years():
    weather = data.seattle_weather()
    assert weather.date[0] == np.datetime64("2012-01-01")
    assert weather.date[-1] == np.datetime64("2015-12-31")
    assert (np.diff(weather.date) == np.timedelta64(1, "D")).all()
    for column in weather:
        assert len(column) == 1461
    assert (weather.t_max.min(), weather.t_max.max()) == (-1.6, 35.6)
    assert (weather.t_min.min(), weather.t_min.max()) == (-7.1, 18.3)
    assert (weather.t_min < weather.t_max).all()
    assert weather.t_mean[0] == (12.8 + 5.0) / 2
    assert (weather.precipitation >= 0).all()
    assert (weather.wind > 0).all()
    assert set(weather.kind) == {"drizzle", "fog", "rain", "snow", "sun"}


def test_normals_are_hourly_fahrenheit_and_too_smooth_to_be_weather():
    normals = data.seattle_normals()
    assert normals.time.shape == normals.fahrenheit.shape == (8759,)
    hours = np.arange("2010-01-01T00", "2011-01-01T00", dtype="datetime64[h]")
    assert np.setdiff1d(hours, normals.time).tolist() == [np.datetime64("2010-03-14T03").item()]
    assert (normals.fahrenheit.min(), normals.fahrenheit.max()) == (37.5, 75.9)

    def rms_change(days):
        return np.sqrt(np.mean(np.diff(days) ** 2))

    usual = (normals.fahrenheit[:8736].reshape(-1, 24).mean(axis=1) - 32) / 1.8
    assert rms_change(usual) == pytest.approx(0.10, abs=0.005)
    assert rms_change(data.seattle_weather().t_mean) == pytest.approx(1.92, abs=0.005)


@pytest.mark.parametrize("days", [1, 3, 30])
def test_windows_hold_the_days_before_their_target(days):
    windows, weather = data.temperature_windows(days), data.seattle_weather()
    assert windows.x_train.shape == (1096 - days, days)
    assert windows.x_test.shape == (365, days)
    for x, y, date in (
        (windows.x_train, windows.y_train, windows.date_train),
        (windows.x_test, windows.y_test, windows.date_test),
    ):
        assert x.dtype == y.dtype == np.float64
        for i in (0, 7, -1):
            target = int(np.flatnonzero(weather.date == date[i])[0])
            np.testing.assert_array_equal(x[i], weather.t_mean[target - days : target])
            assert y[i] == weather.t_mean[target]


def test_windows_are_split_at_the_turn_of_2015():
    windows = data.temperature_windows()
    assert windows.date_train[-1] == np.datetime64("2014-12-31")
    assert windows.date_test[0] == np.datetime64("2015-01-01")
    persistence = np.sqrt(np.mean((windows.x_test[:, -1] - windows.y_test) ** 2))
    assert persistence == pytest.approx(1.944, abs=0.0005)


@pytest.mark.parametrize("days", [0, 366])
def test_an_impossible_window_is_refused(days):
    with pytest.raises(ValueError, match=f"days must be between 1 and 365, got {days}"):
        data.temperature_windows(days)


def test_imagenet_has_a_thousand_classes_each_with_a_name_of_its_own():
    names = data.imagenet_classes()
    assert len(set(names)) == len(names) == 1000
    assert (names[1], names[281], names[285], names[967]) == ("goldfish", "tabby", "Egyptian cat", "espresso")
    assert (names[134], names[517]) == ("crane (bird)", "crane (machine)")


def test_imagenet_weights_are_plain_finite_arrays():
    weights = data.imagenet_weights()
    assert len(weights) == 296
    assert {str(array.dtype) for array in weights.values()} == {"float32", "int64"}
    assert all(np.isfinite(array).all() for array in weights.values())
    assert weights["stem.0.weight"].shape == (32, 3, 3, 3)
    assert weights["classifier.weight"].shape == (1000, 1280)


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_imagenets_history_has_one_winner_a_year_and_errors_that_fall():
    history = data.imagenet_history()
    winners = [entry for entry in history if entry.role == "winner"]
    assert [entry.year for entry in winners] == list(range(2010, 2018))
    errors = [entry.top5_error for entry in winners]
    assert errors == sorted(errors, reverse=True)
    assert (errors[0], errors[2], errors[5]) == (28.2, 15.3, 3.57)
    assert [entry.layers for entry in winners] == [None, None, 8, 8, 22, 152, None, 154]
    assert {entry.role for entry in history} == {"winner", "second", "without extra data", "human"}


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_file_gives_one_line_that_says_what_to_do(copy_of_data, name):
    (copy_of_data / name).unlink()
    with pytest.raises(DataError) as error:
        LOADERS[name]()
    assert f"{name} is missing from {copy_of_data}" in one_line(error)
    assert f"git checkout -- datasets/{name}" in one_line(error)


@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_file_gives_one_line_that_says_what_to_do(copy_of_data, name):
    path = copy_of_data / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        LOADERS[name]()
    assert f"{name} in {copy_of_data} is damaged" in one_line(error)
    assert f"git checkout -- datasets/{name}" in one_line(error)


def test_a_file_that_is_damaged_after_it_was_verified_is_found_out(copy_of_data):
    path = copy_of_data / "imagenet/classes.txt"
    content = read_verified("imagenet/classes.txt")
    path.unlink()
    path.write_bytes(content.replace(b"tench", b"trout"))
    with pytest.raises(DataError, match="is damaged"):
        read_verified("imagenet/classes.txt")


def test_the_curves_are_complete_and_plain_nets_of_56_layers_learn_least():
    curves = data.plain_and_residual()
    keys = [(curve.depth, curve.residual, curve.seed) for curve in curves]
    wanted = [(depth, kind, seed) for depth in (8, 20, 32, 44, 56) for kind in (False, True) for seed in (0, 1)]
    assert keys == wanted
    assert all(curve.train_error.shape == curve.test_error.shape == (8,) for curve in curves)
    assert all(0 < error < 100 for curve in curves for error in (*curve.train_error, *curve.test_error))
    ends = {key: np.mean([c.train_error[-1] for c in curves if c[:2] == key]) for key in {c[:2] for c in curves}}
    assert max(ends, key=ends.get) == (56, False)


def test_small_pictures_are_means_of_squares_with_the_statistics_of_the_training_pictures():
    small, full = data.small_fashion_mnist(50, 20), data.fashion_mnist(50, 20)
    assert small.x_train.shape == (50, 1, 14, 14)
    assert small.x_train.dtype == small.x_test.dtype == np.float32
    assert abs(small.x_train.mean()) < 1e-5
    assert abs(small.x_train.std() - 1) < 1e-5
    scale = (small.x_test[3, 0, 5, 6] - small.x_test[3, 0, 9, 2]) / (
        full.x_test[3, 0, 10:12, 12:14].mean() - full.x_test[3, 0, 18:20, 4:6].mean()
    )
    assert scale == pytest.approx(1 / full.x_train.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).std(), rel=1e-4)
    assert small.y_test.tolist() == full.y_test.tolist()


def test_a_verified_file_is_hashed_once(copy_of_data, monkeypatch):
    first = read_verified("imagenet/classes.txt")

    def refuse(*_):
        raise AssertionError("hashed again")

    monkeypatch.setattr("convnets.data.files.hashlib.sha256", refuse)
    assert read_verified("imagenet/classes.txt") == first


@pytest.mark.parametrize("content", ["{}", "{"])
def test_a_broken_manifest_gives_one_line_that_says_what_to_do(copy_of_data, content):
    (copy_of_data / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"git checkout -- datasets/manifest.json") as error:
        data.digits()
    one_line(error)


def test_a_wrong_data_folder_gives_one_line_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVNETS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="set the environment variable CONVNETS_DATA") as error:
        data.digits()
    one_line(error)
