#!/usr/bin/env python3
"""Makes tests/pii/set.jsonl: personal data that belong to nobody known, in sentences of the 24 official languages of the EU.

    python3 -m venv V && V/bin/pip install python-stdnum && V/bin/python tests/pii/make_set.py > tests/pii/set.jsonl

Numbers are drawn with a fixed seed in the shape of each identifier until python-stdnum, which knows nothing of our code, says that the check digits
are right (`valid`) or wrong (`near`); for what it does not know the rule is written out below. A line is `lang`, `text`, `case` (valid, near,
look-alike) and `findings` (kind, which, value). The sentences are in sentences.tsv, written for this project.
"""

import csv
import datetime
import importlib
import json
import random
import string
import sys
from pathlib import Path

from stdnum import iban as iban_rule
from stdnum import luhn, verhoeff
from stdnum.eu import vat as vat_rule

RANDOM = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 20261126)
HERE = Path(__file__).parent


def digits(count):
    return "".join(RANDOM.choice(string.digits) for _ in range(count))


def day(form, first=1940, last=1999):
    start = datetime.date(first, 1, 1)
    return (start + datetime.timedelta(RANDOM.randrange((last - first + 1) * 365))).strftime(form)


def rule(name):
    return importlib.import_module(f"stdnum.{name}").is_valid


def hungarian(number):
    return number[0] in "12" and sum((place + 1) * int(sign) for place, sign in enumerate(number[:10])) % 11 == int(number[10])


def taj(number):
    return sum(int(sign) * (3, 7)[place % 2] for place, sign in enumerate(number[:8])) % 10 == int(number[8])


def emso(number):
    """A remainder of 1, for which the check digit would be 10, is not given out; python-stdnum takes it."""
    rest = sum(int(sign) * weight for sign, weight in zip(number, (7, 6, 5, 4, 3, 2) * 2)) % 11
    return rule("si.emso")(number) and rest != 1


def luxembourg(number):
    return luhn.is_valid(number[:12]) and verhoeff.is_valid(number[:11] + number[12])


def codice():
    letters = lambda count: "".join(RANDOM.choice("BCDFGLMNPRSTV") for _ in range(count))
    return letters(6) + digits(2) + RANDOM.choice("ABCDEHLMPRST") + f"{RANDOM.randint(1, 28):02}" + RANDOM.choice("AFHL") + digits(3) + RANDOM.choice(string.ascii_uppercase)


LETTER = lambda: RANDOM.choice(string.ascii_uppercase)
# name, language, the word for it where a sentence has {ID}, how to draw one, the rule, written forms
IDS = [
    ("de-steuer-id", "de", "Steuer-ID", lambda: digits(11), rule("de.idnr"), ["{}", "{:2 3 3 3}"]),
    ("at-svnr", "de", "Sozialversicherungsnummer", lambda: digits(4) + day("%d%m%y"), rule("at.vnr"), ["{}", "{:4 6}"]),
    ("ch-ahv", "de", "AHV-Nummer", lambda: "756" + digits(10), rule("ch.ssn"), ["{}", "{:3.4.4.2}"]),
    ("lu-matricule", "fr", "matricule", lambda: day("%Y%m%d") + digits(5), luxembourg, ["{}"]),
    ("fr-nir", "fr", "numéro de sécurité sociale", lambda: RANDOM.choice("12") + day("%y%m") + f"{RANDOM.randint(1, 95):02}" + digits(8), rule("fr.nir"), ["{}", "{:1 2 2 2 3 3 2}"]),
    ("be-rijksregisternummer", "nl", "rijksregisternummer", lambda: day("%y%m%d") + digits(5), rule("be.nn"), ["{}", "{:2.2.2-3.2}"]),
    ("nl-bsn", "nl", "BSN", lambda: digits(9), rule("nl.bsn"), ["{}", "{:4.2.3}"]),
    ("ie-pps", "en", "PPS number", lambda: digits(7) + LETTER() + RANDOM.choice(["", "A", "B", "H"]), rule("ie.pps"), ["{}"]),
    ("ie-pps", "ga", "", lambda: digits(7) + LETTER(), rule("ie.pps"), ["{}"]),
    ("es-dni", "es", "DNI", lambda: digits(8) + LETTER(), rule("es.dni"), ["{}", "{:8-1}", "{:2.3.3-1}"]),
    ("es-nie", "es", "NIE", lambda: RANDOM.choice("XYZ") + digits(7) + LETTER(), rule("es.nie"), ["{}", "{:1-7-1}"]),
    ("pt-nif", "pt", "", lambda: RANDOM.choice("123") + digits(8), rule("pt.nif"), ["{}", "{:3 3 3}"]),
    ("it-codice-fiscale", "it", "", codice, rule("it.codicefiscale"), ["{}"]),
    ("gr-amka", "el", "", lambda: day("%d%m%y") + digits(5), rule("gr.amka"), ["{}"]),
    ("mt-id", "mt", "", lambda: digits(7) + RANDOM.choice("MGAP"), None, ["{}"]),
    ("hr-oib", "hr", "", lambda: digits(11), rule("hr.oib"), ["{}"]),
    ("si-emso", "sl", "", lambda: (lambda made: made[:4] + made[5:] + "50" + digits(4))(day("%d%m%Y")), emso, ["{}"]),
    ("se-personnummer", "sv", "", lambda: day("%y%m%d") + digits(4), rule("se.personnummer"), ["{:6-4}"]),
    ("fi-henkilotunnus", "fi", "", lambda: day("%d%m%y") + "-" + f"{RANDOM.randint(2, 899):03}" + RANDOM.choice("0123456789ABCDEFHJKLMNPRSTUVWXY"), rule("fi.hetu"), ["{}"]),
    ("dk-cpr", "da", "", lambda: day("%d%m%y") + digits(4), lambda number: rule("dk.cpr")(number) and sum(int(a) * b for a, b in zip(number, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0, ["{:6-4}", "{}"]),
    ("no-fodselsnummer", "nb", "", lambda: day("%d%m%y") + digits(5), rule("no.fodselsnummer"), ["{}", "{:6 5}"]),
    ("lt-asmens-kodas", "lt", "", lambda: RANDOM.choice("34") + day("%y%m%d") + digits(4), rule("lt.asmens"), ["{}"]),
    ("ee-isikukood", "et", "", lambda: RANDOM.choice("34") + day("%y%m%d") + digits(4), rule("ee.ik"), ["{}"]),
    ("lv-personas-kods", "lv", "", lambda: day("%d%m%y") + "1" + digits(4), rule("lv.pvn"), ["{:6-5}"]),
    ("pl-pesel", "pl", "", lambda: day("%y%m%d") + digits(5), rule("pl.pesel"), ["{}"]),
    ("cz-rodne-cislo", "cs", "", lambda: day("%y%m%d", 1955) + digits(4), rule("cz.rc"), ["{:6/4}"]),
    ("sk-rodne-cislo", "sk", "", lambda: day("%y%m%d", 1955) + digits(4), rule("cz.rc"), ["{:6/4}", "{}"]),
    ("hu-szemelyi-szam", "hu", "személyi száma", lambda: RANDOM.choice("12") + day("%y%m%d", 1940, 1996) + digits(4), hungarian, ["{:1-6-4}", "{}"]),
    ("hu-taj", "hu", "TAJ száma", lambda: digits(9), taj, ["{}", "{:3 3 3}"]),
    ("ro-cnp", "ro", "", lambda: RANDOM.choice("12") + day("%y%m%d") + f"{RANDOM.randint(1, 46):02}" + digits(4), rule("ro.cnp"), ["{}"]),
    ("bg-egn", "bg", "", lambda: day("%y%m%d") + digits(4), rule("bg.egn"), ["{}"]),
]
NORWEGIAN = "I søknaden står fødselsnummer {} for moren."

# language: home form and international form; `n` is any digit, `#` one of 3 to 9
PHONES = {
    "bg": ["02 #n# nnnn", "+359 88 #nn nnnn"], "cs": ["60n #nn nnn", "+420 77n nnn nnn"], "da": ["#n nn nn nn", "+45 #n nn nn nn"],
    "de": ["030 #nnnnnn", "+49 (0)171 #nnnnnn", "(089) #nn nnnn"], "el": ["210 nnnnnnn", "+30 69nn nnn nnn"], "en": ["020 #nnn nnnn", "+353 87 #nn nnnn"],
    "es": ["91 #nn nn nn", "+34 6nn nn nn nn"], "et": ["5nnn nnnn", "+372 5nnn nnnn"], "fi": ["040 #nn nnnn", "+358 50 #nn nnnn"],
    "fr": ["01 #n nn nn nn", "+33 6 #n nn nn nn", "04.#n.nn.nn.nn"], "ga": ["091 #nn nnn", "+353 1 #nn nnnn"], "hr": ["01 #nnn nnn", "+385 98 #nn nnn"],
    "hu": ["06 1 #nn nnnn", "+36 30 #nn nnnn"], "it": ["06 #nnn nnnn", "+39 347 #nn nnnn"], "lt": ["+370 6nn nnnnn", "0 6nn nnnnn"], "lv": ["2nnnnnnn", "+371 2n nnn nnn"],
    "mt": ["21nn nnnn", "+356 79nn nnnn"], "nl": ["06-#nnnnnnn", "+31 20 #nn nnnn", "0031 20 #nnnnnn"], "pl": ["22 #nn nn nn", "+48 60n nnn nnn"], "pt": ["21 #nn nnnn", "+351 91n nnn nnn"],
    "ro": ["021 #nn nnnn", "+40 72n nnn nnn"], "sk": ["090n nnn nnn", "+421 90n nnn nnn"], "sl": ["01 #nn nn nn", "+386 41 #nn nnn"], "sv": ["08-#nn nnn nn", "+46 70 #nn nn nn"],
}
IBANS = {"bg": "BG{}BNBG9661dddddddddd", "cs": "CZ{}dddddddddddddddddddd", "da": "DK{}dddddddddddddd", "de": "DE{}dddddddddddddddddd", "el": "GR{}ddddddddddddddddddddddd", "en": "IE{}AIBKdddddddddddddd", "es": "ES{}dddddddddddddddddddd", "et": "EE{}dddddddddddddddd", "fi": "FI{}dddddddddddddd", "fr": "FR{}ddddddddddddddddddddddd", "ga": "IE{}BOFIdddddddddddddd", "hr": "HR{}ddddddddddddddddd", "hu": "HU{}dddddddddddddddddddddddd", "it": "IT{}Xdddddddddddddddddddddd", "lt": "LT{}dddddddddddddddd", "lv": "LV{}HABAddddddddddddd", "mt": "MT{}MALTddddddddddddddddddddddd", "nl": "NL{}ABNAdddddddddd", "pl": "PL{}dddddddddddddddddddddddd", "pt": "PT{}ddddddddddddddddddddd", "ro": "RO{}BTRLdddddddddddddddd", "sk": "SK{}dddddddddddddddddddd", "sl": "SI{}ddddddddddddddd", "sv": "SE{}dddddddddddddddddddd"}
VATS = {"bg": "BGddddddddd", "cs": "CZdddddddd", "da": "DKdddddddd", "de": "DEddddddddd", "el": "ELddddddddd", "en": "IEddddddd?", "es": "ESBdddddddd", "et": "EEddddddddd", "fi": "FIdddddddd", "fr": "FRddddddddddd", "ga": "IEddddddd?", "hr": "HRddddddddddd", "hu": "HUdddddddd", "it": "ITddddddddddd", "lt": "LTddddddddd", "lv": "LVddddddddddd", "mt": "MTdddddddd", "nl": "NLdddddddddBdd", "pl": "PLdddddddddd", "pt": "PTddddddddd", "ro": "ROdddddddd", "sk": "SKdddddddddd", "sl": "SIdddddddd", "sv": "SEdddddddddd01"}
PLATES = {"bg": "CA nnnn AB", "cs": "2A3 nnnn", "da": "AB nn nnn", "de": "K-LM nnn", "el": "YZA-nnnn", "en": "191-D-nnnn", "es": "nnnn BCD", "et": "nnn ABC", "fi": "ABC-nnn", "fr": "AB-nnn-CD", "ga": "191-G-nnnn", "hr": "ZG nnnn-AB", "hu": "ABC-nnn", "it": "AB nnn CD", "lt": "ABC nnn", "lv": "AB-nnnn", "mt": "ABC nnn", "nl": "AB-nnn-C", "pl": "WA nnnnA", "pt": "AB-nn-CD", "ro": "B nnn ABC", "sk": "BA nnnAB", "sl": "LJ AB-nnn", "sv": "ABC nnn"}
BIRTHS = {"bg": "3.05.1965", "cs": "3. května 1965", "da": "3. maj 1965", "de": "3. Mai 1965", "el": "3 Μαΐου 1965", "en": "3 May 1965", "es": "03/05/1965", "et": "3. mail 1965", "fi": "3.5.1965", "fr": "3 mai 1965", "ga": "3 Bealtaine 1965", "hr": "3. svibnja 1965", "hu": "1965. május 3", "it": "03/05/1965", "lt": "1965-05-03", "lv": "1965. gada 3", "mt": "3 ta' Mejju 1965", "nl": "3-5-1965", "pl": "3 maja 1965", "pt": "03-05-1965", "ro": "3 mai 1965", "sk": "3. mája 1965", "sl": "3. 5. 1965", "sv": "3 maj 1965"}
ADDRESSES = {"bg": "ул. Шипка 12, 5800 Плевен", "cs": "Dlouhá ulice 12, 602 00 Brno", "da": "Lillevej 12, 8000 Aarhus", "de": "Lindenstraße 12, 24103 Kiel", "el": "οδός Ερμού 12, 38221 Βόλος", "en": "12 Mill Road", "es": "calle Mayor 12, 36201 Vigo", "et": "Pikk tänav 12, 51007 Tartu", "fi": "Mäntykatu 12, 90100 Oulu", "fr": "12 rue des Tilleuls, 59000 Lille", "ga": "12 Sráid na Mara", "hr": "Duga ulica 12, 21000 Split", "hu": "Kossuth utca 12, 6720 Szeged", "it": "via Garibaldi 12, 70121 Bari", "lt": "Liepų g. 12, 44001 Kaunas", "lv": "Liepu iela 12, 4101 Cēsis", "mt": "12, Triq il-Kbira", "nl": "Molenstraat 12, 2611 AB Delft", "pl": "ul. Lipowa 12, 90-001 Łódź", "pt": "rua Direita 12, 4700-001 Braga", "ro": "strada Teilor 12, 400001 Cluj", "sk": "Lipová ulica 12, 949 01 Nitra", "sl": "Dolga ulica 12, 4000 Kranj", "sv": "Storgatan 12, 903 26 Umeå"}
LOOK_ALIKES = ["978-3-16-148410-0", "9783161484100", "2024-118273645", "4006381333931", "2026/000123457", "10.1000/182.4711", "1234-5678-9012"]


def drawn(draw, holds, wanted):
    while True:
        number = draw()
        if holds is None or bool(holds(number)) == wanted:
            return number


def written(form, number):
    """`{:2 3 3}` cuts a number in groups of two, three and three digits, with the separators of the form."""
    if form == "{}":
        return number
    out, at = "", 0
    for sign in form[2:-1]:
        if sign.isdigit():
            out, at = out + number[at : at + int(sign)], at + int(sign)
        else:
            out += sign
    return out


def filled(form):
    """Digits for `n` and `d`, others than 0 to 2 for `#`, a capital for `?`."""
    signs = {"n": lambda: RANDOM.choice(string.digits), "d": lambda: RANDOM.choice(string.digits), "#": lambda: RANDOM.choice("3456789"), "?": LETTER}
    return "".join(signs.get(sign, lambda sign=sign: sign)() for sign in form)


def iban(form):
    body = filled(form.replace("{}", ""))
    return next(made for check in range(2, 99) if iban_rule.is_valid(made := f"{body[:2]}{check:02}{body[2:]}", check_country=False))


def wrong(number, place, holds):
    """`number` with another digit at `place`, so that its rule does not hold."""
    for turn in range(1, 10):
        made = number[:place] + str((int(number[place]) + turn) % 10) + number[place + 1 :]
        if not holds(made):
            return made
    raise SystemExit(f"no wrong digit for {number}")


def line(lang, case, text, *findings):
    print(json.dumps({"lang": lang, "case": case, "text": text, "findings": findings}, ensure_ascii=False))


def finding(kind, which, value):
    return {"kind": kind, "which": which, "value": value}


def main():
    with open(HERE / "sentences.tsv", encoding="utf-8") as rows:
        sentences = {row["lang"]: row for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE)}
    for name, lang, word, draw, holds, forms in IDS:
        sentence = (sentences[lang]["id"] if lang != "nb" else NORWEGIAN).replace("{ID}", word)
        for form in forms * (8 // len(forms)):
            value = written(form, drawn(draw, holds, True))
            line(lang, "valid", sentence.replace("{}", value), finding("national_id", name, value))
            if holds and name != "dk-cpr":
                line(lang, "near", sentence.replace("{}", written(form, drawn(draw, holds, False))))
    for lang, row in sentences.items():
        for local, domain in [("info", "biblioteka.example"), ("anna.k+list", "posta.example.eu"), ("j_o-n99", "mail.example.org")]:
            line(lang, "valid", row["email"].replace("{}", f"{local}@{domain}"), finding("email", "", f"{local}@{domain}"))
        line(lang, "look-alike", row["email"].replace("{}", RANDOM.choice(["@biblioteka", "logo@2x.png", "anna @ posta"])))
        for form in PHONES[lang] * 2:
            value = filled(form)
            line(lang, "valid", row["phone"].replace("{}", value), finding("phone", "", value))
        for grouped in (False, True):
            value = iban(IBANS[lang])
            bad = wrong(value, len(value) - 2, lambda made: iban_rule.is_valid(made, check_country=False))
            cut = lambda made: " ".join(made[at : at + 4] for at in range(0, len(made), 4)) if grouped else made
            line(lang, "valid", row["iban"].replace("{}", cut(value)), finding("iban", "", cut(value)))
            line(lang, "near", row["iban"].replace("{}", cut(bad)))
            number = drawn(lambda: RANDOM.choice(["4", "51", "55"]) + digits(15), lambda made: luhn.is_valid(made[:16]), True)[:16]
            line(lang, "valid", row["card"].replace("{}", cut(number)), finding("card", "", cut(number)))
            line(lang, "near", row["card"].replace("{}", cut(wrong(number, 11, luhn.is_valid))))
        for value in (f"185.{RANDOM.randint(33, 250)}.{RANDOM.randint(1, 250)}.7", f"2a02:{RANDOM.randint(1000, 9999)}:8000::1:5"):
            line(lang, "valid", row["ip"].replace("{}", value), finding("ip", "", value))
        line(lang, "look-alike", row["ip"].replace("{}", RANDOM.choice(["192.168.1.17", "10.0.3.4", "fe80::1", "2.6.3.1"])))
        for _ in range(2):
            value = drawn(lambda: filled(VATS[lang]), vat_rule.is_valid, True)
            line(lang, "valid", row["vat"].replace("{}", value), finding("vat", value[:2], value))
            line(lang, "near", row["vat"].replace("{}", drawn(lambda: filled(VATS[lang]), vat_rule.is_valid, False)))
            value = filled(PLATES[lang])
            line(lang, "valid", row["plate"].replace("{}", value), finding("plate", "", value))
            line(lang, "look-alike", row["order"].replace("{}", filled(PLATES[lang])))
        line(lang, "valid", row["birth"].replace("{}", BIRTHS[lang]), finding("birth_date", "", BIRTHS[lang]))
        line(lang, "look-alike", row["order"].replace("{}", BIRTHS[lang]))
        line(lang, "valid", row["address"].replace("{}", ADDRESSES[lang]), finding("address", "", ADDRESSES[lang]))
        for value in LOOK_ALIKES + [digits(8), digits(9), digits(10), digits(11), digits(13)]:
            line(lang, "look-alike", row["order"].replace("{}", value))


main()
