#!/usr/bin/env python3
"""Speed of lingua and CLD2 on the texts of `benches/langid.rs`, in CPU seconds of this process after a first text has loaded the models.

    pip install pycld2 lingua-language-detector; training/langid/peers.py [FILE] [--every 20]

lingua reads every 20th text only, or it would take minutes.
"""
import argparse
import gzip
import time


def measure(name, texts, judge):
    judge(texts[0])
    begin = time.process_time()
    for text in texts:
        judge(text)
    spent = time.process_time() - begin
    print(f"{name:<40} {sum(len(text.encode()) for text in texts) / 1e6 / spent:8.2f} MB/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="../shared/data/langid/ud-documents.tsv.gz")
    parser.add_argument("--every", type=int, default=20)
    args = parser.parse_args()
    with gzip.open(args.file, "rt") as file:
        texts = [line.rstrip("\n").rsplit("\t", 1)[-1] for line in file]

    import pycld2
    measure("CLD2 (pycld2)", texts, lambda text: pycld2.detect(text, bestEffort=True))

    import lingua
    for name, builder in [("lingua, low accuracy", lingua.LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode()),
                          ("lingua, high accuracy", lingua.LanguageDetectorBuilder.from_all_languages())]:
        detector = builder.with_preloaded_language_models().build()
        measure(name, texts[::args.every], detector.detect_language_of)


if __name__ == "__main__":
    main()
