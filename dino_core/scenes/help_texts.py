"""What a person is told about a choice: the comment beside it in `dino_core/config.py`."""

import ast
import re
import sys

from dino_core.source_code import read_syntax

# `    name: type = default  # what it is`
_FIELD = re.compile(r"^    (\w+):[^#\n]*#\s*(.+)$", re.MULTILINE)


def field_comments(config: type) -> dict[str, str]:
    """Field -> comment of a configuration's dataclass; fields without a comment are left out."""
    try:
        tree, lines = read_syntax(sys.modules[config.__module__].__file__ or "")
    except OSError:  # installed without its source
        return {}
    body = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name == config.__name__
    )
    return dict(_FIELD.findall("\n".join(lines[body.lineno - 1 : body.end_lineno])))
