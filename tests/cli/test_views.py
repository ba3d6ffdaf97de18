"""similar, match, clusters, rollout, norms, tokens, film, grid, compare: the page's numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_home import bright_in_the_middle
from tiny_models import shake

from dino_core.__main__ import main
from dino_core.analysis.inspection import Inspection
from dino_core.config import ViTConfig
from dino_core.scenes.attention import query_scene, rollout_scene
from dino_core.scenes.comparison import comparison_scene, likeness_scene
from dino_core.scenes.depth import depth_attention_scene, depth_scene
from dino_core.scenes.features import clusters_scene, patches_scene
from dino_core.scenes.matching import matches_scene
from dino_core.scenes.picture import OpenPicture, look
from dino_core.scenes.similarity import similarity_scene
from dino_core.scenes.tokens import blocks_scene
from dino_core.scenes.tokens import patches_scene as tokens_scene
from dino_core.vit import VisionTransformer
from dino_core.weights import load_backbone, save_backbone

CONFIG = ViTConfig(dim=24, depth=3, heads=3, image_size=56, registers=2)
OTHER = ViTConfig(dim=36, depth=2, heads=2, image_size=56)


def stored(config: ViTConfig, path: Path, seed: int) -> Path:
    vit = VisionTransformer(config)
    shake(vit, seed)
    save_backbone(vit, path)
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(CONFIG, tmp_path_factory.mktemp("weights") / "tiny.safetensors", 0)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(OTHER, tmp_path_factory.mktemp("weights") / "other.safetensors", 1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return bright_in_the_middle(tmp_path_factory.mktemp("pictures"))


def opened(path: Path, weights: Path) -> OpenPicture:
    vit = load_backbone(None, weights).vit
    picture = Image.open(path).convert("RGB")
    return look(vit, picture, min(picture.size))


@pytest.fixture(scope="module")
def seen(tiny: Path, pictures: list[Path]) -> list[Inspection]:
    return [opened(path, tiny).seen for path in pictures]


def run(command: str, *words: object, weights: Path | None = None) -> None:
    line = [command, *map(str, words), "--size", "native"]
    if weights:
        line += ["--weights", str(weights)]
    with torch.random.fork_rng():
        assert main(line) == 0


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def close(ours: np.ndarray, theirs: np.ndarray, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


def test_similar(tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path) -> None:
    options = ("--patch", "1,4", "--layer", 1, "--output", tmp_path)
    run("similar", *pictures, *options, weights=tiny)
    for name, one in zip(("one", "two"), seen, strict=True):
        scene = similarity_scene(seen[0], 1, 1, 4, one)
        close(arrays(tmp_path / f"{name}.npz")["similarity"], scene.similarity)
    own, theirs = (patches_scene(one, 1) for one in seen)
    wanted = own.directions[1 * 6 + 4]
    close(arrays(tmp_path / "one.npz")["similarity"].reshape(-1), own.directions @ wanted)
    close(arrays(tmp_path / "two.npz")["similarity"].reshape(-1), theirs.directions @ wanted)
    assert Image.open(tmp_path / "two.png").size == (56, 70)


def test_match(tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path) -> None:
    run("match", *pictures, "--output", tmp_path, weights=tiny)
    scene, got = matches_scene(seen[0], seen[1], 2), arrays(tmp_path / "matches.npz")
    names = ("forward", "forward_similarity", "backward", "backward_similarity", "mutual", "lines")
    assert set(got) == set(names)
    for name in names:
        close(got[name], getattr(scene, name))
    everywhere = tmp_path / "all"
    run("match", *pictures, "--everywhere", "--output", everywhere, weights=tiny)
    scene = matches_scene(seen[0], seen[1], 2, object_only=False)
    close(arrays(everywhere / "matches.npz")["lines"], scene.lines)


def test_clusters(tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path) -> None:
    words = ("--k", 3, "--seed", 1, "--layer", 1, "--output", tmp_path)
    run("clusters", pictures[0], *words, weights=tiny)
    scene, got = clusters_scene(seen[0], 1, 3, 1), arrays(tmp_path / "one.npz")
    np.testing.assert_array_equal(got["labels"], scene.labels)
    assert got["sizes"].tolist() == scene.sizes
    assert got["explained"] == pytest.approx(scene.explained)
    run("clusters", *pictures, *words, weights=tiny)
    both = [arrays(tmp_path / f"{name}.npz") for name in ("one", "two")]
    assert sum(one["labels"].size for one in both) == both[0]["sizes"].sum() == 24 + 20


def test_rollout(tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path) -> None:
    run("rollout", *pictures, "--output", tmp_path, weights=tiny)
    for name, one in zip(("one", "two"), seen, strict=True):
        close(arrays(tmp_path / f"{name}.npz")["rollout"], rollout_scene(one).rollout)


def test_norms_and_tokens(tiny: Path, pictures: list[Path], tmp_path: Path) -> None:
    run("norms", pictures[0], "--output", tmp_path / "norms", weights=tiny)
    run("tokens", pictures[0], "--output", tmp_path / "tokens", weights=tiny)
    backbone, picture = load_backbone(None, tiny), opened(pictures[0], tiny)
    blocks, got = blocks_scene(backbone.vit, picture.seen), arrays(tmp_path / "norms" / "one.npz")
    close(got["norms"], blocks.norms)
    close(got["updates"], blocks.updates)
    close(got["threshold"], blocks.threshold)
    close(got["patches"].reshape(4, -1), blocks.norms[:, 3:])
    np.testing.assert_array_equal(
        got["outliers"].reshape(4, -1), blocks.norms[:, 3:] > blocks.threshold[:, None]
    )
    cut, got = tokens_scene(backbone.vit, picture), arrays(tmp_path / "tokens" / "one.npz")
    for name in ("embedding_norms", "position_norms", "token_norms"):
        close(got[name].reshape(-1), getattr(cut, name))
    close(got["neighbours"].reshape(4, -1, 4), blocks.neighbours)
    close(got["register_cosines"], blocks.register_cosines)


def test_attention_of_several_pictures(
    tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path
) -> None:
    words = ("--layer", 1, "--query", "2,3", "--head", 2, "--output", tmp_path / "out")
    run("attention", *pictures, *words, "--figure", tmp_path / "a.svg", weights=tiny)
    for name, one in zip(("one", "two"), seen, strict=True):
        scene = query_scene(one, 1, 2, 3)
        close(arrays(tmp_path / "out" / name / "attention.npz")["attention"], scene.rows)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text.count(">head 2, to ") == 2
    assert "attention" in text.split("<dc:description>")[1].split("</dc:description>")[0]


@pytest.mark.parametrize("ending", ["webp", "gif"])
def test_film_of_pca(
    tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path, ending: str
) -> None:
    film, numbers = tmp_path / f"a.{ending}", tmp_path / "a.npz"
    run("film", pictures[0], "--steps", 3, "--output", film, "--arrays", numbers, weights=tiny)
    scene, got = depth_scene(seen[0]), arrays(numbers)
    np.testing.assert_array_equal(np.rint(got["colours"] * 255), scene.colours)
    close(got["cosine"], np.array(scene.cosine))
    close(got["variance"], np.array(scene.variance))
    with Image.open(film) as picture:
        assert picture.size == (84, 56 + 20)
        time = 0
        for frame in range(picture.n_frames):  # equal ones are kept once, and stay longer
            picture.seek(frame)
            picture.load()
            time += picture.info["duration"]
        assert time == 2 * 3 * 40 + 600
        last = np.asarray(picture.convert("RGB"))[7:56:14, 7:84:14].astype(int)
    assert np.abs(last - scene.colours[-1]).mean() < 12, "the last frame is the last layer"


def test_film_of_attention(
    tiny: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path
) -> None:
    film, numbers = tmp_path / "a.webp", tmp_path / "a.npz"
    words = ("--view", "attention", "--query", "2,3", "--head", 1, "--steps", 1)
    run("film", pictures[0], *words, "--output", film, "--arrays", numbers, weights=tiny)
    scene = depth_attention_scene(seen[0], 2, 3, 1)
    close(arrays(numbers)["attention"], scene.attention)


def test_compare(
    tiny: Path, other: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path
) -> None:
    run("compare", tiny, other, pictures[0], "--layers", 1, -1, "--output", tmp_path)
    second = opened(pictures[0], other).seen
    scene, got = comparison_scene(seen[0], 1, second, 1), arrays(tmp_path / "one.npz")
    assert got["cka"] == pytest.approx(scene.cka)
    assert got["cka_biased"] == pytest.approx(scene.cka_biased)
    for name in ("order", "signs", "correlation", "scores", "second_scores"):
        close(got[name], np.asarray(getattr(scene, name)), 1e-4)
    np.testing.assert_array_equal(np.rint(got["second_colours"] * 255), scene.second_colours)
    close(got["layers"], likeness_scene(seen[0], second).cka)


def test_grid(
    tiny: Path, other: Path, pictures: list[Path], seen: list[Inspection], tmp_path: Path
) -> None:
    second = opened(pictures[0], other).seen
    models = ("--models", tiny, other, "--layers", 0, -1)
    run("grid", pictures[0], *models, "--output", tmp_path / "pca")
    got = arrays(tmp_path / "pca" / "one.npz")
    table = likeness_scene(seen[0], second).cka
    close(got["cka"], np.array([table[[0, 2], 1], [likeness_scene(second).cka[0, 1], 1]]))
    assert got["map_1_1"].shape == (4, 6, 3)
    assert got["cosine_1_1"] == 1
    run("grid", pictures[0], *models, "--view", "attention", "--output", tmp_path / "cls")
    close(arrays(tmp_path / "cls" / "one.npz")["map_0_1"], query_scene(seen[0], 2).rows.mean(0))
    similar = ("--view", "similar", "--query", "3,5", "--output", tmp_path / "similar")
    run("grid", pictures[0], *models, *similar)
    scene = patches_scene(second, 1)
    wanted = scene.directions @ scene.directions[3 * 6 + 5]
    close(arrays(tmp_path / "similar" / "one.npz")["map_1_1"].reshape(-1), wanted)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["grid", "--models", "x", "--view", "similar"], "wants --query"),
        (["clusters", "--k", "1"], "2 to 12, not 1"),
        (["norms", "again", "--figure", "a.svg"], "shows one picture"),
        (["similar", "--patch", "9,9"], "there is no patch 9,9"),
        (["attention", "--layer", "0", "--head", "7"], "there is no head 7"),
    ],
)
def test_mistakes_are_said_in_a_sentence(
    tiny: Path,
    pictures: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    command, *rest = words
    images = [str(pictures[0])] + [str(pictures[1]) for word in rest if word == "again"]
    rest = [word for word in rest if word != "again"]
    weights = [] if command == "grid" else ["--weights", str(tiny)]
    line = [command, *images, *rest, "--output", str(tmp_path / "out"), "--size", "native"]
    assert main([*line, *weights]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
