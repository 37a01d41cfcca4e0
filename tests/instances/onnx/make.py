#!/usr/bin/python3
"""Writes the small ONNX files of this folder: ordinary exports, and files that no importer may accept.

Usage: make.py [--check]    --check writes nothing and fails where a file beside this script differs.
Needs PyTorch 1.13 and ONNX 1.12 (Debian 12: python3-torch, python3-onnx).
"""

import io
import math
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "examples" / "models"))

import onnx
import onnx.numpy_helper
import onnx.shape_inference
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.nn import functional

import export_gpt2


class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))


class ConvNet(nn.Module):
    """A strided stem, a depthwise separable convolution with a shortcut, a classifier; every convolution is normalised."""

    def __init__(self):
        super().__init__()
        self.stem = self.normalised(3, 8, kernel_size=3, stride=2, padding=1)
        self.depthwise = self.normalised(8, 8, kernel_size=3, padding=1, groups=8)
        self.pointwise = self.normalised(8, 8, kernel_size=1)
        self.classifier = nn.Linear(8, 4)

    @staticmethod
    def normalised(inputs, outputs, **options):
        return nn.Sequential(nn.Conv2d(inputs, outputs, bias=False, **options), nn.BatchNorm2d(outputs))

    def forward(self, image):
        x = functional.relu(self.stem(image))
        x = functional.relu(x + self.pointwise(functional.relu(self.depthwise(x))))
        return self.classifier(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class SelfAttention(nn.Module):
    """Separate query, key and value projections, and the batch read from the input: where it is dynamic, the graph computes it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.head_width = heads, width // heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        return x.reshape(x.shape[0], -1, self.heads, self.head_width).transpose(1, 2)

    def forward(self, x):
        scores = self.split(self.query(x)) @ self.split(self.key(x)).transpose(2, 3) / math.sqrt(self.head_width)
        context = functional.softmax(scores, dim=-1) @ self.split(self.value(x))
        return self.output(context.transpose(1, 2).reshape(x.shape[0], -1, self.heads * self.head_width))


class EncoderBlock(nn.Module):
    """Normalised before each part, with the GELU that is written by the error function."""

    def __init__(self, width, heads):
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class Transformer(nn.Module):
    def __init__(self, layers, width, heads, vocabulary, positions):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(positions, width)
        self.register_buffer("indices", torch.arange(positions))
        self.blocks = nn.ModuleList(EncoderBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(self.indices)
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


def with_values(module):
    """Gives parameters and running statistics values that no folding can drop."""
    export_gpt2.with_random_parameters(module, deviation=0.3)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.5, 0.5)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return module


def exported(module, data, output, opset=14, dynamic_axes=None):
    """The export that users make: weights inside, constants folded, no shape but those of inputs and outputs."""
    stream = io.BytesIO()
    torch.onnx.export(
        module,
        tuple(data.values()),
        stream,
        opset_version=opset,
        input_names=list(data),
        output_names=[output],
        dynamic_axes=dynamic_axes,
    )
    model = onnx.load_from_string(stream.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model


def tiny_mlp():
    module = with_values(Mlp())
    return exported(module, {"x": torch.zeros(2, 16)}, "y", dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})


def tiny_conv_folded_bn():
    return exported(with_values(ConvNet()), {"image": torch.zeros(1, 3, 16, 16)}, "scores")


def tiny_block_opset17():
    return exported(with_values(EncoderBlock(width=16, heads=2)), {"x": torch.zeros(2, 8, 16)}, "y", opset=17)


def tiny_transformer():
    module = with_values(Transformer(layers=3, width=16, heads=2, vocabulary=32, positions=8))
    data = {"tokens": torch.zeros(1, 8, dtype=torch.int64)}
    axes = {"tokens": {0: "batch"}, "logits": {0: "batch"}}
    source = "tests/instances/onnx/make.py; layers=3 width=16 heads=2 vocabulary=32 positions=8"
    return export_gpt2.export_without_weights(module, data, "logits", source, axes)


def with_external_data(model, name):
    """The bytes of the model and of the file `name` that holds its larger tensors: all but the last bias of the MLP."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save_model(model, str(path), save_as_external_data=True, location=name, size_threshold=100)
        onnx.checker.check_model(str(path))
        return path.read_bytes(), (Path(folder) / name).read_bytes()


def value(name, dims):
    """A float tensor; a dimension that is None has neither value nor name."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def handmade(name, nodes, inputs, outputs):
    """A model that nothing checks."""
    graph = helper.make_graph(nodes, name, [value(*entry) for entry in inputs], [value(*entry) for entry in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], producer_name="make.py")
    model.ir_version = 7
    return model


def cyclic():
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    return handmade("cyclic", nodes, [("x", [4, 8])], [("b", [4, 8])])


def unknown_operator():
    nodes = [helper.make_node("FrobnicateV2", ["x"], ["y"], name="frobnicate")]
    return handmade("unknown_operator", nodes, [("x", [4, 8])], [("y", [4, 8])])


def dynamic_shape():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    return handmade("dynamic_shape", nodes, [("x", [None, 8]), ("w", [8, 4])], [("y", [None, 4])])


def bad_shape():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    return handmade("bad_shape", nodes, [("x", [4, 8]), ("w", [7, 3])], [("y", [4, 3])])


def negative_dim():
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="rectify")]
    return handmade("negative_dim", nodes, [("x", [4, -8])], [("y", [4, -8])])


def overflow():
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="rectify")]
    return handmade("overflow", nodes, [("x", [2**32, 2**32])], [("y", [2**32, 2**32])])


def duplicate_output():
    nodes = [
        helper.make_node("Relu", ["x"], ["y"], name="first"),
        helper.make_node("Tanh", ["x"], ["y"], name="second"),
    ]
    return handmade("duplicate_output", nodes, [("x", [4, 8])], [("y", [4, 8])])


def missing_producer():
    nodes = [helper.make_node("Add", ["x", "nowhere"], ["y"], name="sum")]
    return handmade("missing_producer", nodes, [("x", [4, 8])], [("y", [4, 8])])


def at_batch(model, batch):
    """The model with its dimension `batch` fixed and every shape inferred."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for entry in (*fixed.graph.input, *fixed.graph.output):
        for size in entry.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_value = batch
    del fixed.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(fixed, check_type=True, strict_mode=True, data_prop=True)


def report(name, model, batch, parameters, multiply_accumulates):
    """Prints the figures of a valid file, after a check of the shapes against figures by hand, at `batch`."""
    graph = model.graph
    stored = {entry.name: math.prod(entry.dims) for entry in graph.initializer if entry.data_type == TensorProto.FLOAT and entry.dims}
    elements = export_gpt2.parameter_elements(model) if model.metadata_props else sum(stored.values())
    counted = export_gpt2.multiply_accumulates(at_batch(model, batch).graph)
    if (elements, counted) != (parameters, multiply_accumulates):
        sys.exit(f"make.py: {name}: {elements} parameters and {counted} multiply-accumulates, not {parameters} and {multiply_accumulates}")
    constants = sum(node.op_type == "Constant" for node in graph.node)
    print(f"{name}: {len(graph.node)} nodes ({constants} constants), {export_gpt2.uses(graph)} edges, {elements} parameters, {counted} at batch {batch}")


def main():
    mlp, conv, block, transformer = tiny_mlp(), tiny_conv_folded_bn(), tiny_block_opset17(), tiny_transformer()
    dense = 16 * 32 + 32 * 8
    report("tiny_mlp_weights_inside", mlp, 1, dense + 32 + 8, dense)
    stem, depthwise, pointwise, classifier = 8 * 3 * 9, 8 * 9, 8 * 8, 8 * 4
    convolutions = stem + depthwise + pointwise
    report("tiny_conv_folded_bn", conv, 1, convolutions + 3 * 8 + classifier + 4, convolutions * 8 * 8 + classifier)
    block_weights, block_vectors = 12 * 16**2, 13 * 16
    block_products = block_weights * 8 + 2 * 8**2 * 16
    report("tiny_block_opset17", block, 2, block_weights + block_vectors, 2 * block_products)
    outside = 32 * 16 + 8 * 16 + 2 * 16 + 16 * 32
    report("tiny_transformer", transformer, 1, 3 * (block_weights + block_vectors) + outside, 3 * block_products + 16 * 32 * 8)

    files = {"empty.onnx": b""}
    files["tiny_mlp_weights_inside.onnx"] = mlp.SerializeToString(deterministic=True)
    files["truncated.onnx"] = files["tiny_mlp_weights_inside.onnx"][: len(files["tiny_mlp_weights_inside.onnx"]) // 2]
    files["tiny_external.onnx"], files["tiny_external.bin"] = with_external_data(mlp, "tiny_external.bin")
    models = {"tiny_conv_folded_bn": conv, "tiny_block_opset17": block, "tiny_transformer": transformer}
    refused = (cyclic, unknown_operator, dynamic_shape, bad_shape, negative_dim, overflow, duplicate_output, missing_producer)
    models |= {make.__name__: make() for make in refused}
    files |= {f"{name}.onnx": model.SerializeToString(deterministic=True) for name, model in models.items()}

    for name, payload in files.items():
        if "--check" not in sys.argv[1:]:
            (HERE / name).write_bytes(payload)
        elif (HERE / name).read_bytes() != payload:
            sys.exit(f"make.py: {name} is not what this script writes")


if __name__ == "__main__":
    main()
