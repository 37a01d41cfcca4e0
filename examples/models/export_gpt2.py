#!/usr/bin/python3
"""Writes gpt2_124m.onnx: GPT-2 124M at batch 1 and sequence 1024, an ONNX graph without weights.

Usage: export_gpt2.py [--check]    --check writes nothing and fails where the file beside this script differs.
Needs PyTorch 1.13 and ONNX 1.12 (Debian 12: python3-torch, python3-onnx).
"""

import io
import math
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx.numpy_helper
import onnx.shape_inference
import torch
from torch import nn
from torch.nn import functional

PARAMETERS = 124_439_808
MULTIPLY_ACCUMULATES = 145_824_153_600

HIDDEN = torch.tensor(-math.inf)  # a tensor: the exporter would take a number for a double


@dataclass(frozen=True)
class Config:
    layers: int = 12
    heads: int = 12
    width: int = 768
    vocabulary: int = 50257
    positions: int = 1024

    def multiply_accumulates(self) -> int:
        """Of one sequence that fills all positions, with logits for each of them."""
        projections = 12 * self.width**2 * self.positions
        attention = 2 * self.positions**2 * self.width
        return self.layers * (projections + attention) + self.width * self.vocabulary * self.positions


class Affine(nn.Module):
    """x W + b with W stored [inputs, outputs], as GPT-2 stores it: the graph needs no transpose."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.width = config.width
        self.head_width = config.width // config.heads
        self.split_shape = (-1, config.positions, config.heads, self.head_width)
        self.joined_shape = (-1, config.positions, config.width)
        self.qkv = Affine(config.width, 3 * config.width)
        self.projection = Affine(config.width, config.width)

    def forward(self, x, future):
        query, key, value = (part.reshape(self.split_shape).transpose(1, 2) for part in self.qkv(x).split(self.width, dim=-1))
        scores = query @ key.transpose(2, 3) / math.sqrt(self.head_width)
        weights = functional.softmax(torch.where(future, HIDDEN, scores), dim=-1)
        return self.projection((weights @ value).transpose(1, 2).reshape(self.joined_shape))


class FeedForward(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.expansion = Affine(config.width, 4 * config.width)
        self.projection = Affine(4 * config.width, config.width)

    def forward(self, x):
        return self.projection(functional.gelu(self.expansion(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, eps=1e-5)
        self.attention = Attention(config)
        self.feed_forward_norm = nn.LayerNorm(config.width, eps=1e-5)
        self.feed_forward = FeedForward(config)

    def forward(self, x, future):
        x = x + self.attention(self.attention_norm(x), future)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Gpt2(nn.Module):
    """GPT-2 over sequences that fill all positions.

    With the length fixed, every size is a constant of the module and the traced graph has no shape arithmetic;
    the position of a token is its index, so the position embedding is added as it is.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocabulary, config.width)
        self.position_embedding = nn.Parameter(torch.empty(config.positions, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.width, eps=1e-5)
        self.register_buffer("future", torch.ones(config.positions, config.positions, dtype=torch.bool).triu(1))

    def forward(self, tokens):
        x = self.token_embedding(tokens) + self.position_embedding
        for block in self.blocks:
            x = block(x, self.future)
        return self.final_norm(x) @ self.token_embedding.weight.t()


def with_random_parameters(module: nn.Module, deviation: float = 0.02) -> nn.Module:
    """Gives every parameter, biases too, its own values: the exporter merges parameters that are equal."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=deviation)
    return module.eval()


def hoist_constants(graph: onnx.GraphProto) -> None:
    """Turns Constant nodes into initializers, equal ones into the same, and names them in order of first use."""
    names = {}
    renamed = {}
    nodes = []
    for node in graph.node:
        if node.op_type != "Constant":
            nodes.append(node)
            continue
        tensor = node.attribute[0].t
        value = onnx.numpy_helper.to_array(tensor)
        key = (tensor.data_type, value.shape, value.tobytes())
        if key not in names:
            names[key] = f"constant_{len(names)}"
            graph.initializer.append(onnx.numpy_helper.from_array(value, names[key]))
        renamed[node.output[0]] = names[key]
    for node in nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend(nodes)


def export_without_weights(module: nn.Module, data: dict, output: str, source: str, dynamic_axes=None) -> onnx.ModelProto:
    """The graph of `module` at the inputs `data`: inputs are data, parameters, buffers in this order, none with a payload."""
    stream = io.BytesIO()
    torch.onnx.export(
        module,
        tuple(data.values()),
        stream,
        export_params=False,
        opset_version=14,
        do_constant_folding=False,
        input_names=list(data),
        output_names=[output],
        dynamic_axes=dynamic_axes,
    )
    model = onnx.load_from_string(stream.getvalue())
    graph = model.graph
    graph.name = "main"
    hoist_constants(graph)
    for node in graph.node:
        node.ClearField("doc_string")

    buffers = [name for name, _ in module.named_buffers()]
    order = [*data, *(name for name, _ in module.named_parameters()), *buffers]
    inputs = {value.name: value for value in graph.input}
    if sorted(order) != sorted(inputs):
        raise ValueError(f"graph inputs are not data, parameters and buffers: {sorted(set(order) ^ set(inputs))}")
    del graph.input[:]
    graph.input.extend(inputs[name] for name in order)

    del graph.value_info[:]
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    batch, sequence = next(iter(data.values())).shape
    properties = {
        "data_inputs": ",".join(data),
        "non_parameter_inputs": ",".join(buffers),
        "source": source,
        "batch": batch,
        "sequence": sequence,
    }
    onnx.helper.set_model_props(model, {key: str(value) for key, value in properties.items()})
    onnx.checker.check_model(model, full_check=True)
    return model


def shapes(graph: onnx.GraphProto) -> dict:
    """Name to dimensions, for every tensor that declares a shape; a named dimension gives its name."""
    declared = {
        value.name: tuple(size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    return declared | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}


def parameter_elements(model: onnx.ModelProto) -> int:
    properties = {entry.key: entry.value for entry in model.metadata_props}
    others = {*properties["data_inputs"].split(","), *properties["non_parameter_inputs"].split(",")}
    dimensions = shapes(model.graph)
    return sum(math.prod(dimensions[value.name]) for value in model.graph.input if value.name not in others)


def multiply_accumulates(graph: onnx.GraphProto) -> int:
    """Of every Conv, Gemm (without transA) and MatMul: the elements of its output times the products behind each."""
    dimensions = shapes(graph)
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            products = math.prod(dimensions[node.input[1]][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            products = dimensions[node.input[0]][-1]
        else:
            continue
        total += math.prod(dimensions[node.output[0]]) * products
    return total


def uses(graph: onnx.GraphProto) -> int:
    """The uses of a node's output by another node: the edges of the graph."""
    produced = {name for node in graph.node for name in node.output}
    return sum(name in produced for node in graph.node for name in node.input)


def plain_logits(state: dict, config: Config, tokens: list) -> list:
    """The logits of one sequence, from loops over numbers alone: shares no operation with the modules above."""
    width = config.width
    head_width = width // config.heads

    def affine(name, rows):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return [[b + sum(x * weight[i][j] for i, x in enumerate(row)) for j, b in enumerate(bias)] for row in rows]

    def norm(name, rows):
        result = []
        for row in rows:
            mean = sum(row) / width
            deviation = math.sqrt(sum((x - mean) ** 2 for x in row) / width + 1e-5)
            result.append([(x - mean) / deviation * w + b for x, w, b in zip(row, state[f"{name}.weight"], state[f"{name}.bias"])])
        return result

    def gelu(x):
        return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    def attention(name, rows):
        joined = affine(f"{name}.qkv", rows)
        context = [[0.0] * width for _ in rows]
        for head in range(config.heads):
            channels = range(head * head_width, (head + 1) * head_width)
            for now, row in enumerate(joined):
                past = joined[: now + 1]
                weights = [math.exp(sum(row[c] * seen[width + c] for c in channels) / math.sqrt(head_width)) for seen in past]
                for c in channels:
                    context[now][c] = sum(w * seen[2 * width + c] for w, seen in zip(weights, past)) / sum(weights)
        return affine(f"{name}.projection", context)

    def added(left, right):
        return [[a + b for a, b in zip(x, y)] for x, y in zip(left, right)]

    embedding = state["token_embedding.weight"]
    x = added([embedding[token] for token in tokens], state["position_embedding"])
    for layer in range(config.layers):
        block = f"blocks.{layer}"
        x = added(x, attention(f"{block}.attention", norm(f"{block}.attention_norm", x)))
        hidden = affine(f"{block}.feed_forward.expansion", norm(f"{block}.feed_forward_norm", x))
        x = added(x, affine(f"{block}.feed_forward.projection", [[gelu(h) for h in row] for row in hidden]))
    return [[sum(a * b for a, b in zip(row, token)) for token in embedding] for row in norm("final_norm", x)]


def require(condition: bool, claim: str) -> None:
    if not condition:
        sys.exit(f"export_gpt2.py: not true: {claim}")


def check_arithmetic() -> None:
    """On a tiny model in double precision: the logits are those of plain loops, and a token changes no logits before it."""
    config = Config(layers=2, heads=2, width=8, vocabulary=11, positions=6)
    module = with_random_parameters(Gpt2(config), deviation=0.5).double()
    state = {name: tensor.tolist() for name, tensor in module.state_dict().items()}
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9]])
    with torch.no_grad():
        logits = module(tokens)[0]
        expected = torch.tensor(plain_logits(state, config, tokens[0].tolist()), dtype=torch.float64)
        require(torch.allclose(logits, expected, rtol=1e-10, atol=1e-10), "the module computes the logits of the plain loops")
        for changed in range(config.positions):
            other = tokens.clone()
            other[0, changed] = 7
            same = (module(other)[0] == logits).all(dim=1).tolist()
            expected_same = [position < changed for position in range(config.positions)]
            require(same == expected_same, f"token {changed} changes the logits from its own position on, and only those")


def check_graph(model: onnx.ModelProto, config: Config) -> None:
    graph = model.graph
    dimensions = shapes(graph)
    tensors = {name for node in graph.node for name in (*node.input, *node.output)}
    require(all(isinstance(size, int) and size > 0 for name in tensors for size in dimensions[name]), "every tensor has a static shape")
    require(parameter_elements(model) == PARAMETERS, f"{parameter_elements(model):,} parameters are {PARAMETERS:,}")
    require(config.multiply_accumulates() == MULTIPLY_ACCUMULATES, "the formula gives the published multiply-accumulates")
    require(multiply_accumulates(graph) == MULTIPLY_ACCUMULATES, f"{multiply_accumulates(graph):,} are {MULTIPLY_ACCUMULATES:,}")
    blocks = {}
    for node in graph.node:
        scope = node.name.split("/")[1]
        if scope.startswith("blocks."):
            blocks.setdefault(scope, []).append((node.op_type, [dimensions[name] for name in (*node.input, *node.output)]))
    require(list(blocks) == [f"blocks.{layer}" for layer in range(config.layers)], f"{config.layers} blocks")
    require(all(block == blocks["blocks.0"] for block in blocks.values()), "all blocks hold the same operators on the same shapes")
    require(sum(len(tensor.raw_data) for tensor in graph.initializer) < 1024, "the file holds no weights")


def main() -> None:
    check_arithmetic()
    config = Config()
    source = "examples/models/export_gpt2.py; " + " ".join(f"{key}={value}" for key, value in vars(config).items())
    tokens = torch.zeros(1, config.positions, dtype=torch.int64)
    model = export_without_weights(with_random_parameters(Gpt2(config)), {"tokens": tokens}, "logits", source)
    check_graph(model, config)

    path = Path(__file__).with_name("gpt2_124m.onnx")
    payload = model.SerializeToString(deterministic=True)
    if "--check" in sys.argv[1:]:
        require(path.read_bytes() == payload, f"{path.name} is what this script writes")
    else:
        path.write_bytes(payload)
    operators = " ".join(f"{kind}:{count}" for kind, count in Counter(node.op_type for node in model.graph.node).most_common())
    print(f"{path.name}: {len(payload)} bytes, {len(model.graph.node)} nodes, {uses(model.graph)} edges")
    print(f"{parameter_elements(model)} parameters, {multiply_accumulates(model.graph)} multiply-accumulates")
    print(operators)


if __name__ == "__main__":
    main()
