"""The bundled images, the readers and the one check of a training set."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from quick import all_in_one

from turingdiff import data

ROOT = Path(__file__).resolve().parents[1]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
BYTES = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)  # (N, H, W)
COLOUR = np.random.default_rng(1).integers(0, 256, (5, 3, 6, 7), dtype=np.uint8)  # (N, C, H, W)


def idx_bytes(array, kind=0x08):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def write(path, content):
    path.write_bytes(content)
    return path


def save(path, array):
    np.save(path, array)
    return path


def cifar_bytes(images, *labels):
    head = np.stack(labels, axis=1).astype(np.uint8)
    return np.concatenate([head, images.reshape(len(images), -1)], axis=1).tobytes()


def save_pictures(folder, pictures, suffix=".png"):
    folder.mkdir(exist_ok=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{index}{suffix}")
    return folder


# ---- the bundled set


def test_bundled_set_is_what_it_was():
    images, labels = data.fashion()
    assert images.shape == (2000, 1, 28, 28)
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert (images.min(), images.max()) == (-1, 1)
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [200] * 10
    assert len(set(labels[:50].tolist())) == 10  # mixed, so that a prefix is a fair sample
    digest = hashlib.sha256(data.from_unit(images).tobytes() + labels.astype(np.uint8).tobytes())
    assert digest.hexdigest() == "a64df1266d6df5d0c198c28e895ed8565030f194aa4506494ee192f57aeb7349"


def test_bundled_set_is_fresh_at_each_call():
    images, labels = data.fashion()
    images[:], labels[:] = 0, 0
    again, labels_again = data.fashion()
    assert again.min() == -1
    assert labels_again.max() == 9


def test_bundled_set_needs_no_folder(tmp_path):
    with pytest.raises(ValueError, match=r"use fashion\(full=True"):
        data.fashion(folder=tmp_path)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs the Debian package dataset-fashion-mnist")
def test_bundled_set_is_what_the_script_makes():
    spec = importlib.util.spec_from_file_location("subset", ROOT / "scripts" / "make_fashion_subset.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    images, labels = script.make_subset(DEBIAN)
    with np.load(script.TARGET) as shipped:
        assert sorted(shipped.files) == ["images", "labels"]
        np.testing.assert_array_equal(shipped["images"], images, strict=True)
        np.testing.assert_array_equal(shipped["labels"], labels, strict=True)


def test_import_brings_no_picture_library():
    code = "import sys, turingdiff.data; sys.exit(bool({'PIL', 'imageio', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_public_name_exists_and_no_module_hides_one():
    assert all(callable(getattr(data, name)) for name in data.__all__)
    modules = {path.stem for path in Path(data.__file__).parent.glob("*.py")}
    assert not modules & set(data.__all__)


# ---- the full set


def write_fashion(folder, images=28, labels=5, packed=False):
    folder.mkdir(parents=True)
    pictures = np.arange(5 * images * images, dtype=np.uint32).astype(np.uint8).reshape(5, images, images)
    for name, array in (("images-idx3", pictures), ("labels-idx1", np.arange(labels, dtype=np.uint8))):
        content = idx_bytes(array)
        if packed:
            write(folder / f"train-{name}-ubyte.gz", gzip.compress(content))
        else:
            write(folder / f"train-{name}-ubyte", content)
    return pictures


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("inner", ["", "FashionMNIST/raw"])
def test_full_set_in_a_named_folder(tmp_path, packed, inner):
    pictures = write_fashion(tmp_path / "set" / inner, packed=packed)
    images, labels = data.fashion(full=True, folder=tmp_path / "set")
    np.testing.assert_array_equal(images, pictures[:, None], strict=True)
    assert labels.tolist() == [0, 1, 2, 3, 4]
    assert labels.dtype == np.int64
    assert data.find_fashion(tmp_path / "set") == tmp_path / "set" / inner


def test_full_set_from_the_environment_and_the_usual_places(tmp_path, monkeypatch):
    write_fashion(tmp_path / "elsewhere")
    write_fashion(tmp_path / "data" / "FashionMNIST" / "raw")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("turingdiff.data.bundled.USUAL_PLACES", ("missing", "data"))
    monkeypatch.delenv("TURINGDIFF_FASHION", raising=False)
    assert data.find_fashion() == Path("data/FashionMNIST/raw")
    monkeypatch.setenv("TURINGDIFF_FASHION", str(tmp_path / "elsewhere"))
    assert data.find_fashion() == tmp_path / "elsewhere"
    assert len(data.fashion(full=True)[0]) == 5
    assert data.find_fashion(tmp_path / "data") == tmp_path / "data" / "FashionMNIST" / "raw"


def test_full_set_missing(tmp_path, monkeypatch):
    assert data.find_fashion(tmp_path) is None
    with pytest.raises(FileNotFoundError, match=f"(?s){re.escape(str(tmp_path))}.*apt install.*TURINGDIFF_FASHION"):
        data.fashion(full=True, folder=tmp_path)
    monkeypatch.setenv("TURINGDIFF_FASHION", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        data.fashion(full=True)


@pytest.mark.parametrize("wrong", [{"images": 8}, {"labels": 4}])
def test_full_set_of_another_kind(tmp_path, wrong):
    write_fashion(tmp_path / "set", **wrong)
    with pytest.raises(ValueError, match="not the Fashion-MNIST files"):
        data.fashion(full=True, folder=tmp_path / "set")


# ---- NumPy files


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (BYTES, BYTES[:, None]),
        (COLOUR, COLOUR),
        (np.moveaxis(COLOUR, 1, -1), COLOUR),
        (BYTES[..., None], BYTES[:, None]),
        (np.asfortranarray(COLOUR), COLOUR),
        (data.to_unit(BYTES).astype(np.float64), data.to_unit(BYTES)[:, None]),
        (data.to_unit(COLOUR).astype(">f4"), data.to_unit(COLOUR)),
        (np.float16([[[-1, 0.5]]]), np.float32([[[[-1, 0.5]]]])),
    ],
)
def test_npy_and_npz(tmp_path, stored, expected):
    np.save(tmp_path / "set.npy", stored)
    np.savez(tmp_path / "set.npz", stored)
    np.savez_compressed(tmp_path / "named.npz", labels=np.zeros(len(stored)), pictures=stored)
    for name in ("set.npy", "set.npz", "named.npz"):
        images = data.load(tmp_path / name)
        np.testing.assert_array_equal(images, expected, strict=True)
        assert images.flags.writeable
        np.testing.assert_array_equal(data.load(tmp_path / name, limit=2), expected[:2], strict=True)
        assert len(data.load(str(tmp_path / name), limit=np.int64(99))) == len(expected)


def test_npz_prefers_the_usual_keys(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, images=BYTES, x_train=BYTES[:1], other=COLOUR)
    assert len(data.load(path)) == 5
    np.testing.assert_array_equal(data.load(path, key="other"), COLOUR)
    np.savez(path, x_train=BYTES[:1], x_test=BYTES)
    assert len(data.load(path)) == 1
    np.savez(path, train_images=BYTES, val_images=COLOUR)
    with pytest.raises(
        ValueError, match=r"train_images \(5, 6, 7\), val_images \(5, 3, 6, 7\); call the one that is meant 'images'"
    ):
        data.load(path)
    with pytest.raises(ValueError, match="no array 'test'; it holds train_images, val_images"):
        data.load(path, key="test")
    np.savez(path)
    with pytest.raises(ValueError, match="holds nothing"):
        data.load(path)


def test_npz_damaged(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, images=BYTES)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match=r"not a \.npz file, or cut short"):
        data.load(write(path, whole[: len(whole) // 2]))
    with pytest.raises(ValueError, match=r"not a \.npz file, or cut short"):
        data.load(write(path, b"some text"))
    middle = whole.index(BYTES.tobytes()) + 20
    with pytest.raises(ValueError, match="'images' is damaged"):
        data.load(write(path, whole[:middle] + b"\0\0\0\0" + whole[middle + 4 :]))
    np.savez(path, images=np.array([None, "a"], dtype=object))
    with pytest.raises(ValueError, match="'images' is damaged or not numbers"):
        data.load(path)
    with pytest.raises(ValueError, match=r"a single array, expected .*give it the suffix \.npy"):
        data.load(write(path, save(tmp_path / "set.npy", BYTES).read_bytes()))


def test_npz_with_a_foreign_entry(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"'readme\.txt' is not a NumPy array"):
        data.load(tmp_path / "set.npz")


def test_npy_damaged(tmp_path):
    path = tmp_path / "set.npy"
    whole = save(path, BYTES).read_bytes()
    for content in (
        b"",
        b"some text, not an array\n",
        whole[:5],
        whole[:40],
        whole[:-1],
        whole.replace(b"(5, ", b"((5,"),
    ):
        with pytest.raises(ValueError, match=r"set\.npy: not a whole \.npy file"):
            data.load(write(path, content))
    with pytest.raises(ValueError, match=r"not a whole \.npy file of numbers"):
        data.load(save(path, np.array([None, {}], dtype=object)))


def test_npy_of_other_things(tmp_path):
    path = tmp_path / "set.npy"
    for array, word in ((np.uint8(3), "shape"), (np.zeros((0, 4, 4), np.uint8), "empty"), (BYTES[0], "None")):
        with pytest.raises(ValueError, match=f"set.npy: .*{word}"):
            data.load(save(path, array))
    with pytest.raises(TypeError, match=r"set\.npy: int64 values, expected uint8"):
        data.load(save(path, BYTES.astype(np.int64)))


# ---- IDX


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "digits.idx3-ubyte", "a.idx", "a-ubyte.gz", "b.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path, name, packed):  # the content says whether it is packed, not the name
    content = idx_bytes(BYTES)
    path = write(tmp_path / name, gzip.compress(content) if packed else content)
    images = data.load(path)
    np.testing.assert_array_equal(images, BYTES[:, None], strict=True)
    assert images.flags.writeable
    np.testing.assert_array_equal(data.load(path, limit=2), BYTES[:2, None], strict=True)
    assert len(data.load(path, limit=9)) == 5


def test_idx_of_colour_images(tmp_path):
    np.testing.assert_array_equal(data.load(write(tmp_path / "a.idx", idx_bytes(COLOUR))), COLOUR, strict=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file, the magic number is 0x,"),
        (b"plain text", "magic number is 0x706c6169, expected 0x00000803"),
        (idx_bytes(BYTES, kind=0x07), "magic number is 0x00000703"),
        (idx_bytes(BYTES.astype(">f4"), kind=0x0D), "type float32, expected unsigned bytes"),
        (idx_bytes(BYTES)[:10], "cut short in the header"),
        (idx_bytes(BYTES)[:-20], "cut short"),
        (idx_bytes(BYTES) + b"\0", "longer than"),
        (idx_bytes(BYTES[:0]), "empty"),
        (idx_bytes(BYTES[:, 0, 0].copy()), "IDX labels, expected images"),
        (idx_bytes(BYTES[0]), "expected \\(N, C, H, W\\)"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 40, "cut short"),  # a header that asks for 2**96 bytes
        (gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 40, mtime=0), "cut short"),
        (gzip.compress(idx_bytes(BYTES)[:-20], mtime=0), "cut short, 190 bytes where 210 were expected"),
        (gzip.compress(idx_bytes(BYTES), mtime=0)[:-30], "gzip stream is damaged"),
        (gzip.compress(idx_bytes(BYTES), mtime=0)[:-6] + b"\0" * 6, "gzip stream is damaged"),
        (b"\x1f\x8b" + b"x" * 20, "gzip stream is damaged"),
    ],
)
def test_idx_damaged(tmp_path, content, message):
    with pytest.raises(ValueError, match=f"a.idx.*: .*{message}"):
        data.load(write(tmp_path / "a.idx3-ubyte", content))


# ---- CIFAR


@pytest.mark.parametrize("labels", [([9, 0, 3],), ([19, 0, 11], [99, 10, 5])])
def test_cifar(tmp_path, labels):
    pictures = np.random.default_rng(2).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    path = write(tmp_path / "data_batch_1.bin", cifar_bytes(pictures, *labels))
    np.testing.assert_array_equal(data.load(path), pictures, strict=True)
    np.testing.assert_array_equal(data.load(path, limit=2), pictures[:2], strict=True)


def test_cifar_damaged(tmp_path):
    pictures = np.zeros((3, 3, 32, 32), np.uint8)
    good = cifar_bytes(pictures, [0, 1, 2])
    for content in (b"", good[:-1], good + b"\0", cifar_bytes(pictures, [0, 1, 10])):
        with pytest.raises(ValueError, match=f"{len(content)} bytes that are not a CIFAR batch"):
            data.load(write(tmp_path / "a.bin", content))
    # the damaged third record is never read
    assert len(data.load(tmp_path / "a.bin", limit=2)) == 2


# ---- folders of pictures


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".TIFF"])
def test_folder(tmp_path, suffix):
    grey = save_pictures(tmp_path / "grey", BYTES, suffix)
    colour = save_pictures(tmp_path / "colour", np.moveaxis(COLOUR, 1, -1), suffix)
    write(grey / ".hidden.png", b"nonsense")
    write(grey / "notes.txt", b"nonsense")
    (grey / "folder.png").mkdir()
    np.testing.assert_array_equal(data.load(grey), BYTES[:, None], strict=True)
    np.testing.assert_array_equal(data.load(colour), COLOUR, strict=True)
    np.testing.assert_array_equal(data.load(colour, limit=2), COLOUR[:2], strict=True)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".gif"])
def test_folder_of_other_formats(tmp_path, suffix):
    flat = [np.full((6, 7, 3), (200, 100, 50), np.uint8)] * 2
    images = data.load(save_pictures(tmp_path / "set", flat, suffix))
    assert images.shape == (2, 3, 6, 7)
    assert np.abs(images.astype(int) - np.array([200, 100, 50])[:, None, None]).max() < 12  # they lose a little


def test_folder_is_in_order_of_names(tmp_path):
    for name, value in (("b", 2), ("c", 3), ("a", 1)):
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(tmp_path / f"{name}.png")
    assert data.load(tmp_path)[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_folder_drops_an_opaque_alpha(tmp_path):
    colour = Image.fromarray(np.moveaxis(COLOUR[0], 0, -1))
    colour.save(tmp_path / "0.png")
    colour.convert("RGBA").save(tmp_path / "1.png")
    np.testing.assert_array_equal(data.load(tmp_path), COLOUR[[0, 0]], strict=True)
    grey = tmp_path / "grey"
    grey.mkdir()
    Image.fromarray(BYTES[0]).convert("LA").save(grey / "0.png")
    Image.fromarray(BYTES[0] > 99).save(grey / "1.png")  # one bit a pixel
    np.testing.assert_array_equal(data.load(grey)[:, 0], [BYTES[0], (BYTES[0] > 99) * np.uint8(255)], strict=True)


def test_folder_turns_palettes_into_colour(tmp_path):
    palette = Image.fromarray(np.moveaxis(COLOUR[0], 0, -1)).quantize(8)
    palette.save(tmp_path / "0.png")
    images = data.load(tmp_path)
    np.testing.assert_array_equal(images[0], np.moveaxis(np.asarray(palette.convert("RGB")), -1, 0), strict=True)


def test_folder_follows_the_camera(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(BYTES[0]).save(tmp_path / "0.png", exif=exif)
    np.testing.assert_array_equal(data.load(tmp_path)[0, 0], np.rot90(BYTES[0], -1), strict=True)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (BYTES[0, :5], r"9\.png: 5x7 grey, expected 6x7 grey as in 0\.png"),
        (np.moveaxis(COLOUR[0], 0, -1), r"9\.png: 6x7 RGB, expected 6x7 grey as in 0\.png"),
        (BYTES[0].astype(np.uint16) * 200, r"9\.png: mode I;16, expected 8-bit"),
        (np.dstack([*COLOUR[0], BYTES[0]]), r"9\.png: transparent in places \(alpha down to \d+\)"),
    ],
)
def test_folder_with_an_odd_picture(tmp_path, odd, message):
    save_pictures(tmp_path, BYTES[:2])
    Image.fromarray(odd).save(tmp_path / "9.png")
    with pytest.raises(ValueError, match=message):
        data.load(tmp_path)
    assert len(data.load(tmp_path, limit=2)) == 2


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_folder_with_a_see_through_colour(tmp_path, mode):
    picture = Image.fromarray(np.zeros((4, 4), np.uint8)).convert(mode)
    picture.save(tmp_path / "0.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    with pytest.raises(ValueError, match="flatten it on a background"):
        data.load(tmp_path)


def test_folder_with_a_film(tmp_path):
    frames = [Image.fromarray(frame) for frame in BYTES[:3]]
    frames[0].save(tmp_path / "0.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"0\.gif: holds 3 frames"):
        data.load(tmp_path)


def test_folder_with_a_damaged_picture(tmp_path):
    save_pictures(tmp_path, np.random.default_rng(3).integers(0, 256, (1, 64, 64), dtype=np.uint8))
    whole = (tmp_path / "0.png").read_bytes()
    for content in (b"", b"text", whole[:20], whole[: len(whole) // 2]):
        with pytest.raises(ValueError, match=r"0\.png: cannot be read as a picture"):
            data.load(write(tmp_path / "0.png", content).parent)


def test_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match="an empty folder"):
        data.load(tmp_path)
    write(tmp_path / "data_batch_1.bin", b"")
    with pytest.raises(ValueError, match=r"it has \.bin; give a data file by its own path"):
        data.load(tmp_path)
    (tmp_path / "cats").mkdir()
    with pytest.raises(ValueError, match=r"folders \(cats\): load one of them"):
        data.load(tmp_path)


# ---- load itself


def test_load_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.npy: no such file"):
        data.load(tmp_path / "missing.npy")
    with pytest.raises(ValueError, match=r"unknown kind of file \(\.pkl\); load reads \.npy"):
        data.load(write(tmp_path / "a.pkl", b""))
    with pytest.raises(ValueError, match="no suffix"):
        data.load(write(tmp_path / "data_batch_1", b""))
    with pytest.raises(ValueError, match="a single picture, expected a set"):
        data.load(write(tmp_path / "a.PNG", b""))
    with pytest.raises(TypeError, match="path: ndarray, expected a str or a Path"):
        data.load(BYTES)
    with pytest.raises(ValueError, match="leave it out"):
        data.load(save(tmp_path / "a.npy", BYTES), key="images")


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_load_refuses_a_bad_limit(tmp_path, limit, error):
    with pytest.raises(error, match=f"limit: {limit}, expected"):
        data.load(save(tmp_path / "a.npy", BYTES), limit=limit)


# ---- the check of a training set


def test_check_passes_bytes_and_single_floats_without_a_copy(tmp_path):
    for images in (COLOUR, data.to_unit(COLOUR)):
        assert data.check_images(images) is images
    grey = data.check_images(BYTES)
    assert grey.shape == (5, 1, 6, 7)
    assert np.shares_memory(grey, BYTES)
    mapped = np.load(save(tmp_path / "a.npy", COLOUR), mmap_mode="r")
    assert np.shares_memory(data.check_images(mapped), mapped)


def test_check_converts_other_floats():
    unit = data.to_unit(COLOUR)
    np.testing.assert_array_equal(data.check_images(unit.astype(np.float64)), unit, strict=True)
    assert data.check_images(np.float16([[[0.5]]])).dtype == np.float32
    assert data.check_images([[[0.5, -1.0]]]).shape == (1, 1, 1, 2)
    assert data.check_images(np.float32([[[1 + 5e-7, -1 - 5e-7]]])).shape == (1, 1, 1, 2)
    assert data.check_images(np.zeros((9, 8, 28, 28), np.uint8)).shape == (9, 8, 28, 28)
    assert data.check_images(np.zeros((9, 3, 3), np.uint8)).shape == (9, 1, 3, 3)


@all_in_one(
    ("images", "error", "message"),
    [
        (np.zeros((2, 4, 4)) + 1.01, ValueError, r"floats from 1\.01 to 1\.01, expected \[-1, 1\]; rescale"),
        (np.full((2, 4, 4), -1.01, np.float32), ValueError, r"floats from -1\.01"),
        (BYTES.astype(np.float32), ValueError, r"images/127\.5 - 1 if they are in \[0, 255\]"),
        (np.full((1, 2, 2), np.nan), ValueError, "NaN or infinite"),
        (np.where(np.eye(4), np.nan, 0.0)[None], ValueError, "NaN or infinite"),
        (np.where(np.eye(4), -np.inf, 0.0)[None], ValueError, "NaN or infinite"),
        (BYTES.astype(np.int64), TypeError, r"int64 values, .*images\.astype\(np\.uint8\)"),
        (BYTES.astype(np.uint16), TypeError, "uint16 values"),
        (BYTES > 9, TypeError, r"bool values, .*\*2 - 1"),
        (BYTES.astype(np.complex64), TypeError, "complex64 values"),
        (np.array([None]), TypeError, "object values"),
        (["a.png"], TypeError, "values, expected uint8"),
        ([[1.0], [1.0, 2.0]], ValueError, "all of one size"),
        (None, TypeError, "object values"),
        (np.uint8(3), ValueError, r"shape \(\), expected \(N, C, H, W\)"),
        (BYTES[0], ValueError, r"shape \(6, 7\), .*images\[None\]"),
        (COLOUR[None], ValueError, r"shape \(1, 5, 3, 6, 7\)"),
        (COLOUR[:0], ValueError, "is empty"),
        (np.zeros((3, 1, 0, 4), np.uint8), ValueError, "is empty"),
        (np.moveaxis(COLOUR, 1, -1), ValueError, r"channel-last, .*np\.moveaxis\(images, -1, 1\)"),
        (np.moveaxis(COLOUR[0], 0, -1), ValueError, "looks like one colour picture"),
    ],
)
def test_check_refuses(images, error, message):
    with pytest.raises(error, match=f"^images: .*{message}"):
        data.check_images(images)
    with pytest.raises(error, match=r"^the set: "):
        data.check_images(images, "the set")


def test_remedies_work():
    channel_last = np.moveaxis(COLOUR, 1, -1)
    np.testing.assert_array_equal(data.check_images(np.moveaxis(channel_last, -1, 1)), COLOUR)
    one = channel_last[0]
    np.testing.assert_array_equal(data.check_images(np.moveaxis(one, -1, 0)[None]), COLOUR[:1])
    assert data.check_images(one[:, None]).shape == (6, 1, 7, 3)
    np.testing.assert_allclose(data.check_images(BYTES / 127.5 - 1)[:, 0], data.to_unit(BYTES), atol=1e-6)


# ---- bytes and the scale of the machines


def test_to_unit_is_the_formula():
    every = np.arange(256, dtype=np.uint8)
    unit = data.to_unit(every)
    np.testing.assert_array_equal(unit, every.astype(np.float32) / np.float32(127.5) - np.float32(1), strict=True)
    assert (unit[0], unit[255]) == (-1, 1)
    assert data.to_unit(unit) is unit
    assert data.from_unit(every) is every


@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=4, max_side=5)))
def test_bytes_survive_the_round_trip(pictures):
    unit = data.to_unit(pictures)
    assert unit.dtype == np.float32
    assert np.abs(unit).max() <= 1
    np.testing.assert_array_equal(data.from_unit(unit), pictures, strict=True)


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(max_dims=4, max_side=5),
        elements=st.floats(-4, 4, width=16),
    )
)
def test_floats_are_clipped_and_rounded_to_the_nearest_byte(unit):
    back = data.to_unit(data.from_unit(unit))
    assert np.abs(back - np.clip(unit.astype(np.float64), -1, 1)).max() <= 1 / 255 + 1e-6


def test_scaling_refuses_other_types():
    with pytest.raises(TypeError, match=r"to_unit takes uint8 .*, got int64"):
        data.to_unit(BYTES.astype(np.int64))
    with pytest.raises(TypeError, match=r"to_unit takes uint8 .*, got float64"):
        data.to_unit(BYTES / 255)
    with pytest.raises(TypeError, match=r"from_unit takes floats .*, got int64"):
        data.from_unit(BYTES.astype(np.int64))
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="from_unit got NaN or infinite"):
            data.from_unit(np.array([0, value]))
