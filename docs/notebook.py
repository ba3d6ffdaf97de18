"""Runs the notebook of examples/ and writes it back with its outputs: python docs/notebook.py

What depends on the machine is left out: counters, times, paths, the kernel's version.
"""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "inside_dinov2.ipynb"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SETTINGS = {
    "PYTHONPATH": str(ROOT),
    "PLOTLY_RENDERER": "plotly_mimetype",  # a chart as its numbers, without Plotly's own code
    "IPYTHONDIR": "",  # nobody's own settings
}


def executed(path: Path = NOTEBOOK) -> NotebookNode:
    """The notebook as a fresh kernel runs it, in an empty folder. Nothing is written."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | SETTINGS | {"IPYTHONDIR": folder}
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(env=environment)
    return cleaned(notebook)


def cleaned(notebook: NotebookNode) -> NotebookNode:
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({})
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = None
                if "metadata" in output:
                    output.metadata = nbformat.from_dict({})
    return notebook


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """What is printed arrives in pieces, one time more than another: as one."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def main() -> None:
    nbformat.write(executed(), NOTEBOOK)
    print(f"{NOTEBOOK.name}: {NOTEBOOK.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
