"""Small parquet files with exactly the columns that the benchmarks publish; images are one colour each."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def png(number, size=(5, 4)):
    """An image that is told from others by its colour."""
    out = BytesIO()
    Image.new("RGB", size, (number % 256, number // 256, 7)).save(out, "PNG")
    return {"bytes": out.getvalue(), "path": None}


def color(image):
    red, green, _ = image.getpixel((0, 0))
    return red + 256 * green


def write(path, rows, rows_per_group=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=rows_per_group)
    return str(path)


def vqav2(images=12, each=3):
    return [
        {
            "question_type": "what color",
            "multiple_choice_answer": f"color {image}",
            "answers": [
                {"answer": f"color {image}" if who < 7 else "Other.", "answer_confidence": "yes", "answer_id": who}
                for who in range(10)
            ],
            "image_id": 1000 + image,
            "answer_type": "other",
            "question_id": 10 * image + turn,
            "question": f"What color is it, {turn}?",
            "image": png(image),
        }
        for image in range(images)
        for turn in range(each)
    ]


def gqa(images=6, each=4):
    """Questions, and their images in a table of their own, in another order."""
    questions = [
        {
            "id": f"{image}{turn}",
            "imageId": f"n{image}",
            "question": f"Is it {turn}?",
            "answer": "yes" if turn % 2 else "no",
            "fullAnswer": "Yes, it is.",
            "isBalanced": True,
            "groups": {"global": None, "local": "x"},
            "entailed": "",
            "equivalent": "[]",
            "types": {"structural": "verify", "semantic": "attr", "detailed": "verifyAttr"},
            "annotations": {"question": [], "answer": [], "fullAnswer": []},
            "semantic": [{"operation": "select", "argument": "it", "dependencies": []}],
            "semanticStr": "select: it",
        }
        for image in range(images)
        for turn in range(each)
    ]
    return questions, [{"id": f"n{image}", "image": png(image)} for image in reversed(range(images + 2))]


def textvqa(images=5):
    return [
        {
            "image_id": f"img{image}",
            "question_id": 10 * image + turn,
            "question": "what does the SIGN say?",
            "question_tokens": ["what"],
            "image": png(image),
            "image_width": 5,
            "image_height": 4,
            "flickr_original_url": "",
            "flickr_300k_url": "",
            "answers": ["stop"] * 6 + ["Stop."] * 4,
            "image_classes": ["Sign"],
            "set_name": "val",
            "ocr_tokens": ["STOP"],
        }
        for image in range(images)
        for turn in range(2)
    ]


def pope(images=8):
    """Three categories, each with six questions about every image, as published: one category after the other."""
    return [
        {
            "id": str(number),
            "question_id": str(number),
            "question": f"Is there a thing {turn} in the image?",
            "answer": "yes" if turn % 2 else "no",
            "image_source": f"COCO_val2014_{image:012d}",
            "image": png(image),
            "category": category,
        }
        for number, (category, image, turn) in enumerate(
            (category, image, turn)
            for category in ("adversarial", "popular", "random")
            for image in range(images)
            for turn in range(6)
        )
    ]


def scienceqa(rows=6):
    return [
        {
            "image": None if number == 2 else png(number // 2),
            "question": f"Which is number {number}?",
            "choices": ["one", "two", "three"],
            "answer": number % 3,
            "hint": "Look closely." if number else "",
            "task": "closed choice",
            "grade": "grade4",
            "subject": "natural science",
            "topic": "biology",
            "category": "c",
            "skill": "s",
            "lecture": "",
            "solution": "",
        }
        for number in range(rows)
    ]


def mmbench(base=5, rotations=3, index=int):
    """Base rows first, then their rotations, as published; the index is a text in some copies."""
    options = ["a cow", "a dog", "a cat"]
    return [
        {
            "index": index(number + 1_000_000 * turn),
            "question": f"What is it, {number}?",
            "hint": "nan" if number % 2 else "A hint.",
            "answer": "ABC"[turn],
            "A": options[-turn % 3],
            "B": options[(1 - turn) % 3],
            "C": options[(2 - turn) % 3],
            "D": "nan",
            "category": "identity",
            "image": png(number),
            "source": "s",
            "L2-category": "l2",
            "comment": "nan",
            "split": "dev",
        }
        for turn in range(rotations)
        for number in range(base)
    ]


def mmstar(rows=6):
    return [
        {
            "index": number,
            "question": "Which is right?\nOptions: A: The cat, B: The big, red dog., C: A cow, D: 12:30",
            "image": png(number),
            "answer": "ABCD"[number % 4],
            "category": "math" if number % 2 else "logical reasoning",
            "l2_category": "geometry",
            "meta_info": {"source": "x", "split": "val", "image_path": "i.jpg"},
        }
        for number in range(rows)
    ]


def ai2d(images=4):
    return [
        {
            "question": f"Which part, {turn}?",
            "options": ["root", "leaf", "stem", "7"],
            "answer": str(turn),
            "image": png(image),
        }
        for image in range(images)
        for turn in range(3)
    ]


def seed(rows=11):
    return [
        {
            "question_id": str(number),
            "question": "How many?",
            "choice_a": "One",
            "choice_b": "Two",
            "choice_c": "Three",
            "choice_d": "Four",
            "answer": "ABCD"[number % 4],
            "data_type": "image" if number else "video",
            "data_id": f"d{number // 2}",
            "image": [png(number // 2)] if number else [png(0), png(900)],
        }
        for number in range(rows)
    ]


def mme(images=6):
    return [
        {
            "question_id": f"color/{image:04d}.png",
            "image": png(image),
            "question": f"Is it color {turn}? Please answer yes or no.",
            "answer": ("Yes", "No")[turn],
            "category": "color" if image % 2 else "code_reasoning",
        }
        for turn in range(2)
        for image in range(images)
    ]


def clevr(rows=4, each=5):
    return [
        {
            "images": [png(number)],
            "texts": [
                {"user": f"How many things, {turn}?", "assistant": f"{turn}.", "source": "CLEVR"}
                for turn in range(each)
            ],
        }
        for number in range(rows)
    ]
