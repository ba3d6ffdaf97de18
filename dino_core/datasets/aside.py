"""Folders that hold no pictures of a class: masks, annotations, thumbnails."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from dino_core.datasets.splits import words_of_name

# Folders whose names say that they hold no pictures of a class. Singular ones may well be a class,
# as in mask, helmet, gloves: then the pixels decide.
_ASIDE = {
    "annotations", "annots", "labels", "masks", "bboxes", "boundingboxes", "xml", "xmls", "json",
    "jsons", "groundtruth", "groundtruths", "gt", "segmentations", "segmentationclass",
    "segmentationobject", "segmentationmasks", "segmasks", "trimaps", "thumbs", "thumbnails",
    "previews", "metadata", "overlays", "heatmaps",
}  # fmt: skip
_PERHAPS = {
    "annotation", "label", "mask", "bbox", "segmentation", "seg", "trimap", "thumb", "thumbnail",
    "preview", "overlay", "heatmap", "depth", "edges",
}  # fmt: skip
# How a folder's files are written, which says nothing of what is in them: masks_png.
_WRITTEN_AS = {
    "png", "pngs", "jpg", "jpgs", "jpeg", "bmp", "tif", "tiff", "xml", "json", "txt", "coco", "voc",
    "yolo",
}  # fmt: skip
LEFT = "A folder called {} is not taken for pictures of a class; include it to."
_COMPARED = 50  # folders whose pixels may be looked at

AreMasks = Callable[[Sequence[str]], bool]  # whether these pictures show classes in flat colours


def folders_aside(left_out: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Of (name, why) of files that are left out: the folders passed over, with their files."""
    known = re.compile(re.escape(LEFT).replace(re.escape("{}"), "(.*)"), re.DOTALL)
    found = (known.fullmatch(why) for _, why in left_out)
    return dict(Counter(match[1] for match in found if match))


def is_aside(folder: str, folders: Mapping[str, Sequence[str]], are_masks: AreMasks) -> bool:
    """Whether a folder among others, each with the paths of its pictures, is no class."""
    words = words_of_name(folder)
    while len(words) > 1 and words[-1] in _WRITTEN_AS:
        words = words[:-1]
    word = "".join(words)
    others = [other for other in folders if other != folder]
    if word in _ASIDE:
        # Unless another folder says the opposite: masks, no_masks.
        return not any(word in words_of_name(other) for other in others)
    perhaps = word in _PERHAPS or bool(words and words[-1] in _ASIDE | _PERHAPS)
    if len(folders) > _COMPARED or not others:
        return False
    if not perhaps and not _names_of_another(folder, folders):
        return False
    if not are_masks(folders[folder][:3]):
        return False
    return not all(are_masks(folders[other][:3]) for other in others)


def _names_of_another(folder: str, folders: Mapping[str, Sequence[str]]) -> bool:
    """Whether each file here has the name of one in another folder: a mask for each picture."""
    own = _stems(folders[folder])
    return len(own) > 1 and any(
        own <= _stems(paths) for other, paths in folders.items() if other != folder
    )


def _stems(paths: Iterable[str]) -> set[str]:
    names = (path.rsplit("/", 1)[-1] for path in paths)
    return {re.sub(r"([_-](mask|seg|gt|label))?\.[^.]*$", "", name) for name in names}
