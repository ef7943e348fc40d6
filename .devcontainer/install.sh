#!/usr/bin/env bash
# Packages of the course with PyTorch for the CPU; without its mark pip would take the one with GPU libraries.
set -euo pipefail
torch=$(grep -E '^torch==' constraints.txt)
python -m pip install --quiet --no-cache-dir -c constraints.txt "${torch}+cpu"
python -m pip install --quiet --no-cache-dir -c constraints.txt -e ".[all]"
python -m stma_nb doctor
