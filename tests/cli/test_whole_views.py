"""similar, match, clusters, rollout, norms, tokens: all that each says, writes and draws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_commands import (
    SHEET,
    Drawn,
    Place,
    asked_with_figure,
    files_in,
    holds,
    line_of,
    run,
    same_calls,
    shows,
)

from dino_core.analysis import attention, outliers, tokens
from dino_core.analysis.clustering import kmeans
from dino_core.analysis.side_by_side import drawn_pairs, matched
from dino_core.config import PCA_PRESETS
from dino_core.draw.colours import cluster_colour
from dino_core.draw.pictures import contact_sheet, heat_map, map_over, overlay

Said = pytest.CaptureFixture[str]


def saved(words: list[Any], **more: Any) -> tuple[str, list[Any], dict[str, Any]]:
    """The call that writes the figure of these words."""
    options = {"dpi": 300, "caption": line_of(*words), "charts": None, **more}
    return ("save", ["panel", words[-1]], options)


def said_of(words: list[Any]) -> list[str]:
    return [f"Figure -> {words[-1]}", line_of(*words)]


def pixels(place: Place, number: int) -> np.ndarray:
    return np.asarray(place.fitted[number].picture)


def test_similar(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(
        place, out, "similar", "--patch", "1,4", "--layer", "-2", "--figure-width", "99"
    )
    ran = run(capsys, *words)
    done = f"Similarity to patch 1,4 -> {out} ({place.title})"
    assert (ran.code, ran.err) == (0, [])
    assert ran.out == [*said_of(words), done]
    own, theirs = (one.patches(1) for one in place.seen)
    assert files_in(out) == ["one.npz", "one.png", "two.npz", "two.png"]
    for number, (name, patches) in enumerate((("one", own), ("two", theirs))):
        grid = place.seen[number].grid
        cosine = torch.cosine_similarity(own[[1 * 6 + 4]], patches).reshape(grid).numpy()
        holds(out / f"{name}.npz", similarity=cosine, patch=[1, 4], layer=1)
        mixed = overlay(pixels(place, number), heat_map(cosine, -1, 1, "blue-red"))
        shows(out / f"{name}.png", mixed)
    first, second = place.seen
    options = {"others": [second], "layer": 1, "width": 99.0}
    same_calls(drawn.pop(), ("similarity", [first, (1, 4)], options), saved(words))


@pytest.mark.parametrize("everywhere", [False, True])
def test_match(everywhere: bool, place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    chosen = ["--everywhere"] if everywhere else ["--preset", "all-patches"]
    words = asked_with_figure(place, out, "match", "--layer", "0", "--lines", "2", *chosen)
    ran = run(capsys, *words)
    first, second = place.seen
    grids = [first.grid, second.grid]
    config = None if everywhere else PCA_PRESETS["all-patches"]
    found = matched([first.patches(0), second.patches(0)], grids, config)
    pairs = drawn_pairs(found, grids, 2)
    mutual = int(found.matches.mutual.sum())
    done = f"{mutual} mutual matches, {len(pairs)} drawn -> {out} ({place.title})"
    assert ran.out == [*said_of(words), done]
    assert files_in(out) == ["matches.npz", "matches.png"]
    arrays = {name: value.numpy() for name, value in vars(found.matches).items()}
    holds(out / "matches.npz", **arrays, lines=found.lines.numpy())
    shows(out / "matches.png", SHEET)
    header = "layer 0" if everywhere else "layer 0, on the foreground"
    panel = ("matches", [first, second, pairs], {"header": header, "width": "page"})
    pixels_of = ("panel_pixels", ["panel", 150], {})
    same_calls(drawn.pop(), panel, pixels_of, panel, saved(words))


def test_match_draws_the_best_forty(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    words = asked_with_figure(place, tmp_path / "out", "match")
    run(capsys, *words[:-2])
    (_, (first, _, pairs), options), _ = drawn.pop()
    assert options["header"] == "layer 2, on the foreground"
    assert first.grid == (4, 6)
    found = matched(
        [one.patches(2) for one in place.seen],
        [one.grid for one in place.seen],
        PCA_PRESETS["paper"],
    )
    assert pairs == drawn_pairs(found, [one.grid for one in place.seen], 40)


def test_clusters(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(place, out, "clusters", "--k", "3", "--seed", "4", "--layer", "1")
    ran = run(capsys, *words)
    assert ran.out == [*said_of(words), f"3 clusters -> {out} ({place.title})"]
    parts = [one.patches(1) for one in place.seen]
    points = np.concatenate([(x / x.norm(dim=-1, keepdim=True)).numpy() for x in parts])
    found = kmeans(points, 3, 4)
    labels = [found.labels[:24].reshape(4, 6), found.labels[24:].reshape(5, 4)]
    table = np.array([cluster_colour(i) for i in range(3)], np.uint8)
    assert files_in(out) == ["one.npz", "one.png", "two.npz", "two.png"]
    for name, one in zip(("one", "two"), labels, strict=True):
        shared = {"sizes": found.sizes, "colours": table, "explained": found.explained}
        holds(out / f"{name}.npz", labels=one, **shared)
        shows(out / f"{name}.png", table[one].repeat(14, 0).repeat(14, 1))
    header = f"layer 1, seed 4, {100 * found.explained:.0f} % explained"
    options = {"header": header, "width": "page"}
    same_calls(drawn.pop(), ("clusters", [place.seen, labels], options), saved(words))


def test_clusters_are_two_to_twelve_and_no_more_than_patches(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    out = tmp_path / "out"
    for k in ("1", "13"):
        ran = run(capsys, *asked_with_figure(place, out, "clusters", "--k", k))
        assert (ran.code, ran.err) == (2, [f"The clusters are 2 to 12, not {k}."])
    assert not out.exists()
    for k, size, there in (("2", "14x28", 2), ("12", "14x28", 2), ("12", "56x56", 12)):
        words = asked_with_figure(place, out, "clusters", "--k", k, "--size", size, pictures=1)[:-2]
        words[words.index("native")] = size
        assert run(capsys, *words).out == [f"{there} clusters -> {out} ({place.title})"]


def test_rollout(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(place, out, "rollout", "--figure-dpi", "70")
    ran = run(capsys, *words)
    assert ran.out == [*said_of(words), f"Rollout -> {out} ({place.title})"]
    maps = [one.on_grid(attention.rollout(one.queries, one.keys)).numpy() for one in place.seen]
    assert files_in(out) == ["one.npz", "one.png", "two.npz", "two.png"]
    for number, (name, one) in enumerate(zip(("one", "two"), maps, strict=True)):
        holds(out / f"{name}.npz", rollout=one)
        shows(out / f"{name}.png", map_over(one, pixels(place, number)))
    title = "Attention rollout of the class token"
    panel = ("patch_values", [place.seen, maps, title, "weight"], {"width": "page"})
    same_calls(drawn.pop(), panel, saved(words, dpi=70))


def test_norms(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    ran = run(capsys, *asked_with_figure(place, out, "norms")[:-2])
    found, standing = [], 0
    for name, seen in zip(("one", "two"), place.seen, strict=True):
        lengths = tokens.stream_norms(seen)
        out_of = outliers.find_outliers(lengths[:, 3:])
        mask = out_of.mask.reshape(4, *seen.grid).numpy()
        standing += int(mask.any(0).sum())
        patches = lengths[:, 3:].reshape(4, *seen.grid).numpy()
        holds(
            out / f"{name}.npz",
            norms=lengths.numpy(),
            patches=patches,
            outliers=mask,
            threshold=out_of.threshold.numpy(),
            updates=tokens.relative_updates(seen).numpy(),
        )
        shows(out / f"{name}.png", SHEET)
        found += [("norms", [seen, patches, mask], {}), ("panel_pixels", ["panel", 150], {})]
    assert ran.out == [f"Lengths of tokens, {standing} patches stand out -> {out} ({place.title})"]
    same_calls(drawn.pop(), *found)
    words = asked_with_figure(place, out, "norms", pictures=1)
    assert run(capsys, *words).out[:2] == said_of(words)
    name, args, _ = found[0]
    same_calls(drawn.pop(), *found[:2], (name, args, {"width": "page"}), saved(words))


def test_tokens(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(place, out, "tokens", pictures=1)
    ran = run(capsys, *words)
    assert ran.out == [*said_of(words), f"Tokens -> {out} ({place.title})"]
    seen = place.seen[0]
    found = tokens.token_parts(place.backbone.vit, seen)
    arrays = {name: value.numpy() for name, value in vars(found).items()}
    assert files_in(out) == ["one.npz", "one.png"]
    holds(out / "one.npz", **arrays)
    assert {"neighbours", "register_cosines"} < arrays.keys()
    lengths = [arrays[name] for name in ("embedding_norms", "position_norms", "token_norms")]
    sheet = contact_sheet([map_over(one, pixels(place, 0)) for one in lengths], columns=3)
    shows(out / "one.png", sheet)
    named = dict(zip(("embedding", "position", "their sum"), lengths, strict=True))
    same_calls(drawn.pop(), ("token_parts", [seen, named], {"width": "page"}), saved(words))


def test_a_figure_of_one_picture_is_refused_of_two_before_the_work(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    for command in ("norms", "tokens"):
        ran = run(capsys, *asked_with_figure(place, tmp_path / "out", command))
        assert ran.err == ["This figure shows one picture: give one, or no --figure."]
    assert not list(tmp_path.iterdir())
