#!/usr/bin/env python3
"""Gathers what the language model is trained on into plain tables, one a source, and says what each file was.

    training/langid/gather.py SOURCES OUT

SOURCES holds what `sources.tsv` lists, fetched with the ordinary clients:
    git/OWNER+NAME/repo   clones (bare ones will do) at the listed commits
    deb/*.deb             `apt-get download PACKAGE=VERSION`
    pypi/wordfreq         the unpacked wheel of wordfreq
OUT gets words.tsv (language, weight, word) and texts.tsv (language, source, text), sorted where their origin has no order, and
gathered.tsv with the SHA-256 of each. The same sources give the same bytes. Only the standard library is needed, and `git` and `dpkg-deb`.

What is left out on purpose: treebanks whose licence forbids commercial use, the test texts inside the lingua crates (half of them are held
out in the evaluation data), treebanks of the evaluation data (their test splits are held out), and every package from which the corpora of
the whole-job scorer were made.
"""
import argparse
import collections
import gzip
import hashlib
import html
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
import zipfile

# Treebanks with licences that allow any use (CC BY-SA), none of them in the evaluation data: all of each is taken.
TREEBANKS = {
    "Afrikaans-AfriBooms": "af", "Albanian-TSA": "sq", "Czech-PUD": "cs", "Dutch-Alpino": "nl", "English-PUD": "en", "Faroese-FarPaHC": "fo",
    "Finnish-PUD": "fi", "French-PUD": "fr", "Galician-PUD": "gl", "German-PUD": "de", "Greek-GUD": "el", "Icelandic-GC": "is",
    "Icelandic-PUD": "is", "Italian-PUD": "it", "Polish-PUD": "pl", "Portuguese-GSD": "pt", "Portuguese-PUD": "pt", "Russian-PUD": "ru",
    "Swedish-PUD": "sv", "Turkish-BOUN": "tr", "Ukrainian-ParlaMint": "uk",
}
# Files of tesseract-ocr/langdata_lstm (word lists by frequency on the web) and the language of each.
TESSERACT = {
    "afr": "af", "aze": "az", "bos": "bs", "bre": "br", "bul": "bg", "cat": "ca", "ceb": "ceb", "ces": "cs", "cos": "co", "cym": "cy", "dan": "da",
    "deu": "de", "ell": "el", "eng": "en", "epo": "eo", "est": "et", "fao": "fo", "fra": "fr", "fry": "fy", "gla": "gd", "gle": "ga", "glg": "gl",
    "hat": "ht", "hrv": "hr", "ind": "id", "isl": "is", "ita": "it", "jav": "jv", "kmr": "ku", "lat": "la", "lav": "lv", "lit": "lt", "ltz": "lb",
    "mkd": "mk", "mlt": "mt", "mri": "mi", "msa": "ms", "nor": "nb", "pol": "pl", "por": "pt", "ron": "ro", "slk": "sk", "slv": "sl", "spa": "es",
    "sqi": "sq", "srp": "sr-Cyrl", "srp_latn": "sr-Latn", "sun": "su", "swa": "sw", "swe": "sv", "tgl": "tl", "yor": "yo", "aze_cyrl": "az-Cyrl",
    "mon": "mn", "tgk": "tg", "uzb_cyrl": "uz-Cyrl", "ara": "ar", "fas": "fa", "urd": "ur", "pus": "ps", "snd": "sd", "uig": "ug", "hin": "hi",
    "mar": "mr", "nep": "ne", "yid": "yi",
}
WORDFREQ = ("large_ca large_cs large_de large_en large_es large_fi large_fr large_it large_mk large_nb large_nl large_pl large_pt large_ru large_sv "
            "large_uk large_ar large_he small_bg small_da small_el small_fa small_fil small_hi small_hu small_id small_is small_lt small_lv small_ms "
            "small_ro small_sk small_sl small_tr small_ur small_vi").split()
# Firefox language packs, by the end of the package's name.
FIREFOX = {"fy-nl": "fy", "ga-ie": "ga", "hy-am": "hy", "nb-no": "nb", "nn-no": "nn", "sv-se": "sv", "es-es": "es", "pt-pt": "pt", "pt-br": "pt",
           "en-gb": "en"}
# Languages for which there is so little that the messages of MediaWiki are worth having.
MEDIAWIKI = ("an ast br ca co csb cy dsb eo et eu fo fur fy ga gd gl gsw hsb hu bg el it pl uk is lb li lij ltg lt mk mt nds nn oc rm rue sc sco se sq szl vec wa "
             "ba tt ky kk tg cv os ia jv su tk uz ku ht ha ig mg kab io yi ckb fa ps sd ne sa af sw ms tl vi be-tarask sr-ec sr-el bs hr").split()
MEDIAWIKI_TAGS = {"be-tarask": "be", "sr-ec": "sr-Cyrl", "sr-el": "sr-Latn"}
WORDS_MAX = 40_000
TEXT_CHARACTERS_MIN, TEXT_CHARACTERS_MAX = 12, 600


def git(repo, *args):
    return subprocess.run(["git", "-C", str(repo), *args], check=True, capture_output=True).stdout


def clean(text):
    """Markup, placeholders and entities out of a message."""
    text = re.sub(r"<[^<>]*>|\{\{[^{}]*\}\}|\{[^{}]*\}|\[\[|\]\]|'''?|\$\d|%\S+|&\w;|https?://\S+|\\n", " ", html.unescape(text))
    return re.sub(r"\s+", " ", text).strip()


def treebank_texts(sources):
    for name, lang in sorted(TREEBANKS.items()):
        repo = sources / "git" / f"UniversalDependencies+UD_{name}" / "repo"
        for line in git(repo, "ls-tree", "-l", "HEAD").decode().splitlines():
            path, size = line.split("\t")[1], line.split()[3]
            if path.endswith(".conllu") and size.isdigit():
                for row in git(repo, "show", f"HEAD:{path}").decode().splitlines():
                    if row.startswith("# text = "):
                        yield lang, f"ud-{name}", row[9:]


def firefox_texts(sources):
    for deb in sorted((sources / "deb").glob("firefox-esr-l10n-*.deb")):
        part = re.match(r"firefox-esr-l10n-([a-z-]+)_", deb.name)[1]
        lang = FIREFOX.get(part, part)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
            pack = next(pathlib.Path(folder).rglob("*.xpi"))
            with zipfile.ZipFile(pack) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith((".ftl", ".properties")):
                        yield from ((lang, "firefox", value) for value in messages(archive.read(name).decode("utf-8", "replace")))


def messages(text):
    """Values of Fluent and properties files: what stands behind `=`, and the indented lines that go on."""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = re.match(r"\s*[-.\w]+\s*=\s*(.+)", line) or re.match(r"\s{2,}([^\s.{}\[*#][^=]{20,})$", line)
        if found:
            yield found[1]


def mediawiki_texts(sources):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", next((sources / "deb").glob("mediawiki_*.deb")), folder], check=True)
        for code in MEDIAWIKI:
            path = pathlib.Path(folder) / "usr/share/mediawiki/languages/i18n" / f"{code}.json"
            if path.exists():
                for key, value in json.loads(path.read_text()).items():
                    if key != "@metadata":
                        for part in re.split(r"[|\n]", value):
                            yield MEDIAWIKI_TAGS.get(code, code), "mediawiki", part


def good_text(text):
    """Enough letters, and not left in English: most messages of a language that nobody finished are."""
    letters = sum(letter.isalpha() for letter in text)
    return len(text) >= TEXT_CHARACTERS_MIN and letters * 10 >= len(text) * 6


def texts(sources):
    """Every text once a language; messages that many languages share word for word are names or English."""
    found = [(lang, source, clean(text)[:TEXT_CHARACTERS_MAX]) for reader in (treebank_texts, firefox_texts, mediawiki_texts)
             for lang, source, text in reader(sources)]
    languages = collections.defaultdict(set)
    for lang, _, text in found:
        languages[text].add(lang.split("-")[0])
    seen = set()
    for lang, source, text in found:
        shared = len(languages[text]) > 3 or (lang != "en" and "en" in languages[text])
        if good_text(text) and not shared and (lang, text) not in seen:
            seen.add((lang, text))
            yield lang, source, text


def tesseract_words(sources):
    repo = sources / "git" / "tesseract-ocr+langdata_lstm" / "repo"
    for code, lang in sorted(TESSERACT.items()):
        counted = collections.Counter()
        for rank, word in enumerate(git(repo, "show", f"HEAD:{code}/{code}.wordlist").decode().split("\n")[:WORDS_MAX * 2]):
            word = word.strip().lower()
            if word and all(letter.isalpha() or letter in "'’-·" for letter in word):
                # Zipf and Mandelbrot: the list has an order and no counts.
                counted[word] += 1e6 / (rank + 3)
        yield from ((lang, weight, word) for word, weight in counted.most_common(WORDS_MAX))


def wordfreq_words(sources):
    for name in WORDFREQ:
        lang = {"fil": "tl"}.get(name.split("_")[1], name.split("_")[1])
        bins = unpack(gzip.open(sources / "pypi" / "wordfreq" / "data" / f"{name}.msgpack.gz").read())
        count = 0
        for centibels, words in enumerate(bins[1:]):
            for word in words:
                if count < WORDS_MAX and all(letter.isalpha() or letter in "'’-·" for letter in word):
                    count += 1
                    yield lang, 1e7 * 10 ** (-centibels / 100), word


def unpack(data):
    """The little of MessagePack that wordfreq uses: arrays, maps, texts and small numbers."""
    stream = io.BytesIO(data)

    def number(size):
        return int.from_bytes(stream.read(size), "big")

    def value():
        kind = number(1)
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return {value(): value() for _ in range(kind & 15)}
        if kind < 0xa0:
            return [value() for _ in range(kind & 15)]
        if kind < 0xc0:
            return stream.read(kind & 31).decode()
        if kind in (0xd9, 0xda, 0xdb):
            return stream.read(number(1 << kind - 0xd9)).decode()
        if kind in (0xdc, 0xdd):
            return [value() for _ in range(number(2 << kind - 0xdc))]
        if kind in (0xcc, 0xcd, 0xce):
            return number(1 << kind - 0xcc)
        raise ValueError(f"kind {kind:#x} of MessagePack")

    return value()


def write(path, rows):
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for row in rows:
            line = ("\t".join(row) + "\n").encode()
            digest.update(line)
            file.write(line)
    return path.name, digest.hexdigest(), str(path.stat().st_size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    gathered = [write(args.out / "texts.tsv", texts(args.sources)),
                write(args.out / "words.tsv", ((lang, f"{weight:.2f}", word) for reader in (tesseract_words, wordfreq_words)
                                               for lang, weight, word in reader(args.sources)))]
    write(args.out / "gathered.tsv", gathered)


if __name__ == "__main__":
    main()
