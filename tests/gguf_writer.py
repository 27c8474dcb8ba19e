"""Writes GGUF files: a real header, and a hole where the weights would be, so that a model of 25 GB takes
some MB of disk and real tools take it for one. Layout: docs/gguf.md of ggml-org/ggml. Standard library only.

    tests/gguf_writer.py KIND FILE       one of MODELS; prints the bytes of its tensors"""
import struct
import sys

# Type -> (number, values of a block, bytes of a block); ggml.h and ggml-common.h.
TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144),
         "Q6_K": (14, 256, 210), "BF16": (30, 1, 2), "MXFP4": (39, 32, 17)}
ALIGNMENT = 32


class U64(int):
    """Written as 64 bits; other numbers have 32."""


class I32(int):
    """With a sign."""


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(raw)) + raw


def number_of(value):
    """The number of a value's type in a GGUF file."""
    for kind, number in ((bool, 7), (U64, 10), (I32, 5), (int, 4), (float, 6), (str, 8), (bytes, 8), (list, 9)):
        if isinstance(value, kind):
            return number
    raise TypeError(value)


def plain(value):
    if isinstance(value, bool):
        return struct.pack("<?", value)
    if isinstance(value, U64):
        return struct.pack("<Q", value)
    if isinstance(value, int):
        return struct.pack("<I", value)
    if isinstance(value, float):
        return struct.pack("<f", value)
    if isinstance(value, list):
        return struct.pack("<IQ", number_of(value[0]), len(value)) + b"".join(plain(one) for one in value)
    return text(value)


def size_of(dims, kind):
    _number, values, size = TYPES[kind]
    count = 1
    for length in dims:
        count *= length
    return count // values * size


def write(path, keys, tensors, version=3):
    """`tensors`: (name, dims with the row's length first, type). Returns the bytes of the tensors."""
    head = [struct.pack("<IIQQ", 0x46554747, version, len(tensors), len(keys))]
    for key, value in keys.items():
        head.append(text(key) + struct.pack("<I", number_of(value)) + plain(value))
    at = total = 0
    for name, dims, kind in tensors:
        head.append(text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims) +
                    struct.pack("<IQ", TYPES[kind][0], at))
        size = size_of(dims, kind)
        total += size
        at += (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    whole = b"".join(head)
    begin = (len(whole) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    with open(path, "wb") as file:
        file.write(whole)
        file.truncate(begin + at)
    return total


def vocabulary(words):
    """Byte tokens as llama's tokenizer has them, and as many words as are missing."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    tokens += [f"w{i}" for i in range(words - len(tokens))]
    kinds += [1] * (len(tokens) - len(kinds))
    kinds = [I32(kind) for kind in kinds]
    return {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": [float(-i) for i in range(len(tokens))], "tokenizer.ggml.token_type": kinds,
            "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2}


def transformer(architecture, blocks, width, heads, kv_heads, feed, words, context, head=None, kind="Q4_K",
                tied=False, name="", more=None, norms=(), experts=0):
    """The keys and tensors of a model whose blocks are all alike."""
    head = head or width // heads
    own = {"block_count": blocks, "context_length": context, "embedding_length": width,
           "feed_forward_length": feed, "attention.head_count": heads, "attention.head_count_kv": kv_heads,
           "attention.key_length": head, "attention.value_length": head,
           "attention.layer_norm_rms_epsilon": 1e-5, "rope.dimension_count": head, **(more or {})}
    keys = {"general.architecture": architecture, "general.name": name or architecture,
            **{f"{architecture}.{key}": value for key, value in own.items()}, **vocabulary(words)}
    tensors = [("token_embd.weight", (width, words), kind), ("output_norm.weight", (width,), "F32")]
    if not tied:
        tensors.append(("output.weight", (width, words), "Q6_K" if kind == "Q4_K" else kind))
    for i in range(blocks):
        at = f"blk.{i}."
        tensors += [(at + "attn_norm.weight", (width,), "F32"), (at + "ffn_norm.weight", (width,), "F32"),
                    (at + "attn_q.weight", (width, heads * head), kind),
                    (at + "attn_k.weight", (width, kv_heads * head), kind),
                    (at + "attn_v.weight", (width, kv_heads * head), kind),
                    (at + "attn_output.weight", (heads * head, width), kind)]
        tensors += [(at + norm, (head if norm.startswith(("attn_q_", "attn_k_")) else width,), "F32")
                    for norm in norms]
        if experts:
            tensors += [(at + "ffn_gate_inp.weight", (width, experts), "F32"),
                        (at + "ffn_gate_exps.weight", (width, feed, experts), kind),
                        (at + "ffn_up_exps.weight", (width, feed, experts), kind),
                        (at + "ffn_down_exps.weight", (feed, width, experts), kind)]
        else:
            tensors += [(at + "ffn_gate.weight", (width, feed), kind), (at + "ffn_up.weight", (width, feed), kind),
                        (at + "ffn_down.weight", (feed, width), kind)]
    return keys, tensors


def mamba(blocks, width, words):
    inner, state, kernel, rank = 2 * width, 16, 4, width // 16
    keys = {"general.architecture": "mamba", "general.name": "mamba", "mamba.block_count": blocks,
            "mamba.context_length": 1 << 20, "mamba.embedding_length": width, "mamba.feed_forward_length": 0,
            "mamba.attention.head_count": 0, "mamba.attention.layer_norm_rms_epsilon": 1e-5,
            "mamba.ssm.conv_kernel": kernel, "mamba.ssm.inner_size": inner, "mamba.ssm.state_size": state,
            "mamba.ssm.time_step_rank": rank, **vocabulary(words)}
    tensors = [("token_embd.weight", (width, words), "F16"), ("output_norm.weight", (width,), "F32")]
    for i in range(blocks):
        at = f"blk.{i}."
        tensors += [(at + "attn_norm.weight", (width,), "F32"), (at + "ssm_in.weight", (width, 2 * inner), "F16"),
                    (at + "ssm_conv1d.weight", (kernel, inner), "F32"), (at + "ssm_conv1d.bias", (inner,), "F32"),
                    (at + "ssm_x.weight", (inner, rank + 2 * state), "F16"),
                    (at + "ssm_dt.weight", (rank, inner), "F16"), (at + "ssm_dt.bias", (inner,), "F32"),
                    (at + "ssm_a", (state, inner), "F32"), (at + "ssm_d", (inner,), "F32"),
                    (at + "ssm_out.weight", (inner, width), "F16")]
    return keys, tensors


# The geometry of published models, from their config.json.
MODELS = {
    "tiny": lambda: transformer("llama", 2, 256, 4, 4, 512, 320, 512, name="Tiny"),
    "llama-8b": lambda: transformer("llama", 32, 4096, 32, 8, 14336, 128256, 131072, name="Llama 3.1 8B Instruct"),
    "qwen3-8b": lambda: transformer("qwen3", 36, 4096, 32, 8, 12288, 151936, 40960, head=128, name="Qwen3 8B",
                                    norms=("attn_q_norm.weight", "attn_k_norm.weight")),
    "qwen3-0.6b": lambda: transformer("qwen3", 28, 1024, 16, 8, 3072, 151936, 40960, head=128, kind="Q8_0",
                                      tied=True, name="Qwen3 0.6B",
                                      norms=("attn_q_norm.weight", "attn_k_norm.weight")),
    "gemma3-12b": lambda: transformer("gemma3", 48, 3840, 16, 8, 15360, 262208, 131072, head=256, tied=True,
                                      name="Gemma 3 12B", more={"attention.sliding_window": 1024},
                                      norms=("attn_q_norm.weight", "attn_k_norm.weight", "post_attention_norm.weight",
                                             "post_ffw_norm.weight")),
    "mixtral-8x7b": lambda: transformer("llama", 32, 4096, 32, 8, 14336, 32000, 32768, name="Mixtral 8x7B",
                                        more={"expert_count": 8, "expert_used_count": 2}, experts=8),
    "mamba-1.4b": lambda: mamba(48, 2048, 50280),
}


def table_of_tokens(kind):
    """The bytes of a model's table of tokens, where its output has weights of its own; else 0."""
    tensors = {name: size_of(dims, type_name) for name, dims, type_name in MODELS[kind]()[1]}
    return tensors["token_embd.weight"] if "output.weight" in tensors else 0


if __name__ == "__main__":
    print(write(sys.argv[2], *MODELS[sys.argv[1]]()))
