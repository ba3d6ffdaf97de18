"""What a file imports, read off its source."""

import ast
from pathlib import Path


def imports(path: Path, for_types: bool = True) -> set[str]:
    """Full names of everything a file imports, anywhere in it: `from a import b` gives a.b.

    Without `for_types` what stands under `if TYPE_CHECKING:`, and is never loaded, does not count.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively: the map reads full names"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif for_types or not is_for_types(node):
            waiting += ast.iter_child_nodes(node)
    return found


def is_for_types(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and not node.orelse
    )
