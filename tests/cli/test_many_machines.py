"""The lines of docs/many-machines.md as they stand there; a SLURM of two nodes in a folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from sharded import sharded
from tiny_galleries import ROOT
from tiny_runs import coloured, files

from dino_core.__main__ import main
from dino_core.cli.main import build_parser

PAGE = (ROOT / "docs" / "many-machines.md").read_text(encoding="utf-8")
SRUN = b"""#!/bin/bash
for node in $(seq 0 $((SLURM_NNODES - 1))); do SLURM_NODEID=$node "$@" & jobs="$jobs $!"; done
for job in $jobs; do wait $job || exit 1; done
"""
SCONTROL = b"#!/bin/bash\n[ \"$1 $2\" = 'show hostnames' ] && echo 127.0.0.1 && echo node1\n"


def test_every_line_is_one_that_the_commands_take():
    lines = re.findall(r"-m -- dino_core (.*)", PAGE.replace(" \\\n", " "))
    assert len(lines) == 5
    for line in lines:
        build_parser().parse_args(shlex.split(line))


@pytest.mark.slow
def test_the_slurm_script(weights: Path, tmp_path: Path) -> None:
    data = sharded(tmp_path / "set", coloured(4), per_shard=3)
    tools = files(tmp_path / "bin", {"srun": SRUN, "scontrol": SCONTROL})
    for tool in tools.iterdir():
        tool.chmod(0o755)
    (script,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    wanted = f"--weights {weights} --size 28 --part 4"
    for old, new in (
        ("--nproc-per-node 8", "--nproc-per-node 1"),
        ("/shared/set-{000000..000999}.tar", f"{data}/set-{{000000..000003}}.tar"),
        ("--device cuda", f"--device cpu {wanted}"),
        ("/shared/features", f"{tmp_path}/features"),
        (":29500", f":{20000 + os.getpid() % 20000}"),
    ):
        assert old in script
        script = script.replace(old, new)
    slurm = {"SLURM_NNODES": "2", "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "node[0-1]"}
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    home = {"INSIDE_DINOV2_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, **slurm, **home, "PATH": path},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert "3 parts by 2 processes." in done.stderr
    one = ["embed", str(data), *wanted.split(), "--output", str(tmp_path / "one")]
    assert main(one) == 0
    found = parquet.read_table(tmp_path / "features")
    assert found.equals(parquet.read_table(tmp_path / "one"))
