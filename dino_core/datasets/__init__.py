"""Pictures from folders, zips, tables and shards, in one fixed order, read where they lie.

    PICTURES/anything/at/all.jpg                    without labels
    CLASS/picture.jpg                               a folder for each class
    train/CLASS/picture.jpg, test/CLASS/picture.jpg the same, already divided
    labels.csv: path,label                          or a table, beside the pictures or as data
    set-000000.tar: 0001.jpg, 0001.cls              or shards, as WebDataset has them
    train-00000-of-00002.parquet: image, label      or tables that hold the pictures themselves

What people's disks hold besides is left out and named: `Pictures.left_out` says of each file why,
`Pictures.notes` what was understood otherwise than one might expect, `Pictures.summary()` both.

contents  what is a picture among the files, by ending and by content
folders   the files of a folder                 zips    those of a zip, each one checked
layout    what folders say: classes, splits     tables  what a CSV or Parquet says
splits    words for train, val and test         aside   folders that are no classes
patterns  set-{000..999}.tar                    tars    the members of a tar, each one checked
shards    pictures with cls, json or txt        picture_tables  Parquet with pictures inside
places    where they lie in there               class_names     numbers -> names of classes
containers  shards and such tables together
find      all of it together                    pictures  the value that comes out
cifar     CIFAR-10 as such a folder
"""

from dino_core.assets import SAMPLES
from dino_core.datasets.cifar import cifar10, cifar10_folder
from dino_core.datasets.contents import ENDINGS
from dino_core.datasets.find import find_pictures, sample_pictures
from dino_core.datasets.pictures import Pictures
from dino_core.datasets.places import Places
from dino_core.datasets.zips import MAX_RATIO

__all__ = [
    "ENDINGS",
    "MAX_RATIO",
    "SAMPLES",
    "Pictures",
    "Places",
    "cifar10",
    "cifar10_folder",
    "find_pictures",
    "sample_pictures",
]
