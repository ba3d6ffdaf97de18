"""Many pictures: their features, computed once and kept, and which of them are most alike.

    python examples/many_pictures.py [FOLDER_OR_ZIP]

Without pictures it is the samples.
"""

import sys

import torch

from dino_core import load_backbone
from dino_core.analysis.similarity import cosine_similarity
from dino_core.datasets import find_pictures, sample_pictures
from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.preparation import Preparation


def main(data: str = "") -> None:
    pictures = find_pictures(data) if data else sample_pictures()
    backbone, preparation = load_backbone("preview_vits14"), Preparation(224)
    with cache_for(backbone, preparation) as cache:  # what is in it is not computed again
        embedded = embed(backbone, pictures, preparation, cache)
        features = torch.from_numpy(embedded.array("cls"))  # [n, D]
    names = embedded.pictures.names
    print(f"{len(names)} pictures, {embedded.computed} forwards; features {list(features.shape)}")
    for name, why in embedded.broken:
        print(f"{name} was left out: {why}")

    alike = cosine_similarity(features, features).fill_diagonal_(-1)  # [n, n]
    values, others = alike.max(1)
    for name, other, value in zip(names, others.tolist(), values.tolist(), strict=True):
        print(f"{name}: most like {names[other]}, cosine {value:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
