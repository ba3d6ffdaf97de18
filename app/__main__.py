"""`python -m app`: the page on this machine.

The port opens before torch is imported: models load behind the page.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on")
    parser.add_argument("--model", help="model to begin with, see python -m dino_core models")
    parser.add_argument("--weights", type=Path, help="a checkpoint of your own instead")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    args = parser.parse_args(argv)

    import uvicorn

    from app.gradio_import import import_gradio

    import_gradio()
    from app.server import build_server

    try:
        server = build_server(args.model, args.weights, args.device, args.host, args.port)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Inside DINOv2 opens on http://{args.host}:{args.port}", flush=True)
    uvicorn.run(
        server,
        host=args.host,
        port=args.port,
        log_level="warning",
        timeout_graceful_shutdown=2,  # open event streams would hold it for ever
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
