"""What several tests share."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before a peer is imported: no test reaches for the network
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
