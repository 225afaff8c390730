#!/usr/bin/env python3
"""Lists as machines make them, in up to 52 languages, as JSON lines for `tamis pipe`: what room `machine-made` is measured on (docs/quality.md).

    python3 -m venv PEERS && PEERS/bin/pip install Babel
    PEERS/bin/python benches/lists_and_spam.py > lists.jsonl
    PEERS/bin/python benches/lists_and_spam.py --prose ../shared/data/langid/ud-documents.tsv.gz > below-prose.jsonl
    tamis pipe machine-made --rejects fallen.jsonl < lists.jsonl > stays.jsonl

Names of countries, languages, currencies and cities are those of the CLDR, which Babel carries. With --prose each list stands below the fourth piece
of real text of its language (lang, treebank, split, number, text; test splits are left out), and is so long that it makes the stated share.
"""
import argparse
import collections
import gzip
import json

from babel import Locale, UnknownLocaleError

LANGUAGES = ("be bg br bs ca cs cy da de el en eo es et eu fi fo fr fy ga gd gl hr hsb hu hy is it ka lb lt lv mk mt nb nds nl nn oc pl pt rm ro ru "
             "se sk sl sq sr sv tr uk").split()
# A language whose names are mostly missing would be measured on codes.
TERRITORIES_MIN, TONGUES_MIN, OTHERS_MIN = 80, 80, 50


def put(lang, kind, text):
    print(json.dumps({"id": f"{kind}/{lang}", "lang": lang, "text": text}, ensure_ascii=False))


def names(lang):
    """Names of territories, languages, currencies with their codes, and cities."""
    locale = Locale(lang)
    territories = [name for code, name in sorted(locale.territories.items()) if len(code) == 2]
    tongues = [name for code, name in sorted(locale.languages.items()) if len(code) <= 3]
    currencies = [(name, code) for code, name in sorted(locale.currencies.items())][:150]
    cities = [zone["city"] for _, zone in sorted(locale.time_zones.items()) if zone.get("city")]
    return territories, tongues, currencies, cities


def bare(lang, territories, tongues, currencies, cities):
    put(lang, "countries, commas", ", ".join(territories))
    put(lang, "countries, lines", "\n".join(territories))
    if len(tongues) > TONGUES_MIN:
        put(lang, "languages, commas", ", ".join(tongues))
        put(lang, "languages, spaces", " ".join(tongues))
    if len(currencies) > OTHERS_MIN:
        put(lang, "prices", "".join(f"{name} ({code}) {7 + i * 13 % 90},{i * 37 % 100:02} €\n" for i, (name, code) in enumerate(currencies)))
        put(lang, "table", "".join(f"{name}\t{code}\t{i * 71 % 1000}\n" for i, (name, code) in enumerate(currencies)))
    if len(cities) > OTHERS_MIN:
        put(lang, "cities", "\n".join(cities))
        times = (f"{city} {6 + i % 17:02}:{i * 7 % 60:02} {7 + i % 16:02}:{i * 11 % 60:02}\n" for i, city in enumerate(cities))
        put(lang, "time table", "".join(times))
        put(lang, "places for sale", ", ".join(f"{tongue} {city}" for tongue, city in zip(tongues * 3, cities)))


def below(prose, lang, territories, tongues, _, cities):
    cities = cities or territories
    if len(tongues) < TONGUES_MIN or len(cities) < OTHERS_MIN:
        return
    keywords = ", ".join(f"{tongue} {city}" for tongue, city in zip(tongues * 9, cities * 9))
    rows = "\n".join(f"{t} {c}, {k} {i}." for i, (t, c, k) in enumerate(zip(tongues * 9, cities * 9, territories * 9)))
    people = ". ".join(" ".join(words) for words in zip(tongues * 5, cities * 5, territories * 5))
    for share in (0.4, 0.6, 0.8, 0.95):
        size = int(len(prose) * share / (1 - share))
        put(lang, f"keywords, {share:.0%} list", f"{prose}\n{keywords[:size].rsplit(',', 1)[0].rstrip(',')}.")
        put(lang, f"directory rows, {share:.0%} list", prose + "\n" + rows[:size].rsplit("\n", 1)[0].rstrip(",") + ".")
        put(lang, f"names, {share:.0%} list", f"{prose} {people[:size]}.")


def pieces(path):
    """Ten or more pieces of real text a language."""
    found = collections.defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for lang, _, split, _, text in (line.rstrip("\n").split("\t") for line in lines):
            if split != "test":
                found[lang].append(text)
    return {lang: texts for lang, texts in found.items() if len(texts) >= 10}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prose", metavar="FILE", help="real texts to put the lists below")
    args = parser.parse_args()
    prose = pieces(args.prose) if args.prose else {}
    for lang in LANGUAGES:
        try:
            known = names(lang)
        except UnknownLocaleError:
            continue
        if len(known[0]) < TERRITORIES_MIN:
            continue
        if not args.prose:
            bare(lang, *known)
        elif lang in prose:
            below(prose[lang][3], lang, *known)


if __name__ == "__main__":
    main()
