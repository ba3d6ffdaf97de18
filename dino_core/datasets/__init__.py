"""Pictures from a folder, a zip or a table, in one fixed order; a zip is read where it lies.

    PICTURES/anything/at/all.jpg                    without labels
    CLASS/picture.jpg                               a folder for each class
    train/CLASS/picture.jpg, test/CLASS/picture.jpg the same, already divided
    labels.csv: path,label                          or a table, beside the pictures or as data

What people's disks hold besides is left out and named: `Pictures.left_out` says of each file why,
`Pictures.notes` what was understood otherwise than one might expect, `Pictures.summary()` both.

contents  what is a picture among the files, by ending and by content
folders   the files of a folder                 zips    those of a zip, each one checked
layout    what folders say: classes, splits     tables  what a CSV or Parquet says
splits    words for train, val and test         aside   folders that are no classes
find      all of it together                    pictures  the value that comes out
cifar     CIFAR-10 as such a folder
"""

from dino_core.assets import SAMPLES
from dino_core.datasets.cifar import cifar10, cifar10_folder
from dino_core.datasets.contents import ENDINGS
from dino_core.datasets.find import find_pictures, sample_pictures
from dino_core.datasets.pictures import Pictures
from dino_core.datasets.zips import MAX_RATIO

__all__ = [
    "ENDINGS",
    "MAX_RATIO",
    "SAMPLES",
    "Pictures",
    "cifar10",
    "cifar10_folder",
    "find_pictures",
    "sample_pictures",
]
