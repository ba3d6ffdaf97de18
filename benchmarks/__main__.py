"""`python -m benchmarks`: how we compare, as ratios, and a matrix product's time for scale."""

import argparse
import json
import platform
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import BENCHMARKS
from benchmarks.results import Skipped


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; all without"
    )
    parser.add_argument("--quick", action="store_true", help="small and rough, in seconds")
    parser.add_argument("--threads", type=int, help="for torch; its own choice without")
    parser.add_argument(
        "--million", action="store_true", help="growth: 1 000 000 rows too, which takes hours"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(BENCHMARKS)}")
    try:
        report = measure(
            args.names or list(BENCHMARKS), args.quick, args.threads, million=args.million
        )
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: pip install -r requirements-dev.txt", file=sys.stderr)
        return 2
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(names: list[str], quick: bool, threads: int | None, *, million: bool = False) -> dict:
    """Runs the named benchmarks, prints each result as it comes, and returns them all."""
    import torch

    from benchmarks import timing

    # All libraries are loaded before their threads are counted.
    benchmarks = {name: import_module(f"benchmarks.{name}") for name in names}
    timing.level_the_ground()
    with timing.threads(threads or torch.get_num_threads()):
        machine = {
            "processor": processor(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "matmul_ms": 1000 * timing.matmul_seconds(),
        }
        print(
            f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}\n"
            f"a float32 matrix product of 2048 x 2048 takes {machine['matmul_ms']:.0f} ms"
        )
        results = []
        for name, benchmark in benchmarks.items():
            print(f"\n{name}", flush=True)
            try:
                larger = {"million": True} if million and name == "growth" else {}
                for result in benchmark.run(quick, **larger):
                    print(result, flush=True)
                    results.append({"benchmark": name} | result.as_dict())
            except Skipped as reason:
                print(f"  skipped: {reason}", flush=True)
            print(f"  (matrix product: {1000 * timing.matmul_seconds():.0f} ms)", flush=True)
    return {"machine": machine, "results": results}


def processor() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
