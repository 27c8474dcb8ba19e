#!/usr/bin/env python3
"""Writes a GGUF (version 3) that llama.cpp loads: a llama of two small blocks with random weights.

    tests/tiny_gguf.py FILE [--embedding N] [--blocks N]

What it says is nonsense; that it answers is what tests need. 64 and 2 make 0.5 MB; 1024 and 24 make 963 MB.
"""
import argparse
import array
import random
import struct

CONTEXT, HEADS = 512, 4
TEMPLATE = ("{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
            "{% if add_generation_prompt %}assistant: {% endif %}")


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value_of(value):
    """A metadata value with its type, by the types of ggml/docs/gguf.md."""
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    kind = {int: 5, float: 6, str: 8}[type(value[0])]
    body = b"".join(text(v) if kind == 8 else struct.pack("<i" if kind == 5 else "<f", v) for v in value)
    return struct.pack("<IIQ", 9, kind, len(value)) + body


def vocabulary():
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    plain = ["\u2581"] + [chr(c) for c in range(ord("a"), ord("z") + 1)] + ["\u2581the", "\u2581a", "er", "in", "on"]
    return words + plain, kinds + [1] * len(plain), [0.0] * len(words) + [-float(i) for i in range(len(plain))]


def metadata(embedding, blocks):
    words, kinds, scores = vocabulary()
    name = "llama"
    return words, {
        "general.architecture": name, "general.name": "tiny", f"{name}.context_length": CONTEXT,
        f"{name}.embedding_length": embedding, f"{name}.block_count": blocks,
        f"{name}.feed_forward_length": 2 * embedding, f"{name}.attention.head_count": HEADS,
        f"{name}.attention.head_count_kv": HEADS, f"{name}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{name}.rope.dimension_count": embedding // HEADS, "tokenizer.ggml.model": name,
        "tokenizer.ggml.tokens": words, "tokenizer.ggml.scores": scores, "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.chat_template": TEMPLATE,
    }


def tensors(embedding, blocks, words):
    """Name and shape, the fastest dimension first."""
    wide = 2 * embedding
    yield "token_embd.weight", (embedding, words)
    yield "output_norm.weight", (embedding,)
    yield "output.weight", (embedding, words)
    for block in range(blocks):
        for part, shape in (("attn_norm", (embedding,)), ("attn_q", (embedding, embedding)),
                            ("attn_k", (embedding, embedding)), ("attn_v", (embedding, embedding)),
                            ("attn_output", (embedding, embedding)), ("ffn_norm", (embedding,)),
                            ("ffn_gate", (embedding, wide)), ("ffn_up", (embedding, wide)),
                            ("ffn_down", (wide, embedding))):
            yield f"blk.{block}.{part}.weight", shape


def padded(size):
    return (size + 31) // 32 * 32


def write(path, embedding=64, blocks=2, seed=1):
    words, fields = metadata(embedding, blocks)
    listed = list(tensors(embedding, blocks, len(words)))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(fields))
    head += b"".join(text(key) + value_of(value) for key, value in fields.items())
    offset = 0
    sizes = []
    for name, shape in listed:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", 0, offset)
        sizes.append(count)
        offset += padded(4 * count)
    chance = random.Random(seed)
    block = array.array("f", (chance.gauss(0, 0.05) for _ in range(1 << 14)))
    with open(path, "wb") as out:
        out.write(head.ljust(padded(len(head)), b"\0"))
        for (name, _), count in zip(listed, sizes):
            data = array.array("f", [1.0]) * count if "norm" in name else (block * (count // len(block) + 1))[:count]
            out.write(data.tobytes().ljust(padded(4 * count), b"\0"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--embedding", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=2)
    given = parser.parse_args()
    write(given.file, given.embedding, given.blocks)
