"""Shards and picture tables of the smallest kind, as their own libraries write them."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet


def tarred(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A plain tar, in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def sharded(
    root: Path, contents: Mapping[str, bytes], per_shard: int = 5, prefix: str = "set"
) -> Path:
    """A folder of pictures, CLASS/name.png, as shards: 000007.png beside 000007.cls."""
    names = sorted(contents)
    for number, start in enumerate(range(0, len(names), per_shard)):
        members = {}
        for i, name in enumerate(names[start : start + per_shard], start):
            members[f"{i:06}.png"] = contents[name]
            if "/" in name:
                members[f"{i:06}.cls"] = name.split("/")[-2].encode()
        tarred(root / f"{prefix}-{number:06}.tar", members)
    return root


def picture_table(
    path: Path,
    pictures: Sequence[bytes | None],
    labels: Sequence[int | None] | None = None,
    classes: Sequence[str] = (),
    *,
    group: int = 3,
) -> Path:
    """A Parquet as Hugging Face writes it: image struct, ClassLabel in the schema's metadata."""
    images = [{"bytes": one, "path": f"{i}.png"} for i, one in enumerate(pictures)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns: dict[str, pa.Array] = {"image": pa.array(images, kind)}
    features: dict[str, object] = {"image": {"_type": "Image"}}
    if labels is not None:
        columns["label"] = pa.array(labels, pa.int64())
        features["label"] = {"names": list(classes), "_type": "ClassLabel"}
        if not classes:
            features["label"] = {"dtype": "int64", "_type": "Value"}
    table = pa.table(columns)
    said = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table.replace_schema_metadata(said), path, row_group_size=group)
    return path
