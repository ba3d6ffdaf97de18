"""Side by side with the peers, as ratios: `python -m benchmarks [NAME...] [--quick]`.

    timing     fair times: contestants take turns in one process
    results    one line of the report
    others     what others use: timm, torchvision's transforms, a plain mask generator
    synthetic  a finished gallery of rows that are drawn, of any size
    forward attention whatif crops masks pca colours training gpu step embedding probes page
    explorer map growth peers one file each

Times differ between machines and from minute to minute; ratios hold. Each benchmark therefore runs
the peer beside us, and the report begins with the time of a matrix product for scale.

A benchmark is a file with `run(quick) -> Iterator[Result]` and a place in `BENCHMARKS`.
"""

BENCHMARKS = (
    "forward",
    "attention",
    "whatif",
    "crops",
    "masks",
    "pca",
    "colours",
    "training",
    "gpu",
    "step",
    "embedding",
    "probes",
    "page",
    "explorer",
    "map",
    "growth",
    "peers",
)
