"""A random BERT of two small layers, and a toy market whose needs and outcomes share no word: made here, no download."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from matching.learning.encoder_data import JudgedTexts

TOPICS = 12
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PROMPTS = ["query", "passage", ":"]


def asked(topic: int) -> str:
    """What enterprises call a topic."""
    return f"ask{topic}"


def offered(topic: int) -> str:
    """What universities call the same topic."""
    return f"give{topic}"


def build_model(folder: Path, *, prompts: bool = True) -> Path:
    """Write the model as a sentence-transformers folder of random weights, the same at every run."""
    words = [*SPECIALS, *PROMPTS, *(name(topic) for name in (asked, offered) for topic in range(TOPICS)), "and"]
    words += [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["甲", "乙", "丙"]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        BertModel(config).save_pretrained(folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write(
        folder / "modules.json",
        [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{name}"}
            for place, (path, name) in enumerate(modules)
        ],
    )
    for path, _ in modules[1:]:
        (folder / path).mkdir(exist_ok=True)
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    known = {"query": "query: ", "document": "passage: "} if prompts else {}
    write(folder / "config_sentence_transformers.json", {"prompts": known, "similarity_fn_name": "cosine"})
    return folder


def write(file: Path, value: object) -> None:
    """Write JSON."""
    file.write_text(json.dumps(value), encoding="utf-8")


def toy_market(needs: int = 36, outcomes: int = 24, *, complete: bool = True) -> JudgedTexts:
    """Each text speaks of two topics. An outcome of both a need's topics fits it (3), of one hardly (1), else not (0)."""
    generator = np.random.default_rng(3)
    pairs = [(a, b) for a in range(TOPICS) for b in range(a + 1, TOPICS)]
    chosen = [pairs[place] for place in generator.permutation(len(pairs))[:outcomes]]
    outcome_topics = {f"o{number:02}": topics for number, topics in enumerate(chosen)}
    need_topics = {f"n{number:02}": chosen[number % outcomes] for number in range(needs)}
    grades = {
        need: {
            outcome: {2: 3, 1: 1, 0: 0}[len(set(topics) & set(theirs))] for outcome, theirs in outcome_topics.items()
        }
        for need, topics in need_topics.items()
    }
    return JudgedTexts(
        {need: (asked(a), asked(b)) for need, (a, b) in need_topics.items()},
        {outcome: (offered(a), offered(b)) for outcome, (a, b) in outcome_topics.items()},
        grades,
        is_complete=complete,
    )
