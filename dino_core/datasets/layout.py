"""What folders say of the pictures in them: classes, splits, and what is no class at all.

    PICTURES/anything/at/all.jpg                    without labels
    CLASS/picture.jpg                               a folder for each class
    Training/CLASS/picture.jpg, test/CLASS/...      the same, already divided
    CLASS/train/picture.jpg, CLASS/test/...         the same, the other way round
    data/train/train/CLASS/picture.jpg, ...         with folders around, or named once more

train, val and test stay three. Folders of masks, annotations and thumbnails are no classes.
Pictures beside the folders of classes belong to none: they are left out, unless they are the most.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dino_core.datasets.aside import LEFT, AreMasks, is_aside
from dino_core.datasets.contents import Left, matches
from dino_core.datasets.splits import FILLING, evaluated_on, split_of, split_sentence, words_of_name


class Item(NamedTuple):
    """A picture, and the folders that have not been understood yet."""

    name: str
    parts: tuple[str, ...]  # of the path, the file's own name last


@dataclass
class Layout:
    """What was understood. A picture in neither dictionary has no label, and no split."""

    labels: dict[str, str] = field(default_factory=dict)  # name -> class
    splits: dict[str, str] = field(default_factory=dict)  # name -> train, val, test
    left_out: list[Left] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_table: bool = False


@dataclass(frozen=True)
class Selection:
    """What a person says against the rules, and how to look at pixels."""

    include: tuple[str, ...] = ()  # taken although the name speaks against it
    exclude: tuple[str, ...] = ()  # left out although nothing speaks against it
    are_masks: AreMasks = lambda names: False


def read_layout(names: Sequence[str], selection: Selection) -> Layout:
    """Classes and splits of pictures by their names; those in `left_out` have neither."""
    found = Layout()
    items = []
    for name in names:
        if matches(name, selection.exclude):
            found.left_out.append((name, "Left out as asked."))
        else:
            items.append(Item(name, tuple(name.split("/"))))
    return _arranged(items, found, selection)


def _arranged(items: list[Item], found: Layout, selection: Selection) -> Layout:
    strays: list[Item] = []
    while True:
        loose, folders = _grouped(items)
        folders = _without_aside(folders, loose, found, selection)
        if not folders or _too_many(loose, folders):
            if folders:
                _note_mixed(found, loose, folders)
            return found  # no labels: everything is used, strays too
        divided = _split_level(folders, found)
        if divided:
            _leave(found, [*strays, *loose], "It lies beside the folders of the splits.")
            return _read_splits(divided, found, selection)
        if len(folders) > 1:
            _leave(found, [*strays, *loose], "It lies beside the folders of the classes.")
            return _read_classes(folders, found)
        strays += loose
        items = _one_down(next(iter(folders.values())))


def _grouped(items: Sequence[Item]) -> tuple[list[Item], dict[str, list[Item]]]:
    """Pictures that lie loose, and the others by the folder that they lie in."""
    loose: list[Item] = []
    folders: dict[str, list[Item]] = {}
    for item in items:
        if len(item.parts) == 1:
            loose.append(item)
        else:
            folders.setdefault(item.parts[0], []).append(item)
    return loose, folders


def _one_down(items: Sequence[Item]) -> list[Item]:
    return [Item(item.name, item.parts[1:]) for item in items]


def _too_many(loose: Sequence[Item], folders: dict[str, list[Item]]) -> bool:
    return len(loose) >= sum(map(len, folders.values()))


def _leave(found: Layout, items: Sequence[Item], why: str) -> None:
    found.left_out += [(item.name, why) for item in items]


def _note_mixed(found: Layout, loose: Sequence[Item], folders: dict[str, list[Item]]) -> None:
    if loose and len(folders) > 1:
        found.notes.append(
            f"Most pictures lie beside the folders and not in them, so the folders are not taken "
            f"for classes: {_few(folders)}."
        )


def _few(names: Sequence[str] | dict[str, list[Item]]) -> str:
    first = sorted(names)[:5]
    return ", ".join(first) + (", ..." if len(names) > 5 else "")


# --- folders that are no classes


def _without_aside(
    folders: dict[str, list[Item]],
    loose: Sequence[Item],
    found: Layout,
    selection: Selection,
) -> dict[str, list[Item]]:
    """The folders without those of masks and the like; all of them where nothing else is there.

    Pictures that lie loose are something else where no folder has more of them: 1.jpg, thumbs/1.jpg
    """
    paths = {folder: [item.name for item in items] for folder, items in folders.items()}
    aside = [
        folder
        for folder in folders
        if not matches(_path(folders[folder][0]), selection.include)
        and is_aside(folder, paths, selection.are_masks)
    ]
    if len(aside) == len(folders) and len(loose) < max(map(len, folders.values()), default=1):
        return folders
    for folder in aside:
        _leave(found, folders[folder], LEFT.format(folder))
    return {folder: items for folder, items in folders.items() if folder not in aside}


def _path(item: Item) -> str:
    """The path of the folder that an item's parts begin with."""
    return "/".join(item.name.split("/")[: 1 - len(item.parts)])


# --- splits


def _split_level(
    folders: dict[str, list[Item]], found: Layout
) -> dict[str, dict[str, list[Item]]] | None:
    """split -> folder -> items, where folders are splits; None where they are something else.

    Two different splits must be there, one of them train unless all are: train, bus and car are
    vehicles. Words beside must be the same in all of them: seg_train and seg_test.
    """
    by_rest: dict[tuple[str, ...], dict[str, str]] = {}
    for folder in folders:
        kind, rest = split_of(folder)
        if kind:
            by_rest.setdefault(rest, {})[folder] = kind
    for kinds in by_rest.values():
        kinds |= evaluated_on(kinds)
        present = set(kinds.values())
        if len(present) < 2 or not ("train" in present or len(kinds) == len(folders)):
            continue
        for folder in set(folders) - set(kinds):
            _leave(found, folders[folder], f"Its folder {folder} is neither train, val nor test.")
        divided: dict[str, dict[str, list[Item]]] = {}
        for folder, kind in sorted(kinds.items()):
            divided.setdefault(kind, {})[folder] = folders[folder]
        return divided
    return None


def _read_splits(
    divided: dict[str, dict[str, list[Item]]], found: Layout, selection: Selection
) -> Layout:
    """Classes inside of splits."""
    inside: dict[str, dict[str, list[Item]]] = {}  # split -> folder of a class -> its pictures
    loose: dict[str, list[Item]] = {}
    for split, folders in divided.items():
        if len(folders) > 1:
            found.notes.append(f"{' and '.join(folders)} were put together as {split}.")
        for outer, items in folders.items():
            few, classes = _classes_in(outer, _one_down(items), found, selection)
            loose.setdefault(split, []).extend(few)
            for name, members in classes.items():
                inside.setdefault(split, {}).setdefault(name, []).extend(members)
    labelled = sum(len(items) for classes in inside.values() for items in classes.values())
    loose_files = sum(len(loose.get(split, ())) for split in inside)  # where there are classes too
    if loose_files >= labelled:
        for split in divided:
            for items in (loose.get(split, []), *inside.get(split, {}).values()):
                found.splits |= {item.name: split for item in items}
        return _note_splits(found)
    for split, items in loose.items():
        where = "beside the folders of its classes" if split in inside else "in no class's folder"
        _leave(found, items, f"It lies in {split}, {where}.")
    names = _one_spelling(inside, found)
    for split, classes in inside.items():
        for folder, items in classes.items():
            found.labels |= {item.name: names[folder] for item in items}
            found.splits |= {item.name: split for item in items}
    return _note_splits(found)


def _classes_in(
    outer: str, items: list[Item], found: Layout, selection: Selection
) -> tuple[list[Item], dict[str, list[Item]]]:
    """(loose, folders of classes) of one split, below folders that only name it once more."""
    while True:
        loose, folders = _grouped(items)
        folders = _without_aside(folders, loose, found, selection)
        if len(folders) != 1 or _too_many(loose, folders):
            return loose, folders
        (only,) = folders
        words = set(words_of_name(only))
        if split_of(only) != split_of(outer) and not (words and words <= FILLING):
            return loose, folders
        _leave(found, loose, f"It lies in {outer}, beside the folder {only}.")
        items = _one_down(folders[only])


def _one_spelling(inside: dict[str, dict[str, list[Item]]], found: Layout) -> dict[str, str]:
    """Folder -> class: Cats in one split and cats in another are one, in the commoner spelling."""
    spellings: dict[str, Counter[str]] = {}
    for members in inside.values():
        for name, items in members.items():
            spellings.setdefault(_folded(name), Counter())[name] += len(items)
    chosen: dict[str, str] = {}
    for names in spellings.values():
        together = len(names) > 1 and all(
            sum(name in members for name in names) <= 1 for members in inside.values()
        )
        best = class_name(min(names, key=lambda name: (-names[name], name)))
        for name in names:
            chosen[name] = best if together else class_name(name)
        if together and len({class_name(name) for name in names}) > 1:
            found.notes.append(f"{' and '.join(sorted(names))} were taken for one class, {best}.")
    return chosen


def _note_splits(found: Layout) -> Layout:
    """Splits are there when there are two; what is used for what is said."""
    counts = Counter(found.splits.values())
    if len(counts) < 2:
        found.splits.clear()
        return found
    found.notes.append(split_sentence(counts))
    return found


# --- classes


def class_name(folder: str) -> str:
    """A folder's name as the name of a class: macOS keeps letters and accents apart."""
    return unicodedata.normalize("NFC", folder).strip() or folder


def _folded(name: str) -> str:
    return class_name(name).casefold()


def _read_classes(folders: dict[str, list[Item]], found: Layout) -> Layout:
    """A folder for each class, and perhaps train and test in each."""
    kinds = {
        item.name: split_of(item.parts[1])[0] if len(item.parts) > 2 else ""
        for items in folders.values()
        for item in items
    }
    for folder, items in folders.items():
        found.labels |= {item.name: class_name(folder) for item in items}
    if all(kinds.values()) and len(set(kinds.values())) > 1:
        found.splits |= kinds
    return _note_splits(found) if found.splits else found
