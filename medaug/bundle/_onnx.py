"""Networks as ONNX, and what they give; needs the package onnx."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

OPSET = 18
"""The first whose scatter adds up, which counts levels in AIIN; of December 2022."""


def to_onnx(
    network: nn.Module,
    example: tuple[Tensor, ...],
    input_names: Sequence[str],
    properties: Mapping[str, str],
) -> bytes:
    """Trace a network for inputs of these shapes and any number of them; the output is ``pred``.

    By torch's older exporter: the newer one needs onnxscript and onnx_ir beside onnx.

    Args:
        network: in evaluation mode.
        example: its inputs, two or more of each.
        input_names: of the inputs.
        properties: text to go with it.
    """
    import onnx

    axes = {name: {0: "batch"} for name in (*input_names, "pred")}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is the older one, and of each size that is fixed
        torch.onnx.export(
            network,
            example,
            Path(folder, "model.onnx"),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(input_names),
            output_names=["pred"],
            dynamic_axes=axes,
        )
        model = onnx.load(Path(folder, "model.onnx"))
    for node in model.graph.node:
        node.ClearField("doc_string")  # paths of this machine
    onnx.helper.set_model_props(model, dict(properties))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def load_onnx(content: bytes) -> Callable[..., Tensor]:
    """A network as ONNX's own reference runs it, slowly."""
    from onnx.reference import ReferenceEvaluator

    evaluator: Any = ReferenceEvaluator(content)

    def run(*inputs: Tensor) -> Tensor:
        names = evaluator.input_names
        (found,) = evaluator.run(
            None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
        )
        return torch.from_numpy(found)

    return run
