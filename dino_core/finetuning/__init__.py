"""Fine-tuning with labels: classifier, backbone, reports."""
